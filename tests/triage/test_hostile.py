"""A small, fixed share of `scripts/trust hostile-evidence`: mutated pictures, bombs and names, all through triage."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.support import hostile

from safelight.triage import FileRecord, triage_device
from safelight.triage.pipeline import Bench


def run(folder: Path, bench: Bench) -> tuple[list[FileRecord], list[str]]:
    """The records of a folder, and all that was said."""
    records: list[FileRecord] = []
    result = triage_device([folder], hash_sets=[], operator="Demo", bench=bench, on_file=records.append)
    return records, [p for r in records for p in r.problems] + [u.reason for u in result.unread]


def test_no_mutated_picture_is_lost_from_the_count(bench: Bench, tmp_path: Path) -> None:
    """A picture that crashes its decoder would take others, or the run, with it."""
    for number in range(240):
        kind = hostile.PICTURE_KINDS[number % len(hostile.PICTURE_KINDS)]
        body = hostile.mutated_picture(hostile.picture(kind), kind, number)
        (tmp_path / f"{number}.{kind.lower()}").write_bytes(body)
    records, _ = run(tmp_path, bench)
    assert len({r.entry.path for r in records}) == 240
    assert all(r.pdq or r.problems or not r.picture for r in records)
    assert sum(r.pdq is not None for r in records) > 40


BOMBS = {
    "42.zip": lambda: hostile.forty_two(2, 8, bytes(1 << 20)),
    "overlap.zip": lambda: hostile.overlapping_zip(2_000, 2 << 20),
    "deep.zip": lambda: hostile._nested(30),
    "zeros.gz": lambda: hostile.zeros_gz(2),
    "dictionary.xz": hostile._xz_big_dictionary,
    "claims.tar": lambda: hostile.sparse_tar(16 << 40),
    "thin.qcow2": lambda: hostile.thin_qcow2(16 << 40),
    "large.png": lambda: hostile.lying_png(60_000, 60_000),
    "large.gif": lambda: b"GIF89a" + b"\xff" * 4 + b"\x80" + bytes(8) + b",\0\0\0\0" + b"\xff" * 4 + b"\0\2\0;",
    "large.jpg": lambda: hostile._jpeg_claiming(65_500),
    "loop.tiff": hostile._tiff_loop,
}


@pytest.mark.parametrize("name", sorted(BOMBS))
def test_a_bomb_hurts_nobody_else(bench: Bench, tmp_path: Path, name: str) -> None:
    """One file would hide everything that lies beside it."""
    (tmp_path / name).write_bytes(BOMBS[name]())
    (tmp_path / "~harmless.png").write_bytes(hostile.picture("PNG"))
    with (tmp_path / "hole.raw").open("wb") as stream:
        stream.truncate(16 << 30)
    records, _ = run(tmp_path, bench)
    assert next(r for r in records if r.entry.path == "~harmless.png").pdq
    assert name in {r.entry.path for r in records}


def test_hostile_names_are_listed_and_nothing_is_written(bench: Bench, tmp_path: Path) -> None:
    """An archive could plant a program on the workstation."""
    names = hostile.hostile_names(80)
    device = tmp_path / "device"
    device.mkdir()
    (device / "names.zip").write_bytes(hostile.zip_of_names(names))
    (device / "names.tar").write_bytes(hostile.tar_of_names(names))
    before = sorted(os.walk(tmp_path))
    records, _ = run(device, bench)
    members = [r for r in records if r.entry.origin == "member"]
    assert len(members) == len(names) + sum("\0" not in n for n in names)
    assert all(r.md5 for r in members)
    assert sorted(os.walk(tmp_path)) == before
