"""Cells of sheets that no spreadsheet takes for a formula. For every export of the product."""

from __future__ import annotations

_STARTS = ("=", "+", "-", "@", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # the last four: the wide forms


def safe_cell(value: object) -> str:
    """``value`` as text; what could begin a formula, after whatever blanks, gets an apostrophe in front, and so does a
    text that begins with a tab or a line break. None is empty.

    Source: OWASP, CSV injection.
    """
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in ("\t", "\r", "\n") or text.lstrip().startswith(_STARTS) else text
