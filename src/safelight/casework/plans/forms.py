"""Forms of the planning pages. A field that changes a parameter has the parameter's own name, so that a refusal of the
engine lands beside it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from safelight.planning.money import PAY
from safelight.planning.parameters import RISKS, load_parameters
from safelight.planning.rules import RULES
from safelight.planning.smallest import KIND

POSTS = (
    "staff.specialists", "staff.generalists", "staff.desk", "staff.allocation", "staff.supervisors", "staff.triage",
    "staff.examiners", "staff.caid", "staff.offender_managers", "laboratory.machines", "staff.leaving",
)  # fmt: skip
HOW = "A number, or a change such as +4 or -40"
YEARS = (("1", "1 year"), ("3", "3 years"), ("5", "5 years"), ("10", "10 years"))
RUNS = (("10", "10: a first look"), ("30", "30"), ("100", "100"), ("1000", "1,000: minutes"))
KEPT = "as it is"
TEAMS = ((KEPT, "As it is"), ("1", "One pooled team"), ("12", "12 teams, one for each borough command unit"))
DEVICES = ((KEPT, "As it is"), ("2", "At most two of each case"), ("0", "All of them"))


class ScenarioForm(forms.Form):
    """One way that things could be: what is left empty stays as it is."""

    name = forms.CharField(label="Name of the scenario", max_length=80, help_text="Such as: 40 specialists leave")

    display: dict[str, dict[str, Any]] = {name: {"width": 5} for name in POSTS}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = load_parameters().rows
        for name in POSTS:
            row = rows[name]
            hint = f"{HOW}. As shipped: {row.value:g}" if name == POSTS[0] else f"As shipped: {row.value:g}"
            self.fields[name] = forms.CharField(label=row.title, max_length=12, required=False, help_text=hint)
        choice, radios = forms.ChoiceField, forms.RadioSelect
        self.fields["teams"] = choice(label="Teams of the specialists", choices=TEAMS, initial=KEPT, widget=radios)
        self.fields["devices.cap"] = choice(
            label="Devices that are examined", choices=DEVICES, initial=KEPT, widget=radios
        )
        self.fields["skill.generalist_share.medium"] = forms.CharField(
            label="Share of medium-risk cases that investigators without the specialism take",
            max_length=12,
            required=False,
            help_text=f"0 to 1. As shipped: {rows['skill.generalist_share'].value['medium']:g}",  # type: ignore[index,call-overload]
        )
        self.display = {**self.display, "skill.generalist_share.medium": {"width": 5}}
        self.fields["rule"] = choice(
            label="Order of work", choices=[(rule.name, _first(rule.title)) for rule in RULES.values()], widget=radios,
            initial="growing",
        )  # fmt: skip
        self.fields["other"] = forms.CharField(
            label="Other parameters",
            required=False,
            max_length=2000,
            widget=forms.Textarea(attrs={"rows": 3}),
            help_text="One on each line, such as: effort.triage = 2. The page of parameters lists their names.",
        )

    def clean_other(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for line in self.cleaned_data["other"].splitlines():
            name, equals, value = line.partition("=")
            if not line.strip():
                continue
            if not equals:
                raise ValidationError(f"{line.strip()[:60]!r} is not PARAMETER = VALUE.")
            found[name.strip()] = _number(value)
        return found

    def scenario(self) -> dict[str, Any]:
        """Name, changes and rule, as the services take them."""
        data = self.cleaned_data
        names = (*POSTS, "teams", "devices.cap", "skill.generalist_share.medium")
        changes = {name: _number(data[name]) for name in names if data[name].strip() not in ("", KEPT)}
        return {"name": data["name"], "changes": {**changes, **data["other"]}, "rule": data["rule"]}


class NewForm(ScenarioForm):
    """A plan with its first scenario."""

    title = forms.CharField(label="What is the question?", max_length=120)
    years = forms.ChoiceField(label="How long a time", choices=YEARS, initial="3")
    replications = forms.ChoiceField(label="Runs of each scenario", choices=RUNS, initial="30")
    records = forms.BooleanField(
        label="Begin with what our own records say, where they say it", required=False, initial=False
    )

    field_order = ("title", "years", "replications", "records", "name")


class SmallestForm(forms.Form):
    """The smallest staffing that keeps a clock."""

    clock = forms.ChoiceField(label="Clock", choices=[(name, name.capitalize()) for name in KIND])
    risk = forms.ChoiceField(label="Risk", choices=[(level, level.replace("_", " ").capitalize()) for level in RISKS])
    share = forms.IntegerField(label="Keep how many of a hundred", min_value=50, max_value=99, initial=95)
    levers = forms.MultipleChoiceField(
        label="Posts that may change",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Left empty: those that the clock hangs on",
    )
    records = forms.BooleanField(
        label="Begin with what our own records say, where they say it", required=False, initial=False
    )

    display = {"share": {"width": 3}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = load_parameters().rows
        self.fields["levers"].choices = [(lever, rows[lever].title) for lever in PAY]  # type: ignore[attr-defined]


def _number(text: str) -> float | str:
    """A number, or what stands there: the engine says what is wrong with it."""
    text = text.strip()
    if text[:1] in ("+", "-"):
        return text
    try:
        return float(text)
    except ValueError:
        return text


def _first(text: str) -> str:
    return text[:1].upper() + text[1:]
