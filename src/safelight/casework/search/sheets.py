"""Lists as sheets: CSV, XLSX and ODS. No cell is ever taken for a formula by the program that opens the sheet."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

import tablib

from safelight.cells import safe_cell

FORMATS = {
    "csv": ("CSV", "text/csv; charset=utf-8"),
    "xlsx": ("Excel (XLSX)", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "ods": ("OpenDocument (ODS)", "application/vnd.oasis.opendocument.spreadsheet"),
}
LONGEST = 32_000  # a cell of XLSX holds 32,767 characters


def cell(value: Any) -> Any:
    """``value`` as it may stand in a sheet.

    Numbers stay numbers. A text that a spreadsheet would take for a formula (it begins with = + - @ or their wide
    forms, after whatever blanks) gets an apostrophe in front, as does one that begins with a tab or a line break.
    Characters that no sheet holds go.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return value
    text = "".join(
        sign for sign in str(value) if sign in "\t\n\r" or unicodedata.category(sign) not in ("Cc", "Cs", "Cn")
    )[:LONGEST]
    return safe_cell(text)


def csv_lines(head: list[str], rows: Iterable[list[Any]]) -> Iterator[str]:
    """The sheet line by line, with the mark that lets Excel read UTF-8."""
    yield "\ufeff"
    for row in ([*head], *rows):
        line = io.StringIO()
        csv.writer(line, quoting=csv.QUOTE_ALL).writerow([cell(one) for one in row])
        yield line.getvalue()


def book(kind: str, title: str, head: list[str], rows: Iterable[list[Any]]) -> bytes:
    """The sheet as XLSX or ODS."""
    sheet = tablib.Dataset(headers=head, title=title[:31])
    for row in rows:
        sheet.append([cell(one) for one in row])
    made: bytes = sheet.export(kind, escape=False) if kind == "xlsx" else sheet.export(kind)
    return made
