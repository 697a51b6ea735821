"""Every address of the site. Case work apps bring their own ``urls`` module; one that has none has no pages."""

from __future__ import annotations

from importlib.util import find_spec

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from safelight.web import (
    force_sign_in,
    force_sign_out,
    passkey,
    second_factor,
    sign_in,
    standards_page,
    status,
    styleguide,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("sign-in/", sign_in.sign_in, name="account_login"),
    path("sign-out/", sign_in.sign_out, name="account_logout"),
    path("sign-in/again/", sign_in.again, name="sign_in_again"),
    path("sign-in/code/", second_factor.authenticate, name="mfa_authenticate"),
    path("sign-in/passkey/", passkey.sign_in, name="mfa_login_webauthn"),
    path("sign-in/service/<slug:provider_id>/", force_sign_in.start, name="openid_connect_login"),
    path("sign-in/service/<slug:provider_id>/back/", force_sign_in.callback, name="openid_connect_callback"),
    path("sign-in/service/<slug:provider_id>/ended/", force_sign_out.ended, name="openid_connect_ended"),
    path("my-sign-in/password/", sign_in.change_password, name="account_change_password"),
    path("my-sign-in/confirm/", sign_in.reauthenticate, name="account_reauthenticate"),
    path("my-sign-in/confirm/code/", second_factor.reauthenticate, name="mfa_reauthenticate"),
    path("my-sign-in/confirm/key/", second_factor.reauthenticate_key, name="mfa_reauthenticate_webauthn"),
    path("my-sign-in/needed/", second_factor.duty, name="mfa_duty"),
    path("my-sign-in/factors/", second_factor.index, name="mfa_index"),
    path("my-sign-in/app/", second_factor.add_app, name="mfa_activate_totp"),
    path("my-sign-in/app/remove/", second_factor.remove_app, name="mfa_deactivate_totp"),
    path("my-sign-in/keys/add/", second_factor.add_key, name="mfa_add_webauthn"),
    path("my-sign-in/keys/<int:pk>/remove/", second_factor.remove_key, name="mfa_remove_webauthn"),
    path("healthz", status.healthz, name="healthz"),
    path("readyz", status.readyz, name="readyz"),
    path("metrics", status.metrics, name="metrics"),
    path("standards/", standards_page.standards_page, name="standards_page"),
]
if settings.DEBUG or settings.DEMO or settings.TESTING:
    urlpatterns.append(path("styleguide/", styleguide.styleguide, name="styleguide"))

for app in settings.INSTALLED_APPS:
    if app.startswith("safelight.casework.") and find_spec(f"{app}.urls"):
        urlpatterns.append(path("", include(f"{app}.urls")))

handler400 = "safelight.web.errors.bad_request"
handler403 = "safelight.web.errors.permission_denied"
handler404 = "safelight.web.errors.not_found"
handler500 = "safelight.web.errors.server_error"
