"""Forms of what stands beside a child: the record, strategy discussions, enquiries, police protection."""

from __future__ import annotations

from typing import Any

from django import forms

from safelight.casework.accounts.models import User
from safelight.casework.base.fields import DayField, MomentField
from safelight.casework.base.step import OfRow
from safelight.casework.people.models import Sex
from safelight.casework.safeguarding.enquiries import MEETINGS
from safelight.casework.safeguarding.measures import MEASURES, running_for
from safelight.casework.safeguarding.models import (
    ChildAtRisk,
    PersonAround,
    PoliceProtection,
    Section47,
    StrategyAttendance,
    StrategyDiscussion,
)

NOW = "Leave empty for now"
_PEOPLE = 8


def _area(label: str, *, hint: str = "", required: bool = True, longest: int = 4_000) -> forms.CharField:
    return forms.CharField(
        label=label, help_text=hint, required=required, max_length=longest, widget=forms.Textarea(attrs={"rows": 3})
    )


def _radio(label: str, choices: Any, *, hint: str = "", without: tuple[str, ...] = ("",)) -> forms.ChoiceField:
    given = [(code, text) for code, text in choices if code not in without]
    return forms.ChoiceField(label=label, choices=given, widget=forms.RadioSelect, help_text=hint)


def _moment(label: str = "When", *, hint: str = NOW, required: bool = False) -> MomentField:
    return MomentField(label=label, required=required, help_text=hint)


class VoiceForm(forms.Form):
    """What a child said."""

    words = _area("What the child said, wanted or showed", hint="In the child's own words. Nothing is explained away")
    said_on = DayField(label="On which day", required=False, help_text="Leave empty for today")
    heard_by = forms.CharField(label="Who heard it", max_length=160)
    how = forms.CharField(label="How", max_length=160, required=False, help_text="Such as alone at school, by video")


class AroundForm(forms.Form):
    """Somebody around a child who has no record yet, or whose reference is known."""

    reference = forms.CharField(
        label="Number of the person's record", max_length=20, required=False,
        help_text="Such as P-000012. Or leave it empty and write what is known",
    )  # fmt: skip
    given_names = forms.CharField(label="Given names", max_length=200, required=False)
    family_name = forms.CharField(label="Family name", max_length=200, required=False)
    born = DayField(label="Date of birth", required=False)
    sex = forms.ChoiceField(label="Sex", choices=Sex.choices, initial=Sex.NOT_KNOWN, required=False)
    address = forms.CharField(label="Address", max_length=300, required=False)
    postcode = forms.CharField(label="Postcode", max_length=10, required=False)
    kind = _radio("Who it is", PersonAround.Kind.choices)
    relationship = forms.CharField(label="Relationship to the child", max_length=120, help_text="Such as mother")
    lives_with = forms.BooleanField(label="Lives with the child", required=False)
    responsibility = forms.ChoiceField(
        label="Parental responsibility", choices=PersonAround.Responsibility.choices, initial="not_known"
    )


class MeasureForm(forms.Form):
    """What social care or a court set in motion for a child."""

    what = _radio("What began", [(key, one.began) for key, one in MEASURES.items()])
    words = forms.CharField(label="Who decided, and under which number", max_length=300)
    at = _moment("When it began")


class OutcomeForm(OfRow):
    """What came of something that was set in motion."""

    what = _radio("What it is about", [(key, one.began) for key, one in MEASURES.items()])
    words = forms.CharField(label="What came of it", max_length=300, help_text="Who saw the child, or which order")
    at = _moment("When")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["what"]
        field.choices = [  # type: ignore[attr-defined]
            (key, f"{MEASURES[key].began}: {MEASURES[key].waits_for.lower()}") for key in running_for(self.row)
        ]


class AssessForm(OfRow):
    """The risk from one adult around the child."""

    around = forms.ModelChoiceField(label="Who", queryset=PersonAround.objects.none(), widget=forms.RadioSelect)
    risk = _radio("Risk to the child", PersonAround.Risk.choices, without=("not_assessed",))
    basis = _area("What this rests on", hint="Records that were looked at, who was asked, and when")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["around"]
        field.queryset = self.row.around.select_related("person").filter(kind=PersonAround.Kind.ADULT)
        field.empty_label = None
        field.label_from_instance = lambda one: f"{one.person.name}, {one.relationship}: {one.get_risk_display()}"


class SchoolForm(forms.Form):
    """A school of the child."""

    name = forms.CharField(label="School, nursery, college or club", max_length=160)
    contact = forms.CharField(label="Safeguarding lead there", max_length=160, required=False)
    since = DayField(label="Since", required=False)
    until = DayField(label="Until", required=False, help_text="Leave empty if the child goes there now")


class TakeForm(forms.Form):
    """A child is taken into police protection."""

    initiating_officer = forms.CharField(
        label="The constable who decided", max_length=160,
        help_text="Name and number. The decision needs nobody's leave and cannot be delegated",
    )  # fmt: skip
    why = _area("Why the child would otherwise suffer significant harm")
    place = forms.CharField(
        label="Where the child is", max_length=300, help_text="Suitable accommodation; a police station is none"
    )
    taken_at = _moment("When the child was taken", hint="The 72 hours count from here. Leave empty for now")


class CallForm(forms.Form):
    """A strategy discussion is called."""

    children = forms.ModelMultipleChoiceField(
        label="About which children", queryset=ChildAtRisk.objects.none(), widget=forms.CheckboxSelectMultiple
    )
    why = _area("Why significant harm is suspected")
    suspected_at = _moment("Since when it is suspected", hint="The clock counts from here. Leave empty for now")
    planned_for = _moment("When it is to be held", hint="If it is known yet")
    covert = forms.BooleanField(
        label="Covert: only the people named below may know that it takes place", required=False,
        help_text="Everybody else who sees the case sees nothing of it, on no page",
    )  # fmt: skip
    covert_reason = _area("Why it must stay covert", required=False, longest=2_000)
    need_to_know = forms.ModelMultipleChoiceField(
        label="Who needs to know", queryset=User.objects.none(), required=False, widget=forms.CheckboxSelectMultiple
    )

    display = {"need_to_know": {"small": True}}

    def __init__(self, *args: Any, children: Any, people: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["children"]
        field.queryset = children
        field.label_from_instance = lambda child: f"{child.reference} {child.person.name}"
        who: Any = self.fields["need_to_know"]
        who.queryset = people


class HeldForm(forms.Form):
    """A strategy discussion was held."""

    held_at = _moment("When it was held")
    outcome = _radio("Outcome", StrategyDiscussion.Outcome.choices)
    decisions = _area("What was decided, and who does what by when", longest=8_000)
    no_quorum_reason = _area(
        "Why it went on without police, social care or health", required=False, longest=2_000,
        hint="Only if one of the three did not take part. Then nothing is decided, and the clock runs on",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        agencies = [("", "Nobody"), *StrategyAttendance.Agency.choices]
        first = [code for code, _ in StrategyAttendance.Agency.choices][:3]
        for place in range(_PEOPLE):
            self.fields[f"agency_{place}"] = forms.ChoiceField(
                label=f"Person {place + 1}: agency", choices=agencies, required=False,
                initial=first[place] if place < len(first) else "",
            )  # fmt: skip
            self.fields[f"name_{place}"] = forms.CharField(
                label=f"Person {place + 1}: name and post", max_length=160, required=False
            )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        people = []
        for place in range(_PEOPLE):
            agency, name = data.pop(f"agency_{place}", ""), data.pop(f"name_{place}", "")
            if name and not agency:
                self.add_error(f"agency_{place}", f"Say for which agency {name} took part")
            elif name:
                people.append((agency, name))
        data["attendees"] = people
        return data


class WhenForm(forms.Form):
    """Nothing but a time."""

    at = _moment()


class ReasonForm(forms.Form):
    """Nothing but a reason."""

    reason = _area("Reason", longest=2_000)


class LetKnowForm(forms.Form):
    """Somebody needs to know."""

    user = forms.ModelChoiceField(label="Who", queryset=User.objects.none())
    reason = _area("Why they need to know", longest=2_000)

    display = {"user": {"search": True}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["user"]
        field.queryset = User.objects.filter(is_active=True).exclude(role__in=("administrator", "exchange_manager"))


class NoLongerForm(OfRow):
    """Somebody need no longer know."""

    user = forms.ModelChoiceField(label="Who", queryset=User.objects.none(), widget=forms.RadioSelect, empty_label=None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["user"]
        listed = self.row.access.filter(removed_at=None).values("user")
        field.queryset = User.objects.filter(pk__in=listed)


class SeenForm(forms.Form):
    """The child was seen."""

    by = forms.CharField(label="Who saw the child", max_length=160)
    at = _moment("When")
    alone = forms.BooleanField(label="The child was seen alone", required=False)
    words = _area("What the child said, in the child's words", required=False)


class PlanForm(forms.Form):
    """When the conference is set for."""

    when = _moment("When the conference is", hint="The date of the law does not move with it", required=True)


class ConferenceForm(forms.Form):
    """The conference was held."""

    ending = _radio("What it decided", Section47.Ending.choices, without=("", "not_substantiated"))
    words = _area("Its reasons, and what police are to do")
    at = _moment("When")


class EndForm(forms.Form):
    """The concerns were not substantiated."""

    words = _area("What shows that the child is safe")
    at = _moment("When")


class MeetingForm(forms.Form):
    """A core group or a review conference."""

    meeting = _radio("Which meeting", list(MEETINGS.items()))
    at = _moment("When")


class ToldForm(forms.Form):
    """Who was told of a police protection."""

    what = _radio(
        "Who was told",
        [
            ("local_authority", "The local authority"),
            ("child", "The child"),
            ("parents", "The parents, or those with parental responsibility"),
        ],
    )
    words = _area("Who was told and what they said; of the child, what the child wishes and feels")
    at = _moment("When")


class DesignateForm(forms.Form):
    """The designated officer."""

    name = forms.CharField(label="The designated officer", max_length=160, help_text="Name and rank")
    since = _moment("Since when")
    words = _area("What the inquiry has found so far", required=False)


class EndProtectionForm(forms.Form):
    """Police protection ends."""

    ending = _radio("How it ended", PoliceProtection.Ending.choices)
    words = _area("With whom and where the child is now")
    at = _moment("When")


class EscalateForm(forms.Form):
    """Social care's silence is taken to somebody above."""

    to = forms.CharField(label="To whom", max_length=160, help_text="The manager or director at social care")
    text = _area("What was asked for, and what they said", longest=2_000)


class BulkForm(forms.Form):
    """Every child linked to one suspect."""

    people = forms.MultipleChoiceField(label="Who", widget=forms.CheckboxSelectMultiple)
    recipient = forms.CharField(label="Who receives it", max_length=160, help_text="Such as the duty desk")
    concern = _area("What is feared for the children", longest=10_000, hint="The same words go to each authority")
    together = forms.BooleanField(
        label="All or none: if one cannot be told of, send nothing", required=False, initial=True
    )

    display = {"people": {"small": True}, "concern": {"rows": 8}}

    def __init__(self, *args: Any, linked: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["people"]
        field.choices = [(one.person.reference, _words(one)) for one in linked if one.told is None]


def _words(one: Any) -> str:
    age = one.person.age_on()
    years = "age not known: check first" if age is None else f"{age} years old"
    return f"{one.person.name}, {years}. {'; '.join(one.reasons)}"
