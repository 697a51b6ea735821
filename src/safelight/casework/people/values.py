"""Checking what people type or send about a person, the same way for a form and for an import."""

from __future__ import annotations

import re
import unicodedata
from calendar import monthrange
from datetime import date

from django.utils import timezone

from safelight.casework.base.errors import Invalid

EARLIEST = date(1900, 1, 1)
_SPACE = re.compile(r"[ \t\u00a0]+")
_POSTCODE = re.compile(r"^([A-Z]{1,2}\d[A-Z\d]?)\s*(\d[A-Z]{2})$")


def plain(value: str | None, *, longest: int, field: str, what: str) -> str:
    """``value`` in one normal form (NFC, single blanks, none at the ends).

    Raises:
        Invalid: it holds characters that no database keeps (NUL, half surrogates), other control characters, or it is
            longer than ``longest``. It is never cut: what does not fit goes back to the person.
    """
    text = unicodedata.normalize("NFC", value or "")
    for character in text:
        kind = unicodedata.category(character)
        if kind == "Cs" or (kind == "Cc" and character not in "\n\r\t"):
            raise Invalid(f"{what} holds a control character (U+{ord(character):04X}).", fix="Remove it.", field=field)
    text = "\n".join(_SPACE.sub(" ", line).strip() for line in text.replace("\r\n", "\n").split("\n")).strip()
    if len(text) > longest:
        raise Invalid(f"{what} is {len(text)} characters long; at most {longest} fit.", fix="Shorten it.", field=field)
    return text


def one_line(value: str | None, *, longest: int, field: str, what: str) -> str:
    """As :func:`plain`, with line breaks turned into blanks."""
    return plain(" ".join((value or "").split()), longest=longest, field=field, what=what)


def postcode(value: str | None, *, field: str = "postcode") -> str:
    """A British postcode in its usual form (``SW1A 2AA``); anything else as it was given (people live abroad too)."""
    text = one_line(value, longest=10, field=field, what="The postcode")
    found = _POSTCODE.match(text.upper().replace(" ", ""))
    return f"{found[1]} {found[2]}" if found else text


def birth(born: date | None, precision: str, *, age: int | None = None, field: str = "born") -> tuple[date | None, str]:
    """A date of birth with its precision; from an approximate age, the year only.

    Args:
        precision: ``day``, ``month``, ``year``; "" means ``day`` when there is a date.
        age: in whole years, used when there is no date.

    Raises:
        Invalid: before 1900, in the future, an age outside 0 to 120, or a precision that does not fit.
    """
    today = timezone.localdate()
    if born is None:
        if age is None:
            return None, "none"
        if not 0 <= age <= 120:
            raise Invalid(f"An age of {age} is not possible.", fix="Give an age from 0 to 120.", field="age")
        return date(today.year - age, 1, 1), "year"
    precision = precision or "day"
    if precision not in {"day", "month", "year"}:
        raise Invalid(
            f"A date of birth cannot be known to the {precision!r}.", fix="Use day, month or year.", field=field
        )
    if born < EARLIEST:
        raise Invalid("The date of birth lies before 1900.", fix="Check the year.", field=field)
    if born > today:
        raise Invalid(
            "The date of birth lies in the future.",
            fix="Check the year. A child who is not yet born is written into the concern, not recorded as a person.",
            field=field,
        )
    return born, precision


def is_surely_adult(born: date | None, precision: str, on: date | None = None) -> bool:
    """Whether the person has certainly reached 18. In doubt a person is treated as a child."""
    if born is None:
        return False
    day = on or timezone.localdate()
    latest = {
        "day": born,
        "month": date(born.year, born.month, monthrange(born.year, born.month)[1]),
        "year": date(born.year, 12, 31),
    }.get(precision, born)
    return day.year - latest.year - ((day.month, day.day) < (latest.month, latest.day)) >= 18
