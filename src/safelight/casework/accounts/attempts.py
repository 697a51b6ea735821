"""Wrong passwords: slowed down more and more, never a lasting lock, and the account hears of it.

axes counts by person and address together, so that nobody can lock a colleague out from another machine. Two things
are added: the wait grows with the failures, and somebody who tries one name from ever new addresses meets one count for
the name, which does not apply to addresses from which the person has signed in before.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from safelight.casework.accounts.models import User
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.casework.notices.services import tell

WAITS = ((20, timedelta(hours=1)), (10, timedelta(minutes=15)), (0, timedelta(minutes=5)))
"""(failures in a day, wait): 5 minutes at first, 15 from ten failures on, an hour from twenty on. Never more."""
STRANGERS = 50  # failures for one name within an hour, from anywhere
KNOWN_FOR = timedelta(days=90)


def wait_for(name: str, address: str) -> timedelta:
    """How long the next attempt waits, after the failures of this name from this address in the last day."""
    since = timezone.now() - timedelta(days=1)
    rows = AccessFailureLog.objects.filter(username=name, ip_address=address or None, attempt_time__gte=since)
    failures = rows.count()
    return next(wait for least, wait in WAITS if failures >= least)


def besieged(name: str, address: str) -> bool:
    """Whether ``name`` is tried from everywhere just now, and ``address`` is none that the person has come from."""
    if not name:
        return False
    now = timezone.now()
    recent = AccessFailureLog.objects.filter(username=name, attempt_time__gte=now - timedelta(hours=1))
    if recent.count() < STRANGERS:
        return False
    known = AccessLog.objects.filter(username=name, ip_address=address or None, attempt_time__gte=now - KNOWN_FOR)
    return not known.exists()


_forgotten = [0.0]


def forget_old() -> int:
    """Rows about sign-ins that are older than 90 days go, once a day for each process (docs/logs.md).

    Returns:
        How many went.
    """
    if time.monotonic() - _forgotten[0] < 24 * 3600 and _forgotten[0]:
        return 0
    _forgotten[0] = time.monotonic()
    before = timezone.now() - KNOWN_FOR
    return sum(
        model.objects.filter(attempt_time__lt=before).delete()[0]
        for model in (AccessLog, AccessFailureLog, AccessAttempt)
    )


@transaction.atomic
def note_locked(name: str) -> None:
    """An account was tried too often: it hears of it, once an hour, and the ledger has it."""
    user = User.objects.filter(username=name, is_active=True).first()
    if user is None:
        return
    hour = timezone.now().strftime("%Y%m%d%H")
    if tell([user], "account.attempts", None, key=f"attempts:{user.pk}:{hour}"):
        record(None, "account.attempts", user, category=Category.SYSTEM, payload={"limit": settings.AXES_FAILURE_LIMIT})


@transaction.atomic
def note_wrong_factor(user: Any) -> None:
    """Somebody knew the password of ``user`` and failed at the second factor, several times."""
    hour = timezone.now().strftime("%Y%m%d%H")
    if tell([user], "account.wrong_factor", None, key=f"wrong-factor:{user.pk}:{hour}"):
        record(None, "account.wrong_factor", user, category=Category.SYSTEM)
