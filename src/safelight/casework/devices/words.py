"""Small parts that the services of devices share."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from safelight.casework.base.errors import NotPossible
from safelight.casework.cases.models import Case


def ensure_open(case: Case) -> None:
    """Raises NotPossible for a closed case."""
    if case.status != Case.Status.OPEN:
        raise NotPossible(f"{case.reference} is closed.", fix="Reopen it first.")


def moment_words(value: datetime) -> str:
    """``03 Nov 2026 14:05`` in the site's time zone."""
    return f"{timezone.localtime(value):%d %b %Y %H:%M}"
