"""Recovery of an account, for who asks (administrators) and who decides (a second person)."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from safelight.casework.accounts.forms import DecisionForm, RecoveryForm
from safelight.casework.accounts.fresh import freshly_signed_in
from safelight.casework.accounts.models import User
from safelight.casework.accounts.recovery import ask_recovery, decide_recovery, open_to
from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.policy import look, page

MOST = 200


@page("accounts.decide_recovery", looks="list")
def recoveries(request: HttpRequest) -> HttpResponse:
    """What waits for a second person, and what was decided."""
    rows = list(open_to(request.user).order_by("-asked_at")[:MOST])
    look(request, "list", None, list="recoveries", shown=[row.pk for row in rows])
    return render(
        request,
        "accounts/recoveries.html",
        {
            "waiting": [row for row in rows if row.decided_at is None],
            "decided": [row for row in rows if row.decided_at is not None],
            "most": MOST,
        },
    )


@page("accounts.manage", methods=("GET", "POST"))
@freshly_signed_in
def recover(request: HttpRequest, username: str) -> HttpResponse:
    """Ask that somebody may enrol anew."""
    user = get_object_or_404(User, username=username)
    form = RecoveryForm(posted(request))
    if request.method == "POST":
        made = attempt(form, lambda: ask_recovery(request.user, user, **form.cleaned_data))
        if made is not None:
            messages.success(request, "A second person must now agree. Those who may have been told.")
            return redirect("accounts:detail", username=user.username)
    context = {
        "title": f"Recover the account {user.username}",
        "caption": user.name,
        "intro": (
            "Nothing changes before a second person agrees.",
            "Then every second factor, recovery code and session of this person ends, and they set up a new factor "
            "when they sign in.",
        ),
        "form": form,
        "button": "Ask for it",
        "cancel_url": reverse("accounts:detail", args=[user.username]),
    }
    return render(request, "form_page.html", context)


@page("accounts.decide_recovery", methods=("GET", "POST"), looks="account")
@freshly_signed_in
def recovery(request: HttpRequest, pk: int) -> HttpResponse:
    """One recovery: what was asked and why; yes or no for who may decide."""
    row = get_object_or_404(open_to(request.user), pk=pk)
    form = DecisionForm(posted(request))
    if request.method == "POST":
        given: list[str] = []

        def decide() -> list[str]:
            yes = form.cleaned_data["approve"] == "yes"
            given.append(decide_recovery(request.user, row, approve=yes, note=form.cleaned_data["note"]))
            return given

        if attempt(form, decide) is not None:
            row.refresh_from_db()
            if given[0]:
                return render(
                    request,
                    "accounts/given.html",
                    {
                        "who": row.user,
                        "password": given[0],
                        "lasts": "one day",
                        "back": reverse("accounts:recoveries"),
                    },
                )
            messages.success(request, "Your decision is recorded, and both are told.")
            return redirect("accounts:recoveries")
    look(request, "account", row.user, recovery=row.pk)
    mine = request.user.pk in (row.asked_by_id, row.user_id)
    return render(request, "accounts/recovery.html", {"row": row, "form": form, "mine": mine})
