"""A telephone number that whoever copies the database can read, or that can be moved to another person unnoticed."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.casework.ciphers import cipher
from safelight.casework.ciphers.cipher import CipherError
from safelight.casework.ciphers.ring import Ring, new_key
from safelight.casework.ciphers.words import asked, beginning, tokens

RING = Ring((new_key(), new_key()))
OLD = Ring(RING.keys[:1])
PLACE = st.text("abcdefgh_", min_size=1, max_size=12)
TEXT = st.text(max_size=300)


def refused(*place: str, ring: Ring = RING) -> str:
    with pytest.raises(CipherError) as caught:
        cipher.decrypt(ring, *place)
    return str(caught.value)


@given(PLACE, PLACE, TEXT, TEXT)
def test_what_was_encrypted_comes_back_and_stands_nowhere(table: str, column: str, row: str, text: str) -> None:
    made = cipher.encrypt(RING, table, column, row, text)
    assert cipher.decrypt(RING, table, column, row, made) == text
    assert cipher.key_of(made) == RING.newest.id
    assert made != cipher.encrypt(RING, table, column, row, text), "equal values can be seen to be equal"


@given(TEXT, st.tuples(PLACE, PLACE, PLACE), st.tuples(PLACE, PLACE, PLACE))
def test_a_value_moved_elsewhere_is_refused(text: str, here: tuple[str, ...], there: tuple[str, ...]) -> None:
    made = cipher.encrypt(RING, *here, text)
    if here != there:
        assert "moved here" in refused(*there, made)


@given(TEXT, st.data())
def test_a_changed_or_cut_value_is_refused(text: str, data: st.DataObject) -> None:
    made = cipher.encrypt(RING, "t", "c", "r", text)
    head, body = made.rsplit(".", 1)
    raw = bytearray(base64.b64decode(body))
    cut = data.draw(st.integers(0, len(raw) - 1))
    refused("t", "c", "r", f"{head}.{base64.b64encode(raw[:cut]).decode()}")
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert "was changed" in refused("t", "c", "r", f"{head}.{base64.b64encode(raw).decode()}")


@given(TEXT)
def test_whatever_stands_there_is_a_clear_error(text: str) -> None:
    assert refused("t", "c", "r", text)
    assert "version" in refused("t", "c", "r", "v2" + cipher.encrypt(RING, "t", "c", "r", text)[2:])


def test_an_old_key_reads_and_a_lost_one_is_named() -> None:
    made = cipher.encrypt(OLD, "t", "c", "r", "text")
    assert cipher.decrypt(RING, "t", "c", "r", made) == "text"
    assert f"the key {OLD.newest.id}" in refused("t", "c", "r", made, ring=Ring(RING.keys[1:]))


@given(TEXT, TEXT)
def test_marks_are_equal_for_equal_values_of_one_column_only(one: str, other: str) -> None:
    def mark(text: str, column: str = "c", place: int = 0) -> str:
        return cipher.mark(RING.keys[place], "t", column, text)

    assert (mark(one) == mark(other)) == (one == other)
    assert mark(one) != mark(one, "d") and mark(one) != mark(one, place=1) and len(mark(one)) == 22


def test_words_are_found_whole_joined_and_from_their_beginnings() -> None:
    made = set(tokens(RING.newest, "t", "c", ("12 Nettle Row, Flat 3", "n1 9gu")))

    def found(word: str, *, begun: bool = False) -> bool:
        return bool(made & set(asked(RING.keys, "t", "c", word, begun=begun)))

    assert found("nettle") and found("NÉTTLE") and found("n19gu") and found("12")
    assert found("net", begun=True) and not found("net") and not found("ne", begun=True)
    assert not found("n19", begun=True), "the digits of numbers can be walked through"
    assert not found("nettles") and not asked(RING.keys, "t", "c", "'-", begun=False)
    made = set(tokens(RING.newest, "t", "c", ("Mary O'Brien",), [("name", "O'Brien")]))
    assert found("obrien") and found("o brien") and found("brien") and not found("maryobri", begun=True)
    for typed, there in (("o", True), ("O'b", True), ("obrien", True), ("b", False), ("mary", False)):
        assert bool(made & set(beginning(RING.keys, "t", "c", "name", typed))) == there, typed
    assert not beginning(RING.keys, "t", "c", "name", "'") and not made & set(beginning(RING.keys, "t", "c", "x", "o"))
    assert all(one.isascii() and one.isalpha() and len(one) == cipher.TOKEN for one in made)
