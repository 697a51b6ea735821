"""Forms of the case pages."""

from __future__ import annotations

from typing import Any

from django import forms

from safelight.casework.accounts.models import User
from safelight.casework.base.fields import MomentField
from safelight.casework.base.standards import standards
from safelight.casework.cases.chronology import BY_HAND, counts
from safelight.casework.workforce.models import Unit

LONGEST_TEXT = 20_000


def risk_choices(*, unknown: bool) -> list[tuple[str, str]]:
    """The levels, highest first; with ``unknown``, 'not assessed yet' last."""
    made = [(level.id, level.title) for level in standards().risks.values()]
    return [*made, ("not_assessed", "Not assessed yet")] if unknown else made


def skill_choices() -> list[tuple[str, str]]:
    """The skills that investigators hold."""
    return [(skill.id, skill.title) for skill in standards().skills.values() if "investigator" in skill.applies_to]


class OpenCaseForm(forms.Form):
    """A case from a referral."""

    title = forms.CharField(
        label="Title of the case",
        max_length=160,
        help_text="A name that says nothing about the child or the suspect, such as an operation name",
    )
    unit = forms.ModelChoiceField(label="Unit", queryset=Unit.objects.all(), to_field_name="code")
    borough = forms.ChoiceField(label="Borough", required=False)
    risk = forms.ChoiceField(
        label="Risk level",
        widget=forms.RadioSelect,
        help_text="As assessed with the force's own tool. Questions and scores stay in that tool.",
    )
    assessed_by = forms.CharField(label="Who assessed it", max_length=60, required=False)
    tool = forms.CharField(label="With which tool and version", max_length=50, required=False)
    required_skill = forms.ChoiceField(label="Skill that the investigator needs")
    restricted = forms.BooleanField(
        label="Restricted: only named people may see this case, or that it exists", required=False
    )
    access = forms.ModelMultipleChoiceField(
        label="Who may see a restricted case, beside you",
        queryset=User.objects.none(),
        required=False,
        help_text="At least one supervisor of the unit",
    )
    access_reason = forms.CharField(label="Why they need to know", required=False, max_length=500)

    display = {"borough": {"search": True}, "access": {"small": True}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        boroughs = sorted({borough for unit in standards().units.values() for borough in unit.boroughs})
        self.fields["borough"].choices = [("", "Not known"), *((name, name) for name in boroughs)]  # type: ignore[attr-defined]
        self.fields["risk"].choices = risk_choices(unknown=True)  # type: ignore[attr-defined]
        self.fields["required_skill"].choices = skill_choices()  # type: ignore[attr-defined]
        people = User.objects.filter(is_active=True, role__in=["supervisor", "investigator", "examiner"])
        self.fields["access"].queryset = people.filter(role="supervisor").order_by("name")  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        data["risk_source"] = assessed(data)
        if data.get("risk") == "not_assessed":
            data["risk"] = ""
        elif data.get("risk") and not data["risk_source"]:
            self.add_error("assessed_by", "Say who assessed the risk, and with which tool")
        return data


def assessed(data: dict[str, Any]) -> str:
    """ "<tool>, assessed by <whom>" from the two boxes; "" when either is empty."""
    who, tool = (data.get("assessed_by") or "").strip(), (data.get("tool") or "").strip()
    return f"{tool}, assessed by {who}"[:120] if who and tool else ""


class RiskForm(forms.Form):
    """The level that somebody assessed."""

    risk = forms.ChoiceField(label="Risk level", widget=forms.RadioSelect)
    assessed_by = forms.CharField(label="Who assessed it", max_length=60)
    tool = forms.CharField(label="With which tool and version", max_length=50)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["risk"].choices = risk_choices(unknown=False)  # type: ignore[attr-defined]


class NoteForm(forms.Form):
    """Something that happened."""

    kind = forms.ChoiceField(label="What kind of entry")
    text = forms.CharField(label="What happened", widget=forms.Textarea, max_length=LONGEST_TEXT)
    at = MomentField(label="When it happened", required=False, help_text="Leave empty for now")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        meaningful = [(kind.code, kind.title) for kind in BY_HAND if counts(kind.code)]
        others = [(kind.code, kind.title) for kind in BY_HAND if not counts(kind.code)]
        self.fields["kind"].choices = [("", "Choose"), *meaningful, *others]  # type: ignore[attr-defined]


class LiveContactForm(forms.Form):
    """That contact goes on, or has ended."""

    how_known = forms.CharField(label="How this is known", widget=forms.Textarea, max_length=2_000)
    at = MomentField(label="From when", required=False, help_text="Leave empty for now")


class SettleForm(forms.Form):
    """A supervisor's reason."""

    reason = forms.CharField(
        label="Why this does not keep the case open",
        widget=forms.Textarea,
        max_length=2_000,
        help_text="It covers what is unfinished now. Anything recorded later is an obstacle again.",
    )


class CloseForm(forms.Form):
    """The outcome."""

    outcome = forms.ChoiceField(label="Outcome")
    note = forms.CharField(label="Why this outcome", widget=forms.Textarea, max_length=4_000)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = sorted(standards().outcomes.values(), key=lambda row: row.number)
        self.fields["outcome"].choices = [("", "Choose"), *((row.id, f"{row.number} {row.title}") for row in rows)]  # type: ignore[attr-defined]


class ReopenForm(forms.Form):
    """Why a closed case is opened again."""

    reason = forms.CharField(label="Why the case is reopened", widget=forms.Textarea, max_length=2_000)


class AccessForm(forms.Form):
    """One more person for the access list."""

    user = forms.ModelChoiceField(
        label="Person", queryset=User.objects.filter(is_active=True).exclude(role="administrator").order_by("name")
    )
    reason = forms.CharField(label="Why they need to know", max_length=500)

    display = {"user": {"search": True}}
