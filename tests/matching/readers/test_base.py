"""If these fail, a flood of bad rows fills the memory, or a hostile file crashes the import."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from matching.conftest import category_of
from safelight.errors import MatchingError
from safelight.matching.readers import read_hash_set
from safelight.matching.readers.base import MAX_REPORTED

_UK = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/UK/$metadata#"
_MEDIA = [
    {"MediaID": n, "Category": n % 5, "MD5": f"{n:032X}", "MediaSize": str(n), "IsDistributed": "true"}
    for n in range(6)
]
_SEEDS = [
    json.dumps({"@odata.context": _UK + "Media", "value": _MEDIA}).encode(),
    json.dumps({"@odata.context": _UK + "Cases", "value": [{"CaseID": "x", "Media": _MEDIA}]}).encode(),
    b"\xef\xbb\xbfmd5;category;size\r\n" + b"".join(b"%032x;%d;7\r\n" % (n, n) for n in range(6)),
    b"".join(b"%032x\n" % n for n in range(6)),
]
_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=40)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(
                ["MD5", "SHA1", "Category", "MediaSize", "Media", "MediaID", "AlternativeHashes", "CaseID"]
            ),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=12,
)
_slow = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def attempt(tmp_path: Path, content: bytes) -> None:
    """Reading ends in a hash set or in our own error, whatever the bytes are."""
    path = tmp_path / "list"
    path.write_bytes(content)
    try:
        result = read_hash_set(path, category_of=category_of)
    except MatchingError as error:
        assert "\n" not in str(error)
        return
    assert len(result.hash_set) > 0


@_slow
@given(st.binary(max_size=400))
@example(b"[" * 100_000)
@example(b'{"value":' + b"[" * 100_000)
@example(b'{"value":[{"MediaSize":' + b"9" * 5000 + b"}]}")
@example(b'{"value":[{"MediaSize":1e999999999,"MD5":"' + b"0" * 32 + b'"}]}')
@example(b'{"value":[{"MD5":"\\ud800"}]}')
@example(b"\x00" * 100)
@example(b"md5\n\x00\n")
@example(b"#\n")
def test_random_bytes_never_crash(tmp_path: Path, content: bytes) -> None:
    attempt(tmp_path, content)


@_slow
@given(
    st.sampled_from(_SEEDS), st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=3), st.integers(0, 4)), max_size=6)
)
def test_mutated_lists_never_crash(tmp_path: Path, seed: bytes, edits: list[tuple[float, bytes, int]]) -> None:
    content = seed
    for place, new, removed in edits:
        at = int(place * len(content))
        content = content[:at] + new + content[at + removed :]
    attempt(tmp_path, content)


@_slow
@given(st.lists(_JSON, max_size=5), st.sampled_from(["Media", "Cases"]))
def test_json_of_any_shape_never_crashes(tmp_path: Path, value: list[object], shape: str) -> None:
    attempt(tmp_path, json.dumps({"@odata.context": _UK + shape, "value": value}).encode())


def test_a_flood_of_bad_rows_is_counted_but_not_all_listed(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("0" * 32 + "\n" + "bad\n" * (MAX_REPORTED + 5))
    result = read_hash_set(path)
    assert (len(result.rejected), result.rejected_count) == (MAX_REPORTED, MAX_REPORTED + 5)


@pytest.mark.parametrize("name", ["absent", ".", "a\x00b"])
def test_what_is_no_file_is_a_clear_message(tmp_path: Path, name: str) -> None:
    with pytest.raises(MatchingError):
        read_hash_set(tmp_path / name)


def test_name_kind_and_provenance_stand_in_the_set(tmp_path: Path) -> None:
    path = tmp_path / "partner list.txt"
    path.write_text("0" * 32 + "\n")
    plain = read_hash_set(path).hash_set
    assert (plain.name, plain.kind, plain.provenance.format) == ("partner list", "known", "text")
    named = read_hash_set(
        str(path), name="Good", kind="known-good", version="3", received_from="A partner", legal_basis="agreement 7"
    ).hash_set
    assert (named.name, named.kind, named.version) == ("Good", "known-good", "3")
    assert (named.provenance.source, named.provenance.received_from) == ("partner list.txt", "A partner")
    with pytest.raises(MatchingError, match="kind"):
        read_hash_set(path, kind="wrong")
