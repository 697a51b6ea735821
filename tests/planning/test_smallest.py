"""The smallest staffing: it keeps the clock, one fewer does not, and what no staffing can keep is said."""

from __future__ import annotations

import pytest

from safelight.planning.errors import PlanningError
from safelight.planning.money import yearly_cost
from safelight.planning.parameters import load_parameters
from safelight.planning.smallest import Goal, Trial, smallest

SMALL = load_parameters().with_changes(
    {"referrals.per_year": 400, "staff.specialists": 14, "teams": 1, "staff.desk": 3, "visits.offenders": 300}
)
QUICK = {"years": 0.5, "warmup_days": 60.0, "replications": 3, "processes": 1}


def test_one_post_fewer_does_not_keep_the_clock() -> None:
    """A chief officer who is told 'two are enough' must be able to ask what happens with one."""
    seen: list[Trial] = []
    found = smallest(SMALL, Goal("safeguarding"), on_trial=seen.append, **QUICK)
    posts = found.posts["staff.desk"]
    assert found.found.keeps and found.found.posts == {"staff.desk": posts}
    assert not found.fewer["staff.desk"].keeps
    assert found.fewer["staff.desk"].posts == {"staff.desk": posts - 1}
    assert list(found.trials) == seen and len({trial.posts["staff.desk"] for trial in seen}) == len(seen)
    assert found.before == yearly_cost(SMALL)
    assert found.cost - found.before == pytest.approx((posts - 3) * 36000 * 1.4)


def test_several_stations_are_all_at_their_smallest() -> None:
    found = smallest(SMALL, Goal("investigator", "high", 0.8), ("staff.desk", "staff.specialists"), **QUICK)
    assert found.found.keeps
    assert [trial.keeps for trial in found.fewer.values()] == [False, False]


def test_what_no_staffing_keeps_is_said_and_not_searched_for_ever() -> None:
    """Desk work of 40 hours cannot end within a clock of 24."""
    slow = SMALL.with_changes({"effort.desk.very_high": 400})
    with pytest.raises(PlanningError, match="The work itself takes too long"):
        smallest(slow, Goal("safeguarding"), **QUICK)


@pytest.mark.parametrize(
    ("goal", "levers", "field"),
    [
        (Goal("tea"), (), "clock"),
        (Goal(risk="some"), (), "risk"),
        (Goal(share=95), (), "share"),
        (Goal(), ("teams",), "teams"),
    ],
)
def test_goals_and_levers_that_do_not_exist(goal: Goal, levers: tuple[str, ...], field: str) -> None:
    with pytest.raises(PlanningError) as refused:
        smallest(SMALL, goal, levers, **QUICK)
    assert refused.value.field == field


def test_it_can_be_stopped() -> None:
    with pytest.raises(PlanningError, match="stopped after 0 trials"):
        smallest(SMALL, stop=lambda: True, **QUICK)
