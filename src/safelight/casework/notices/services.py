"""Telling people. A notice is written in the transaction of what it tells of, and its letter with it: neither can be
lost, and neither is sent for something that did not happen."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from safelight.casework.allocation.conflicts import conflicted_with
from safelight.casework.cases.models import Case
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.casework.notices.kinds import KINDS
from safelight.casework.notices.models import Letter, Notice

REFERENCE = re.compile(r"[A-Z]{1,4}-[0-9]{6,12}")


def reference_of(subject: Any, case: Any = None) -> str:
    """The public reference of what a notice is about, or of its case; "" where neither has one. Never a name."""
    for row, name in ((subject, "reference"), (case, "reference"), (subject, "subject_label")):
        text = getattr(row, name, "") if row is not None else ""
        if isinstance(text, str) and REFERENCE.fullmatch(text):
            return text
    return ""


def _may_know(people: list[Any], case: Any, subject: Any) -> list[Any]:
    # A row may say itself who hears of it: what is shared with a partner is seen by who never sees the case.
    own = getattr(subject, "may_hear", None)
    if own is not None:
        return [user for user in people if own(user)]
    if case is None:
        return people
    closed = conflicted_with(case)
    people = [user for user in people if user.pk not in closed]
    if not case.restricted:
        return people
    return [user for user in people if Case.objects.visible_to(user).filter(pk=case.pk).exists()]


@transaction.atomic
def tell(
    users: Iterable[Any],
    kind: str,
    subject: models.Model | None,
    *,
    case: Any = None,
    at: datetime | None = None,
    key: str = "",
) -> list[Notice]:
    """Tell each of ``users`` once, on the page of notices and, where e-mail is set up, by a letter.

    Of a restricted case only those are told who may see it, and of no case who declared a conflict of interest with
    it. Accounts that are closed are left out.

    Args:
        kind: a code of :data:`safelight.casework.notices.kinds.KINDS`.
        subject: the row it is about; its reference is shown, and the notice leads to its page.
        case: the case it belongs to, when ``subject`` does not say so itself.
        at: when what it tells of happened; None means now.
        key: with the same key the same person is told once only, however often this is called.

    Returns:
        The notices that are new.

    Raises:
        KeyError: the kind is not known (a fault of ours).
    """
    if kind not in KINDS:
        raise KeyError(f"There is no kind of notice {kind!r}: add it to notices/kinds.py.")
    if case is None and subject is not None and not getattr(subject, "outside_ledger_of_case", False):
        case = subject if isinstance(subject, Case) else getattr(subject, "case", None)
    named = list({user.pk: user for user in users if user is not None and user.is_active}.values())
    people = _may_know(named, case, subject)
    if key:
        known = set(Notice.objects.filter(key=key, user__in=people).values_list("user_id", flat=True))
        people = [user for user in people if user.pk not in known]
    if not people:
        return []
    moment = at or timezone.now()
    about = reference_of(subject, case)
    rows = [
        Notice(
            user=user,
            kind=kind,
            subject_type=subject._meta.label_lower if subject is not None else "",
            subject_id=subject.pk if subject is not None else None,
            about=about,
            case=case,
            at=moment,
            key=key,
        )
        for user in people
    ]
    if key:
        # Two at once: the second adds nobody twice, and its letters are those of the first.
        Notice.objects.bulk_create(rows, ignore_conflicts=True)
        rows = list(Notice.objects.filter(key=key, user__in=people).select_related("user").order_by("pk"))
    else:
        Notice.objects.bulk_create(rows)
    if settings.EMAIL_ON and KINDS[kind].email:
        letters = [Letter(notice=row, next_try_at=timezone.now()) for row in rows if row.user.email]
        Letter.objects.bulk_create(letters, ignore_conflicts=True)
    record(
        None,
        "notices.told",
        subject,
        category=Category.SYSTEM,
        case=case,
        payload={"kind": kind, "about": about, "users": [row.user_id for row in rows]},
    )
    return rows


@transaction.atomic
def mark_read(user: Any, notices: Any) -> int:
    """Note that ``user`` has read these of the own notices. Returns how many were unread."""
    mine = Notice.objects.filter(pk__in=[row.pk for row in notices], user=user).unread()
    found = list(mine.values_list("pk", flat=True))
    if found:
        Notice.objects.filter(pk__in=found, user=user, read_at=None).update(read_at=timezone.now())
        record(user, "notices.read", None, payload={"notices": found})
    return len(found)
