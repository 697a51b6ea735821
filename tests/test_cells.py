"""A name from a hostile device or a form must never run in the spreadsheet of whoever opens the list."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from safelight.cells import safe_cell


@given(st.text(" \t\r\n\u00a0", max_size=4), st.sampled_from("=+-@|%＝＋－＠"), st.text(max_size=20))
def test_whatever_could_begin_a_formula_is_text(blanks: str, sign: str, rest: str) -> None:
    made = safe_cell(blanks + sign + rest)
    assert made == "'" + blanks + sign + rest


def test_everything_else_stays_as_it_is() -> None:
    assert [safe_cell(one) for one in ("DCIM/a.jpg", "", None, 7, "a=b")] == ["DCIM/a.jpg", "", "", "7", "a=b"]
    assert safe_cell("\tx") == "'\tx"
