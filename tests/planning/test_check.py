"""What cannot be planned with is refused with its field and its reason."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest

from safelight.planning import (
    Brings,
    Clock,
    Duration,
    Kind,
    Network,
    PlanningError,
    Route,
    Staffing,
    Station,
    Step,
    force_network,
    load_parameters,
    simulate,
)
from safelight.planning.compiled import compile_network

STEP = Step(Duration.exponential(1.0))


def network(**changes: object) -> Network:
    base = Network((Kind("case", 0.5, "desk"),), (Station("desk", 1, {"case": STEP}),))
    return replace(base, **changes)


def station(**changes: object) -> dict[str, object]:
    return {"stations": (replace(Station("desk", 1, {"case": STEP}), **changes),)}


def step(**changes: object) -> dict[str, object]:
    return station(steps={"case": replace(STEP, **changes)})


def kind(**changes: object) -> dict[str, object]:
    return {"kinds": (replace(Kind("case", 0.5, "desk"), **changes),)}


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        (kind(per_day=-1.0), "kinds.case.per_day", "below 0"),
        (kind(per_day=float("nan")), "kinds.case.per_day", "not a number"),
        (kind(deadline=0.0), "kinds.case.deadline", "not above 0"),
        (kind(deadline=-3.0), "kinds.case.deadline", "not above 0"),
        (kind(factors=()), "kinds.case.factors", "none"),
        (kind(factors=(1.0, -0.5)), "kinds.case.factors", "below 0"),
        (kind(arrives_at="nowhere"), "kinds.case.arrives_at", "unknown station"),
        (station(servers=0), "stations.desk.servers", "nobody is there"),
        (station(servers=-2), "stations.desk.servers", "below 0"),
        (station(servers=3, teams=4), "stations.desk.servers", "nobody is there"),
        (station(staffing=Staffing(((0.0, 0.0),))), "stations.desk.servers", "nobody is there"),
        (station(staffing=Staffing(((5.0, 2.0),))), "stations.desk.staffing", "from day 0"),
        (station(teams=0), "stations.desk.teams", "0 teams"),
        (station(steps={}), "kinds.case.arrives_at", "no step"),
        (step(service=Duration.exponential(-1.0)), "stations.desk.case.service", "not above 0"),
        (step(service=Duration.erlang(1.0, 0)), "stations.desk.case.service", "phases"),
        (step(service=Duration.hyperexponential(1.0, 0.5)), "stations.desk.case.service", "below 1"),
        (step(then=(Route("desk", 0.7), Route("desk", 0.7))), "stations.desk.case.then", "add up to 1.4"),
        (step(then=(Route("moon"),)), "stations.desk.case.then", "unknown station"),
        (step(patience=Duration.lognormal(3, 1)), "stations.desk.case.patience", "neither"),
        (step(escalates=(3.0, "nothing")), "stations.desk.case.escalates", "unknown kind"),
        (step(brings=Brings("case", "desk", more=99.0)), "stations.desk.case.brings.more", "above 25"),
        ({"rule": "magic"}, "rule", "no priority rule"),
        ({"days": 0.0}, "days", "not above 0"),
        ({"warmup": 400.0}, "warmup", "as long as the whole run"),
        ({"clocks": (Clock("late", ("desk",), {"case": 0.0}),)}, "clocks.late.case", "not above 0"),
        ({"clocks": (Clock("late", ("desk",), {"case": 900.0}),)}, "clocks.late.case", "cannot be judged"),
        ({"clocks": (Clock("late", ("moon",), {"case": 1.0}),)}, "clocks.late", "unknown station"),
        ({"kinds": ()}, "kinds", "none"),
    ],
)
def test_bad_input_is_refused(changes: dict[str, object], field: str, reason: str) -> None:
    """A planner would otherwise get a number that stands for nothing."""
    with pytest.raises(PlanningError) as caught:
        compile_network(network(**changes))
    assert caught.value.field == field
    assert reason in caught.value.reason
    assert caught.value.fix


def test_an_error_survives_the_way_between_processes() -> None:
    """Otherwise a bad scenario would end as a broken pool."""
    error = pickle.loads(pickle.dumps(PlanningError("teams", "a part of a team.", fix="Give a whole number.")))
    assert (error.field, error.reason, error.fix) == ("teams", "a part of a team.", "Give a whole number.")
    assert str(error) == "teams: a part of a team. Give a whole number."


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"referrals.per_year": -1}, "referrals.per_year"),
        ({"referrals.mix.low": 0.9}, "referrals.mix"),
        ({"staff.desk": 0}, "stations.desk.servers"),
        ({"staff.specialists": 4}, "stations.specialists.servers"),
        ({"staff.leaving": 500}, "staff.leaving"),
        ({"teams": 2.5}, "teams"),
        ({"clock.triage.high": 0}, "clock.triage"),
        ({"clock.triage.high": 3000}, "clocks.triage.device.high"),
        ({"no.such": 1}, "no.such"),
        ({"staff.desk": "many"}, "staff.desk"),
        ({"staff.desk": True}, "staff.desk"),
        ({"staff.desk": [1.0] * 12}, "staff.desk"),
        ({"staff.presence": [1.0] * 11}, "staff.presence"),
        ({"staff.presence": [0.0] * 12}, "staff.presence"),
        ({"clock.triage": {"high": 1}}, "clock.triage"),
    ],
)
def test_a_bad_change_of_the_force_names_its_parameter(changes: dict[str, object], field: str) -> None:
    with pytest.raises(PlanningError) as caught:
        compile_network(force_network(load_parameters().with_changes(changes)))
    assert caught.value.field == field


def test_numbers_of_a_run_are_checked() -> None:
    for changes in ({"replications": 0}, {"processes": 0}):
        with pytest.raises(PlanningError):
            simulate(network(), **changes)
