"""Forms of the offender pages."""

from __future__ import annotations

from typing import Any

from django import forms

from safelight.casework.accounts.models import User
from safelight.casework.base.fields import DayField, MomentField
from safelight.casework.offenders.keeping import CHANGE
from safelight.casework.offenders.models import RISKS, Absence, Decision, Notification, Plan, Visit
from safelight.casework.offenders.services import normal_reference
from safelight.casework.people.boroughs import boroughs
from safelight.casework.referrals.forms import borough_choices, lines

LONGEST = 4_000
CATEGORIES = [(1, "1: registered sex offender"), (2, "2: violent or other sexual offender"), (3, "3: other dangerous")]
OFFICERS = ("offender_manager", "supervisor", "investigator")


def _area(label: str, help_text: str = "", *, required: bool = True, longest: int = LONGEST) -> forms.CharField:
    return forms.CharField(
        label=label, widget=forms.Textarea, max_length=longest, help_text=help_text, required=required
    )


class _Places(forms.Form):
    """Where the home lies, for rounds of visits. No map service is asked."""

    latitude = forms.FloatField(label="Latitude of the home", required=False, min_value=-90, max_value=90,
                                help_text="For rounds of visits, such as 51.5290. No map service is asked")  # fmt: skip
    longitude = forms.FloatField(label="Longitude of the home", required=False, min_value=-180, max_value=180)


class _Entry(_Places):
    register_reference = forms.CharField(
        label="Reference in the national register", max_length=60, required=False, help_text="Such as the ViSOR number"
    )
    aliases = forms.CharField(
        label="Other names",
        widget=forms.Textarea,
        max_length=2_000,
        required=False,
        help_text="In full, one on each line",
    )
    until = DayField(label="Last day of the notification period", required=False, help_text="Leave empty if indefinite")
    has_home = forms.BooleanField(
        label="Has a sole or main residence", required=False, help_text="Without one the notification is weekly"
    )

    def clean_aliases(self) -> list[str]:
        return lines(self.cleaned_data["aliases"])

    def clean_register_reference(self) -> str:
        return normal_reference(self.cleaned_data["register_reference"])


class RegisterForm(_Entry):
    """A new entry."""

    family_name = forms.CharField(label="Family name", max_length=200)
    given_names = forms.CharField(label="Given names", max_length=200)
    born = DayField(label="Date of birth", help_text="For example, 27 3 1985")
    address = forms.CharField(label="Home address", max_length=300, required=False)
    postcode = forms.CharField(label="Postcode", max_length=10, required=False)
    borough = forms.ChoiceField(label="Borough", required=False, choices=borough_choices)
    email = forms.CharField(label="E-mail address", max_length=400, required=False)
    phone = forms.CharField(label="Telephone number", max_length=400, required=False)
    screen_name = forms.CharField(label="On-line name", max_length=400, required=False)
    relevant_date = DayField(
        label="Relevant date", help_text="The conviction, caution, finding or order. The first notification is due "
        "within three days beginning with it"
    )  # fmt: skip
    manager = forms.ModelChoiceField(label="Offender manager", queryset=User.objects.none(), required=False)
    mappa_category = forms.TypedChoiceField(
        label="MAPPA category", coerce=int, initial=1,
        choices=CATEGORIES,
    )  # fmt: skip

    field_order = (
        "family_name", "given_names", "aliases", "born", "address", "postcode", "borough", "latitude", "longitude",
        "email", "phone", "screen_name", "register_reference", "relevant_date", "until", "has_home", "mappa_category",
        "manager",
    )  # fmt: skip

    def __init__(self, *args: Any, managers: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["manager"].queryset = managers  # type: ignore[attr-defined]
        self.fields["has_home"].initial = True

    def arguments(self) -> dict[str, Any]:
        """What `services.register` takes, without the unit; and the place, which is set afterwards."""
        data = self.cleaned_data
        kinds = ("email", "phone", "screen_name")
        person = {name: data[name] for name in ("family_name", "given_names", "born", "address", "postcode", "borough")}
        person["identifiers"] = [(kind, data[kind]) for kind in kinds if data[kind]]
        names = ("relevant_date", "until", "register_reference", "aliases", "manager", "has_home", "mappa_category")
        return {"person": person, **{name: data[name] for name in names}}


class EntryForm(_Entry):
    """Changes of an entry."""


class ManagerForm(forms.Form):
    manager = forms.ModelChoiceField(label="Offender manager", queryset=User.objects.none())
    reason = forms.CharField(label="Why", max_length=500)

    def __init__(self, *args: Any, managers: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["manager"].queryset = managers  # type: ignore[attr-defined]


class RiskForm(forms.Form):
    level = forms.ChoiceField(label="Risk level", choices=RISKS, widget=forms.RadioSelect)
    source = forms.CharField(
        label="Who assessed it, and with which tool", max_length=120,
        help_text="Questions and scores stay in that tool; only the level is held here",
    )  # fmt: skip
    on = DayField(label="Day of the assessment", required=False, help_text="Leave empty for today")


class PlanForm(forms.Form):
    """How often this one person is visited. No number is offered: it is set for each offender."""

    every = forms.IntegerField(label="A visit at least every", min_value=1, max_value=366)
    every_unit = forms.ChoiceField(label="Days or months", choices=[("", "Choose"), *Plan.Unit.choices])
    minutes = forms.IntegerField(label="Minutes that a visit takes", min_value=5, max_value=480, initial=45)
    actions = _area("What is done to manage the risk", "Conditions, devices, partners, what to look for")

    display = {"every": {"width": 3}, "minutes": {"width": 3}}


class VisitForm(forms.Form):
    outcome = forms.ChoiceField(label="What came of it", choices=Visit.Outcome.choices, widget=forms.RadioSelect)
    at = MomentField(label="When", required=False, help_text="Leave empty for now")
    told = forms.ChoiceField(
        label="Did the offender know that you would come?",
        choices=[("no", "No: unannounced"), ("yes", "Yes: announced")], widget=forms.RadioSelect,
    )  # fmt: skip
    announced = forms.CharField(label="Why it was announced", max_length=300, required=False)
    officers = forms.ModelMultipleChoiceField(
        label="Who went", queryset=User.objects.none(), required=False, help_text="You alone when nobody is ticked"
    )
    joint_with = forms.CharField(
        label="Another agency that came along", max_length=120, required=False, help_text="Such as probation"
    )
    devices_checked = forms.BooleanField(label="Devices were checked", required=False)
    text = _area("What was seen, or what happened at the door")

    reveals = {"told": {"yes": ("announced",)}}
    display = {"officers": {"small": True}}

    def __init__(self, *args: Any, officers: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["officers"].queryset = officers  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        told = data.pop("told", "")
        if told == "yes" and not data.get("announced"):
            self.add_error("announced", "Say why it was announced")
        elif told == "no":
            data["announced"] = ""
        return data


class NotificationForm(forms.Form):
    kind = forms.ChoiceField(label="What was notified", choices=Notification.Kind.choices, widget=forms.RadioSelect)
    at = MomentField(label="When", required=False, help_text="Leave empty for now")
    place = forms.CharField(label="Where", max_length=160, help_text="The police station")
    event_on = DayField(
        label="The day it is about", required=False,
        help_text="Of the change (ahead for one that is announced), of departure, of the return",
    )  # fmt: skip
    changed = _area("What changed, or where to", "Not needed for a yearly notification without change", required=False)
    in_person = forms.BooleanField(label="In person", required=False, initial=True)
    identity_seen = forms.BooleanField(label="Proof of identity was seen", required=False)


class EventForm(forms.Form):
    """Something that the offender must notify, known otherwise."""

    rule = forms.ChoiceField(
        label="What happened", widget=forms.RadioSelect,
        choices=[(CHANGE, "A change of name or home address, or seven days' stay elsewhere in twelve months")],
    )  # fmt: skip
    event_on = DayField(label="On which day", help_text="Three days beginning with it")
    what = forms.CharField(label="What is known", max_length=300)


class ChildForm(forms.Form):
    """A stay in a household with a child."""

    stayed_on = DayField(label="Since which day", help_text="The day on which the stay reached twelve hours")
    borough = forms.ChoiceField(label="Borough where the children live", choices=())
    what = _area("What is known", "Whose household, how it became known")
    given_names = forms.CharField(label="Given names of the child", max_length=200, required=False)
    family_name = forms.CharField(label="Family name of the child", max_length=200, required=False)
    age = forms.IntegerField(label="Age, about", min_value=0, max_value=17, required=False)
    more = forms.CharField(
        label="Further children", widget=forms.Textarea, required=False, max_length=1_000,
        help_text="One on each line, as far as known: given name, family name, age",
    )  # fmt: skip

    display = {"age": {"width": 3}, "borough": {"search": True}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["borough"].choices = [("", "Choose"), *((name, name) for name in boroughs())]  # type: ignore[attr-defined]

    def children(self) -> list[dict[str, Any]]:
        """One child at least: a child of whom nothing is known but that there is one is a child at risk too."""
        data = self.cleaned_data
        first = {"given_names": data["given_names"], "family_name": data["family_name"], "age": data["age"]}
        made = [{name: value for name, value in first.items() if value not in ("", None)}]
        for line in lines(data["more"]):
            parts = [part.strip() for part in line.split(",")]
            child: dict[str, Any] = dict(zip(("given_names", "family_name"), parts, strict=False))
            if len(parts) > 2 and parts[2].isascii() and parts[2].isdecimal():
                child["age"] = int(parts[2][:3])
            made.append(child)
        return made


class AwayForm(forms.Form):
    kind = forms.ChoiceField(label="Where", choices=Absence.Kind.choices, widget=forms.RadioSelect)
    begins = DayField(label="Since", required=False, help_text="Leave empty for today")
    note = forms.CharField(label="Note", max_length=300, required=False)


class BackForm(forms.Form):
    ends = DayField(label="Day of release or return", required=False, help_text="Leave empty for today")


class MappaForm(forms.Form):
    category = forms.TypedChoiceField(
        label="Category", coerce=int, widget=forms.RadioSelect,
        choices=CATEGORIES,
    )  # fmt: skip
    level = forms.TypedChoiceField(
        label="Level", coerce=int, widget=forms.RadioSelect,
        choices=[(1, "1: the lead agency alone"), (2, "2: formal meetings"), (3, "3: senior people and resources")],
    )  # fmt: skip
    met_at = MomentField(label="When the meeting was", required=False, help_text="Leave empty for now")
    text = _area("What was decided")


class TextForm(forms.Form):
    """Words and a time: intelligence, a note, a breach."""

    text = _area("What is known")
    at = MomentField(label="When", required=False, help_text="Leave empty for now")


class ReviewForm(forms.Form):
    review = _area("The review", "What was looked at, and why home visits are no longer needed")


class DecisionForm(forms.Form):
    step = forms.ChoiceField(label="What follows", choices=Decision.Step.choices, widget=forms.RadioSelect)
    reason = _area("Why, or why not")


class EndForm(forms.Form):
    reason = forms.CharField(label="Why", max_length=300, help_text="The period is over, death, another force")
    on = DayField(label="Since", required=False, help_text="Leave empty for today")


class HappenedForm(forms.Form):
    on = DayField(label="When the change took place")


class ImportForm(forms.Form):
    file = forms.FileField(
        label="The file", help_text="CSV in UTF-8, XLSX or ODS, with a header; at most 5 MB and 2,000 lines"
    )


class RoundsForm(forms.Form):
    """Visits of one officer as rounds."""

    manager = forms.ModelChoiceField(label="Whose visits", queryset=User.objects.none(), to_field_name="username")
    second = forms.ModelChoiceField(label="Who goes along", queryset=User.objects.none(), to_field_name="username")
    first_day = DayField(label="First day")
    days = forms.IntegerField(label="Working days", min_value=1, max_value=10, initial=5)
    latitude = forms.FloatField(label="Latitude of the base", min_value=-90, max_value=90)
    longitude = forms.FloatField(label="Longitude of the base", min_value=-180, max_value=180)

    display = {"days": {"width": 2}, "latitude": {"width": 10}, "longitude": {"width": 10}}

    def __init__(self, *args: Any, managers: Any, officers: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["manager"].queryset = managers  # type: ignore[attr-defined]
        self.fields["second"].queryset = officers  # type: ignore[attr-defined]


def officers_of(unit_id: Any) -> Any:
    """Who may go on a visit: the officers of the unit."""
    return User.objects.filter(is_active=True, unit=unit_id, role__in=OFFICERS).order_by("name")


def managers_of(unit_id: Any) -> Any:
    """The offender managers of the unit."""
    return User.objects.filter(is_active=True, unit=unit_id, role="offender_manager").order_by("name")
