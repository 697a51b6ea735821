"""Skills: who holds which accreditation, and recording one."""

from __future__ import annotations

from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.accounts.models import User
from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.fields import DayField
from safelight.casework.base.policy import look, page, require
from safelight.casework.base.standards import standards
from safelight.casework.workforce.queries import people_page
from safelight.casework.workforce.services import accredit


@page("workforce.view", looks="list")
def index(request: HttpRequest) -> HttpResponse:
    """``?after=<username>``: people with what they hold."""
    after = request.GET.get("after", "")[:150]
    people, more = people_page(request.user, after=after)
    look(request, "list", None, list="skills", shown=[person.user.username for person in people])
    pages = {
        "previous_url": reverse("workforce:index") if after else "",
        "next_url": f"?{urlencode({'after': more})}" if more else "",
    }
    return render(request, "workforce/index.html", {"people": people, "pages": pages})


class SkillForm(forms.Form):
    """One accreditation of one person."""

    user = forms.ModelChoiceField(label="Person", queryset=User.objects.none())
    skill = forms.ChoiceField(label="Skill")
    valid_from = DayField(label="In force from")
    valid_until = DayField(label="Until", required=False, help_text="The last day. Leave empty when it does not end.")

    display = {"user": {"search": True}, "skill": {"search": True}}

    def __init__(self, *args: object, people: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["user"].queryset = people  # type: ignore[attr-defined]
        choices = [(skill.id, skill.title) for skill in standards().skills.values()]
        self.fields["skill"].choices = [("", "Choose"), *choices]  # type: ignore[attr-defined]


@page("workforce.accredit", methods=("GET", "POST"))
def record_skill(request: HttpRequest) -> HttpResponse:
    """Record that a person holds a skill."""
    people = User.objects.filter(is_active=True).order_by("name")
    if request.user.role == "supervisor":
        people = people.filter(unit=request.user.unit)
    form = SkillForm(posted(request), people=people)
    if request.method == "POST" and form.is_valid():
        require(request.user, "workforce.accredit", form.cleaned_data["user"])
        made = attempt(form, lambda: accredit(request.user, **form.cleaned_data))
        if made is not None:
            messages.success(request, f"Recorded for {made.user}.")
            return redirect("workforce:index")
    context = {"title": "Record an accreditation", "form": form, "button": "Record"}
    return render(request, "form_page.html", {**context, "cancel_url": reverse("workforce:index")})
