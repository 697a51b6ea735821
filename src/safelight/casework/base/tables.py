"""Tables that people send in, whichever program they come from."""

from __future__ import annotations

from safelight.casework.base.errors import Invalid
from safelight.sheets import SheetError, csv_of


def table_of(name: str, content: bytes) -> bytes:
    """The CSV of a file that may be a spreadsheet (XLSX, ODS).

    Raises:
        Invalid: it looks like a spreadsheet and cannot be read as one.
    """
    try:
        return csv_of(name, content)
    except SheetError as error:
        raise Invalid(error.what, fix=error.fix, field="file") from error
