"""Forms of sharing, for police, partners and the administrator."""

from __future__ import annotations

from typing import Any

from django import forms

from safelight.casework.accounts.models import User
from safelight.casework.base.standards import standards
from safelight.casework.safeguarding.models import SafeguardingReferral
from safelight.casework.sharing.models import Agency


def _area(label: str, *, hint: str = "", required: bool = True, longest: int = 4_000) -> forms.CharField:
    return forms.CharField(
        label=label, help_text=hint, required=required, max_length=longest, widget=forms.Textarea(attrs={"rows": 4})
    )


class ShareForm(forms.Form):
    """With whom something is shared, and on which basis."""

    agency = forms.ModelChoiceField(label="With which agency", queryset=Agency.objects.none())
    basis = forms.ChoiceField(label="On which legal basis", widget=forms.RadioSelect)
    basis_words = _area("Why it is necessary and in proportion", required=False, longest=2_000)

    display = {"agency": {"search": True}}

    def __init__(self, *args: Any, agencies: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = Agency.objects.filter(active=True) if agencies is None else agencies
        self.fields["agency"].queryset = found  # type: ignore[attr-defined]
        bases = [(row.id, f"{row.title} ({row.source})") for row in standards().sharing_bases.values()]
        self.fields["basis"].choices = bases  # type: ignore[attr-defined]


class MessageForm(ShareForm):
    """A message to an agency about a case."""

    subject = forms.CharField(label="Subject", max_length=160)
    text = _area("Message", longest=8_000)

    field_order = ("agency", "subject", "text", "basis", "basis_words")


class ReplyForm(forms.Form):
    """A line to the partner."""

    text = _area("What you write", hint="It is shared with the agency on the same basis")
    question = forms.BooleanField(label="It is a question that waits for an answer", required=False)


class ReasonForm(forms.Form):
    """Why a sharing ends."""

    reason = _area("Why it is withdrawn", longest=2_000)


class NothingForm(forms.Form):
    """Nothing but a button."""


class DecideForm(forms.Form):
    """What social care decides."""

    decision = forms.ChoiceField(
        label="What you decided", choices=SafeguardingReferral.Decision.choices, widget=forms.RadioSelect
    )


class AskForm(forms.Form):
    """A partner writes to police."""

    text = _area("What you ask or say")
    question = forms.BooleanField(label="It is a question that waits for an answer", required=False, initial=True)


class AttendForm(forms.Form):
    """Whether the agency takes part in a strategy discussion."""

    attends = forms.TypedChoiceField(
        label="Do you take part?",
        choices=[("yes", "Yes"), ("no", "No")],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    text = _area("Who takes part, or why not", required=False)


class AgencyForm(forms.Form):
    """A new agency."""

    name = forms.CharField(
        label="Name",
        max_length=120,
        help_text="Social care as referrals name it, as in Camden children's social care",
    )
    kind = forms.ChoiceField(label="Kind", choices=Agency.Kind.choices, widget=forms.RadioSelect)


class JoinForm(forms.Form):
    """A partner's account belongs to an agency."""

    user = forms.ModelChoiceField(label="Account", queryset=User.objects.none())
    agency = forms.ModelChoiceField(label="Agency", queryset=Agency.objects.none())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        users = User.objects.filter(role="partner", is_active=True).order_by("name")
        self.fields["user"].queryset = users  # type: ignore[attr-defined]
        self.fields["agency"].queryset = Agency.objects.filter(active=True)  # type: ignore[attr-defined]
