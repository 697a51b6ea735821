"""How the pages write times, sizes and numbers. Plain text out; no markup."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.utils import timezone

_UNITS = ("bytes", "KB", "MB", "GB", "TB")
_ACRONYMS = {"bcu", "caid", "csc", "epo", "mappa", "mash", "nca", "osa", "pace", "rso", "shpo", "vics"}
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def moment(value: datetime | None, missing: str = "") -> str:
    """``3 Nov 2026, 14:05`` in the site's time zone; ``missing`` for None."""
    if value is None:
        return missing
    local = timezone.localtime(value) if timezone.is_aware(value) else value
    return f"{day(local)}, {local:%H:%M}"


def day(value: date | None, missing: str = "") -> str:
    """``3 Nov 2026``; ``missing`` for None."""
    if value is None:
        return missing
    if isinstance(value, datetime) and timezone.is_aware(value):
        value = timezone.localtime(value)
    return f"{value.day} {value:%b %Y}"


def plural(count: int, one: str, many: str = "") -> str:
    """``1 case``, ``2 cases``; ``many`` for words that do not take an s (children)."""
    return f"{number(count)} {one if count == 1 else many or f'{one}s'}"


def number(value: float | None, missing: str = "") -> str:
    """``12,345``; whole numbers without a point."""
    if value is None:
        return missing
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def span(length: timedelta) -> str:
    """A length of time in its largest fitting unit, rounded down so that a clock never seems longer than it is."""
    seconds = int(abs(length.total_seconds()))
    if seconds < _MINUTE:
        return "less than a minute"
    if seconds < _HOUR:
        return plural(seconds // _MINUTE, "minute")
    if seconds < 2 * _DAY:
        hours, minutes = seconds // _HOUR, seconds % _HOUR // _MINUTE
        # Near the end of a clock of hours the minutes matter.
        return plural(hours, "hour") if hours >= 6 or not minutes else f"{plural(hours, 'hour')} {minutes} min"
    return plural(seconds // _DAY, "day")


def left(due: datetime | None, now: datetime | None = None, missing: str = "") -> str:
    """``2 hours left`` or ``3 days overdue``."""
    if due is None:
        return missing
    rest = due - (now or timezone.now())
    return f"{span(rest)} {'left' if rest > timedelta(0) else 'overdue'}"


def ago(then: datetime | None, now: datetime | None = None, missing: str = "") -> str:
    """``3 hours ago``, ``just now``; a time ahead reads ``in 3 hours``."""
    if then is None:
        return missing
    gone = (now or timezone.now()) - then
    if abs(gone) < timedelta(minutes=1):
        return "just now"
    return f"{span(gone)} ago" if gone > timedelta(0) else f"in {span(gone)}"


def filesize(count: float | None, missing: str = "") -> str:
    """Bytes in decimal units, as drives are sold: ``512 bytes``, ``1.5 MB``, ``64 GB``."""
    if count is None:
        return missing
    size, unit = float(count), 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    if unit == 0:
        return plural(int(size), "byte")
    return f"{size:.0f} {_UNITS[unit]}" if size >= 100 or size == int(size) else f"{size:.1f} {_UNITS[unit]}"


def words(identifier: str) -> str:
    """``due_soon`` -> ``Due soon``, ``csc_reply`` -> ``CSC reply``."""
    parts = str(identifier).replace("_", " ").replace("-", " ").split()
    text = " ".join(part.upper() if part in _ACRONYMS else part for part in parts)
    return text[:1].upper() + text[1:]


FILTERS = {
    "datetime": moment,
    "date": day,
    "left": left,
    "ago": ago,
    "span": span,
    "filesize": filesize,
    "plural": plural,
    "number": number,
    "words": words,
}
