"""Skills: who holds which accreditation, and recording one."""

from __future__ import annotations

from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from safelight.casework.accounts.models import User
from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.fields import DayField
from safelight.casework.base.policy import look, page, require
from safelight.casework.base.standards import standards
from safelight.casework.workforce.audit import audit, takers, title_of_skill
from safelight.casework.workforce.models import Accreditation
from safelight.casework.workforce.queries import people_page
from safelight.casework.workforce.services import accredit, end_accreditation


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

    evidence = forms.CharField(
        label="Evidence",
        max_length=200,
        required=False,
        help_text="Where the proof is: the reference of the certificate or course record.",
    )

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


class EndSkillForm(forms.Form):
    """The last day of an accreditation, and why it ends."""

    last_day = DayField(label="Last day")
    reason = forms.CharField(label="Why it ends", widget=forms.Textarea, max_length=300)


@page("workforce.accredit", looks="staff", methods=("GET", "POST"))
def end_skill(request: HttpRequest, pk: int) -> HttpResponse:
    """End an accreditation before its time."""
    row = Accreditation.objects.filter(pk=pk).select_related("user__unit").first()
    if row is None or not request.user.has_perm("workforce.accredit", row.user):
        raise Http404("There is no such accreditation of somebody whom you answer for.")
    look(request, "staff", row.user, username=row.user.username)
    form = EndSkillForm(posted(request), initial={"last_day": timezone.localdate()})
    if request.method == "POST":
        made = attempt(form, lambda: end_accreditation(request.user, row, **form.cleaned_data))
        if made is not None:
            messages.success(request, f"Ended for {row.user}.")
            return redirect("workforce:staff", username=row.user.username)
    context = {
        "title": f"End the accreditation: {title_of_skill(row.skill)}",
        "caption": row.user.name,
        "form": form,
        "button": "End it",
        "destructive": True,
        "cancel_url": reverse("workforce:staff", args=[row.user.username]),
    }
    return render(request, "form_page.html", context)


@page("workforce.audit", looks="list")
def audit_page(request: HttpRequest) -> HttpResponse:
    """Who holds what, what ends soon, what is missing against what the open cases need."""
    found = audit(request.user)
    look(request, "list", None, list="skills audit", shown=[row.case.reference for row in found.unfit])
    return render(request, "workforce/audit.html", {"audit": found, "title_of_skill": title_of_skill})


@page("workforce.audit", looks="list")
def takers_page(request: HttpRequest, skill: str) -> HttpResponse:
    """Who may take cases that need a skill."""
    if skill not in standards().skills:
        raise Http404("There is no such skill in the standards.")
    found = takers(request.user, skill)
    look(request, "list", None, list=f"who may take {skill}", shown=[one.user.username for one in found])
    return render(request, "workforce/takers.html", {"takers": found, "title": title_of_skill(skill)})
