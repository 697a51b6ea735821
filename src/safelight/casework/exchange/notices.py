"""Takedown notices, from sending to removal, and chased in between."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import must
from safelight.casework.base.values import not_in_future, required_text
from safelight.casework.clocks.services import start_clock, stop_clock
from safelight.casework.exchange.models import Chase, Platform, PlatformReport, TakedownNotice
from safelight.casework.exchange.reports import address
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.people.values import one_line
from safelight.exchange.query import Query

CLOCK = "takedown_removal"


@transaction.atomic
def send_notice(
    actor: Any,
    platform: Platform,
    *,
    url: str,
    recipient: str,
    sent_at: datetime | None = None,
    signal_type: str = "",
    signal: str = "",
    report: PlatformReport | None = None,
) -> TakedownNotice:
    """Record a notice as it was sent: to whom, when, about which place. Its clock to removal starts.

    Raises:
        NotAllowed, Invalid, BadQuery (a malformed hash), NotPossible (an open notice about the same place).
    """
    must(actor, "exchange.manage", what="send a takedown notice")
    where = address(url, needed=True)
    to = required_text(
        one_line(recipient, longest=160, field="recipient", what="The recipient"),
        field="recipient",
        what="The recipient",
    )
    moment = not_in_future(sent_at, field="sent_at", what="The time of sending")
    query = Query.parse(signal_type, signal) if signal else None
    same = TakedownNotice.objects.select_for_update().open().filter(platform=platform, url=where).first()
    if same is not None:
        raise NotPossible(f"{same.reference} about this place is open.", fix="Chase it instead.")
    notice = TakedownNotice.objects.create(
        platform=platform,
        report=report,
        url=where,
        algorithm=query.algorithm if query else "",
        value=query.text if query else "",
        sent_at=moment,
        sent_by=actor,
        recipient=to,
    )
    record(
        actor,
        "notice.sent",
        notice,
        category=Category.DISCLOSURE,
        recipient=f"{platform.name}, {to}",
        payload={"platform": platform, "sent_at": moment, "report": report, "url": fingerprint(where)},
    )
    start_clock(actor, CLOCK, notice, triggered_at=moment)
    return notice


def _open(notice: TakedownNotice) -> TakedownNotice:
    row = TakedownNotice.objects.select_for_update(of=("self",)).select_related("platform").get(pk=notice.pk)
    if not row.is_open:
        raise NotPossible(f"{row.reference} is closed already.")
    return row


@transaction.atomic
def chase(actor: Any, notice: TakedownNotice, *, how: str) -> Chase:
    """Record that the platform was asked again. The clock runs on. Raises NotAllowed, Invalid, NotPossible (closed)."""
    must(actor, "exchange.manage", what="chase a takedown notice")
    row = _open(notice)
    text = required_text(one_line(how, longest=200, field="how", what="How"), field="how", what="How it was chased")
    made = Chase.objects.create(notice=row, at=not_in_future(None, field="", what=""), by=actor, how=text)
    record(
        actor,
        "notice.chased",
        row,
        category=Category.DISCLOSURE,
        recipient=f"{row.platform.name}, {row.recipient}",
        payload={"how": fingerprint(text), "times": row.chases.count()},
    )
    return made


@transaction.atomic
def record_removal(
    actor: Any, notice: TakedownNotice, *, told_by: str, removed_at: datetime | None = None
) -> TakedownNotice:
    """Record that the material is gone. ``actor`` is None when the platform itself says so through its key.

    Raises:
        NotAllowed, NotPossible (closed), Invalid (a time before the notice or ahead, or nobody named).
    """
    if actor is not None:
        must(actor, "exchange.manage", what="record a removal")
    row = _open(notice)
    moment = not_in_future(removed_at, field="removed_at", what="The time of removal")
    if moment < row.sent_at:
        raise Invalid("The removal lies before the notice.", fix="Check the time.", field="removed_at")
    who = one_line(told_by, longest=160, field="told_by", what="Who says so")
    row.removed_at = moment
    row.removal_told_by = required_text(who, field="told_by", what="Who says so")
    row.save(update_fields=["removed_at", "removal_told_by"])
    record(actor, "notice.removed", row, payload={"removed_at": moment, "platform": row.platform})
    stop_clock(actor, CLOCK, row, reason="Removed", at=moment)
    return row


@transaction.atomic
def record_refusal(actor: Any, notice: TakedownNotice, *, reason: str) -> TakedownNotice:
    """Record that the platform will not remove. The material stays available: it never counts as removed.

    Raises:
        NotAllowed, NotPossible (closed), Invalid (no reason).
    """
    must(actor, "exchange.manage", what="record a refusal")
    row = _open(notice)
    text = required_text(
        one_line(reason, longest=300, field="reason", what="The reason"), field="reason", what="The reason"
    )
    row.refused_at, row.refusal = not_in_future(None, field="", what=""), text
    row.save(update_fields=["refused_at", "refusal"])
    record(actor, "notice.refused", row, payload={"reason": fingerprint(text), "platform": row.platform})
    stop_clock(actor, CLOCK, row, reason="The platform will not remove it")
    return row
