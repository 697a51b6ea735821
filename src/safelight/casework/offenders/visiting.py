"""Visits to the home, and what follows when the offender is not seen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.standards import standards
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.notices.services import tell
from safelight.casework.offenders.keeping import keep
from safelight.casework.offenders.models import Decision, Offender, Visit
from safelight.casework.offenders.writing import answerable, locked, past_moment, text_of
from safelight.casework.people.values import one_line

TELL, DECIDE = "rso_failed_visits_tell", "rso_failed_visits_decide"


def failed_limit(setting: str) -> int:
    """After how many failed visits in a row something follows (a row of standards/policy.toml)."""
    return int(standards().policy[setting].value)


@transaction.atomic
def record_visit(
    actor: Any,
    offender: Offender,
    *,
    outcome: str,
    text: str,
    at: datetime | None = None,
    officers: Sequence[Any] = (),
    announced: str = "",
    joint_with: str = "",
    devices_checked: bool = False,
) -> Visit:
    """Record a visit that was made or tried. Only one in which the offender was seen moves the clock.

    Args:
        outcome: ``successful`` or ``failed``.
        text: what was seen, or what happened at the door.
        officers: who went; the actor alone when none is named.
        announced: why it was announced; "" is unannounced.
        joint_with: another agency that came along.

    Raises:
        NotAllowed, NotPossible (off the register), Invalid (unknown outcome, no words, a time ahead, no officer).
    """
    row = locked(actor, offender, what="You may not record visits to this offender.")
    if outcome not in Visit.Outcome.values:
        raise Invalid(f"There is no outcome {outcome!r}.", fix="Choose successful or failed.", field="outcome")
    words = text_of(text, field="text", what="What happened")
    moment = past_moment(at, field="at", what="The time of the visit")
    went = list({one.pk: one for one in officers or [actor]}.values())
    if any(one.role not in ("offender_manager", "supervisor", "investigator") for one in went):
        raise Invalid("Only officers visit.", fix="Choose officers.", field="officers")
    made = Visit.objects.create(
        offender=row, at=moment, outcome=outcome, text=words, devices_checked=devices_checked,
        announced=one_line(announced, longest=300, field="announced", what="Why it was announced"),
        joint_with=one_line(joint_with, longest=120, field="joint_with", what="The other agency"),
        recorded_at=timezone.now(), recorded_by=actor,
    )  # fmt: skip
    made.officers.set(went)
    record(
        actor, "offender.visited", row, category=Category.COLLECTION,
        payload={"outcome": outcome, "at": moment, "announced": bool(made.announced), "joint": bool(made.joint_with),
                 "officers": [one.pk for one in went], "devices_checked": devices_checked, "text": fingerprint(words)},
    )  # fmt: skip
    keep(actor, row)
    _escalate(row, made)
    return made


def _escalate(offender: Offender, visit: Visit) -> None:
    """After so many failed visits in a row people are told; after more a supervisor has to decide."""
    failed = offender.failed_since_seen
    if visit.outcome != Visit.Outcome.FAILED:
        return
    if failed >= failed_limit(DECIDE):
        tell(answerable(offender), "offender.decide", offender, key=f"offender-decide-{offender.pk}-{visit.pk}")
    elif failed >= failed_limit(TELL):
        tell(answerable(offender), "offender.not_seen", offender, key=f"offender-failed-{offender.pk}-{visit.pk}")


def decision_waits(offender: Offender) -> bool:
    """Whether so many visits failed in a row that a supervisor has to decide, and none has since."""
    if offender.failed_since_seen < failed_limit(DECIDE):
        return False
    last = offender.decisions.order_by("-id").first()
    if last is None:
        return True
    seen = offender.seen_on
    fresh = seen is None or timezone.localdate(last.recorded_at) >= seen
    return not (fresh and last.failed == offender.failed_since_seen)


@transaction.atomic
def decide_on_failed_visits(actor: Any, offender: Offender, *, step: str, reason: str) -> Decision:
    """A supervisor says whether arrest or a warrant follows, and why, or why not.

    Raises:
        NotAllowed: no supervisor of the unit.
        NotPossible: no visit has failed since the offender was last seen.
        Invalid: unknown step, no reason.
    """
    row = locked(actor, offender, "offenders.approve", what="A supervisor of the unit decides this.")
    if not row.failed_since_seen:
        raise NotPossible("No visit has failed since the offender was last seen.")
    if step not in Decision.Step.values:
        raise Invalid(f"There is no step {step!r}.", fix="Choose one of the list.", field="step")
    words = text_of(reason, field="reason", what="The reason")
    made = Decision.objects.create(
        offender=row, failed=row.failed_since_seen, step=step, reason=words, recorded_at=timezone.now(),
        recorded_by=actor,
    )  # fmt: skip
    record(actor, "offender.decided", row, payload={"step": step, "failed": made.failed, "reason": fingerprint(words)})
    if row.manager:
        tell([row.manager], "offender.decided", row)
    return made
