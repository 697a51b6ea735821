"""Allocation as a supervisor meets it: who, why, and which cases cannot be placed."""

from __future__ import annotations

import pytest

from safelight.planning.allocation import Given, Left, Task, Worker, allocate_all, allocate_one
from safelight.planning.errors import PlanningError

SKILLS = frozenset({"a specialist"})


def worker(name: str, unit: str = "North", points: float = 0.0, capacity: float = 20.0, **more: object) -> Worker:
    return Worker(name, name, unit, more.pop("skills", SKILLS), points, capacity, **more)  # type: ignore[arg-type]


def task(name: str, points: float = 2.0, weight: float = 1.0, unit: str = "North", skill: str = "a specialist") -> Task:
    return Task(name, name, points, skill, unit, weight)


def test_work_spreads_over_those_who_carry_least() -> None:
    """Otherwise the list gives ten cases to whoever is first in the alphabet."""
    people = [worker("Ada"), worker("Ben"), worker("Cy", points=15.0)]
    plan = allocate_all([task(f"C-{n}") for n in range(6)], people)
    names = [one.worker.name for one in plan.given]
    assert (names.count("Ada"), names.count("Ben"), names.count("Cy")) == (3, 3, 0)
    assert not plan.left


def test_each_reason_names_skill_unit_and_load() -> None:
    plan = allocate_all([task("C-1")], [worker("Ada", points=3.0), worker("Ben", points=9.0)])
    assert plan.given[0].reason == (
        "Ada holds a specialist, is in North and carries 3.0 of 20 points, the least of 2 who can take it: "
        "5.0 with this list."
    )


def test_who_is_far_takes_a_case_only_when_those_near_would_be_fuller() -> None:
    centre = worker("Far", unit="Centre", reach={"North": 1.0})
    assert allocate_all([task("C-1")], [worker("Ada"), centre]).given[0].worker.name == "Ada"
    full = allocate_all([task("C-1")], [worker("Ada", points=19.0), centre]).given[0]
    assert full.worker.name == "Far"
    assert "would be fuller" in full.reason
    assert allocate_all([task("C-1", unit="South")], [worker("Ada"), centre]).left


def test_impossible_caps_say_which_cases_and_why() -> None:
    """A list that simply ends would hide a child whose case nobody has room for."""
    people = [worker("Ada", capacity=5.0)]
    plan = allocate_all(
        [
            task("low"),
            task("urgent", points=4.0, weight=20.0),
            task("odd", skill="a linguist"),
            task("away", unit="South"),
        ],
        people,
    )
    assert [one.task.name for one in plan.given] == ["urgent"]
    reasons = {one.task.name: one.reason for one in plan.left}
    assert reasons["odd"] == "Nobody holds a linguist."
    assert reasons["away"] == "1 hold a specialist, but none of them takes cases of South."
    assert "nobody has more than 1.0 left of 5 together" in reasons["low"]


def test_a_case_that_arrives_goes_to_the_same_person_as_alone_on_the_list() -> None:
    people = [worker("Ada", points=8.0), worker("Ben", points=2.0), worker("Cy", points=2.5)]
    one = allocate_one(task("C-1"), people)
    assert isinstance(one, Given) and one.worker.name == "Ben"
    assert one.worker == allocate_all([task("C-1")], people).given[0].worker
    none = allocate_one(task("C-1", points=30.0), people)
    assert isinstance(none, Left) and "30 points" in none.reason
    assert isinstance(allocate_one(task("C-1"), []), Left)


def test_numbers_that_cannot_be_are_refused() -> None:
    with pytest.raises(PlanningError, match="C-1"):
        allocate_all([task("C-1", points=0.0)], [worker("Ada")])
    with pytest.raises(PlanningError, match="Ada"):
        allocate_one(task("C-1"), [worker("Ada", capacity=-1.0)])
