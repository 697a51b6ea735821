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
from safelight.casework.supervision.actions import add_action, owners_for
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
    children_safe: str = "",
    owner: Any = None,
) -> Review:
    """Record a supervisor's review. The clock supervisor_review stops and starts again for the next one, by risk.

    A review is not a meaningful action of the investigation: it does not end drift. Its next action becomes an action
    of the plan.

    Args:
        children_safe: a value of :class:`Review.Safe`. owner: who does the next action; left out, whoever has the case,
            or the reviewer where nobody has it.

    Raises:
        NotAllowed: the actor is no supervisor of the unit.
        NotPossible: the case is closed.
        Invalid: a part is empty, the next action lies in the past, or a child is not safe and nothing happens today.
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
    if children_safe and children_safe not in Review.Safe.values:
        raise Invalid(f"{children_safe!r} is no answer.", fix="Choose one of the list.", field="children_safe")
    if children_safe == Review.Safe.NO and next_action_by > timezone.localdate():
        raise Invalid("A child is not safe: the next action is for today.", fix="Act today.", field="next_action_by")
    now = timezone.now()
    review = Review.objects.create(
        case=case,
        reviewer=actor,
        reviewed_at=now,
        children_safe=children_safe,
        next_action_by=next_action_by,
        drifting=drifting,
        **words,
    )
    add_action(
        actor,
        case,
        text=words["next_action"],
        owner=owner or _who_acts(actor, case),
        due_on=next_action_by,
        review=review,
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
            "children_safe": children_safe,
            "text": fingerprint("\n".join(words.values())),
        },
    )
    day = f"{next_action_by.day} {next_action_by:%b %Y}"
    write_entry(actor, case, "reviewed", f"Next: {words['next_action']} by {day}.", now)
    return review


def _who_acts(actor: Any, case: Any) -> Any:
    """Whoever has the case and sees it; otherwise the reviewer, so that the action is somebody's."""
    has = case.investigator
    return has if has is not None and has.pk in {person.pk for person in owners_for(case)} else actor
