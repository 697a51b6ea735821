"""If these fail, one hostile file takes all the memory of the machine that imports lists."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.errors import MatchingError
from safelight.matching.readers.jsonstream import MAX_DEPTH, MAX_TEXT, _Guard, starts_array, stream_items

values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.text('a"\\[]{}ü\n', max_size=12)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text("a[", max_size=4), inner, max_size=3)),
    max_leaves=15,
)


def items(content: bytes, prefix: str = "value") -> list[object]:
    return list(stream_items(lambda: io.BytesIO(content), "list.json", prefix))


@settings(max_examples=200, deadline=None)
@given(values, st.integers(1, 9), st.booleans())
def test_the_guard_changes_nothing_and_ends_at_depth_nought(value: object, room: int, mark: bool) -> None:
    content = json.dumps({"value": value}, ensure_ascii=False).encode()
    guard = _Guard(io.BytesIO((b"\xef\xbb\xbf" if mark else b"") + content), "list.json")
    read = b"".join(iter(lambda: guard.read(room), b""))
    assert read == content
    assert (guard._depth, guard._text) == (0, 0)
    assert items(content) == [value]


def test_nesting_is_bounded_and_brackets_in_texts_do_not_count() -> None:
    deep: object = 1
    for _ in range(MAX_DEPTH - 1):
        deep = [deep]
    assert items(json.dumps({"value": deep}).encode()) == [deep]
    with pytest.raises(MatchingError, match="nested more than"):
        items(json.dumps({"value": [deep]}).encode())
    with pytest.raises(MatchingError, match="nested more than"):
        items(b'{"value":' + b"[" * 1_000_000)
    text = '["{' * 200_000 + "\\"
    assert items(json.dumps({"value": text}).encode()) == [text]


def test_an_endless_text_is_refused() -> None:
    with pytest.raises(MatchingError, match="single text"):
        items(b'{"value":"' + b"a" * (MAX_TEXT + 200_000) + b'"}')


@pytest.mark.parametrize("digits", [401, 5000, 200_000])
def test_an_endless_number_is_refused(digits: int) -> None:
    """The parser's compiled half ends the process on a whole number of more than 4,300 digits."""
    for number in (b"9" * digits, b"-" + b"9" * digits, b"1e" + b"9" * digits):
        with pytest.raises(MatchingError, match="number of more than 400 digits"):
            items(b'{"value":[' + b" " * 65_300 + number + b"]}")
    assert items(b'{"value":"' + b"9" * digits + b'"}') == ["9" * digits]


def test_a_list_is_told_from_other_things() -> None:
    assert starts_array(lambda: io.BytesIO(b'{"value":[1]}'), "list.json", "value")
    assert not starts_array(lambda: io.BytesIO(b'{"value":{}}'), "list.json", "value")
