"""Setting up, using and taking away a second factor: allauth's views with our templates and our ledger.

Only while somebody is signed in does a page here do anything, but for the one that asks for the second factor itself.
"""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.base.internal.flows import check_rate_limit
from allauth.mfa.base.views import AuthenticateView, ReauthenticateView
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed, authenticator_used
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView, ReauthenticateWebAuthnView, RemoveWebAuthnView
from django.contrib import messages
from django.core.cache import cache
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy

from safelight.casework.accounts import attempts, second_factor
from safelight.casework.accounts.fresh import freshly_signed_in
from safelight.casework.base.policy import PUBLIC, SIGNED_IN, page

TOLD_AFTER = 3  # wrong numbers within a quarter of an hour
LAST = "This is your only second factor, and your role needs one. Set up another first."


class _WithRecoveryCodes:
    """The same box takes the number of an authenticator app or one of the ten recovery codes."""

    user: Any
    cleaned_data: dict[str, Any]
    reauthenticating = False
    used_recovery_code = False

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"])
        if not second_factor.looks_like_code(code):
            return super().clean_code()  # type: ignore[misc, no-any-return]
        clear = check_rate_limit(self.user)
        if not second_factor.use_code(self.user, code):
            authentication_failed.send(
                sender=Authenticator, request=context.request, user=self.user, authenticator=None
            )
            from allauth.mfa.adapter import get_adapter

            raise get_adapter().validation_error("incorrect_code")
        clear()
        self.used_recovery_code = True
        return code

    def save(self) -> None:
        if not self.used_recovery_code:
            super().save()  # type: ignore[misc]
            return
        more = {"reauthenticated": True} if self.reauthenticating else {}
        record_authentication(context.request, self.user, "mfa", type="recovery_code", **more)
        second_factor.note_passed(context.request, self.user, "code")


class CodeForm(_WithRecoveryCodes, AuthenticateForm):
    """At sign-in."""


class CodeAgainForm(_WithRecoveryCodes, ReauthenticateForm):
    """Before what is hard to undo."""

    reauthenticating = True


@receiver(authenticator_used)
def _passed(request: HttpRequest, user: Any, authenticator: Any, **kwargs: Any) -> None:
    second_factor.note_passed(request, user, authenticator.type)


@receiver(authentication_failed)
def _failed(user: Any, **kwargs: Any) -> None:
    key = f"wrong-factor-{user.pk}"
    cache.add(key, 0, timeout=15 * 60)
    if cache.incr(key) >= TOLD_AFTER:
        attempts.note_wrong_factor(user)


class _AddApp(ActivateTOTPView):
    template_name = "mfa/totp/activate_form.html"

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        # The number that set it up is used up, too.
        Authenticator.objects.get(user=self.request.user, type="totp").wrap().validate_code(form.cleaned_data["code"])
        second_factor.factor_added(self.request, self.request.user, "totp")
        return response

    def get_success_url(self) -> str:
        return _after_adding(self.request)


class _AddKey(AddWebAuthnView):
    template_name = "mfa/webauthn/add_form.html"

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        second_factor.factor_added(self.request, self.request.user, "webauthn")
        return response

    def get_success_url(self) -> str:
        return _after_adding(self.request)


def _after_adding(request: HttpRequest) -> str:
    if second_factor.codes_left(request.user):
        messages.success(request, "The second factor is set up.")
        return reverse("accounts:mine")
    return reverse("accounts:codes")


class _RemoveApp(DeactivateTOTPView):
    template_name = "mfa/totp/deactivate_form.html"
    success_url = reverse_lazy("accounts:mine")

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        second_factor.factor_removed(self.request.user, "totp")
        messages.success(self.request, "The authenticator app is taken away.")
        return response


class _RemoveKey(RemoveWebAuthnView):
    template_name = "mfa/webauthn/authenticator_confirm_delete.html"
    success_url = reverse_lazy("accounts:mine")

    def form_valid(self, form: Any) -> HttpResponse:
        from allauth.mfa.adapter import get_adapter

        if not get_adapter().can_delete_authenticator(self.get_object()):
            messages.error(self.request, LAST)
            return redirect("accounts:mine")
        response = super().form_valid(form)
        second_factor.factor_removed(self.request.user, "webauthn")
        messages.success(self.request, "The security key is taken away.")
        return response


@page(SIGNED_IN)
def index(request: HttpRequest) -> HttpResponse:
    """allauth leads here after changes; the page of one's own sign-in shows them."""
    return redirect("accounts:mine")


@page(SIGNED_IN)
def duty(request: HttpRequest) -> HttpResponse:
    """What a person meets whose role owes a second factor and who has none in this session."""
    if not second_factor.owes(request.user) or second_factor.passed(request):
        return redirect("/")
    return render(request, "mfa/duty.html", {"role": second_factor.rule_for(request.user).title})


_BOTH = ("GET", "POST")
authenticate = page(PUBLIC, methods=_BOTH)(AuthenticateView.as_view(template_name="mfa/authenticate.html"))
reauthenticate = page(SIGNED_IN, methods=_BOTH)(ReauthenticateView.as_view(template_name="mfa/reauthenticate.html"))
reauthenticate_key = page(SIGNED_IN, methods=_BOTH)(
    ReauthenticateWebAuthnView.as_view(template_name="mfa/webauthn/reauthenticate.html")
)
# Not left to allauth's own way of asking: that keeps the POST and does it once the person has said who they are, be it
# hours later and for another reason.
_asked = freshly_signed_in(back="accounts:mine")
add_app = page(SIGNED_IN, methods=_BOTH)(_asked(_AddApp.as_view()))
add_key = page(SIGNED_IN, methods=_BOTH)(_asked(_AddKey.as_view()))
remove_app = page(SIGNED_IN, methods=_BOTH)(_asked(_RemoveApp.as_view()))
remove_key = page(SIGNED_IN, methods=_BOTH)(_asked(_RemoveKey.as_view()))
