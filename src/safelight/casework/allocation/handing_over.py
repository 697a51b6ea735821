"""Whose live cases wait to be handed over: people who left, are away or will be, are posted elsewhere, or declared a
conflict of interest. Read from the rows each time, so that what waits shows at once and nothing has to be marked.

Nothing moves by itself: not when somebody goes, and not when they come back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from safelight.casework.allocation.conflicts import conflicts_of
from safelight.casework.allocation.models import Allocation, Conflict
from safelight.casework.base.prepared import prepared
from safelight.casework.base.standards import standards
from safelight.casework.cases.models import Case
from safelight.casework.workforce.capacity import away_words, setting
from safelight.casework.workforce.models import Absence, Posting

MOST = 500
LATELY = timedelta(days=14)  # how long what somebody had before their absence is shown after their return


@dataclass(frozen=True)
class Waiting:
    """One live case to hand over, why in words, and the code that a move would carry."""

    case: Any
    why: str
    code: str


@dataclass(frozen=True)
class Leaver:
    """One person with the cases of theirs that wait, the riskiest first."""

    investigator: Any
    waiting: list[Waiting] = field(default_factory=list)

    @property
    def why(self) -> str:
        return "; ".join(dict.fromkeys(one.why for one in self.waiting))


@dataclass(frozen=True)
class Returned:
    """Somebody who came back, and what was moved from them while they were away. Nothing goes back by itself."""

    investigator: Any
    since: date
    cases: list[Any]


def handing_over(user: Any, *, person: Any = None, most: int = MOST) -> list[Leaver]:
    """The live cases of the supervisor's unit that wait to be handed over, by person. A fixed number of queries.

    Args:
        person: of this investigator only.
    """
    today = timezone.localdate()
    until = today + timedelta(days=int(setting("absence_ahead_days")))
    away = Absence.objects.between(today, until).filter(user=OuterRef("investigator"))
    posted = Posting.objects.on(today).filter(user=OuterRef("investigator"), home=OuterRef("case__unit"))
    leaving = _leaving(today, until)
    if not leaving:
        return []
    rows = Allocation.objects.filter(
        Case.objects.visible_to(user).filter(unit=user.unit_id).holding("case"),
        ended_at=None,
        investigator__in=leaving,
    )
    if person is not None:
        rows = rows.filter(investigator=person)
    gone = Q(investigator__is_active=False) | Exists(away) | Exists(posted)
    # Whoever declared a conflict: which of their cases it touches is worked out below.
    gone |= Q(investigator__conflicts__ended_at=None, investigator__conflicts__isnull=False)
    found = list(
        rows.filter(gone).distinct().select_related("case__unit", "investigator__unit").order_by("case_id")[:most]
    )
    why = _Why(found, today, until)
    people: dict[int, Leaver] = {}
    for row in found:
        for text, code in why.of(row):
            one = people.setdefault(row.investigator_id, Leaver(row.investigator))
            one.waiting.append(Waiting(row.case, text, code))
            break
    order = {level: place for place, level in enumerate(standards().risks, start=1)}
    for one in people.values():
        one.waiting.sort(key=lambda waiting: (order.get(waiting.case.risk, 0), waiting.case.pk))
    return sorted(people.values(), key=lambda one: (-len(one.waiting), one.investigator.name))


def _leaving(today: date, until: date) -> set[int]:
    """Everybody of whom any case may have to be handed over: few people, from whom an index leads to their cases."""
    return set(_all_leaving(None, today=today, until=until))


@prepared
def _all_leaving(nobody: None, *, today: Any, until: Any) -> Any:
    away = Absence.objects.between(today, until).order_by().values_list("user", flat=True)
    posted = Posting.objects.on(today).order_by().values_list("user", flat=True)
    conflicting = Conflict.objects.live().order_by().values_list("user", flat=True)
    return away.union(posted, conflicting, get_user_model().objects.filter(is_active=False).values_list("pk"))


class _Why:
    """The reasons of the people of these allocations, read together."""

    def __init__(self, rows: Sequence[Allocation], today: date, until: date) -> None:
        people = {row.investigator_id for row in rows}
        self.today = today
        self.absences: dict[int, Absence] = {}
        for absence in Absence.objects.between(today, until).filter(user__in=people).order_by("-from_day"):
            self.absences[absence.user_id] = absence
        self.postings = {
            posting.user_id: posting
            for posting in Posting.objects.on(today).filter(user__in=people).select_related("unit")
        }
        self.conflicts = conflicts_of([row.case for row in rows]) if rows else set()

    def of(self, row: Allocation) -> list[tuple[str, str]]:
        found = []
        if (row.case_id, row.investigator_id) in self.conflicts:
            found.append(("a conflict of interest is declared", "conflict"))
        absence = self.absences.get(row.investigator_id)
        if absence is not None and self._long_enough(absence, row.case.risk):
            starts = absence.from_day
            soon = f"from {starts.day} {starts:%b %Y} " if starts > self.today else ""
            code = "left" if absence.kind == Absence.Kind.LEFT else "absent"
            found.append((soon + away_words(absence), code))
        elif absence is None and not row.investigator.is_active:
            found.append(("the account is closed", "left"))
        posting = self.postings.get(row.investigator_id)
        if posting is not None and posting.home_id == row.case.unit_id:
            end = posting.until_day
            until = f" until {end.day} {end:%b %Y}" if end else ""
            found.append((f"posted to {posting.unit}{until}", "posted"))
        return found

    def _long_enough(self, absence: Absence, risk: str) -> bool:
        if absence.days is None:
            return True
        level = risk or next(iter(standards().risks))
        return absence.days >= int(setting("absence_handover_days", risk=level))


def code_for(user: Any, case: Any, investigator: Any) -> str:
    """The code that a move of this case from this investigator would carry, "" where it does not wait."""
    waiting = [one for leaver in handing_over(user, person=investigator) for one in leaver.waiting]
    return next((one.code for one in waiting if one.case.pk == case.pk), "")


def handing_over_count(user: Any) -> int:
    """How many live cases of the unit wait to be handed over."""
    return sum(len(one.waiting) for one in handing_over(user))


def returned(user: Any) -> list[Returned]:
    """Who of the supervisor's unit came back of late, with the cases moved from them as absent that are still open and
    with somebody else. Three queries."""
    today = timezone.localdate()
    absences = _came_back(user, today=today, lately=today - LATELY)
    if not absences:
        return []
    has_it_again = Allocation.objects.filter(
        case=OuterRef("case"), investigator=OuterRef("investigator"), ended_at=None
    )
    moved = Allocation.objects.filter(
        ~Exists(has_it_again),
        Case.objects.visible_to(user).open().filter(unit=user.unit_id).holding("case"),
        investigator__in=[one.user_id for one in absences],
        end_code__in=["absent", "posted"],
    )
    had: dict[int, list[Allocation]] = {}
    for row in moved.select_related("case").order_by("case_id"):
        had.setdefault(row.investigator_id, []).append(row)
    made = []
    for absence in absences:
        cases = {
            row.case_id: row.case
            for row in had.get(absence.user_id, ())
            if row.ended_at and timezone.localdate(row.ended_at) >= absence.from_day - timedelta(days=30)
        }
        if cases:
            made.append(Returned(absence.user, absence.until_day or today, list(cases.values())))
    return made


@prepared
def _came_back(user: Any, *, today: Any, lately: Any) -> Any:
    return (
        Absence.objects.filter(
            cancelled_at=None, user__unit=user.unit_id, user__is_active=True, until_day__lt=today, until_day__gte=lately
        )
        .select_related("user")
        .order_by("-until_day")
    )
