"""Visits of one officer handed over to the planner of visit rounds (:mod:`safelight.planning.rounds`)."""

from __future__ import annotations

import secrets
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.ledger.services import record
from safelight.casework.offenders.models import RISKS, Offender, Rounds
from safelight.casework.offenders.queries import Row, due_this_week

SECONDS = 2.5
LEVELS = [code for code, _ in RISKS]
A_DAY = 10  # visits that a pair can hardly make on one day: more is not asked of the search


def without_place(rows: list[Row]) -> list[Row]:
    """Visits that no round can hold, because nobody has recorded where the home lies."""
    return [row for row in rows if row.offender.latitude is None]


@transaction.atomic
def plan_visit_rounds(
    actor: Any,
    *,
    manager: Any,
    second: Any,
    first_day: date,
    days: int,
    latitude: float,
    longitude: float,
    begins: float = 8 * 60.0,
    ends: float = 16 * 60.0,
) -> Rounds:
    """Plan the visits of ``manager`` that are due, for a pair of officers and some working days from ``first_day`` on.

    The day of each visit is drawn from a secret that is not kept: nobody foresees it, and another plan differs.

    Raises:
        NotAllowed: the manager is of another unit.
        NotPossible: nothing is due, or no place is recorded.
        Invalid: the same officer twice, or a place that is not on earth.
    """
    from safelight.planning import rounds_files as files
    from safelight.planning.errors import PlanningError
    from safelight.planning.rounds import Crew, Place, Visit, plan_rounds, working_days

    need(actor, "offenders.manage", what="Your role may not plan visits.")
    if manager.unit_id != actor.unit_id or second.unit_id != actor.unit_id:
        raise NotAllowed("You plan visits of your own unit only.", fix="Ask the other unit.")
    if manager.pk == second.pk:
        raise Invalid("Visits are made in pairs.", fix="Choose a second officer.", field="second")
    if not 1 <= days <= 10:
        raise Invalid("A plan is for 1 to 10 working days.", fix="Check the number.", field="days")
    today = timezone.localdate()
    if first_day < today:
        raise Invalid("The first day has passed.", fix="Choose today or later.", field="first_day")
    rows = due_this_week(actor, manager, days=max(7, (first_day - today).days + 2 * days))
    placed = [row for row in rows if row.offender.latitude is not None]
    if not placed:
        raise NotPossible(
            "No visit with a recorded place is due." if rows else "No visit is due.",
            fix="Record where the homes lie on each entry." if rows else "There is nothing to plan.",
        )
    placed.sort(
        key=lambda row: (LEVELS.index(row.offender.risk or "very_high"), -(row.unseen_days or 0), row.offender.pk)
    )
    asked, beyond = placed[: A_DAY * days], placed[A_DAY * days :]
    visits = [
        Visit(
            key=row.offender.reference,
            place=Place(row.offender.latitude, row.offender.longitude),
            risk=row.offender.risk or "very_high",
            minutes=float(row.plan.minutes if row.plan else 45),
            must=row.unseen_days is not None and row.offender.risk in ("", "very_high", "high"),
            # Overdue already: any of the days will do, the riskiest first.
            due=row.offender.visit_due_on if row.offender.visit_due_on > first_day else None,
            last=row.offender.seen_on,
        )
        for row in asked
    ]
    crew = Crew("Pair 1", (str(manager), str(second)), begins, ends)
    base = Place(latitude, longitude)
    try:
        plan = plan_rounds(
            visits, [crew], base, days=working_days(first_day, days), seconds=SECONDS, seed=secrets.randbits(63)
        )
    except PlanningError as error:
        raise Invalid(str(error)) from error
    data = files.as_data(plan)
    more = "More is due than a pair can do in these days: what is riskier or longer overdue comes first."
    data["in_no_round"] += [{"key": one.offender.reference, "must": False, "reason": more} for one in beyond]
    row = Rounds.objects.create(
        manager=manager, unit=actor.unit, made_at=timezone.now(), made_by=actor, first_day=first_day, days=days,
        latitude=latitude, longitude=longitude, data=data, svg=files.map_svg(plan),
    )  # fmt: skip
    keys = [stop.visit.key for one in plan.rounds for stop in one.stops]
    record(actor, "offender.rounds", None, payload={"officer": manager.pk, "second": second.pk, "days": days,
           "visits": keys, "in_no_round": [one["key"] for one in data["in_no_round"]]})  # fmt: skip
    return row


def latest_rounds(user: Any, manager: Any) -> Rounds | None:
    """The newest plan for this officer that ``user`` may see: of the own unit only."""
    if user.unit_id is None:
        return None
    return Rounds.objects.filter(manager=manager, unit=user.unit_id).select_related("made_by").first()


def names_of(user: Any, rounds: Rounds) -> dict[str, str]:
    """Names and addresses of those in the plan, for the officers who go."""
    keys = [visit["key"] for one in rounds.data["rounds"] for visit in one["visits"]]
    keys += [one["key"] for one in rounds.data["in_no_round"]]
    numbers = [Offender.key_of(key) for key in keys]
    rows = Offender.objects.visible_to(user).filter(pk__in=numbers).select_related("person")
    return {row.reference: f"{row.person.name}, {row.person.address} {row.person.postcode}".strip() for row in rows}
