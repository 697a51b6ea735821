"""Tables that arrive as a spreadsheet, as the CSV text that every import of a table reads.

Only the first sheet, only its values: a formula counts as what it last gave, and nothing in the file is run. A sheet
is a zip archive of XML and comes from outside: its unpacked size, its rows and its columns are limited.
"""

from __future__ import annotations

import csv
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any
from xml.parsers.expat import ExpatError
from xml.sax import SAXException

from safelight.errors import SafelightError

MOST_UNPACKED = 64 * 1024 * 1024
MOST_PARTS, MOST_ROWS, MOST_COLUMNS = 500, 20_000, 200
_ODS = b"application/vnd.oasis.opendocument.spreadsheet"
# What the readers say of a damaged archive or damaged XML (XML's own errors are syntax errors, or SAX's).
_FAULTS = (
    zipfile.BadZipFile, zlib.error, struct.error, SyntaxError, SAXException, ExpatError, LookupError, ValueError,
    TypeError, AttributeError, EOFError, OSError, NotImplementedError, RuntimeError,
)  # fmt: skip


class SheetError(SafelightError):
    """The file is a spreadsheet that cannot be read."""


def csv_of(name: str, content: bytes) -> bytes:
    """The first sheet of an XLSX or ODS file as CSV in UTF-8; anything else as it came.

    Args:
        name: for the error.

    Raises:
        SheetError: it is neither of the two, is larger than the limits, locked with a password, or broken.
    """
    if not content.startswith(b"PK"):
        return content
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
                raise SheetError(
                    f"{name} unpacks to more than {MOST_UNPACKED >> 20} MB.", fix="Split it, or save it as CSV UTF-8."
                )
            names = {part.filename for part in parts}
            ods = "mimetype" in names and archive.read("mimetype").strip() == _ODS
        if not ods and "xl/workbook.xml" not in names:
            raise SheetError(f"{name} is no spreadsheet (XLSX or ODS).", fix="Save it as CSV UTF-8, XLSX or ODS.")
        rows = list(islice(_ods(content) if ods else _xlsx(content), MOST_ROWS + 1))
    except _FAULTS as error:
        raise SheetError(
            f"{name} cannot be read as a spreadsheet: {str(error)[:120] or type(error).__name__}.",
            fix="Open it, take off any password, and save it as CSV UTF-8.",
        ) from error
    if len(rows) > MOST_ROWS:
        raise SheetError(f"{name} has more than {MOST_ROWS:,} rows.", fix="Split it.")
    while rows and not any(rows[-1]):
        rows.pop()
    return _written(rows)


def _written(rows: list[list[str]]) -> bytes:
    """Without the empty columns behind the last that is used: sheets keep hundreds of them."""
    width = max((at + 1 for row in rows for at, cell in enumerate(row) if cell), default=0)
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    for row in rows:
        writer.writerow([*row, *[""] * (width - len(row))][:width])
    return text.getvalue().encode()


def _xlsx(content: bytes) -> Iterator[list[str]]:
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    try:
        for row in book.worksheets[0].iter_rows(max_col=MOST_COLUMNS, values_only=True):
            yield [_text(cell) for cell in row]
    finally:
        book.close()


def _ods(content: bytes) -> Iterator[list[str]]:
    from odf.opendocument import load
    from odf.table import Table, TableCell, TableRow

    sheets = load(io.BytesIO(content)).spreadsheet.getElementsByType(Table)
    empty = 0
    for row in sheets[0].getElementsByType(TableRow):
        cells: list[str] = []
        for cell in row.getElementsByType(TableCell):
            times = int(cell.getAttribute("numbercolumnsrepeated") or 1)
            cells += [_ods_text(cell)] * min(times, MOST_COLUMNS - len(cells))
        times = int(row.getAttribute("numberrowsrepeated") or 1)
        if not any(cells):  # an empty sheet is one empty row, a million times
            empty += times
            continue
        yield from ([] for _ in range(min(empty, MOST_ROWS + 1)))
        empty = 0
        yield from (cells for _ in range(min(times, MOST_ROWS + 1)))


def _ods_text(cell: Any) -> str:
    from odf import teletype
    from odf.text import P

    value = cell.getAttribute("datevalue")
    if value:
        return str(value).removesuffix("T00:00:00")
    if cell.getAttribute("valuetype") == "float":
        return _text(float(cell.getAttribute("value")))
    if cell.getAttribute("valuetype") == "boolean":
        return "yes" if cell.getAttribute("booleanvalue") == "true" else "no"
    return "\n".join(teletype.extractText(line) for line in cell.getElementsByType(P))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)
