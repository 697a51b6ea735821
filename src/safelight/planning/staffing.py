"""From posts to servers on duty: leave by season, people who leave for good, vacancies, parts of a person.

Each week a team of n people in post, of whom a share p is present and each stands for d servers on duty, has n * p * d
servers, rounded up or down at random with the right mean. Every post has its own stream of random numbers, so that one
post more or less changes nothing for the others.
"""

from __future__ import annotations

import math

from safelight.planning.network import Staffing
from safelight.planning.seeds import derive, uniform

WEEK = 7.0
YEAR = 365.25


def servers_by_week(staffing: Staffing, team: int, teams: int, days: float, key: int) -> list[tuple[float, int]]:
    """(day, servers) of one team, from day 0, only where the number changes.

    Args:
        team: 0 to teams - 1; posts that do not divide evenly go to the first teams.
        key: the stream of this station in this replication.
    """
    weeks = int(days / WEEK) + 1
    absent = _vacancies(staffing, team, teams, days, derive(key, team))
    rounding = derive(derive(key, team), 1_000_003)
    found: list[tuple[float, int]] = []
    step = 0
    for week in range(weeks):
        day = week * WEEK
        while step + 1 < len(staffing.posts) and staffing.posts[step + 1][0] <= day:
            step += 1
        posts = team_share(staffing.posts[step][1], team, teams)
        people = posts - sum(min(1.0, posts - i) for i in absent[week] if i < posts)
        present = staffing.presence[int(day / YEAR * 12) % 12]
        servers = math.floor(people * present * staffing.on_duty + uniform(rounding, week))
        if not found or found[-1][1] != servers:
            found.append((day, max(0, servers)))
    return found


def team_share(posts: float, team: int, teams: int) -> float:
    """The posts of one team: whole posts dealt out evenly, a part of a post to the next team in turn."""
    whole = int(posts)
    rest = posts - whole
    share, over = divmod(whole, teams)
    return share + (1.0 if team < over else 0.0) + (rest if team == over % teams else 0.0)


def mean_posts(staffing: Staffing) -> float:
    """The share of posts that are filled in the long run."""
    years = 0.0 if staffing.leave_rate <= 0 else 1.0 / staffing.leave_rate
    return 1.0 if years == 0.0 else years / (years + staffing.vacant_days / YEAR)


def _vacancies(staffing: Staffing, team: int, teams: int, days: float, key: int) -> list[list[int]]:
    """For each week the numbers of the posts that are vacant."""
    weeks = int(days / WEEK) + 1
    absent: list[list[int]] = [[] for _ in range(weeks)]
    if staffing.leave_rate <= 0.0 or staffing.vacant_days <= 0.0:
        return absent
    most = math.ceil(max(team_share(posts, team, teams) for _, posts in staffing.posts))
    stay = YEAR / staffing.leave_rate
    for post in range(most):
        stream, n = derive(key, post), 1
        # Filled at day 0 with the long-run probability, so that the force is not fresh at the beginning.
        day = 0.0
        if uniform(stream, 0) >= mean_posts(staffing):
            until = staffing.vacant_days * uniform(stream, n)
            _mark(absent, post, day, until)
            day, n = until, n + 1
        while True:
            day -= stay * math.log(uniform(stream, n))
            if day >= days:
                break
            _mark(absent, post, day, day + staffing.vacant_days)
            day, n = day + staffing.vacant_days, n + 1
    return absent


def _mark(absent: list[list[int]], post: int, start: float, end: float) -> None:
    for week in range(math.ceil(start / WEEK), min(len(absent), math.ceil(end / WEEK))):
        absent[week].append(post)
