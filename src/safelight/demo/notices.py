"""Notices in the demo: people have read what is older than two days."""

from __future__ import annotations

from datetime import datetime

from safelight.casework.accounts.models import User
from safelight.casework.notices.models import Notice
from safelight.casework.notices.services import mark_read

AT_ONCE = 500


def read_old_notices(before: datetime) -> int:
    """Mark every notice from before that moment as read, by the person it was for. Returns how many."""
    count = 0
    for user in User.objects.filter(notices__read_at=None, notices__at__lt=before).distinct():
        rows = list(Notice.objects.filter(user=user, read_at=None, at__lt=before))
        for start in range(0, len(rows), AT_ONCE):
            count += mark_read(user, rows[start : start + AT_ONCE])
    return count
