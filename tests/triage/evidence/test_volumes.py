"""Volume tables made by their own programs: every volume where the program says, its files read, damage named."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path

import pytest
from tests.triage.conftest import make_ext
from tests.triage.evidence.reading import read_all

from safelight.triage.evidence import Device, open_evidence

BODIES = {n: random.Random(n).randbytes(50_000 + n) for n in range(5)}
SCRIPTS = {
    "MBR": "label: dos\nsize=4M, type=83\nsize=4M, type=7\nsize=16M, type=5\nsize=4M, type=83\nsize=4M, type=c\n",
    "GPT": "label: gpt\n" + "size=4M, type=L\n" * 5,
}


def disk(folder: Path, kind: str) -> tuple[Path, list[tuple[int, int]]]:
    """A disk with four or five volumes by sfdisk, each with a file of its own; their places."""
    image = folder / "d.dd"
    with image.open("wb") as out:
        out.truncate(40 << 20)
    subprocess.run(["sfdisk", "-q", image], input=SCRIPTS[kind], text=True, check=True, capture_output=True)
    said = subprocess.run(["sfdisk", "-J", image], check=True, capture_output=True, text=True).stdout
    rows = [r for r in json.loads(said)["partitiontable"]["partitions"] if r["type"] != "5"]
    places = [(int(r["start"]) * 512, int(r["size"]) * 512) for r in rows]
    with image.open("r+b") as out:
        for number, (at, _) in enumerate(places):
            body = make_ext(folder / f"{number}.img", {f"{number}.bin": BODIES[number]}, size="2M").read_bytes()
            out.seek(at)
            out.write(body)
    return image, places


def _file_of(place: int, places: list[tuple[int, int]]) -> int:
    return [at for at, _ in places].index(place)


@pytest.mark.parametrize("kind", SCRIPTS)
def test_every_volume_of_a_table_is_found_where_its_program_put_it(tmp_path: Path, kind: str) -> None:
    """A logical volume of an old disk, or the fifth of a new one, would not be looked at."""
    image, places = disk(tmp_path, kind)
    with open_evidence([image]) as evidence:
        device = Device(evidence)
        volumes = [v for v in device.volumes if v.kind == "volume"]
        assert [(v.offset, v.size) for v in volumes] == sorted(places) and {v.scheme for v in volumes} == {kind}
        assert len(device.filesystems) == len(places) == (4 if kind == "MBR" else 5)
        for filesystem in device.filesystems:
            number = _file_of(filesystem.offset, places)
            found = {p: s.body for p, s in read_all(filesystem).items() if s.entry.size}
            assert found == {f"{number}.bin": BODIES[number]}
        assert not device.unread_now()


def test_a_gpt_whose_first_copy_is_damaged_is_read_by_its_second(tmp_path: Path) -> None:
    """One bad sector at the start of a disk would lose all volumes."""
    image, places = disk(tmp_path, "GPT")
    with image.open("r+b") as out:
        out.seek(512)
        out.write(bytes(512))
    with open_evidence([image]) as evidence:
        device = Device(evidence)
        found = [(v.offset, v.size) for v in device.volumes if v.kind == "volume"]
        assert found == places and len(device.filesystems) == 5
        assert "the second, at the end, was used" in device.problems[0].what
    with image.open("r+b") as out:
        out.seek(-512, 2)
        out.write(bytes(512))
    with open_evidence([image]) as evidence:
        device = Device(evidence)
        assert not device.filesystems and sum(p.size or 0 for p in device.unread_now()) >= 39 << 20
        assert "neither copy" in device.problems[0].what
