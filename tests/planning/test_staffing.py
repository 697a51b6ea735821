"""Posts become servers on duty: parts of people, leave, leavers, and posts that come and go."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.planning import Staffing
from safelight.planning.staffing import mean_posts, servers_by_week, team_share


def mean_servers(staffing: Staffing, days: float, key: int = 1, team: int = 0, teams: int = 1) -> float:
    steps = [*servers_by_week(staffing, team, teams, days, key), (days, 0)]
    return sum(servers * (after - day) for (day, servers), (after, _) in zip(steps, steps[1:], strict=False)) / days


def test_parts_of_a_person_are_right_on_average() -> None:
    """2.6 on duty are sometimes 2 and sometimes 3, never always 3."""
    staffing = Staffing(((0.0, 10.0),), on_duty=0.26)
    assert {servers for _, servers in servers_by_week(staffing, 0, 1, 4000, 5)} == {2, 3}
    assert mean_servers(staffing, 70_000) == pytest.approx(2.6, abs=0.03)


def test_vacancies_have_their_long_run_share() -> None:
    staffing = Staffing(((0.0, 40.0),), leave_rate=0.2, vacant_days=180)
    assert mean_posts(staffing) == pytest.approx(5 / (5 + 180 / 365.25))
    assert mean_servers(staffing, 60_000) / 40 == pytest.approx(mean_posts(staffing), abs=0.01)


def test_one_post_more_changes_nothing_for_the_others() -> None:
    """Otherwise a comparison of staffing would compare luck."""
    fewer, more = (Staffing(((0.0, n),), leave_rate=0.3, vacant_days=200) for n in (10.0, 11.0))

    def weekly(staffing: Staffing) -> list[int]:
        steps = dict(servers_by_week(staffing, 0, 1, 3000, 9))
        found, now = [], 0
        for week in range(400):
            now = steps.get(week * 7.0, now)
            found.append(now)
        return found

    assert {a - b for a, b in zip(weekly(more), weekly(fewer), strict=True)} <= {0, 1}


@settings(max_examples=50, deadline=None)
@given(st.floats(0, 500), st.integers(1, 40))
def test_no_post_is_lost_between_teams(posts: float, teams: int) -> None:
    shares = [team_share(posts, team, teams) for team in range(teams)]
    assert sum(shares) == pytest.approx(posts)
    assert max(shares) - min(shares) <= 2


def test_people_who_leave_on_a_day_are_gone_from_the_next_week_on() -> None:
    staffing = Staffing(((0.0, 20.0), (365.0, 8.0)))
    assert servers_by_week(staffing, 0, 1, 1000, 1) == [(0.0, 20), (371.0, 8)]
