"""Shadow copies: every older version of a file once, bit for bit, and nothing that is the same as now."""

from __future__ import annotations

import hashlib
import random
import subprocess
from pathlib import Path

import pytest
from tests.triage.conftest import known_set
from tests.triage.evidence.reading import read_all
from tests.triage.evidence.shadow_writer import BLOCK, HEADER, header, with_shadows

from safelight.triage import TriageSettings, triage_device
from safelight.triage.evidence import Device, open_evidence
from safelight.triage.evidence.shadow import ShadowFiles
from safelight.triage.pipeline import Bench

SIZE = 6 << 20
RANDOM = random.Random(51)
ONE, NEWER, NEWEST = (RANDOM.randbytes(n) for n in (100_000, 70_000, 50_000))
SAME, SMALL, SMALLER = RANDOM.randbytes(90_000), b"inside the record, first", b"inside the record, later"


def _copy(image: Path, name: str, body: bytes) -> bytes:
    (image.parent / "f").write_bytes(body)
    subprocess.run(["ntfscp", image, image.parent / "f", name], check=True, capture_output=True)
    return image.read_bytes()


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[bytes]]:
    """A volume with two shadow copies, and its three states."""
    folder = tmp_path_factory.mktemp("shadow")
    image = folder / "n.img"
    subprocess.run(["truncate", "-s", str(SIZE), image], check=True)
    subprocess.run(["mkntfs", "-F", "-q", "-Q", image], check=True, capture_output=True)
    body = bytearray(image.read_bytes())
    body[HEADER : HEADER + 512] = header(SIZE)
    image.write_bytes(body)
    # Files of an earlier time fill the table's first blocks, so that a changed record leaves others alone.
    for number in range(40):
        _copy(image, f"filler{number}.bin", RANDOM.randbytes(2000))
    _copy(image, "same.bin", SAME)
    for number in range(40, 60):
        _copy(image, f"filler{number}.bin", RANDOM.randbytes(2000))
    _copy(image, "one.bin", ONE)
    states = [_copy(image, "small.txt", SMALL)]
    states.append(_copy(image, "one.bin", NEWER))
    _copy(image, "small.txt", SMALLER)
    states.append(_copy(image, "one.bin", NEWEST))
    path = folder / "v.img"
    path.write_bytes(with_shadows(states, 16 << 20))
    return path, states


def test_every_older_version_is_read_bit_for_bit_and_once(volume: tuple[Path, list[bytes]]) -> None:
    """A file that the suspect overwrote last week would be lost, though Windows kept it."""
    path, states = volume
    with open_evidence([path]) as evidence:
        device = Device(evidence)
        now, newer, older = device.filesystems
        assert isinstance(newer, ShadowFiles) and isinstance(older, ShadowFiles)
        live = {p: s.body for p, s in read_all(now).items()}
        assert (live["one.bin"], live["small.txt"], live["same.bin"]) == (NEWEST, SMALLER, SAME)
        first = {p: s.body for p, s in read_all(older).items()}
        second = {p: s.body for p, s in read_all(newer).items()}
        assert (first["one.bin"], second["one.bin"]) == (ONE, NEWER)
        assert second["small.txt"] == SMALL
        for shadow, found in ((older, first), (newer, second)):
            assert "same.bin" not in found and "filler3.bin" not in found
            assert not any(p.startswith("$") and not p.startswith("$Orphan") for p in found)
            assert any("are not given again" in note for note in shadow.notes)
        assert "2026-05-01" in " ".join(older.notes) and "2026-05-02" in " ".join(newer.notes)
        assert not device.unread_now()


def test_each_state_as_a_whole_is_what_the_volume_was(volume: tuple[Path, list[bytes]]) -> None:
    """A block would be taken from the wrong time."""
    path, states = volume
    with open_evidence([path]) as evidence:
        _, newer, older = Device(evidence).filesystems
        for shadow, state in ((older, states[0]), (newer, states[1])):
            assert isinstance(shadow, ShadowFiles)
            assert shadow._evidence.read(0, SIZE) == state


def test_a_listed_file_in_a_shadow_copy_is_a_finding(volume: tuple[Path, list[bytes]]) -> None:
    """The run would list shadow copies and not search them."""
    known = known_set(md5=hashlib.md5(ONE).digest())
    with Bench(TriageSettings(picture_workers=1)) as bench:
        result = triage_device([volume[0]], hash_sets=[known], operator="Demo Examiner", bench=bench)
    assert [f.path for f in result.findings] == ["one.bin"]
    assert any("shadow copy" in f.type for f in result.filesystems)


def test_a_bad_sector_under_a_kept_block_is_a_hole_there_and_nowhere_else(volume: tuple[Path, list[bytes]]) -> None:
    """Zeros would be hashed as if they were the older version; or every shadow copy would be lost to one sector."""
    path, states = volume
    place = path.read_bytes().index(ONE[20_000:20_064], SIZE) // BLOCK * BLOCK
    with open_evidence([path]) as evidence:
        evidence.missing.add(place, place + 512, "bad sector")
        _, newer, older = Device(evidence).filesystems
        assert read_all(newer)["one.bin"].holes == []
        holes = read_all(older)["one.bin"].holes
        assert len(holes) == 1 and 0 < holes[0][1] - holes[0][0] <= 4096 and "bad sector" in holes[0][2]


def test_damaged_books_of_shadow_copies_are_named(volume: tuple[Path, list[bytes]], tmp_path: Path) -> None:
    """Older states would be passed over in silence."""
    body = bytearray(volume[0].read_bytes())
    body[SIZE : SIZE + 24] = bytes(24)
    (tmp_path / "v.img").write_bytes(body)
    with open_evidence([tmp_path / "v.img"]) as evidence:
        (part,) = Device(evidence).unread_now()
        assert "shadow copies" in part.what and "cannot be opened" in part.reason
