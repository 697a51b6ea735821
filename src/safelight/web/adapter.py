"""How allauth is bent to this product: nobody signs up, secrets are encrypted, and strangers of the force's own sign-in
service are told what to do."""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from safelight.casework.accounts import external, second_factor
from safelight.casework.accounts.fresh import is_fresh
from safelight.casework.accounts.services import own_password_chosen
from safelight.casework.accounts.sessions import note_service_session, signed_in
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record

RUN_OUT = "This password was given to you for a short time, and has run out. Ask your administrator for another."


class ClosedAccountAdapter(DefaultAccountAdapter):
    """allauth with sign-up closed, and silent about success: the page a person lands on says where they are."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": "The user name or the password is not right.",
        "incorrect_password": "This is not your password.",
        "enter_current_password": "This is not the password that you have now.",
        "too_many_login_attempts": "Too many failed attempts. Wait a quarter of an hour, then try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def add_message(self, *args: object, **kwargs: object) -> None:
        """No 'Successfully signed in as ...' banners."""

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """axes counts passwords, by person and address; allauth's count of a name would let strangers lock it."""

    def _rollback_login_failed_rl_usage(self) -> None:
        """Nothing was counted."""

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        user = super().authenticate(request, **credentials)
        if user is not None and user.given_password_until and user.given_password_until < timezone.now():
            raise ValidationError(RUN_OUT)
        return user

    def post_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse:
        response = super().post_login(request, user, **kwargs)
        signed_in(request, user)
        return response

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        return render(request, "account/inactive.html", status=403)

    def set_password(self, user: Any, password: str) -> None:
        super().set_password(user, password)
        own_password_chosen(user)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("accounts:mine")

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Signing in counts: who gave a password a minute ago is not asked again."""
        return not is_fresh(context.request)


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    made = []
    for key in keys:
        derived = HKDF(SHA256(), 32, salt=None, info=b"safelight second factor").derive(key.encode())
        made.append(Fernet(base64.urlsafe_b64encode(derived)))
    return MultiFernet(made)


@transaction.atomic
def seal_anew() -> tuple[int, int]:
    """Encrypt every secret of an authenticator app with the present SAFELIGHT_SECRET_KEY.

    Returns:
        (written anew, not read: made with a key that is not among those of before).
    """
    done = lost = 0
    fernet = _fernet((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))
    for row in Authenticator.objects.select_for_update().filter(type=Authenticator.Type.TOTP).order_by("pk"):
        try:
            row.data["secret"] = fernet.rotate(row.data["secret"].encode()).decode()
        except InvalidToken:
            lost += 1
            continue
        row.save(update_fields=["data"])
        done += 1
    record(None, "account.secrets_sealed", None, category=Category.SYSTEM, payload={"rows": done, "not_read": lost})
    return done, lost


class SecondFactorAdapter(DefaultMFAAdapter):
    """Secrets of authenticator apps stand encrypted in the database (Fernet; its key is derived from SECRET_KEY)."""

    def _get_site_name(self) -> str:
        return "Safelight (demo)" if settings.DEMO else "Safelight"

    def _get_user_identifier(self, user: Any) -> str:
        return str(user.get_username())

    def build_totp_svg(self, url: str) -> str:
        """The code as part of the page: a picture of its own would need a looser content policy."""
        svg = super().build_totp_svg(url)
        return svg[svg.index("<svg") :].replace("<svg ", '<svg class="sl-qr" role="img" aria-label="Code to scan" ', 1)

    def encrypt(self, text: str) -> str:
        return _fernet((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)).encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
        return _fernet(keys).decrypt(encrypted_text.encode()).decode()

    def can_delete_authenticator(self, authenticator: Any) -> bool:
        """The last one stays, where the role owes one: set up another first."""
        user = authenticator.user
        return not (second_factor.rule_for(user).second_factor and second_factor.is_last(user))

    def generate_authenticator_name(self, user: Any, type: Any) -> str:
        count = sum(1 for row in second_factor.factors_of(user) if row.type == type)
        return f"Security key {count + 1}"


class ForceSignInAdapter(DefaultSocialAccountAdapter):
    """The force's own sign-in service: it says who somebody is, never that somebody has an account."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        claims = dict(sociallogin.account.extra_data)
        claims = claims.get("id_token") or claims
        # What the service says of a person is not kept: the subject is enough to know them again.
        sociallogin.account.extra_data = {}
        if not sociallogin.is_existing:
            said = str(claims.get("name") or claims.get("preferred_username") or claims.get("email") or "")
            external.note_unknown(sociallogin.account.provider, sociallogin.account.uid, said)
            page = render(request, "account/unknown_subject.html", {"said": said}, status=403)
            raise ImmediateHttpResponse(page)
        sociallogin.account.save(update_fields=["extra_data"])
        note_service_session(request, sociallogin.user, str(claims.get("sid") or ""))
        if set(claims.get("amr") or ()) & set(settings.OIDC_SECOND_FACTOR):
            second_factor.note_passed(request, sociallogin.user, "provider")

    def on_authentication_error(self, request: HttpRequest, provider: Any, **kwargs: Any) -> None:
        raise ImmediateHttpResponse(render(request, "account/service_failed.html", {"name": provider.name}, status=403))

    def get_requests_session(self) -> Any:
        """No redirect is followed and no answer waited for longer than ten seconds."""
        session = super().get_requests_session()
        session.max_redirects = 0
        return session
