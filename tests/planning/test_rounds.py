"""Rounds of visits: every window and shift is kept, what must be done is, nobody can foresee them."""

from __future__ import annotations

from collections import Counter
from datetime import date

import numpy as np
import pytest

from safelight.planning.errors import PlanningError
from safelight.planning.rounds import (
    Crew,
    Place,
    Rounds,
    Travel,
    Visit,
    clock,
    plan_rounds,
    spread,
    straight_line,
    working_days,
)

BASE = Place(51.5, -0.1)
DAYS = working_days(date(2026, 12, 1), 5)
PAIR = ("PC One", "PC Two")


def visits(number: int, seed: int = 4) -> list[Visit]:
    rng = np.random.default_rng(seed)
    found = []
    for n in range(number):
        opens = float(rng.choice([420, 540, 720]))
        place = Place(51.5 + rng.normal(0, 0.05), -0.1 + rng.normal(0, 0.08))
        risk = str(rng.choice(["very_high", "high", "medium", "low"], p=[0.1, 0.2, 0.4, 0.3]))
        found.append(Visit(f"V-{n}", place, risk, 45.0, opens, opens + 360, must=risk == "very_high"))
    return found


def crews(number: int) -> list[Crew]:
    return [Crew(f"Crew {n + 1}", PAIR, 480.0, 1080.0) for n in range(number)]


def check(plan: Rounds, asked: list[Visit]) -> None:
    """Every visit once, in its window, in the crew's shift, no faster than the road."""
    roads = straight_line(BASE, asked).minutes
    at = {visit.key: n for n, visit in enumerate(asked, 1)}
    seen = Counter(stop.visit.key for one in plan.rounds for stop in one.stops)
    assert seen.keys().isdisjoint(one.visit.key for one in plan.left)
    assert sum(seen.values()) + len(plan.left) == len(asked) and set(seen.values()) <= {1}
    for one in plan.rounds:
        assert one.leaves >= one.crew.begins and one.returns <= one.crew.ends + 0.2
        now, here = one.leaves, 0
        for stop in one.stops:
            there = at[stop.visit.key]
            assert stop.arrives >= now + roads[here, there] - 0.01
            assert stop.visit.opens <= stop.arrives <= stop.visit.closes + 0.2
            assert stop.leaves == stop.arrives + stop.visit.minutes
            now, here = stop.leaves, there
        assert one.returns >= now + roads[here, 0] - 0.01


def test_a_day_keeps_every_window_and_shift() -> None:
    """Two officers before a locked door, or on the road after their shift, is a round that was never planned."""
    asked = visits(24)
    plan = plan_rounds(asked, crews(4), BASE, days=DAYS[:1], seconds=1.0, seed=1)
    check(plan, asked)
    assert not plan.left
    assert {one.day for one in plan.rounds} == {DAYS[0]}
    assert "assumed" in plan.travel_source


def test_where_not_all_fit_what_must_be_done_is_and_the_low_risk_is_left() -> None:
    asked = visits(40)
    plan = plan_rounds(asked, crews(2), BASE, days=DAYS[:1], seconds=1.5, seed=2)
    check(plan, asked)
    assert plan.left and not any(one.visit.must for one in plan.left)
    made = Counter(stop.visit.risk for one in plan.rounds for stop in one.stops)
    missed = Counter(one.visit.risk for one in plan.left)
    assert made["very_high"] == sum(visit.risk == "very_high" for visit in asked)
    assert missed["low"] >= missed["high"]
    assert {one.reason for one in plan.left} == {
        "All crews are full with visits that must be made, are riskier or lie nearer."
    }


def test_a_week_is_spread_and_the_next_draw_is_another() -> None:
    """An offender who learns that it is always Tuesday at nine tidies up on Monday."""
    asked = [
        Visit(f"V-{n}", Place(51.5 + n / 500, -0.1), "medium", 30.0, last=DAYS[n % 5], due=DAYS[2] if n == 0 else None)
        for n in range(20)
    ]
    one = plan_rounds(asked, crews(1), BASE, days=DAYS, seconds=1.0, seed=3)
    other = plan_rounds(asked, crews(1), BASE, days=DAYS, seconds=1.0, seed=4)
    check(one, asked)
    days = {stop.visit.key: a.day for a in one.rounds for stop in a.stops}
    again = {stop.visit.key: a.day for a in other.rounds for stop in a.stops}
    assert len(days) == 20 and days["V-0"] <= DAYS[2]
    assert all(days[visit.key].weekday() != visit.last.weekday() for visit in asked if visit.last)
    assert sum(days[key] != again[key] for key in days) >= 8
    assert len(set(days.values())) == 5
    leaves = [a.leaves for a in (*one.rounds, *other.rounds)]
    assert len({round(minute) for minute in leaves}) > 5
    assert sum(spread(one)["weekdays"].values()) == 20


def test_what_is_left_on_one_day_is_tried_on_the_next_and_never_lost() -> None:
    asked = visits(30, seed=9)
    plan = plan_rounds(asked, crews(1), BASE, days=DAYS[:2], seconds=1.0, seed=5)
    check(plan, asked)


def test_a_visit_that_nobody_can_make_says_why() -> None:
    far = Visit("V-far", Place(53.5, -2.2), "high", 45.0, 480.0, 500.0, must=True)
    plan = plan_rounds([far], crews(1), BASE, days=DAYS[:1], seconds=0.2, seed=1)
    assert "No crew can do it in its shift" in plan.left[0].reason
    assert "may begin between 08:00 and 08:20" in plan.left[0].reason


def test_a_matrix_is_taken_as_it_is_even_where_there_and_back_differ() -> None:
    asked = visits(2)
    minutes = np.array([[0.0, 5.0, 50.0], [50.0, 0.0, 5.0], [5.0, 50.0, 0.0]])
    asked = [Visit(visit.key, visit.place) for visit in asked]
    plan = plan_rounds(asked, crews(1), BASE, days=DAYS[:1], travel=Travel(minutes, "x"), seconds=0.3, seed=1)
    assert plan.rounds[0].travel == 15.0
    assert [stop.visit.key for stop in plan.rounds[0].stops] == ["V-0", "V-1"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"crews": []}, "nobody is there"),
        ({"crews": [Crew("Solo", ("PC One",))]}, "made in pairs"),
        ({"crews": [Crew("Night", PAIR, 900.0, 300.0)]}, "ends before it begins"),
        ({"days": []}, "nobody is there"),
        ({"days": DAYS[::-1]}, "not in order"),
        ({"visits": [Visit("V", BASE), Visit("V", BASE)]}, "stands twice"),
        ({"visits": [Visit("V", BASE, risk="some")]}, "no risk 'some'"),
        ({"visits": [Visit("V", BASE, minutes=-5.0)]}, "impossible"),
        ({"visits": [Visit("V", Place(91.0, 0.0))]}, "not on earth"),
        ({"travel": Travel(np.full((2, 2), -1.0), "x")}, "none below 0"),
    ],
)
def test_what_cannot_be_planned_is_refused_in_one_sentence(change: dict, words: str) -> None:
    given = {"visits": [Visit("V", BASE)], "crews": crews(1), "days": DAYS[:1], **change}
    with pytest.raises(PlanningError, match=words):
        plan_rounds(
            given["visits"], given["crews"], BASE, days=given["days"], travel=given.get("travel"), seconds=0.2, seed=1
        )


def test_clock_times() -> None:
    assert [clock(minute) for minute in (0.0, 545.4, 599.6)] == ["00:00", "09:05", "10:00"]
