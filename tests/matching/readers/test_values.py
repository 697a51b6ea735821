"""If these fail, a loose value of a partner's file is read as something it does not say."""

from __future__ import annotations

from decimal import Decimal

import pytest

from safelight.matching.readers.values import read_flag, read_number, read_text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        ("true", True),
        (" YES ", True),
        ("False", False),
        ("0", False),
        (1, None),
        ("perhaps", None),
        (None, None),
    ],
)
def test_flags(value: object, expected: bool | None) -> None:
    assert read_flag(value) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5),
        ("5", 5),
        (" -5 ", -5),
        (Decimal("5.0"), 5),
        (Decimal("5.5"), None),
        (Decimal("NaN"), None),
        (Decimal("1e999999999999"), None),
        (Decimal("-1e999999999999"), None),
        (Decimal("1e-999999999999"), None),
        (10**30, None),
        ("9" * 5000, None),
        ("٣", None),
        ("1_0", None),
        (True, None),
        (None, None),
    ],
)
def test_numbers(value: object, expected: int | None) -> None:
    assert read_number(value) == expected


def test_text() -> None:
    assert read_text(" a ") == "a"
    assert read_text(["a", " ", 5, "b "]) == "a,b"
    assert read_text({"a": 1}) == ""
