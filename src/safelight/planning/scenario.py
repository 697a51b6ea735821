"""Scenarios of a force from a file, and what each answers: children waiting, clocks breached, age of devices.

A file (TOML)::

    title = "Forty specialists leave"
    years = 3                  # what is answered about; 365 days of warm-up come before it
    replications = 30
    seed = 1
    rule = "growing"

    [changes]                  # the force as it is, where it is not as shipped
    "staff.specialists" = 90

    [[scenario]]
    name = "One pooled team"
    changes = { teams = 1, "devices.cap" = 0, "staff.caid" = "+2" }
    rule = "c-mu"              # left out: the one above
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from safelight.planning.errors import PlanningError
from safelight.planning.estimate import Estimate, estimate
from safelight.planning.force import INVESTIGATORS, force_network
from safelight.planning.money import yearly_cost
from safelight.planning.network import Network
from safelight.planning.parameters import RISKS, Parameters, load_parameters
from safelight.planning.result import Tally, difference
from safelight.planning.rules import find_rule

AS_IT_IS = "As it is"
LIMITS = (
    "It is a model: most of its parameters are assumptions until a force puts its own records in their place.",
    "An interval holds the chance of the runs, not the doubt about the parameters or about the model.",
    "Investigators finish what they have begun before they take the next: in life one sets a case aside for a child.",
    "It does not know how good an investigation is, and no case in it is a real one.",
    "Weights of delay (cost.*) are a policy choice; another choice can turn the order of two rules.",
)
_KEYS = {"title", "years", "warmup_days", "replications", "seed", "rule", "changes", "scenario"}


@dataclass(frozen=True)
class Scenario:
    """One way that things could be."""

    name: str
    parameters: Parameters
    rule: str
    changes: Mapping[str, object] = field(default_factory=dict)  # against the force as it is; for the first, as shipped

    def network(self, years: float, warmup_days: float) -> Network:
        """Raises PlanningError: see `force_network`."""
        return force_network(self.parameters, years=years, warmup_days=warmup_days, rule=self.rule)


@dataclass(frozen=True)
class Plan:
    """A file of scenarios; the first is the force as it is."""

    title: str
    scenarios: tuple[Scenario, ...]
    years: float = 3.0
    warmup_days: float = 365.0
    replications: int = 20
    seed: int = 1


@dataclass(frozen=True)
class Answer:
    """One line of the answer.

    Args:
        form, scale: how `Estimate.text` prints it.
        values: one for each replication, for differences between scenarios; empty when there is no number.
    """

    title: str
    found: Estimate
    form: str = ".3g"
    scale: float = 1.0
    values: tuple[float, ...] = ()

    @property
    def text(self) -> str:
        return self.found.text(self.form, self.scale)


def read_plan(path: Path) -> Plan:
    """A plan from a file.

    Raises:
        PlanningError: the file cannot be read, or a field of it cannot be used.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise PlanningError(str(path), f"it cannot be read: {error.strerror}.", fix="Check the path.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PlanningError(str(path), f"it is not TOML: {error}.", fix="See docs/planning-model.md.") from error
    unknown = sorted(set(data) - _KEYS)
    if unknown:
        raise PlanningError(unknown[0], "no such field in a plan.", fix=f"Use {', '.join(sorted(_KEYS))}.")
    numbers: dict[str, Any] = {}
    for name, kind in (("years", float), ("warmup_days", float), ("replications", int), ("seed", int)):
        if name in data:
            value = data[name]
            if isinstance(value, bool) or not isinstance(value, int | kind):
                raise PlanningError(name, f"{value!r} is not a number.", fix="Give a number.")
            numbers[name] = kind(value)
    entries = data.get("scenario", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise PlanningError("scenario", "it is not a list of [[scenario]].", fix="See docs/planning-model.md.")
    return plan(
        str(data.get("title", path.stem)), _table(data, "changes"), entries, data.get("rule", "growing"), numbers
    )


def plan(
    title: str,
    base: Mapping[str, object],
    entries: list[dict[str, Any]],
    rule: str = "growing",
    numbers: Mapping[str, Any] | None = None,
) -> Plan:
    """The force as it is with ``base`` changes, and a scenario for each of ``entries`` (name, changes, rule).

    Raises:
        PlanningError: an unknown parameter, rule or field, or a value outside its range.
    """
    parameters = load_parameters().with_changes(base)
    scenarios = [Scenario(AS_IT_IS, parameters, find_rule(rule).name, dict(base))]
    for number, entry in enumerate(entries, 1):
        unknown = sorted(set(entry) - {"name", "changes", "rule"})
        if unknown:
            raise PlanningError(f"scenario {number}", f"no such field: {unknown[0]}.", fix="Use name, changes, rule.")
        name = str(entry.get("name", f"Scenario {number}"))
        if name in [scenario.name for scenario in scenarios]:
            raise PlanningError(f"scenario {number}", f"the name {name!r} is taken.", fix="Choose another name.")
        changes = _table(entry, "changes")
        changed = parameters.with_changes(changes)
        scenarios.append(Scenario(name, changed, find_rule(entry.get("rule", rule)).name, changes))
    return Plan(title, tuple(scenarios), **(numbers or {}))


def answers(tally: Tally, parameters: Parameters) -> list[Answer]:
    """What a scenario answers, in the order in which it is read: the children first."""
    cases = [(risk, f"case.{risk}") for risk in RISKS]
    found = [_children(tally, parameters), _open(tally, parameters)]
    for clock, title in (
        ("safeguarding", "Child not referred to social care in time"),
        ("investigator", "No investigator in time"),
        ("file", "No outcome in time after the devices are back"),
        ("triage", "Device not triaged in time"),
    ):
        prefix = {"file": "file", "triage": "device"}.get(clock, "case")
        c = [one.name for one in tally.network.clocks].index(clock)
        for risk in RISKS:
            kind = f"{prefix}.{risk}"
            _, (k,) = tally.at("desk", kind)
            values = tuple(
                float(run.breached[c, k] / run.judged[c, k]) if run.judged[c, k] else float("nan") for run in tally.runs
            )
            share = tally.breached(clock, kind)
            found.append(Answer(f"{title}, {risk.replace('_', ' ')}", share, ".1f", 100.0, values))
    found += [
        Answer("Days since seizure, devices waiting for triage", tally.age("triage"), ".1f"),
        Answer("Days since seizure, devices waiting for examination", tally.age("examination"), ".1f"),
        Answer("Days since seizure, devices waiting for CAID", tally.age("caid"), ".1f"),
        _lost(tally, [kind for _, kind in cases]),
        _left_out(tally),
        Answer("Cost of all posts in a year, thousand pounds", Estimate.exact(yearly_cost(parameters)), ",.0f", 0.001),
    ]
    found += [
        Answer(f"Use of {name.replace('_', ' ')}", tally.utilisation(name), ".0f", 100.0)
        for name in ("desk", "specialists", "generalists", "supervision", "triage", "examination", "caid")
    ]
    return found


def _children(tally: Tally, parameters: Parameters) -> Answer:
    """Children of cases that wait for the desk, for allocation or for an investigator (mean number at any time)."""
    title = "Children whose case waits for a person"
    places = ("desk", "allocation", *INVESTIGATORS)
    for place in places:
        for risk in RISKS:
            if tally.grows(place, f"case.{risk}") is not None:
                return Answer(title, tally.waiting(place, f"case.{risk}"))
    rows = [tally.at(place)[0] for place in places]
    values = []
    for run in tally.runs:
        total = 0.0
        for risk in RISKS:
            _, (k,) = tally.at("desk", f"case.{risk}")
            total += parameters.risk("referrals.children", risk) * float(run.waiting[rows, k].sum())
        values.append(total)
    return Answer(title, estimate(values, low=0.0), ",.1f", values=tuple(values))


def _open(tally: Tally, parameters: Parameters) -> Answer:
    """Children of all open cases at the end of the run: what a case that is stuck further on cannot hide from."""
    title = "Children in open cases at the end"
    for station in tally.network.stations:
        for kind in station.steps:
            if not kind.endswith("visit") and kind != "review" and tally.grows(station.name, kind) is not None:
                return Answer(title, tally.waiting(station.name, kind))
    values = []
    for run in tally.runs:
        total = 0.0
        for risk in RISKS:
            _, (k,) = tally.at("desk", f"case.{risk}")
            total += parameters.risk("referrals.children", risk) * float(run.inside[k])
        values.append(total)
    return Answer(title, estimate(values, low=0.0), ",.0f", values=tuple(values))


def change(after: Answer, before: Answer) -> Estimate | None:
    """What is different, replication by replication where both are simulated; None where one has no number."""
    if after.found.words or before.found.words:
        return None
    if after.values and before.values:
        runs = min(len(after.values), len(before.values))  # a run that was stopped has fewer
        return difference(after.values[:runs], before.values[:runs])
    if after.found.replications == before.found.replications == 0 and after.found.mean is not None:
        return Estimate.exact(after.found.mean - (before.found.mean or 0.0))
    return None


def waiting_over_time(tally: Tally) -> dict[str, list[list[float]]]:
    """For charts: queue -> rows of (years since the warm-up ended, mean waiting, half of the 95 % interval).

    The first is cases that wait for the desk, for allocation or for an investigator; one row for every four weeks.
    """
    queues = {
        "Cases that wait for a person": [
            (place, f"case.{risk}") for place in ("desk", "allocation", *INVESTIGATORS) for risk in RISKS
        ],
        "Devices that wait for triage": [("triage", "all")],
        "Devices that wait for examination": [("examination", "all")],
    }
    found = {}
    for title, parts in queues.items():
        series = [tally.series(*part) for part in parts]
        days = series[0][0]
        mean, half = (np.sum([one[part] for one in series], axis=0) for part in (1, 2))
        found[title] = [
            [
                round(float(days[n] - tally.network.warmup) / 365.25, 3),
                round(float(mean[n]), 2),
                round(float(half[n]), 2),
            ]
            for n in range(0, len(days), 4)
            if days[n] >= tally.network.warmup
        ]
    return found


def warnings(tally: Tally) -> list[str]:
    """Where work grows without limit, and why better numbers elsewhere must not be believed then."""
    found = []
    for station in tally.network.stations:
        year = tally.grows(station.name)
        if year is not None:
            when = "" if year == 1 else f" from year {year} on"
            found.append(f"The work waiting for {station.name.replace('_', ' ')} grows without limit{when}.")
    if found:
        found.append(
            "Behind such a queue things look better only because the work no longer gets there: compare scenarios by "
            "what stands before it, and make the queue stable first."
        )
    return found


def _lost(tally: Tally, kinds: list[str]) -> Answer:
    years = tally.network.days / 365.25
    columns = [tally.at("desk", kind)[1][0] for kind in kinds]
    values = tuple(float(run.lost[columns].sum()) / years for run in tally.runs)
    return Answer("Cases closed in a year without an investigator", estimate(values, low=0.0), ",.0f", values=values)


def _left_out(tally: Tally) -> Answer:
    years = tally.network.days / 365.25
    columns = [tally.at("desk", f"device.{risk}")[1][0] for risk in RISKS]
    values = tuple(float(run.skipped[columns].sum()) / years for run in tally.runs)
    return Answer("Seized devices in a year that nobody examines", estimate(values, low=0.0), ",.0f", values=values)


def _table(data: Mapping[str, Any], name: str) -> Mapping[str, object]:
    """Changes, with nested tables of TOML (`staff.desk = 3` without quotes) taken as dotted names."""
    value = data.get(name, {})
    if not isinstance(value, dict):
        raise PlanningError(name, "it is not a table.", fix="Write parameter = value.")
    flat: dict[str, object] = {}

    def walk(prefix: str, inside: Mapping[str, Any]) -> None:
        for key, one in inside.items():
            full = f"{prefix}{key}"
            if isinstance(one, dict) and set(one) != set(RISKS):
                walk(f"{full}.", one)
            else:
                flat[full] = one

    walk("", value)
    return flat
