"""Small shared parts of services: reading and checking values the same way everywhere."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from safelight.casework.base.errors import Invalid

CLOCK_SKEW = timedelta(minutes=5)


LONGEST_TEXT = 100_000  # characters; no form takes more than a fifth of it


def required_text(value: str | None, *, field: str, what: str, longest: int = LONGEST_TEXT) -> str:
    """``value`` without surrounding blanks.

    Raises:
        Invalid: nothing is left, it is longer than ``longest``, or it holds characters that no database keeps (NUL,
            half surrogates).
    """
    text = (value or "").strip()
    if not text:
        raise Invalid(f"{what} is missing.", fix="Write it in a few words.", field=field)
    if len(text) > longest:
        raise Invalid(
            f"{what} is {len(text):,} characters long; at most {longest:,} fit.", fix="Shorten it.", field=field
        )
    if "\x00" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise Invalid(f"{what} holds characters that cannot be kept.", fix="Type it anew.", field=field)
    return text


def not_in_future(value: datetime | None, *, field: str, what: str) -> datetime:
    """``value``, or now when it is None. Raises Invalid for a time that lies ahead.

    A clock on another desk may run 5 minutes fast: such a time counts as now, so that no clock starts in the future.
    """
    now = timezone.now()
    if value is None:
        return now
    if timezone.is_naive(value):
        raise Invalid(f"{what} has no time zone.", fix="Give an aware time.", field=field)
    if value > now + CLOCK_SKEW:
        raise Invalid(f"{what} lies in the future.", fix="Give the time when it happened.", field=field)
    return min(value, now)
