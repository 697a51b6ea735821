"""Supervision reviews."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid
from safelight.casework.base.rights import need
from safelight.casework.base.values import required_text
from safelight.casework.cases.writing import lock_open, write_entry
from safelight.casework.clocks.services import start_clock, stop_clock
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.supervision.models import Review

PARTS = {
    "plan": "The plan",
    "safeguarding": "Safeguarding",
    "devices": "Devices",
    "victim": "The victim",
    "next_action": "The next action",
}


@transaction.atomic
def record_review(
    actor: Any,
    case: Any,
    *,
    plan: str,
    safeguarding: str,
    devices: str,
    victim: str,
    next_action: str,
    next_action_by: date,
    drifting: bool = False,
) -> Review:
    """Record a supervisor's review. The clock supervisor_review stops and starts again for the next one, by risk.

    A review is not a meaningful action of the investigation: it does not end drift.

    Raises:
        NotAllowed: the actor is no supervisor of the unit.
        NotPossible: the case is closed.
        Invalid: a part is empty, or the next action lies in the past.
    """
    need(actor, "supervision.review", case, what="You may not review this case.")
    case = lock_open(case)
    given = {
        "plan": plan,
        "safeguarding": safeguarding,
        "devices": devices,
        "victim": victim,
        "next_action": next_action,
    }
    words = {name: required_text(text, field=name, what=PARTS[name]) for name, text in given.items()}
    if next_action_by is None or next_action_by < timezone.localdate():
        raise Invalid("The next action is due in the past.", fix="Give today or a later day.", field="next_action_by")
    now = timezone.now()
    review = Review.objects.create(
        case=case, reviewer=actor, reviewed_at=now, next_action_by=next_action_by, drifting=drifting, **words
    )
    stop_clock(actor, "supervisor_review", case, reason=f"Reviewed by {actor}", at=now)
    start_clock(
        actor,
        "supervisor_review",
        case,
        triggered_at=now,
        case=case,
        unit=case.unit,
        risk=case.risk,
        stage="next",
        borough=case.borough,
    )
    record(
        actor,
        "review.recorded",
        case,
        payload={
            "review": review.pk,
            "next_action_by": str(next_action_by),
            "drifting": drifting,
            "text": fingerprint("\n".join(words.values())),
        },
    )
    day = f"{next_action_by.day} {next_action_by:%b %Y}"
    write_entry(actor, case, "reviewed", f"Next: {words['next_action']} by {day}.", now)
    return review
