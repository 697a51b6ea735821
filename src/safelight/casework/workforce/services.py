"""Units from the standards, and accreditations."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.standards import standards
from safelight.casework.base.values import required_text
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
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
def accredit(
    actor: Any, *, user: Any, skill: str, valid_from: date, valid_until: date | None = None, evidence: str = ""
) -> Accreditation:
    """Record that ``user`` holds ``skill`` from one day to another (both included).

    Args:
        actor: an administrator, or a supervisor of the person's unit; None is the system (the demo).
        evidence: where the proof is: the reference of a certificate or course record.

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
        user=user,
        skill=skill,
        valid_from=valid_from,
        defaults={"valid_until": valid_until, "evidence": evidence.strip()[:200], "end_reason": ""},
    )
    record(
        actor,
        "accreditation.recorded",
        user,
        payload={
            "skill": skill,
            "valid_from": str(valid_from),
            "valid_until": str(valid_until),
            "evidence": fingerprint(evidence),
        },
    )
    return row


@transaction.atomic
def end_accreditation(actor: Any, row: Accreditation, *, last_day: date | None, reason: str) -> Accreditation:
    """End an accreditation before its time. Cases of the person that need it show in the skills audit from the day
    after.

    Raises:
        NotAllowed; NotPossible (it has ended already); Invalid: no reason, or a last day before it began or after it
            would have ended anyway.
    """
    need(actor, "workforce.accredit", row.user, what="You may not end accreditations of people in other units.")
    found = Accreditation.objects.select_for_update(of=("self",)).get(pk=row.pk)
    if found.valid_until is not None and found.valid_until < timezone.localdate():
        raise NotPossible("This accreditation has ended already.", fix="There is nothing to do.")
    text = required_text(reason, field="reason", what="The reason")
    if last_day is None or last_day < found.valid_from or (found.valid_until and last_day > found.valid_until):
        raise Invalid("The last day lies outside the accreditation.", fix="Give a day within it.", field="last_day")
    before, found.valid_until, found.end_reason = found.valid_until, last_day, text[:300]
    found.save(update_fields=["valid_until", "end_reason"])
    record(
        actor,
        "accreditation.ended",
        found.user,
        payload={
            "skill": found.skill,
            "last_day": str(last_day),
            "before": str(before),
            "reason": fingerprint(text),
        },
    )
    return found
