"""Live contact: a suspect in contact with a child now. A state of its own, alarmed at once, kept until a named person
records that it has ended, when, and how that is known. Closing, reopening or moving the case ends nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from safelight.casework.allocation.models import Allocation
from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.standards import standards
from safelight.casework.base.values import not_in_future, required_text
from safelight.casework.cases.models import Case, LiveContact
from safelight.casework.cases.writing import lock, write_entry
from safelight.casework.clocks.services import start_clock, stop_clock, tighten_for_risk
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.notices.audience import chief_officers, desk, supervisors
from safelight.casework.notices.services import tell

CLOCK = "live_contact_ends"


@transaction.atomic
def record_live_contact(actor: Any, case: Any, *, contact: bool, how_known: str, at: datetime | None = None) -> Case:
    """Record that a suspect is in contact with a child now, or that this has ended, and how it is known.

    Contact is recorded on a closed case too: what protects a child waits for no reopening.

    Args:
        at: since when, or when it ended (aware); None means now.

    Raises:
        NotAllowed, NotPossible (recorded already, or none is recorded), Invalid (not said how it is known; the end lies
        before the beginning).
    """
    need(actor, "cases.live_contact", case, what="You may not record live contact in this case.")
    case = lock(case)
    if case.live_contact == contact:
        raise NotPossible("Live contact is already recorded." if contact else "No live contact is recorded.")
    text = required_text(how_known, field="how_known", what="How it is known")
    moment = not_in_future(at, field="at", what="The time")
    if contact:
        return begin(actor, case, text, moment)
    return _end(actor, case, text, moment)


def begin(actor: Any, case: Case, text: str, moment: datetime, *, payload: dict[str, Any] | None = None) -> Case:
    """Mark a case that is locked; no right is asked (a copy of a referral may alarm a case that its bearer cannot see).

    Its open clocks are brought forward to the shortest the standards know, one more starts, and everybody who can act
    is told.
    """
    case.live_contact = True
    case.save(update_fields=["live_contact"])
    row = LiveContact.objects.create(
        case=case, found_at=moment, found_by=actor, how_known=text, recorded_at=timezone.now()
    )
    record(
        actor,
        "case.live_contact_found",
        case,
        payload={"at": moment, "how_known": fingerprint(text), **(payload or {})},
    )
    write_entry(actor, case, "live_contact_found", text, moment)
    tighten_for_risk(actor, case)
    start_clock(actor, CLOCK, case, triggered_at=moment, case=case, unit=case.unit, borough=case.borough)
    people = [case.investigator, *supervisors(case.unit_id), *desk()]
    tell(people, "live_contact.found", case, at=moment, key=f"live:{row.pk}:found")
    return case


def _end(actor: Any, case: Case, text: str, moment: datetime) -> Case:
    row = LiveContact.objects.select_for_update().get(case=case, ended_at=None)
    if moment < row.found_at:
        raise Invalid(
            f"Contact was found on {timezone.localtime(row.found_at):%d %b %Y %H:%M}: it cannot have ended before.",
            fix="Check the time.",
            field="at",
        )
    row.ended_at, row.ended_by, row.how_ended, row.end_recorded_at = moment, actor, text, timezone.now()
    row.save(update_fields=["ended_at", "ended_by", "how_ended", "end_recorded_at"])
    case.live_contact = False
    case.save(update_fields=["live_contact"])
    record(actor, "case.live_contact_ended", case, payload={"at": moment, "how_known": fingerprint(text)})
    write_entry(actor, case, "live_contact_ended", text, moment)
    stop_clock(actor, CLOCK, case, reason="Live contact has ended", at=moment)
    people = [case.investigator, *supervisors(case.unit_id), *desk()]
    tell(
        [user for user in people if user is not None and user.pk != actor.pk],
        "live_contact.ended",
        case,
        key=f"live:{row.pk}:ended",
    )
    return case


@transaction.atomic
def alarm_unallocated(now: datetime | None = None, most: int = 500) -> int:
    """Tell the chief officers of live contact in a case that nobody has had for longer than policy
    (live_contact_unallocated_hours), once for each. Called by the tick. Returns how many cases were told of."""
    moment = now or timezone.now()
    hours = float(standards().policy["live_contact_unallocated_hours"].value)
    live = Allocation.objects.filter(case=OuterRef("case"), ended_at=None)
    lately = Allocation.objects.filter(case=OuterRef("case"), ended_at__gt=moment - timedelta(hours=hours))
    rows = LiveContact.objects.filter(
        ~Exists(live),
        ~Exists(lately),
        ended_at=None,
        chief_told_at=None,
        found_at__lt=moment - timedelta(hours=hours),
        case__opened_at__lt=moment - timedelta(hours=hours),
    ).select_related("case__unit")
    found = list(rows.select_for_update(skip_locked=True, of=("self",)).order_by("found_at")[:most])
    for row in found:
        chiefs = tell(chief_officers(), "live_contact.unallocated", row.case, at=moment, key=f"live:{row.pk}:chief")
        if not chiefs:
            # Of a restricted case no chief officer may know: the supervisors on its list hear again.
            named = [one.user for one in row.case.access.select_related("user") if one.user.role == "supervisor"]
            tell(named, "live_contact.unallocated", row.case, at=moment, key=f"live:{row.pk}:chief")
        row.chief_told_at = moment
        row.save(update_fields=["chief_told_at"])
        record(None, "case.live_contact_unallocated", row.case, category="system", payload={"hours": hours})
    return len(found)
