"""What an open case weighs, and what people carry: points under the weights in force on a day.

Weights are rows of the standards with a date from which they count; a day that has passed is kept as it was counted
(:class:`CaseloadDay`), so that no later change moves history.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db.models import Count, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from safelight.casework.accounts.models import User
from safelight.casework.allocation.models import Allocation, CaseloadDay, Complexity
from safelight.casework.base.prepared import prepared
from safelight.casework.base.standards import standards
from safelight.casework.workforce.capacity import ZERO, absences_on, available_points, setting
from safelight.casework.workforce.models import Absence

STANDARD = Complexity.Level.STANDARD
THIRD_PLACE = Decimal("0.001")


def points_of(risk: str, *, complexity: str = STANDARD, live_contact: bool = False, on: date | None = None) -> Decimal:
    """The caseload points of one open case under the weights in force on a day (today): seriousness, complexity, and
    live contact with a child. A case whose risk nobody has assessed counts as the heaviest."""
    if risk:
        points = setting("caseload_points", on, risk)
    else:
        points = max(setting("caseload_points", on, level) for level in standards().risks)
    if complexity != STANDARD:
        points += setting(f"caseload_points_{complexity}", on)
    return points + setting("caseload_points_live_contact", on) if live_contact else points


def complexity_now(reference: str = "case") -> Any:
    """The complexity of a case today, as an expression over rows with a key ``reference`` to the case."""
    rows = Complexity.objects.filter(case=OuterRef(reference), ended_at=None)
    return Coalesce(Subquery(rows.values("level")[:1]), Value(STANDARD.value))


def points_of_case(case: Any) -> Decimal:
    """The points of a case today, with its complexity. One query."""
    level = Complexity.objects.filter(case=case, ended_at=None).values_list("level", flat=True).first()
    return points_of(case.risk, complexity=level or STANDARD, live_contact=case.live_contact)


def points_of_cases(cases: Iterable[Any]) -> dict[int, Decimal]:
    """The points of many cases today. One query."""
    rows = list(cases)
    levels = dict(
        Complexity.objects.filter(case__in=[case.pk for case in rows], ended_at=None).values_list("case", "level")
    )
    return {
        case.pk: points_of(case.risk, complexity=levels.get(case.pk, STANDARD), live_contact=case.live_contact)
        for case in rows
    }


def _carried(investigators: Iterable[Any], on: date | None = None) -> tuple[dict[int, Decimal], dict[int, int]]:
    totals: dict[int, Decimal] = defaultdict(Decimal)
    counts: dict[int, int] = defaultdict(int)
    for row in _live_by_weight(None, people=[person.pk for person in investigators]):
        one = points_of(row["case__risk"], complexity=row["complexity"], live_contact=row["case__live_contact"], on=on)
        totals[row["investigator"]] += one * row["n"]
        counts[row["investigator"]] += row["n"]
    return dict(totals), dict(counts)


@prepared
def _live_by_weight(nobody: None, *, people: Any) -> Any:
    return (
        Allocation.objects.filter(ended_at=None, investigator__anyof=people)
        .annotate(complexity=complexity_now())
        .values("investigator", "case__risk", "case__live_contact", "complexity")
        .annotate(n=Count("pk"))
        .order_by()
    )


def caseloads(investigators: Iterable[Any]) -> dict[int, Decimal]:
    """The points that each of these people carries: the sum over their live allocations as they are today. One query.

    A person without a case has no key.
    """
    return _carried(investigators)[0]


def percent_of(points: Decimal, available: Decimal) -> Decimal:
    """Capacity used: 100 x points / available, to three places, half up; 0 when either is 0 (as the measure it
    follows). Who carries points with nothing available is overloaded all the same: see :class:`Standing`."""
    if not points or not available:
        return ZERO
    return (100 * points / available).quantize(THIRD_PLACE, ROUND_HALF_UP)


@dataclass(frozen=True)
class Standing:
    """What one person carries on a day, against what they can.

    Attributes:
        points, available: caseload points. percent: see :func:`percent_of`.
        absence: the absence that the day falls into, or None. ahead: the next one within the days that policy looks
            ahead, or None.
    """

    points: Decimal
    available: Decimal
    cases: int
    excess: Decimal
    absence: Absence | None = None
    ahead: Absence | None = None

    @property
    def percent(self) -> Decimal:
        return percent_of(self.points, self.available)

    @property
    def overloaded(self) -> bool:
        """Above the limit of policy, or carrying cases with no time for any."""
        return self.percent > self.excess or (self.points > 0 and not self.available)

    def with_more(self, points: Decimal) -> Decimal:
        """Capacity used with ``points`` more."""
        return percent_of(self.points + points, self.available)


def standings(people: Iterable[Any], on: date | None = None) -> dict[int, Standing]:
    """What these people carry today against what they can, with who is away. Five queries, whatever their number."""
    rows = list(people)
    day = on or timezone.localdate()
    points, counts = _carried(rows, on)
    available, away = available_points(rows, on), absences_on(rows, on)
    until = day + timedelta(days=int(setting("absence_ahead_days", on)))
    coming: dict[int, Absence] = {}
    for absence in _coming(None, people=[person.pk for person in rows], day=day, until=until):
        coming.setdefault(absence.user_id, absence)
    excess = setting("caseload_excess_percent", on)
    return {
        person.pk: Standing(
            points.get(person.pk, ZERO),
            available[person.pk],
            counts.get(person.pk, 0),
            excess,
            away.get(person.pk),
            coming.get(person.pk),
        )
        for person in rows
    }


@prepared
def _coming(nobody: None, *, people: Any, day: Any, until: Any) -> Any:
    soon = Absence.objects.filter(cancelled_at=None, from_day__gt=day, from_day__lte=until)
    return soon.filter(user__anyof=people).order_by("from_day")


def note_caseloads(day: date | None = None) -> int:
    """Keep today's caseload of every active investigator, once a day. Called by the tick. Returns how many were new."""
    today = day or timezone.localdate()
    kept = CaseloadDay.objects.filter(day=today).values("user")
    people = list(User.objects.filter(role="investigator", is_active=True).exclude(pk__in=kept))
    if not people:
        return 0
    found = standings(people, today)
    rows = [
        CaseloadDay(
            user=person,
            unit_id=person.unit_id,
            day=today,
            cases=found[person.pk].cases,
            points=found[person.pk].points,
            available=found[person.pk].available,
            percent=found[person.pk].percent,
            overloaded=found[person.pk].overloaded,
            standards_version=standards().version,
        )
        for person in people
    ]
    CaseloadDay.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
    return len(rows)


def lasting_overload(people: Iterable[Any], on: date | None = None) -> set[int]:
    """Who has been overloaded on every day for as long as policy calls lasting (four weeks), today not counted."""
    day = on or timezone.localdate()
    days = int(setting("caseload_excess_days", on))
    rows = _overloaded(None, people=[person.pk for person in people], day=day, since=day - timedelta(days=days))
    return {user for user, n in rows if n >= days}


@prepared
def _overloaded(nobody: None, *, people: Any, day: Any, since: Any) -> Any:
    kept = CaseloadDay.objects.filter(user__anyof=people, day__lt=day, day__gte=since, overloaded=True)
    return kept.values_list("user").annotate(n=Count("pk")).order_by()
