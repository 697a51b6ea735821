"""Every address of the site. Case work apps bring their own ``urls`` module; one that has none has no pages."""

from __future__ import annotations

from importlib.util import find_spec

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from safelight.web import sign_in, standards_page, status, styleguide

urlpatterns: list[URLPattern | URLResolver] = [
    path("sign-in/", sign_in.sign_in, name="account_login"),
    path("sign-out/", sign_in.sign_out, name="account_logout"),
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
