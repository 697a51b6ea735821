"""Spreadsheets that arrive: the rows as a person sees them, or one sentence; none runs, none fills the memory."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date, datetime

import pytest
import tablib
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.sheets import MOST_UNPACKED, SheetError, csv_of

HEAD = ["name", "born", "seen", "count", "share", "yes"]
ROWS = [
    ["O'Synthetic, Ünal 🙂", date(1980, 2, 29), datetime(2026, 11, 30, 9, 5), 12, 0.5, True],
    ["two\nlines", date(2026, 1, 1), datetime(2026, 11, 30), -3, 2.0, False],
]
READ = [
    ["O'Synthetic, Ünal 🙂", "1980-02-29", "2026-11-30 09:05:00", "12", "0.5", "yes"],
    ["two\nlines", "2026-01-01", "2026-11-30", "-3", "2", "no"],
]


def rows_of(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(csv_of("list", content).decode(), newline="")))


def xlsx(rows: list[list[object]]) -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_sheet_reads_as_the_same_rows_in_csv() -> None:
    """A date that turns into 29280 would make an offender of another birth, and a clock of another day."""
    assert rows_of(xlsx([HEAD, *ROWS])) == [HEAD, *READ]
    data = tablib.Dataset(headers=["name", "born", "count"])
    data.append(["Synthetic", date(1980, 2, 29), 12])
    assert rows_of(data.export("ods")) == [["name", "born", "count"], ["Synthetic", "1980-02-29", "12"]]


def test_a_formula_counts_as_nothing_but_its_last_value() -> None:
    assert rows_of(xlsx([["name"], ["=1+1"], ["kept"]])) == [["name"], [""], ["kept"]]


def test_what_is_no_sheet_stays_as_it_came() -> None:
    assert csv_of("list.csv", b"name\nx\n") == b"name\nx\n"


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * (MOST_UNPACKED + 1))
    return out.getvalue()


def other_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("photo.txt", "x")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (bomb(), "unpacks to more than"),
        (other_zip(), "is no spreadsheet"),
        (b"PK\x03\x04 and nothing", "cannot be read"),
        (xlsx([["a"]])[:-40], "cannot be read"),
        (xlsx([["row"]] * 20_002), "more than 20,000 rows"),
    ],
    ids=["bomb", "archive", "stub", "cut", "long"],
)
def test_what_cannot_be_read_is_named(content: bytes, said: str) -> None:
    with pytest.raises(SheetError, match=said) as caught:
        csv_of("list.xlsx", content)
    assert caught.value.fix and "list.xlsx" in caught.value.what


WHOLE = (xlsx([HEAD, *ROWS]), tablib.Dataset(["Synthetic", 12], headers=["name", "count"]).export("ods"))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_damage_gives_anything_but_rows_or_a_sentence(data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from(WHOLE)))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        csv_of("list", bytes(whole))
    except SheetError as error:
        assert error.what
