"""If these fail, a mistyped digest is accepted or a good one refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.errors import MatchingError
from safelight.matching.hashtext import excerpt, parse_digest, parse_hex


@given(st.binary(min_size=16, max_size=16), st.booleans(), st.sampled_from(["", " ", "\t", "\r\n"]))
def test_hexadecimal_in_any_case_comes_back(value: bytes, upper: bool, space: str) -> None:
    text = value.hex().upper() if upper else value.hex()
    assert parse_digest("md5", space + text + space) == value


@given(st.text(max_size=70))
def test_any_text_is_a_digest_or_a_clear_refusal(text: str) -> None:
    try:
        assert parse_hex(text, 16, "field").hex() == text.strip().lower()
    except MatchingError as error:
        assert error.what.startswith("field ")


@pytest.mark.parametrize("text", ["0" * 31, "0" * 33, "g" * 32, "0" * 30 + " 0", "٣" * 32, "0x" + "0" * 30])
def test_near_misses_are_refused(text: str) -> None:
    with pytest.raises(MatchingError):
        parse_digest("md5", text)


def test_an_unknown_algorithm_is_named() -> None:
    with pytest.raises(MatchingError, match=r"crc32.*md5"):
        parse_digest("crc32", "00")


def test_an_excerpt_is_short_and_printable() -> None:
    assert excerpt("a\x1b[31m\n" + "b" * 100, 10) == "a?[31m?bbb..."
