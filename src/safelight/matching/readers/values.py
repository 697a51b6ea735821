"""Loose values of exchange files, read strictly: a value that is not what it should be is None with a reason."""

from __future__ import annotations

from decimal import Decimal

_TRUE = frozenset({"true", "yes", "y", "1"})
_FALSE = frozenset({"false", "no", "n", "0"})
_MOST_DIGITS = 20


def read_flag(value: object) -> bool | None:
    """True, False, or None for anything else; `"true"` and `"True"` are how older VICS files write a boolean."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        word = value.strip().lower()
        return True if word in _TRUE else False if word in _FALSE else None
    return None


def read_number(value: object) -> int | None:
    """A whole number of at most 20 digits from an int, a whole decimal or text; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if abs(value) < 10**_MOST_DIGITS else None
    if isinstance(value, Decimal):
        # Compared, not computed with: arithmetic on an exponent from a stranger overflows.
        if value.is_finite() and value.copy_abs() < 10**_MOST_DIGITS and value == value.to_integral_value():
            return int(value)
        return None
    if isinstance(value, str):
        text = value.strip()
        if text.isascii() and text.removeprefix("-").isdigit() and len(text) <= _MOST_DIGITS:
            return int(text)
    return None


def read_text(value: object) -> str:
    """Text without surrounding white space; a list of texts is joined by commas; anything else is empty."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return ",".join(item.strip() for item in value if isinstance(item, str) and item.strip())
    return ""
