"""Dates and times as senders write them. British order (day first); nothing is guessed beyond that."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
_ISO_DAY = re.compile(r"^(\d{4})-(\d{1,2})-(\d{1,2})$")
_UK_DAY = re.compile(r"^(\d{1,2})[/.](\d{1,2})[/.](\d{4})$")
_MOMENT = re.compile(
    r"^(?P<day>\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[/.]\d{1,2}[/.]\d{4})"
    r"(?:[T ]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d{1,9})?)?"
    r"\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})?)?$",
    re.IGNORECASE,
)


class TimeFault(ValueError):
    """A text that is no date or time; the message says so in words."""


def read_day(text: str) -> date:
    """``2026-11-03`` or ``03/11/2026``. Raises TimeFault."""
    if found := _ISO_DAY.match(text):
        year, month, day = found[1], found[2], found[3]
    elif found := _UK_DAY.match(text):
        day, month, year = found[1], found[2], found[3]
    else:
        raise TimeFault(f"{text[:40]!r} is not a date such as 2026-11-03 or 03/11/2026")
    try:
        return date(int(year), int(month), int(day))
    except ValueError as error:
        raise TimeFault(f"{text[:40]!r} is not a real date") from error


def read_birth(text: str) -> tuple[date, str]:
    """A date of birth and its precision: a full date, ``1985-06`` (month) or ``1985`` (year). Raises TimeFault."""
    for pattern, precision in ((r"\d{4}", "year"), (r"\d{4}-\d{2}", "month")):
        if re.fullmatch(pattern, text, re.ASCII):
            return read_day(f"{text}-01-01" if precision == "year" else f"{text}-01"), precision
    return read_day(text), "day"


def read_moment(text: str) -> datetime:
    """``2026-11-03T14:05:00Z``, ``2026-11-03 14:05``, ``03/11/2026 14:05`` or a date alone (midnight).

    Without a zone it is London time; of an hour that the clocks repeat the earlier is taken, so that nothing that
    counts from it starts late. Raises TimeFault.
    """
    found = _MOMENT.match(text.strip())
    if found is None:
        raise TimeFault(f"{text[:40]!r} is not a time such as 2026-11-03 14:05 or 2026-11-03T14:05:00Z")
    day = read_day(found["day"])
    try:
        made = datetime(
            day.year, day.month, day.day, int(found["hour"] or 0), int(found["minute"] or 0), int(found["second"] or 0),
            tzinfo=UTC,
        )  # fmt: skip
        zone = (found["zone"] or "").upper().replace(":", "")
        if zone in {"Z", "UTC", "GMT"}:
            return made
        if zone:
            minutes = int(zone[1:3]) * 60 + int(zone[3:5])
            if minutes > 14 * 60:
                raise TimeFault(f"{text[:40]!r} has a time zone that does not exist")
            return made - timedelta(minutes=minutes if zone[0] == "+" else -minutes)
        local = made.replace(tzinfo=LONDON, fold=0)
        return local.astimezone(UTC)
    except TimeFault:
        raise
    except (ValueError, OverflowError) as error:
        raise TimeFault(f"{text[:40]!r} is not a real time") from error
