"""Long lists are built on disk: the same set as in memory, resumable, and nothing left of a broken file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from safelight.errors import MatchingError
from safelight.matching import HashSet, engines, read_hash_set, spool
from safelight.matching.hashset import PDQ_FILE


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "FLUSH", 40)
    monkeypatch.setattr(engines, "SMALL", 50)


def digest(name: str, number: int) -> str:
    return hashlib.new(name, b"%d" % number).hexdigest()


def listed(path: Path, rows: int = 300) -> Path:
    lines = ["md5,sha256,pdq,size,category,series,photodna,distributed"]
    for n in range(rows):
        pdq = digest("sha256", n + 9000) if n % 3 == 0 else ""
        lines.append(
            f"{digest('md5', n)},{digest('sha256', n) if n % 2 else ''},{pdq},{n},{'ABC'[n % 3]},S{n % 7},P{n},yes"
        )
        if n % 50 == 0:
            lines.append(f"{'z' * 32},,,,,,,")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_set_built_on_disk_is_the_set_built_in_memory(tmp_path: Path, small_steps: None) -> None:
    """A list of 100 million must mean the same as one of a hundred: same root, same entries, same answers."""
    path = listed(tmp_path / "list.csv")
    memory, stored = read_hash_set(path), read_hash_set(path, store=tmp_path / "set")
    ours = HashSet.open(tmp_path / "set")
    assert ours.root == memory.hash_set.root == stored.hash_set.root
    assert list(ours) == list(memory.hash_set)
    assert stored.rejected == memory.rejected and stored.rejected_count == 6
    for row in (0, 77, 299):
        assert ours.digest_index("md5").lookup(bytes.fromhex(digest("md5", row))) == [row]
    assert ours.digest_index("sha256").lookup(bytes.fromhex(digest("sha256", 8))) == []
    code = bytes.fromhex(digest("sha256", 9299 - 2))
    assert [ours.pdq_row(at) for at, _ in ours.pdq_index().query(code)] == [297]
    assert ours.pdq_index().made_of == ours.root
    assert not list(tmp_path.glob(".*")), "nothing may be left of the import"


def test_every_row_that_was_left_out_lies_in_quarantine(tmp_path: Path, small_steps: None) -> None:
    """Somebody must be able to ask the supplier about a row: counting it is not enough."""
    read_hash_set(listed(tmp_path / "list.csv"), store=tmp_path / "set")
    rows = [json.loads(line) for line in (tmp_path / "set" / "quarantine.jsonl").read_text().splitlines()]
    assert [row["where"] for row in rows] == [f"row {n}" for n in (3, 54, 105, 156, 207, 258)]
    assert all("not hexadecimal" in row["reason"] for row in rows)


class Stopped(Exception):
    """The power went."""


def test_an_interrupted_import_goes_on_where_it_stopped(
    tmp_path: Path, small_steps: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hours of reading a national list must not be lost to a restart, nor a row be doubled by it."""
    path = listed(tmp_path / "list.csv")
    whole = read_hash_set(path)
    add, taken = spool.SpooledBuilder.add, []

    def fragile(self: Any, entry: Any) -> None:
        if len(taken) == 190:
            raise Stopped
        taken.append(entry)
        add(self, entry)

    monkeypatch.setattr(spool.SpooledBuilder, "add", fragile)
    with pytest.raises(Stopped):
        read_hash_set(path, store=tmp_path / "set")
    assert not (tmp_path / "set").exists()
    taken.clear()
    again = read_hash_set(path, store=tmp_path / "set")
    assert len(taken) == 300 - 160, "rows before the mark are not built again"
    assert again.hash_set.root == whole.hash_set.root and list(again.hash_set) == list(whole.hash_set)
    assert again.rejected == whole.rejected
    assert len((tmp_path / "set" / "quarantine.jsonl").read_text().splitlines()) == 6


def test_another_file_begins_anew(tmp_path: Path, small_steps: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of yesterday's list must not end in today's."""
    path = listed(tmp_path / "list.csv")

    def stop(self: Any, kept: Any) -> None:
        mark(self, kept)
        raise Stopped

    mark = spool.SpooledBuilder.mark
    with monkeypatch.context() as patched:
        patched.setattr(spool.SpooledBuilder, "mark", stop)
        with pytest.raises(Stopped):
            read_hash_set(path, store=tmp_path / "set")
    listed(path, rows=100)
    assert len(read_hash_set(path, store=tmp_path / "set").hash_set) == 100


def test_a_truncated_file_leaves_the_last_good_set_in_use(tmp_path: Path, small_steps: None) -> None:
    """A broken download must not replace, or half replace, a good list."""
    path = listed(tmp_path / "list.csv")
    good = read_hash_set(path, store=tmp_path / "set").hash_set.root
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(MatchingError, match="breaks off"):
        read_hash_set(path, store=tmp_path / "set")
    assert HashSet.open(tmp_path / "set").root == good
    assert not list(tmp_path.glob(".*"))


def test_a_perceptual_index_of_another_list_is_not_used(tmp_path: Path, small_steps: None) -> None:
    """A crash between two files of an import must not pair a list with another list's index."""
    read_hash_set(listed(tmp_path / "list.csv"), store=tmp_path / "set")
    read_hash_set(listed(tmp_path / "other.csv", rows=200), store=tmp_path / "other")
    (tmp_path / "other" / PDQ_FILE).replace(tmp_path / "set" / PDQ_FILE)
    ours = HashSet.open(tmp_path / "set")
    assert ours.pdq_index().made_of == ""
    assert len(ours.pdq_index().query(bytes.fromhex(digest("sha256", 9297)))) == 1
