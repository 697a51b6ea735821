"""Forms of the device pages."""

from __future__ import annotations

from typing import Any

from django import forms

from safelight.casework.base.fields import DayField, MomentField
from safelight.casework.devices.models import Device, Release
from safelight.casework.devices.queries import pickable_images
from safelight.casework.devices.services import STEPS

DECISIONS = [choice for choice in Device.Decision.choices if choice[0] != Device.Decision.UNDECIDED]
BENCH = "Only where the disk can be reached from one bench alone: the name that its workers have. Empty: from all."


class BookInForm(forms.Form):
    """An exhibit as it comes in."""

    exhibit = forms.CharField(label="Exhibit reference", max_length=60, help_text="As on the label")
    kind = forms.ChoiceField(label="Kind of device", choices=Device.Kind.choices, widget=forms.RadioSelect)
    description = forms.CharField(label="Description", max_length=200, help_text="Make, colour, marks; no names")
    seized_at = MomentField(label="When it was seized", help_text="For example, 3 11 2026 and 14:05")
    seized_from = forms.CharField(label="From where or whom it was seized", max_length=200)
    seized_by = forms.CharField(label="Who seized it", max_length=120)
    handed_by = forms.CharField(
        label="Who handed it over", max_length=120, required=False, help_text="Leave empty if it was who seized it"
    )
    place = forms.CharField(label="Where it is now", max_length=160)
    seal = forms.CharField(label="Seal number", max_length=60)
    booked_in_at = MomentField(label="When it was booked in", required=False, help_text="Leave empty for now")
    decision = forms.ChoiceField(
        label="Triage decision",
        choices=[("", "Somebody else decides"), *DECISIONS],
        widget=forms.RadioSelect,
        required=False,
        help_text="The investigator of the case or a supervisor decides. Until then the case does not look ready.",
    )
    decision_reason = forms.CharField(
        label="Why it is not triaged", widget=forms.Textarea, max_length=2_000, required=False
    )

    display = {"kind": {"small": True}, "decision": {"small": True}}
    reveals = {"decision": {"not_triaged": ("decision_reason",)}}


class CustodyForm(forms.Form):
    """The next link of the chain of custody."""

    action = forms.ChoiceField(
        label="What happened",
        choices=[(action.value, action.label) for action in STEPS],
        widget=forms.RadioSelect,
    )
    handed_by = forms.CharField(label="Handed over by", max_length=120)
    received_by = forms.CharField(label="Received by", max_length=120)
    place = forms.CharField(label="Place", max_length=160)
    seal = forms.CharField(label="Seal number", max_length=60, required=False, help_text="Needed when sealed again")
    at = MomentField(label="When", required=False, help_text="Leave empty for now")
    remark = forms.CharField(label="Note", max_length=300, required=False)

    display = {"action": {"small": True}}


class DecisionForm(forms.Form):
    """Whether the device is triaged."""

    decision = forms.ChoiceField(label="Decision", choices=DECISIONS, widget=forms.RadioSelect)
    reason = forms.CharField(label="Reason", widget=forms.Textarea, max_length=2_000, required=False)

    reveals = {"decision": {"not_triaged": ("reason",)}}


class ImageForm(forms.Form):
    """A forensic copy by its path. What is typed goes before what is picked."""

    picked = forms.ChoiceField(label="Image in the evidence folder", required=False)
    path = forms.CharField(
        label="Or its path",
        max_length=500,
        required=False,
        help_text="Below the evidence folder; of a set of parts, the first",
    )
    imaged_at = MomentField(label="When the image was made", required=False, help_text="Leave empty for now")
    bench = forms.CharField(label="Bench", max_length=60, required=False, help_text=BENCH)

    display = {"picked": {"search": True}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found, more = pickable_images()
        empty = "Choose an image" if found else "No image that is not yet registered was found"
        self.fields["picked"].choices = [("", empty), *((path, path) for path in found)]  # type: ignore[attr-defined]
        if more:
            self.fields["picked"].help_text = f"The first {len(found)}; type the path of any other"

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        data["chosen"] = (data.get("path") or "").strip() or data.get("picked") or ""
        if not data["chosen"] and not self.errors:
            self.add_error("path", "Choose an image or enter its path")
        return data


class BenchForm(forms.Form):
    """Which bench reaches an image."""

    bench = forms.CharField(label="Bench", max_length=60, required=False, help_text=BENCH)


class ReleaseForm(forms.Form):
    """What becomes of an exhibit."""

    kind = forms.ChoiceField(label="What becomes of it", choices=Release.Kind.choices, widget=forms.RadioSelect)
    review_on = DayField(label="When somebody looks again whether it must be kept", required=False)
    authority = forms.CharField(
        label="Authority", max_length=200, help_text="The power, court order or policy under which it is done"
    )
    reason = forms.CharField(label="Reason", widget=forms.Textarea, max_length=2_000)

    reveals = {"kind": {"retain": ("review_on",)}}


class CarryOutForm(forms.Form):
    """The last link of the chain."""

    handed_by = forms.CharField(label="Handed over by", max_length=120)
    received_by = forms.CharField(
        label="Received by", max_length=120, help_text="Who signed for it, or who destroyed or stored it"
    )
    place = forms.CharField(label="Place", max_length=160)
    receipt = forms.CharField(
        label="Receipt", max_length=120, help_text="The number of the signed receipt or of the certificate"
    )
    at = MomentField(label="When", required=False, help_text="Leave empty for now")
    gaps = forms.CharField(
        label="Where the chain of custody does not join: what is known",
        widget=forms.Textarea,
        max_length=2_000,
        required=False,
    )


class WithdrawReleaseForm(forms.Form):
    """Why a decision is taken back."""

    reason = forms.CharField(label="Why the decision is taken back", max_length=300)


class AcceptForm(forms.Form):
    """Why the case need not wait for what was not read."""

    reason = forms.CharField(
        label="Why the case need not wait for what was not read",
        widget=forms.Textarea,
        max_length=2_000,
        help_text="The parts stay marked as not read. Nothing is said about what they hold.",
    )


class FindingFilter(forms.Form):
    """Filters of the findings, in the address."""

    kind = forms.ChoiceField(
        label="Kind of match",
        required=False,
        choices=[("", "All"), ("exact", "Exact"), ("perceptual", "Similar picture")],
    )
    category = forms.ChoiceField(label="Category", required=False)
    state = forms.ChoiceField(
        label="Live or deleted", required=False, choices=[("", "All"), ("live", "Live"), ("deleted", "Deleted")]
    )

    def __init__(self, *args: Any, categories: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "All"), *((code or "none", category_words(code)) for code in categories)]
        self.fields["category"].choices = choices  # type: ignore[attr-defined]

    def arguments(self) -> dict[str, Any]:
        """For :func:`safelight.casework.devices.queries.findings`; what cannot be understood filters nothing."""
        data = self.cleaned_data if self.is_valid() else {}
        category, state = data.get("category") or "", data.get("state") or ""
        return {
            "kind": data.get("kind") or "",
            "category": None if not category else "" if category == "none" else category,
            "deleted": None if not state else state == "deleted",
        }


def category_words(code: str) -> str:
    """``Category A``; 'No category' for an entry that has none."""
    from safelight.casework.base.standards import standards

    if not code:
        return "No category"
    row = standards().categories.get(code)
    return row.title if row else code
