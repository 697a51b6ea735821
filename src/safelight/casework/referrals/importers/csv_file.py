"""Referrals in a table: CSV with a heading, one report a line (docs/referral-import.md).

Comma, semicolon or tab; text may be quoted and may hold line breaks. One bad line never takes its neighbours with it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from safelight.casework.referrals.importers.record import (
    FILE_KEYS,
    PERSON_KEYS,
    ParsedRecord,
    Rejected,
    build,
    rejected,
)

DELIMITERS = ",;\t"
LONGEST_RECORD_IN_LINES = 100
_PLAIN = {
    "source", "reference", "received", "summary", "incident_type", "platform", "incident_time", "high_priority",
    "live_contact", "borough",
}  # fmt: skip
_REQUIRED = {"source", "reference", "summary"}
_NESTED = re.compile(r"^(suspect|reporter|child|file)(?:_([1-9]))?_([a-z0-9_]+)$")
_ALIASES = {"source_reference": "reference", "received_at": "received", "incident_at": "incident_time"}


def _name(cell: str) -> str:
    words = re.sub(r"[\s\-]+", "_", cell.strip().strip("\ufeff").casefold())
    return _ALIASES.get(words, words)


def heading_of(text: str) -> tuple[str, list[str]] | None:
    """The delimiter and the names of the columns, or None when the first line is no heading of ours."""
    first = next((line for line in io.StringIO(text, newline="") if line.strip()), "")
    best: tuple[str, list[str]] | None = None
    for delimiter in DELIMITERS:
        try:
            cells = next(csv.reader([first[:20_000]], delimiter=delimiter, strict=True), [])
        except csv.Error:
            continue
        names = [_name(cell) for cell in cells]
        if set(names) >= _REQUIRED and (best is None or len(names) > len(best[1])):
            best = delimiter, names
    return best


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str] | str, str]]:
    """(line number, cells or what is wrong with them, text) of each record after the heading."""
    lines = list(io.StringIO(text, newline=""))
    start = next((n for n, line in enumerate(lines) if line.strip()), len(lines)) + 1
    while start < len(lines):
        if not lines[start].strip():
            start += 1
            continue
        reader = csv.reader(islice(lines, start, start + LONGEST_RECORD_IN_LINES), delimiter=delimiter, strict=True)
        try:
            cells: list[str] | str = next(reader, [])
            used = reader.line_num
        except csv.Error as error:
            # A quotation mark that is never closed would swallow the rest of the file: give up this line only.
            cells, used = f"The line cannot be read as CSV: {error}. Check its quotation marks.", 1
        yield start + 1, cells, "".join(lines[start : start + used]).rstrip("\r\n")
        start += max(used, 1)


def parse(text: str, *, now: datetime) -> Iterator[ParsedRecord | Rejected]:
    """Every record of the table in order; nothing is left out.

    Args:
        text: the whole file, decoded; its first line must be a heading (see :func:`heading_of`).
    """
    found = heading_of(text)
    if found is None:
        return
    delimiter, names = found
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        yield rejected(1, f"The heading names a column twice: {', '.join(twice)}.", text[:2_000])
        return
    for number, cells, raw in _rows(text, delimiter):
        if isinstance(cells, str):
            yield rejected(number, cells, raw)
        elif len(cells) < len(names) or any(cell.strip() for cell in cells[len(names) :]):
            yield rejected(number, f"The line has {len(cells)} values where the heading names {len(names)}.", raw)
        else:
            values, extras = _nest(dict(zip(names, cells, strict=False)))
            yield build(number, raw, values, extras=extras, now=now)


def _nest(row: dict[str, str]) -> tuple[dict[str, Any], tuple[tuple[str, str], ...]]:
    """``{"suspect_family_name": "X"}`` to ``{"suspect": {"family_name": "X"}}``, and the columns that are not ours."""
    values: dict[str, Any] = {}
    numbered: dict[str, dict[int, dict[str, str]]] = {"child": {}, "file": {}, "suspect": {}}
    extras: list[tuple[str, str]] = []
    for name, cell in row.items():
        found = _NESTED.match(name)
        if name in _PLAIN:
            values[name] = cell
        elif found and found[3] in (FILE_KEYS if found[1] == "file" else PERSON_KEYS):
            if not cell.strip():
                continue
            if found[1] == "reporter" or (found[1] == "suspect" and not found[2]):
                values.setdefault(found[1], {})[found[3]] = cell
            else:
                numbered[found[1]].setdefault(int(found[2] or 1), {})[found[3]] = cell
        elif cell.strip():
            extras.append((name or "column without a name", cell))
    for key, singular in (("children", "child"), ("files", "file"), ("more_suspects", "suspect")):
        if numbered[singular]:
            values[key] = [one for _, one in sorted(numbered[singular].items())]
    return values, tuple(extras)
