"""Every component on one page, for authors, for the accessibility test and for a look with one's own eyes.

Only present in the demo, while debugging and under the tests. Everything on it is made up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from safelight.casework.base.fields import DayField, MomentField
from safelight.casework.base.policy import PUBLIC, page

_ROLES = [("parent", "Parent"), ("step", "Step-parent"), ("coach", "Coach or teacher"), ("other", "Someone else")]
_YES_NO = [("yes", "Yes"), ("no", "No")]
_UNITS = [("", "Choose a unit"), *((f"u{n}", f"Example unit {n}") for n in range(1, 13))]


@dataclass(frozen=True)
class SampleClock:
    """What clock_badge needs."""

    title: str
    state: str
    due_at: datetime
    ended_at: datetime | None = None


class SampleForm(forms.Form):
    """One field of every kind."""

    reference = forms.CharField(label="Reference", max_length=20, help_text="As printed on the report")
    email = forms.EmailField(label="E-mail address", required=False)
    count = forms.IntegerField(label="How many devices", help_text="Phones and drives count one each")
    account = forms.CharField(label="What happened", widget=forms.Textarea, max_length=2000)
    note = forms.CharField(label="Note", widget=forms.Textarea, required=False)
    unit = forms.ChoiceField(label="Unit", choices=_UNITS)
    borough = forms.ChoiceField(label="Borough", choices=_UNITS, required=False)
    child = forms.ChoiceField(label="Does a child live there?", choices=_YES_NO, widget=forms.RadioSelect)
    how_many = forms.IntegerField(label="How many children", required=False)
    contact = forms.ChoiceField(label="Contact with children", choices=_ROLES, widget=forms.RadioSelect)
    roles = forms.MultipleChoiceField(label="Who was told", choices=_ROLES, widget=forms.CheckboxSelectMultiple)
    urgent = forms.BooleanField(
        label="A child may be in danger now", required=False, help_text="Starts the clock at once"
    )
    born = DayField(label="Date of birth", help_text="For example, 27 3 1985")
    seized = MomentField(label="When was it seized", help_text="For example, 3 11 2026 and 14:05")
    report = forms.FileField(label="Report file", help_text="XML, CSV or JSON")
    secret = forms.CharField(label="Password", widget=forms.PasswordInput)
    token = forms.CharField(widget=forms.HiddenInput, initial="hidden")

    display = {
        "child": {"inline": True},
        "borough": {"search": True},
        "how_many": {"width": 2},
        "contact": {"hints": {"coach": "Paid or not"}},
        "roles": {"small": True},
        "count": {"suffix": "devices"},
    }
    reveals = {"child": {"yes": ("how_many",)}}


def _clocks(now: datetime) -> list[SampleClock]:
    return [
        SampleClock("Safeguarding referral", "breached", now - timedelta(days=3)),
        SampleClock("Strategy discussion", "due_soon", now + timedelta(minutes=41)),
        SampleClock("Supervision review", "running", now + timedelta(days=12)),
        SampleClock("Acknowledgement", "met", now, now - timedelta(hours=2)),
        SampleClock("First triage", "met_late", now, now - timedelta(hours=1)),
        SampleClock("Arrest plan", "held", now + timedelta(hours=5, minutes=30)),
        SampleClock("Interview", "paused", now),
        SampleClock("Custody clock", "not_applicable", now),
    ]


@page(PUBLIC, methods=("GET", "POST"))
def styleguide(request: HttpRequest) -> HttpResponse:
    """``?errors=1`` shows the same form after a failed attempt."""
    now = timezone.now()
    wrong = "errors" in request.GET
    data = {
        "child": "yes",
        "born-day": "31",
        "born-month": "2",
        "born-year": "2026",
        "count": "many",
        "email": "nobody",
    }
    form = SampleForm(data, {}) if wrong else SampleForm(initial={"seized": now, "roles": ["parent"], "unit": "u2"})
    return render(
        request,
        "web/styleguide.html",
        {
            "form": form,
            "clocks": _clocks(now),
            "at": now,
            "events": [
                {
                    "title": "Referral sent to children's social care",
                    "by": "Ada Example",
                    "at": now,
                    "text": "By secure e-mail.",
                },
                {
                    "title": "Case allocated",
                    "by": "Bo Example",
                    "at": now - timedelta(hours=3),
                    "text": "Least loaded, skilled.",
                },
            ],
            "pages": {"previous_url": "?page=1", "next_url": "?page=3"},
        },
    )
