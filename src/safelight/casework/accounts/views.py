"""Accounts, for the administrator. No case content."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from safelight.casework.accounts import external, second_factor
from safelight.casework.accounts.forms import AccountForm, ConnectForm, ReasonForm
from safelight.casework.accounts.fresh import freshly_signed_in
from safelight.casework.accounts.models import UnknownSubject, User
from safelight.casework.accounts.services import close_account, create_user, open_account, random_password
from safelight.casework.accounts.sessions import end_sessions_of, open_sessions
from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.policy import look, page
from safelight.casework.base.standards import standards

SIZE = 50


@page("accounts.manage", looks="list")
def index(request: HttpRequest) -> HttpResponse:
    """``?role=supervisor&after=<username>``: accounts by username."""
    roles = {role.id: role.title for role in standards().roles.values() if role.available}
    role = request.GET.get("role", "") if request.GET.get("role", "") in roles else ""
    after = request.GET.get("after", "")[:150]
    rows = User.objects.select_related("unit").order_by("username")
    if role:
        rows = rows.filter(role=role)
    if after:
        rows = rows.filter(username__gt=after)
    found = list(rows[: SIZE + 1])
    chosen = {"role": role} if role else {}
    look(request, "list", None, list="accounts", filters=chosen, shown=[user.username for user in found[:SIZE]])
    more = urlencode({**chosen, "after": found[SIZE - 1].username}) if len(found) > SIZE else ""
    return render(
        request,
        "accounts/index.html",
        {
            "accounts": found[:SIZE],
            "roles": roles,
            "role": role,
            "pages": {"previous_url": f"?{urlencode(chosen)}" if after else "", "next_url": f"?{more}" if more else ""},
        },
    )


@page("accounts.manage", methods=("GET", "POST"))
@freshly_signed_in
def create(request: HttpRequest) -> HttpResponse:
    """A new account."""
    form = AccountForm(posted(request))
    if request.method == "POST":
        wanted = form.is_valid() and form.cleaned_data.pop("with_password")
        given = random_password() if wanted else ""
        made = attempt(form, lambda: create_user(request.user, **form.cleaned_data, password=given))
        if made is not None:
            if given:
                back = reverse("accounts:index")
                return render(
                    request, "accounts/given.html", {"who": made, "password": given, "lasts": "a week", "back": back}
                )
            messages.success(request, f"The account {made.username} exists.")
            return redirect("accounts:index")
    context = {"title": "Make an account", "form": form, "button": "Make the account"}
    return render(request, "form_page.html", {**context, "cancel_url": reverse("accounts:index")})


@page("accounts.manage", looks="account")
def detail(request: HttpRequest, username: str) -> HttpResponse:
    """One account, and what an administrator may do with it."""
    user = get_object_or_404(User.objects.select_related("unit"), username=username)
    look(request, "account", user)
    kinds = [second_factor.KINDS[row.type] for row in second_factor.factors_of(user)]
    return render(
        request,
        "accounts/detail.html",
        {
            "account": user,
            "rule": second_factor.rule_for(user),
            "factors": kinds,
            "codes_left": second_factor.codes_left(user),
            "connected": SocialAccount.objects.filter(user=user).first(),
            "waiting": user.recoveries.filter(decided_at=None).first(),
            "own": user.pk == request.user.pk,
            "sessions": open_sessions(user),
            "duty": settings.SECOND_FACTOR_DUTY,
        },
    )


def _with_reason(
    request: HttpRequest, user: User, title: str, act: Any, *, intro: str, done: str, closing: bool
) -> HttpResponse:
    form = ReasonForm(posted(request))
    back = reverse("accounts:detail", args=[user.username])
    if request.method == "POST" and attempt(form, lambda: act(request.user, user, **form.cleaned_data)) is not None:
        messages.success(request, done)
        return redirect(back)
    context = {"title": title, "caption": f"{user.name}, {user.username}", "intro": intro, "form": form}
    return render(request, "form_page.html", {**context, "button": title, "cancel_url": back, "destructive": closing})


@page("accounts.manage", methods=("GET", "POST"))
@freshly_signed_in
def close(request: HttpRequest, username: str) -> HttpResponse:
    """Close an account: its sessions end at once."""
    user = get_object_or_404(User, username=username)
    done = f"The account {user.username} is closed, and its sessions have ended."
    intro = "Nobody signs in with it until it is opened again. What the person did stays on the record."
    return _with_reason(request, user, "Close the account", close_account, intro=intro, done=done, closing=True)


@page("accounts.manage", methods=("GET", "POST"))
@freshly_signed_in
def reopen(request: HttpRequest, username: str) -> HttpResponse:
    """Open a closed account again."""
    user = get_object_or_404(User, username=username)
    done = f"The account {user.username} is open again."
    intro = "The person signs in as before, with the password and the second factors that they had."
    return _with_reason(request, user, "Open the account again", open_account, intro=intro, done=done, closing=False)


@page("accounts.manage", methods=("GET", "POST"))
@freshly_signed_in
def end_sessions(request: HttpRequest, username: str) -> HttpResponse:
    """End every session of somebody else: what is open anywhere in their name asks who they are."""
    user = get_object_or_404(User, username=username)
    done = f"Every session of {user.username} has ended. They are told, and may sign in again."
    intro = (
        "Whatever is open in this person's name, on any computer or telephone, asks at once who they are; what was "
        "typed and not sent is lost. They are told. The account stays open: close it to keep somebody out."
    )
    return _with_reason(request, user, "End every session", end_sessions_of, intro=intro, done=done, closing=True)


@page("accounts.manage", methods=("POST",))
@freshly_signed_in(back="accounts:index")
def take_off(request: HttpRequest, username: str) -> HttpResponse:
    """The person of the sign-in service is this account no longer."""
    row = get_object_or_404(SocialAccount.objects.select_related("user"), user__username=username)
    external.disconnect(request.user, row)
    messages.success(request, "The account is disconnected from the sign-in service, and its sessions have ended.")
    return redirect("accounts:detail", username=username)


@page("accounts.manage", looks="list")
def subjects(request: HttpRequest) -> HttpResponse:
    """People of the force's sign-in service whom no account knows, and the accounts that are connected."""
    unknown = list(UnknownSubject.objects.filter(settled_at=None).order_by("-last_at")[: SIZE * 4])
    connected = list(SocialAccount.objects.select_related("user").order_by("user__username")[: SIZE * 4])
    look(request, "list", None, list="people of the sign-in service", shown=[row.pk for row in unknown])
    return render(request, "accounts/subjects.html", {"unknown": unknown, "connected": connected})


@page("accounts.manage", methods=("GET", "POST"))
@freshly_signed_in
def subject(request: HttpRequest, pk: int) -> HttpResponse:
    """Connect somebody of the sign-in service with an account, or turn them away."""
    row = get_object_or_404(UnknownSubject, pk=pk, settled_at=None)
    form = ConnectForm(posted(request))
    if request.method == "POST":

        def act() -> Any:
            user = form.cleaned_data["username"]
            return external.connect(request.user, row, user=user) if user else external.turn_away(request.user, row)

        if attempt(form, act) is not None:
            turned = not form.cleaned_data["username"]
            messages.success(request, "This person is turned away." if turned else "They are connected.")
            return redirect("accounts:subjects")
    context = {
        "title": f"Which account is {row.said or 'this person'}?",
        "caption": f"Number at the sign-in service: {row.subject}",
        "intro": "Ask the person, over a way that you trust, whether it was them. The name is what the service said.",
        "form": form,
        "button": "Connect, or turn away",
        "cancel_url": reverse("accounts:subjects"),
    }
    return render(request, "form_page.html", context)
