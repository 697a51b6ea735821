"""Breaking the glass: opening a case for some hours, ending that, and the review by somebody else.

It opens the case to the eyes of the person: what they may do in it follows from their role, as in a case that they see
anyway (add a child, tell social care, write a note). A declared conflict of interest cannot be broken.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from safelight.casework.accounts.models import User
from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.permissions import permissions
from safelight.casework.base.rights import need
from safelight.casework.base.values import required_text
from safelight.casework.breakglass.models import Opening
from safelight.casework.cases.models import Case
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.notices.audience import supervisors, with_role
from safelight.casework.notices.services import tell


@transaction.atomic
def break_glass(actor: Any, *, reference: str, why: str, reason: str, hours: int | None = None) -> Opening:
    """Open a case that ``actor`` may not see, for some hours. The supervisors of the case and oversight hear at once.

    Args:
        reference: of the case, as C-000123.
        why: a code of ``[break_glass.reasons]`` of base/permissions.toml.
        reason: in words; kept for the review, bound into the ledger by its fingerprint.
        hours: how long; None for ``SAFELIGHT_BREAK_GLASS_HOURS``.

    Raises:
        NotAllowed: a role that may not.
        Invalid: no such case, or one with which a conflict of interest is declared (the words are the same); no
            reason; more hours than policy allows.
        NotPossible: the case is open to the person anyway.
    """
    said = permissions().break_glass
    need(actor, "breakglass.ask", what="Your role may not break the glass.")
    case = _closed_case(actor, reference)
    if why not in said.reasons:
        raise Invalid("Say why the case cannot wait.", field="why")
    text = required_text(reason, field="reason", what="The reason")
    asked = settings.BREAK_GLASS_HOURS if hours is None else hours
    if not 1 <= asked <= said.most_hours:
        raise Invalid(f"{asked} hours: policy allows 1 to {said.most_hours}.", fix="Choose fewer.", field="hours")
    # Two at the same moment, or one that ran out and that no tick has ended yet.
    User.objects.select_for_update().get(pk=actor.pk)
    now = timezone.now()
    _end_over(Opening.objects.filter(user=actor, case=case), now)
    if Opening.objects.filter(user=actor, case=case, ended_at=None).exists():
        raise NotPossible(f"{case.reference} is open to you already.", fix="Open the case.")
    until = now + timedelta(hours=asked)
    row = Opening.objects.create(
        user=actor, case=case, why=why, reason=text, opened_at=now, until=until,
        review_due_at=until + timedelta(days=said.review_days),
    )  # fmt: skip
    _note_on(actor)
    record(
        actor,
        "break_glass.opened",
        row,
        category=Category.CONSULTATION,
        case=case,
        reason=said.reasons[why],
        payload={"why": why, "hours": asked, "until": until, "reason": fingerprint(text)},
    )
    tell(_hearers(row), "break_glass.opened", row, at=now)
    return row


def note_refusal(actor: Any, reference: str) -> None:
    """Leave an entry of an attempt that opened nothing: guessing references is not to be silent."""
    typed = (reference or "").strip().upper()
    named = typed if typed.startswith("C-") and typed[2:].isascii() and typed[2:].isdigit() else ""
    record(actor, "break_glass.refused", None, category=Category.CONSULTATION, payload={"typed": named[:20]})


@transaction.atomic
def end(actor: Any, row: Opening) -> Opening:
    """End it before its time: by whoever broke the glass, or by a reviewer.

    Raises:
        NotAllowed: neither of them.
        NotPossible: it has ended.
    """
    if actor.pk != row.user_id:
        need(actor, "breakglass.review", row, what="You may not end this break-glass access.")
    found = Opening.objects.select_for_update(of=("self",)).get(pk=row.pk)
    if not found.running:
        raise NotPossible("This access has ended already.", fix="There is nothing to do.")
    found.ended_at, found.ended_by = timezone.now(), actor
    found.review_due_at = found.ended_at + timedelta(days=permissions().break_glass.review_days)
    found.save(update_fields=["ended_at", "ended_by", "review_due_at"])
    _note_on(found.user)
    record(actor, "break_glass.ended", found, case=found.case, payload={"by": actor.pk})
    _ask_for_review(found)
    return found


@transaction.atomic
def review(actor: Any, row: Opening, *, verdict: str, note: str) -> Opening:
    """Say whether it was justified. Nobody reviews their own.

    Raises:
        NotAllowed: whoever broke the glass, or no reviewer.
        NotPossible: it still runs, or was reviewed.
        Invalid: no verdict or no words.
    """
    need(actor, "breakglass.review", row, what="Somebody else reviews this: a supervisor of the case, or oversight.")
    found = Opening.objects.select_for_update(of=("self",)).get(pk=row.pk)
    if found.running:
        raise NotPossible("The access still runs.", fix="End it, or wait until it has ended.")
    if found.reviewed_at is not None:
        raise NotPossible("This was reviewed already.", fix="There is nothing to do.")
    if verdict not in Opening.Verdict.values:
        raise Invalid("Say whether it was justified.", field="verdict")
    text = required_text(note, field="note", what="What you found")
    now = timezone.now()
    found.reviewed_at, found.reviewed_by, found.verdict, found.review_note = now, actor, verdict, text
    found.ended_at = found.ended_at or found.until
    found.save(update_fields=["reviewed_at", "reviewed_by", "verdict", "review_note", "ended_at"])
    record(
        actor,
        "break_glass.reviewed",
        found,
        case=found.case,
        payload={"verdict": verdict, "note": fingerprint(text), "days": (now - found.closed_at).days},
    )
    if verdict == Opening.Verdict.NOT_JUSTIFIED:
        tell([one for one in _hearers(found) if one.pk != actor.pk], "break_glass.not_justified", found, at=now)
    return found


@transaction.atomic
def keep(now: datetime | None = None) -> int:
    """The tick's part: ends what has run out and tells the reviewers; tells them again when a review is late.

    Returns:
        How many openings it ended.
    """
    moment = now or timezone.now()
    over = _end_over(Opening.objects.all(), moment)
    late = Opening.objects.unreviewed().filter(review_due_at__lt=moment, overdue_told_at=None)
    for row in late.select_related("user", "case"):
        row.overdue_told_at = moment
        row.save(update_fields=["overdue_told_at"])
        record(None, "break_glass.overdue", row, category=Category.SYSTEM, case=row.case)
        tell(_hearers(row), "break_glass.overdue", row, key=f"break-glass:{row.pk}:late")
    return over


def _end_over(rows: Any, now: datetime) -> int:
    over = list(rows.filter(ended_at=None, until__lte=now).select_related("user", "case"))
    for row in over:
        row.ended_at = row.until
        row.save(update_fields=["ended_at"])
        record(None, "break_glass.ended", row, category=Category.SYSTEM, case=row.case, payload={"by": "time"})
        _ask_for_review(row)
    return len(over)


def _ask_for_review(row: Opening) -> None:
    tell(_hearers(row), "break_glass.to_review", row, key=f"break-glass:{row.pk}:review")


def _closed_case(actor: Any, reference: str) -> Case:
    typed = (reference or "").strip().upper()
    prefix, _, digits = typed.partition("-")
    case = None
    if prefix == Case.PREFIX and digits.isascii() and digits.isdigit() and len(digits) <= 15:
        case = Case.objects.filter(pk=int(digits)).first()
    if case is not None and Case.objects.visible_to(actor).filter(pk=case.pk).exists():
        raise NotPossible(f"{case.reference} is open to you already.", fix="Open the case.")
    if case is None or Case.objects.filter(pk=case.pk).filter(_conflict(actor)).exists():
        raise Invalid(
            "There is no case with this reference that you may open in this way.",
            fix="Check it; if a child is at risk, call the duty supervisor.",
            field="reference",
        )
    return case


def _conflict(actor: Any) -> Any:
    from safelight.casework.allocation.models import Conflict

    return Conflict.objects.cases_closed_to(actor)


def _hearers(row: Opening) -> list[Any]:
    """Who is told: the supervisors of the case's unit, those named on it, and oversight. :meth:`Opening.may_hear`
    leaves out who may not know."""
    said = permissions().break_glass
    named = [one.user for one in row.case.access.select_related("user") if one.user.role in said.reviewers]
    return [*supervisors(row.case.unit_id), *named, *(user for role in said.oversight for user in with_role(role))]


def _note_on(user: Any) -> None:
    """Keep on the account until when any case is open in this way, so that nobody else's pages ask for it."""
    last = Opening.objects.filter(user=user, ended_at=None).order_by("-until").values_list("until", flat=True).first()
    user.glass_until = last
    user.save(update_fields=["glass_until"])
