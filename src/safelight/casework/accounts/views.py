"""Accounts, for the administrator. No case content."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.accounts.forms import AccountForm
from safelight.casework.accounts.models import User
from safelight.casework.accounts.services import create_user
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
def create(request: HttpRequest) -> HttpResponse:
    """A new account."""
    form = AccountForm(posted(request))
    if request.method == "POST":
        made = attempt(form, lambda: create_user(request.user, **form.cleaned_data))
        if made is not None:
            messages.success(request, f"The account {made.username} exists.")
            return redirect("accounts:index")
    context = {"title": "Make an account", "form": form, "button": "Make the account"}
    return render(request, "form_page.html", {**context, "cancel_url": reverse("accounts:index")})
