"""Rounds of visits to registered sex offenders: who goes where, in which order, for a day or a week.

Pairs of officers, time windows, visits that must be made, and the rest by risk where not all fit. Visits are
unannounced unless one says otherwise with its reason, and nobody can foresee them: the day of each is drawn at random
among those that serve, never the weekday of the last visit where there is another, and a round leaves at a random
minute of the time that it has to spare. Routes by PyVRP (iterated local search; MIT).
"""

from __future__ import annotations

import math
import warnings
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from safelight.planning.arrays import F8, I8
from safelight.planning.errors import PlanningError
from safelight.planning.parameters import RISKS

WEIGHT: Mapping[str, int] = {"very_high": 20, "high": 6, "medium": 2, "low": 1}  # which to keep where not all fit
MUST = 1_000_000_000
PRIZE = 1_000_000
SCALE = 60  # whole seconds in the solver
DAY = 24 * 60


@dataclass(frozen=True)
class Place:
    """A point on earth, degrees."""

    latitude: float
    longitude: float


@dataclass(frozen=True)
class Visit:
    """A visit to make.

    Args:
        key: a reference; never a name.
        minutes: how long it takes. opens, closes: minutes of the day between which it may begin.
        must: it may not be left for another week.
        due: the last day for it. last: the day of the visit before.
        announced: why it is announced, as an exception; "" is unannounced.
    """

    key: str
    place: Place
    risk: str = "medium"
    minutes: float = 45.0
    opens: float = 7 * 60.0
    closes: float = 20 * 60.0
    must: bool = False
    due: date | None = None
    last: date | None = None
    announced: str = ""


@dataclass(frozen=True)
class Crew:
    """Two officers or more who go together, from one minute of the day to another."""

    name: str
    officers: tuple[str, ...]
    begins: float = 8 * 60.0
    ends: float = 16 * 60.0


@dataclass(frozen=True)
class Travel:
    """Minutes between places; row and column 0 are the base, then the visits in their order."""

    minutes: F8
    source: str


@dataclass(frozen=True)
class Stop:
    """A visit of a round: minute of the day at the door and when it ends."""

    visit: Visit
    arrives: float
    leaves: float


@dataclass(frozen=True)
class Round:
    """What one crew does on one day; leaves and returns are minutes of the day at the base."""

    crew: Crew
    day: date
    stops: tuple[Stop, ...]
    leaves: float
    returns: float
    travel: float


@dataclass(frozen=True)
class NotVisited:
    """A visit that is in no round, and why."""

    visit: Visit
    reason: str


@dataclass(frozen=True)
class Rounds:
    """Rounds of all days, and what is in none."""

    rounds: tuple[Round, ...]
    left: tuple[NotVisited, ...]
    base: Place
    travel_source: str

    @property
    def travel(self) -> float:
        """Minutes on the road, all crews together."""
        return sum(one.travel for one in self.rounds)


def straight_line(base: Place, visits: Sequence[Visit], *, speed: float = 25.0, detour: float = 1.35) -> Travel:
    """Travel times from the distance on the globe: km/h on the road, and how much longer the road is (assumptions).

    Raises:
        PlanningError: a place that is not on earth, or a speed or detour that cannot be.
    """
    if not speed > 0 or not detour >= 1:
        raise PlanningError("travel", "a speed above 0 and a detour of at least 1 are needed.", fix="Check both.")
    for one in (base, *(visit.place for visit in visits)):
        if not (-90 <= one.latitude <= 90 and -180 <= one.longitude <= 180):
            raise PlanningError(
                "place", f"{one.latitude:g}, {one.longitude:g} is not on earth.", fix="Check the columns."
            )
    lat = np.radians([base.latitude, *(visit.place.latitude for visit in visits)])
    lon = np.radians([base.longitude, *(visit.place.longitude for visit in visits)])
    half = (
        np.sin((lat[:, None] - lat) / 2) ** 2
        + np.cos(lat)[:, None] * np.cos(lat) * np.sin((lon[:, None] - lon) / 2) ** 2
    )
    km = 2 * 6371.0088 * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0)))
    return Travel(km * detour / speed * 60, f"straight line x {detour:g} at {speed:g} km/h (assumed)")


def plan_rounds(
    visits: Sequence[Visit],
    crews: Sequence[Crew],
    base: Place,
    *,
    days: Sequence[date],
    travel: Travel | None = None,
    seconds: float = 10.0,
    seed: int,
) -> Rounds:
    """Rounds for these days.

    Args:
        days: one, or the days of a week.
        travel: from a file; straight lines when left out.
        seconds: to search, all days together.
        seed: draws days and departures; a fresh secret one each time, or nobody is surprised.

    Raises:
        PlanningError: a visit, crew or day that cannot be used.
    """
    _check(visits, crews, days)
    roads = travel or straight_line(base, visits)
    if roads.minutes.shape != (len(visits) + 1, len(visits) + 1) or not (roads.minutes >= 0).all():
        raise PlanningError("travel", "times between all places are needed, none below 0.", fix="Check the matrix.")
    rng = np.random.default_rng(seed)
    when = _days_of(visits, crews, days, rng)
    found: list[Round] = []
    waiting: list[int] = []
    left: dict[int, str] = {}
    for number, day in enumerate(days):
        todo = [i for i in range(len(visits)) if when[i] == number] + waiting
        share = seconds * len(todo) / max(1, len(visits))
        made, missed = _solve(todo, visits, crews, day, roads.minutes, max(0.2, share), rng)
        found += made
        later = days[number + 1 :]
        waiting = [i for i in missed if any(_serves(visits[i], one) for one in later)]
        left |= {i: _why_not(visits[i], i, crews, roads.minutes) for i in missed if i not in waiting}
    order = sorted(left, key=lambda i: (not visits[i].must, RISKS.index(visits[i].risk), i))
    return Rounds(tuple(found), tuple(NotVisited(visits[i], left[i]) for i in order), base, roads.source)


def _check(visits: Sequence[Visit], crews: Sequence[Crew], days: Sequence[date]) -> None:
    if not crews or not days:
        raise PlanningError("crews", "nobody is there to go, or on no day.", fix="Give at least one crew and one day.")
    if len(set(days)) != len(days) or list(days) != sorted(days):
        raise PlanningError("days", "they are not in order, or one stands twice.", fix="Give each day once, in order.")
    keys = [visit.key for visit in visits]
    if len(set(keys)) != len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise PlanningError(twice, "it stands twice in the list.", fix="Remove one.")
    for visit in visits:
        if visit.risk not in RISKS:
            raise PlanningError(visit.key, f"there is no risk {visit.risk!r}.", fix=f"Use one of {', '.join(RISKS)}.")
        if not (0 < visit.minutes <= DAY and 0 <= visit.opens <= visit.closes <= DAY):
            raise PlanningError(
                visit.key, "its length or its hours are impossible.", fix="Check minutes, opens, closes."
            )
    for crew in crews:
        if len(crew.officers) < 2:
            raise PlanningError(crew.name, "an officer alone: visits are made in pairs.", fix="Name two officers.")
        if not 0 <= crew.begins < crew.ends <= DAY:
            raise PlanningError(crew.name, "its shift ends before it begins.", fix="Check begins and ends.")


def _serves(visit: Visit, day: date) -> bool:
    return visit.due is None or day <= visit.due


def _days_of(visits: Sequence[Visit], crews: Sequence[Crew], days: Sequence[date], rng: np.random.Generator) -> I8:
    """A day for each visit, drawn: among days that serve, not the last visit's weekday, likelier with room."""
    room = np.full(len(days), sum(crew.ends - crew.begins for crew in crews))
    when = np.zeros(len(visits), np.int64)
    shuffled = rng.permutation(len(visits))
    for i in sorted(shuffled, key=lambda i: (not visits[i].must, visits[i].due or date.max)):
        visit = visits[i]
        serve = [n for n, day in enumerate(days) if _serves(visit, day)] or [0]  # overdue: at once
        fresh = [n for n in serve if visit.last is None or days[n].weekday() != visit.last.weekday()]
        choice = fresh or serve
        weight = np.maximum(room[choice], 1.0) ** 2
        when[i] = rng.choice(choice, p=weight / weight.sum())
        room[when[i]] -= visit.minutes + 20
    return when


def _solve(
    todo: Sequence[int],
    visits: Sequence[Visit],
    crews: Sequence[Crew],
    day: date,
    minutes: F8,
    seconds: float,
    rng: np.random.Generator,
) -> tuple[list[Round], list[int]]:
    """One day by PyVRP: the rounds, and the visits that are in none."""
    if not todo:
        return [], []
    import pyvrp
    from pyvrp.exceptions import PenaltyBoundWarning
    from pyvrp.stop import MaxRuntime

    at = np.array([0, *(i + 1 for i in todo)])
    times = np.rint(minutes[np.ix_(at, at)] * SCALE).astype(np.int64)
    np.fill_diagonal(times, 0)

    def problem(all_of_them: bool) -> pyvrp.ProblemData:
        return pyvrp.ProblemData(
            locations=[pyvrp.Location(x=0, y=0) for _ in at],
            clients=[
                pyvrp.Client(
                    location=place,
                    service_duration=round(visits[i].minutes * SCALE),
                    tw_early=round(visits[i].opens * SCALE),
                    tw_late=round(visits[i].closes * SCALE),
                    # Prizes above any travel: a visit is left out only when it does not fit, the least urgent first.
                    prize=0 if all_of_them else MUST if visits[i].must else PRIZE * WEIGHT[visits[i].risk],
                    required=all_of_them,
                )
                for place, i in enumerate(todo, 1)
            ],
            depots=[pyvrp.Depot(location=0)],
            vehicle_types=[
                pyvrp.VehicleType(
                    num_available=1, tw_early=round(crew.begins * SCALE), tw_late=round(crew.ends * SCALE)
                )
                for crew in crews
            ],
            distance_matrices=[times],
            duration_matrices=[times],
        )

    def search(all_of_them: bool, span: float, start: Any = None) -> Any:
        draw, stop = int(rng.integers(1 << 31)), MaxRuntime(span)
        with warnings.catch_warnings():
            # Where not everything fits its penalties grow as far as they can; what is left out says so itself.
            warnings.simplefilter("ignore", PenaltyBoundWarning)
            return pyvrp.solve(
                problem(all_of_them), stop, seed=draw, display=False, collect_stats=False, initial_solution=start
            )

    # Everything first: the search is better at fitting the last visits in when none may be left out. Only where a
    # fifth of the time finds no such plan are some left out, by risk.
    found = search(True, seconds / 5)
    if found.is_feasible():
        again = search(True, seconds * 4 / 5, found.best)
        found = again if again.is_feasible() and again.cost() < found.cost() else found
    else:
        found = search(False, seconds * 4 / 5)
    made, seen = [], set()
    for route in found.best.routes() if found.is_feasible() else []:
        order = [todo[one.idx] for one in route.schedule() if one.is_client()]
        if order:
            seen.update(order)
            made.append(_timed(crews[route.vehicle_type()], order, visits, day, minutes, rng))
    made.sort(key=lambda one: [crew.name for crew in crews].index(one.crew.name))
    return made, [i for i in todo if i not in seen]


def _timed(
    crew: Crew, order: Sequence[int], visits: Sequence[Visit], day: date, minutes: F8, rng: np.random.Generator
) -> Round:
    """When the crew is where: off at a random minute of what it can spare, so that no door opens always at nine."""
    legs = [
        float(minutes[a, b]) for a, b in zip([0, *(i + 1 for i in order)], [*(i + 1 for i in order), 0], strict=True)
    ]

    def walk(leaves: float) -> tuple[list[Stop], float] | None:
        now, stops = leaves, []
        for leg, i in zip(legs, order, strict=False):
            now = max(now + leg, visits[i].opens)
            if now > visits[i].closes + 0.1:
                return None
            stops.append(Stop(visits[i], now, now + visits[i].minutes))
            now += visits[i].minutes
        home = now + legs[-1]
        return (stops, home) if home <= crew.ends + 0.1 else None

    low, high = crew.begins, crew.ends
    for _ in range(20):  # the latest departure that still keeps every window, to a second
        middle = (low + high) / 2
        low, high = (middle, high) if walk(middle) else (low, middle)
    leaves = crew.begins + float(rng.uniform(0.0, 1.0)) * (low - crew.begins)
    walked = walk(leaves) or walk(crew.begins)
    if walked is None:
        raise PlanningError(crew.name, "its round does not fit its shift.", fix="This is a fault of ours: report it.")
    stops, home = walked
    return Round(crew, day, tuple(stops), leaves, home, sum(legs))


def _why_not(visit: Visit, number: int, crews: Sequence[Crew], minutes: F8) -> str:
    there, back = float(minutes[0, number + 1]), float(minutes[number + 1, 0])
    possible = [
        crew
        for crew in crews
        if max(crew.begins + there, visit.opens) <= visit.closes
        and max(crew.begins + there, visit.opens) + visit.minutes + back <= crew.ends
    ]
    if not possible:
        return (
            f"No crew can do it in its shift: {there:.0f} minutes to get there, {visit.minutes:.0f} there, and it may "
            f"begin between {clock(visit.opens)} and {clock(visit.closes)}."
        )
    return "All crews are full with visits that must be made, are riskier or lie nearer."


def clock(minute: float) -> str:
    """A minute of the day as people write it: 13:05."""
    whole = math.floor(minute + 0.5)
    return f"{whole // 60:02d}:{whole % 60:02d}"


def working_days(first: date, number: int) -> list[date]:
    """``number`` days from ``first`` on, without Saturdays and Sundays."""
    found: list[date] = []
    day = first
    while len(found) < number:
        if day.weekday() < 5:
            found.append(day)
        day += timedelta(days=1)
    return found


def spread(plan: Rounds) -> dict[str, dict[str, int]]:
    """How visits fall on weekdays and on hours: what somebody who watches could learn."""
    days: dict[str, int] = defaultdict(int)
    hours: dict[str, int] = defaultdict(int)
    for one in plan.rounds:
        for stop in one.stops:
            days[f"{one.day:%A}"] += 1
            hours[f"{int(stop.arrives // 60):02d}"] += 1
    return {"weekdays": dict(days), "hours": dict(sorted(hours.items()))}


__all__ = [
    "Crew", "NotVisited", "Place", "Round", "Rounds", "Stop", "Travel", "Visit", "clock", "plan_rounds", "spread",
    "straight_line", "working_days",
]  # fmt: skip
