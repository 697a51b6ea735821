"""Forms of the custody record."""

from __future__ import annotations

from typing import Any

from django import forms

from safelight.casework.base.fields import DayField, MomentField
from safelight.casework.base.step import OfRow
from safelight.casework.custody.models import AccommodationRequest, Detention, DetentionReview
from safelight.casework.people.boroughs import boroughs
from safelight.casework.people.models import Sex

NOW = "Leave empty for now"
_ELSEWHERE = ("Outside the force area", "Not known yet")


def _area(label: str, *, hint: str = "", required: bool = True, longest: int = 4_000) -> forms.CharField:
    return forms.CharField(
        label=label, help_text=hint, required=required, max_length=longest, widget=forms.Textarea(attrs={"rows": 3})
    )


def _moment(label: str) -> MomentField:
    return MomentField(label=label, required=False, help_text=NOW)


def _radio(label: str, choices: Any, hint: str = "") -> forms.ChoiceField:
    given = [(code, text) for code, text in choices if code]
    return forms.ChoiceField(label=label, choices=given, widget=forms.RadioSelect, help_text=hint)


WHY = "Why is this child in a cell?"
WHY_HINT = (
    "What makes it necessary now; what else was considered (another room, bail, release, the local authority) and why "
    "it was not enough"
)


class OpenForm(forms.Form):
    """A child whose detention was authorised."""

    given_names = forms.CharField(label="Given names", max_length=200, required=False)
    family_name = forms.CharField(label="Family name", max_length=200)
    born = DayField(label="Date of birth", required=False)
    age = forms.IntegerField(label="Or about how old", required=False, min_value=0, max_value=17)
    age_basis = _radio("How the age is known", Detention.AgeBasis.choices, "In doubt, the person is a child")
    sex = forms.ChoiceField(label="Sex", choices=Sex.choices, initial=Sex.NOT_KNOWN, required=False)
    address = forms.CharField(label="Address", max_length=300, required=False)
    postcode = forms.CharField(label="Postcode", max_length=10, required=False)
    borough = forms.ChoiceField(
        label="Borough where the child lives", help_text="Its local authority owes accommodation if bail is refused"
    )
    suite = forms.CharField(label="Custody suite", max_length=80)
    offence = forms.CharField(label="What the child was arrested for", max_length=200)
    necessity = _area("Why the arrest was necessary")
    arrested_at = MomentField(label="Arrested")
    arrived_at = MomentField(label="Arrived at the station", help_text="The 24 hours count from here")
    authorised_at = MomentField(
        label="Detention authorised", required=False, help_text="The first review is due six hours later. " + NOW
    )
    authorised_by = forms.CharField(label="Authorised by", max_length=120, help_text="Name and rank")
    placed = _radio("Where the child is placed", Detention.Place.choices)
    why_in_cell = _area(WHY, hint=WHY_HINT)

    display = {"borough": {"search": True}, "age": {"width": 3}, "postcode": {"width": 10}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [*boroughs(), *_ELSEWHERE]
        self.fields["borough"].choices = [("", "Choose"), *((name, name) for name in names)]  # type: ignore[attr-defined]

    def arguments(self) -> dict[str, Any]:
        """What open_detention takes. Call after is_valid."""
        data = dict(self.cleaned_data)
        names = ("given_names", "family_name", "born", "age", "sex", "address")
        person = {name: data.pop(name) for name in names}
        person["postcode_"] = data.pop("postcode")
        return {"person": {**person, "borough": data["borough"]}, **data}


class ReviewForm(forms.Form):
    """A review of detention."""

    why_in_cell = _area(WHY, hint=WHY_HINT + ". An answer of its own at every review")
    heard = _area("What the child, the appropriate adult or the solicitor said", required=False)
    reviewer = forms.CharField(label="Reviewed by", max_length=120, help_text="Name and rank")
    outcome = _radio("Outcome", DetentionReview.Outcome.choices)
    at = _moment("When")


class AskAdultForm(forms.Form):
    """An appropriate adult is asked to come."""

    name = forms.CharField(label="Who was asked", max_length=160)
    relation = forms.CharField(
        label="How related to the child", max_length=120, help_text="Such as mother, social worker, volunteer scheme"
    )
    requested_at = _moment("When asked")


class AdultCameForm(OfRow):
    """The appropriate adult arrives."""

    adult = forms.ChoiceField(label="Who came", widget=forms.RadioSelect)
    arrived_at = _moment("When they arrived")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        waiting = self.row.adults.filter(arrived_at=None)
        choices = [(str(one.pk), f"{one.name}, {one.relation}") for one in waiting]
        self.fields["adult"].choices = choices  # type: ignore[attr-defined]


class ToldForm(forms.Form):
    """Who was told."""

    what = _radio(
        "What was done",
        [
            ("parent", "A parent or carer was told"),
            ("merlin", "The Merlin report was submitted"),
            ("diversion", "Liaison and diversion saw the child"),
        ],
    )
    words = forms.CharField(
        label="Who, or what they said", max_length=300, required=False, help_text="Not needed for the Merlin report"
    )
    at = _moment("When")


class ExtendForm(forms.Form):
    """A superintendent's authority beyond 24 hours."""

    by = forms.CharField(label="The superintendent", max_length=120, help_text="Name and rank")
    why = _area("Why it is necessary")
    at = _moment("When")


class ChargeForm(forms.Form):
    """Charge and bail."""

    charge = forms.CharField(label="Charge", max_length=200)
    charged_at = _moment("When charged")
    bail = _radio("Bail", Detention.Bail.choices)
    bail_reason = _area(
        "Why bail was refused", required=False, hint="Refusing bail starts the clock to find accommodation"
    )

    reveals = {"bail": {"refused": ["bail_reason"]}}


class AskAccommodationForm(forms.Form):
    """The local authority is asked."""

    kind = _radio("What was asked for", AccommodationRequest.Kind.choices, "Secure only when necessary")
    why_secure = _area(
        "Why it must be secure", required=False, hint="The serious harm that is feared, and the offence it follows from"
    )
    authority = forms.CharField(
        label="Authority", max_length=60, required=False, help_text="Leave empty for that of the child's borough"
    )
    asked_of = forms.CharField(label="Who was asked", max_length=160, help_text="Name, or the out-of-hours team")
    asked_at = _moment("When")

    reveals = {"kind": {"secure": ["why_secure"]}}


class AnswerAccommodationForm(OfRow):
    """What the local authority answered."""

    request = forms.ChoiceField(label="Which request", widget=forms.RadioSelect)
    answer = _radio("Answer", AccommodationRequest.Answer.choices)
    answered_by = forms.CharField(label="Who answered", max_length=160)
    words = _area("What they said", required=False, hint="Needed when they refused")
    answered_at = _moment("When")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        waiting = self.row.requests.filter(answer="")
        choices = [(str(one.pk), f"{one.get_kind_display()}, {one.authority}: {one.asked_of}") for one in waiting]
        self.fields["request"].choices = choices  # type: ignore[attr-defined]


class TransferForm(forms.Form):
    """The child goes to local authority accommodation."""

    to = forms.CharField(label="Where to", max_length=160, help_text="The place, and who took over")
    at = _moment("When the child left")


class CertificateForm(forms.Form):
    """The certificate of section 38(6)."""

    certificate = _radio("Ground", Detention.Certificate.choices)
    reason = _area(
        "The reason", hint="What makes it impracticable; or which serious harm, and which place was asked for"
    )
    by = forms.CharField(label="Certified by", max_length=120, help_text="Name and rank of the custody officer")
    at = _moment("When")


class WhenForm(forms.Form):
    """Nothing but a time."""

    at = _moment("When")


class ReleaseForm(forms.Form):
    """The child leaves police detention."""

    ending = _radio(
        "How it ended", [one for one in Detention.Ending.choices if one[0] != Detention.Ending.LOCAL_AUTHORITY]
    )
    to = forms.CharField(label="To whom, or where", max_length=160)
    at = _moment("When")


class LinkForm(forms.Form):
    """A custody record that belongs to a case: both answers must be right."""

    detention = forms.CharField(label="Number of the custody record", max_length=20, help_text="Such as CU-000012")
    family_name = forms.CharField(label="The child's family name, as custody wrote it", max_length=200)
