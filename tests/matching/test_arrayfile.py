"""If these fail, a damaged or foreign index file is used as if it were whole, and files go unrecognised."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safelight.errors import MatchingError
from safelight.matching.arrayfile import MAGIC, open_arrays, write_arrays

ARRAYS = {"a": np.arange(100, dtype=np.uint64), "b": np.ones((3, 5), np.uint8), "none": np.empty(0, np.uint32)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_arrays(tmp_path / "file", "test", {"n": 1}, ARRAYS)
    return tmp_path / "file"


def with_header(path: Path, header: object) -> None:
    raw = json.dumps(header).encode()
    path.write_bytes(struct.pack("<8sI32s", MAGIC, len(raw), hashlib.sha256(raw).digest()) + raw + bytes(500))


def test_arrays_come_back_read_only(path: Path) -> None:
    meta, arrays = open_arrays(path, "test")
    assert meta == {"n": 1}
    assert all(np.array_equal(arrays[name], ARRAYS[name]) for name in ARRAYS)
    with pytest.raises(ValueError, match="read-only"):
        arrays["a"][0] = 1


def test_no_temporary_file_is_left(path: Path) -> None:
    assert [p.name for p in path.parent.iterdir()] == ["file"]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_any_changed_byte_is_noticed_or_was_padding(path: Path, place: float, flip: int) -> None:
    good = path.read_bytes()
    bad = bytearray(good)
    bad[int(place * len(good))] ^= flip
    other = path.with_name("bad")
    other.write_bytes(bad)
    try:
        _, arrays = open_arrays(other, "test")
    except MatchingError:
        return
    assert all(np.array_equal(arrays[name], ARRAYS[name]) for name in ARRAYS)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_cut_file_is_refused(path: Path, share: float) -> None:
    good = path.read_bytes()
    other = path.with_name("cut")
    other.write_bytes(good[: int(share * len(good))])
    with pytest.raises(MatchingError):
        open_arrays(other, "test")


@pytest.mark.parametrize(
    "header",
    [
        [],
        {"kind": "test"},
        {"kind": "test", "meta": {}, "arrays": [{"name": "a"}]},
        {"kind": "test", "meta": {}, "arrays": [{"name": "a", "type": "|O", "shape": [1], "offset": 0, "sha256": ""}]},
        {
            "kind": "test",
            "meta": {},
            "arrays": [{"name": "a", "type": "|u1", "shape": [-4], "offset": 0, "sha256": ""}],
        },
        {
            "kind": "test",
            "meta": {},
            "arrays": [{"name": "a", "type": "|u1", "shape": [4], "offset": -64, "sha256": ""}],
        },
        {
            "kind": "test",
            "meta": {},
            "arrays": [{"name": "a", "type": "|u1", "shape": [2**62], "offset": 0, "sha256": ""}],
        },
        {"kind": "test", "meta": {}, "arrays": [{"name": "a", "type": "|u1", "shape": "x", "offset": 0, "sha256": ""}]},
    ],
)
def test_a_made_up_header_is_refused(tmp_path: Path, header: object) -> None:
    with_header(tmp_path / "file", header)
    with pytest.raises(MatchingError):
        open_arrays(tmp_path / "file", "test")


def test_another_kind_of_file_is_refused(path: Path) -> None:
    with pytest.raises(MatchingError, match="holds test, not digest index"):
        open_arrays(path, "digest index")
    with pytest.raises(MatchingError, match="cannot be read"):
        open_arrays(path.with_name("absent"), "test")


def test_a_type_that_the_format_does_not_carry_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MatchingError, match="float64"):
        write_arrays(tmp_path / "file", "test", {}, {"a": np.zeros(3)})


def test_an_unwritable_folder_is_a_clear_message(tmp_path: Path) -> None:
    with pytest.raises(MatchingError, match="cannot be written"):
        write_arrays(tmp_path / "absent" / "file", "test", {}, ARRAYS)
