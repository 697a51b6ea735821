"""Units from the standards, and accreditations."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import transaction

from safelight.casework.base.errors import Invalid
from safelight.casework.base.rights import need
from safelight.casework.base.standards import standards
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.casework.workforce.models import Accreditation, Unit


@transaction.atomic
def load_units(actor: Any) -> list[Unit]:
    """Bring the unit rows in line with standards/units.toml (adds and renames; never deletes)."""
    rows = []
    for code, unit in standards().units.items():
        row, created = Unit.objects.update_or_create(
            code=code, defaults={"name": unit.title, "kind": unit.type, "boroughs": list(unit.boroughs)}
        )
        if created:
            record(actor, "unit.added", row, category=Category.SYSTEM, payload={"code": code})
        rows.append(row)
    return rows


@transaction.atomic
def accredit(actor: Any, *, user: Any, skill: str, valid_from: date, valid_until: date | None = None) -> Accreditation:
    """Record that ``user`` holds ``skill`` from one day to another (both included).

    Args:
        actor: an administrator, or a supervisor of the person's unit; None is the system (the demo).

    Raises:
        NotAllowed: the actor is neither.
        Invalid: the skill is unknown, or it ends before it starts.
    """
    if actor is not None:
        need(actor, "workforce.accredit", user, what="You may not record accreditations of people in other units.")
    if skill not in standards().skills:
        raise Invalid(f"There is no skill {skill!r} in the standards.", fix="See `safelight standards`.", field="skill")
    if valid_until is not None and valid_until < valid_from:
        raise Invalid("The accreditation ends before it starts.", fix="Check the two dates.", field="valid_until")
    row, _ = Accreditation.objects.update_or_create(
        user=user, skill=skill, valid_from=valid_from, defaults={"valid_until": valid_until}
    )
    record(
        actor,
        "accreditation.recorded",
        user,
        payload={"skill": skill, "valid_from": str(valid_from), "valid_until": str(valid_until)},
    )
    return row
