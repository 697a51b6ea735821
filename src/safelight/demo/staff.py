"""The demo's colleagues: leave, a posting, part time, a conflict of interest, grading sessions, overdue actions.

Played at the end of the history, in the home unit, so that the pages of supervision have something to say.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.allocation.conflicts import declare
from safelight.casework.allocation.models import CaseloadDay
from safelight.casework.allocation.services import record_complexity
from safelight.casework.allocation.weights import note_caseloads, standings
from safelight.casework.cases.models import Case
from safelight.casework.supervision.actions import add_action
from safelight.casework.supervision.models import PlanAction
from safelight.casework.workforce.exposure import ensure_clock, record_appointment
from safelight.casework.workforce.models import GradingSession
from safelight.casework.workforce.time_and_place import (
    record_absence,
    record_hours,
    record_posting,
    record_reduction,
)
from safelight.demo.force import Force
from safelight.demo.sign_in import HOME_UNIT


@transaction.atomic
def build_staff(force: Force) -> None:
    """Somebody is on leave, somebody goes next week, somebody is posted away, somebody works half; all invented."""
    supervisor, people = force.supervisors[HOME_UNIT], force.investigators[HOME_UNIT]
    today = timezone.localdate()
    signs_in, on_leave, part_time, posted, leaving = people[:5]
    record_absence(
        supervisor,
        user=on_leave,
        kind="leave",
        from_day=today - timedelta(days=2),
        until_day=today + timedelta(days=19),
    )
    record_absence(
        supervisor,
        user=leaving,
        kind="training",
        from_day=today + timedelta(days=5),
        until_day=today + timedelta(days=25),
    )
    record_hours(supervisor, user=part_time, hours=Decimal(24), from_day=today - timedelta(days=200))
    record_reduction(supervisor, user=part_time, kind="student", hours=Decimal(4), from_day=today - timedelta(days=20))
    unit = force.units["AS"]
    record_posting(supervisor, user=posted, unit=unit, from_day=today, until_day=today + timedelta(days=40))
    mine = Case.objects.visible_to(supervisor).open().filter(unit=supervisor.unit).order_by("pk")
    _complex(supervisor, mine)
    _conflict(supervisor, on_leave, mine)
    _actions(supervisor, signs_in, mine)
    _grading(force, today)
    _weeks(people, today)


def _complex(supervisor: Any, mine: Any) -> None:
    for case, level in zip(mine[:3], ("very_complex", "complex", "complex"), strict=False):
        record_complexity(supervisor, case, level=level, reason="Many devices and several victims (invented).")


def _conflict(supervisor: Any, officer: Any, mine: Any) -> None:
    """An officer knows the suspect of a case that a colleague has."""
    case = mine.exclude(allocations__investigator=officer, allocations__ended_at=None).first()
    if case is not None:
        suspect = case.people.filter(role="suspect").select_related("person").first()
        what = suspect.person if suspect is not None else case
        declare(supervisor, user=officer, reference=what.reference, reason="Went to school together (invented).")


def _actions(supervisor: Any, officer: Any, mine: Any) -> None:
    """The plan of the investigator who signs in: one action for today, one whose day has passed."""
    today = timezone.localdate()
    held = mine.filter(allocations__investigator=officer, allocations__ended_at=None)
    for place, case in enumerate(held[:4]):
        row = add_action(
            officer if place % 2 else supervisor,
            case,
            text="Ask the provider for the account's history (invented).",
            owner=officer,
            due_on=today + timedelta(days=place),
        )
        if place == 0:
            PlanAction.objects.filter(pk=row.pk).update(due_on=today - timedelta(days=4))


def _grading(force: Force, today: Any) -> None:
    """Sessions of four weeks, minutes and counts only; one person goes above the demo's limit once."""
    supervisor = force.supervisors[HOME_UNIT]
    graders = [force.examiners[0], force.investigators[HOME_UNIT][0], force.investigators[HOME_UNIT][3]]
    now = timezone.now()
    for place, person in enumerate(graders):
        for back in range(2 + place, 26, 3):
            begun = now - timedelta(days=back, minutes=now.minute)
            minutes = 150 if (place, back) == (0, 5) else 35 + 5 * (back % 4)
            GradingSession.objects.create(
                user=person,
                day=timezone.localdate(begun),
                started_at=begun,
                ended_at=begun + timedelta(minutes=minutes),
                files=minutes * 3,
            )
        ensure_clock(person)
        if person.unit_id == supervisor.unit_id:
            record_appointment(supervisor, user=person, held_on=today - timedelta(days=52 + 12 * place), outcome="kept")


def _weeks(people: list[Any], today: Any) -> None:
    """Caseloads of four weeks as the tick would have kept them: whoever is above the limit was so throughout."""
    found = standings(people)
    heaviest = max(people, key=lambda person: found[person.pk].percent)
    rows = []
    for person in people:
        one = found[person.pk]
        for back in range(1, 29):
            over = person == heaviest and one.overloaded
            rows.append(
                CaseloadDay(
                    user=person,
                    unit_id=person.unit_id,
                    day=today - timedelta(days=back),
                    cases=one.cases,
                    points=one.points,
                    available=one.available,
                    percent=one.percent,
                    overloaded=over,
                    standards_version="demo",
                )
            )
    CaseloadDay.objects.bulk_create(rows, ignore_conflicts=True)
    note_caseloads()
