"""UDF of genisoimage, mkudffs and the specification: the files and bytes that 7-Zip reads, nothing left in silence."""

from __future__ import annotations

import random
import struct
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.triage.evidence.reading import read_all
from tests.triage.evidence.udf_writer import BLOCK, START, Disc, tag

from safelight.errors import EvidenceError
from safelight.triage.evidence import Device, open_evidence
from safelight.triage.evidence.udf import UdfFileSystem
from safelight.triage.evidence.udf_volume import descriptor

RANDOM = random.Random(41)
BIG, SMALL, GONE = RANDOM.randbytes(100_001), b"inside the record", RANDOM.randbytes(5000)
HOLE = RANDOM.randbytes(BLOCK) + bytes(2 * BLOCK) + RANDOM.randbytes(3333)
FILES = {
    "big.bin": BIG, "sub/small.txt": SMALL, "sub/short.bin": BIG[:7000], "sub/deep/hole.bin": HOLE,
    "sub/deep/continued.bin": BIG[:9000], "sub/日本語.txt": b"name in UTF-16", "empty": b"",
}  # fmt: skip


def disc(kind: str) -> Disc:
    """A volume with these files, a deleted one, and a named stream."""
    out = Disc(kind)
    deep = out.folder(
        out.row("hole.bin", out.file(HOLE, how="hole"))
        + out.row("continued.bin", out.file(BIG[:9000], how="continued"))
    )
    sub = out.folder(
        out.row("small.txt", out.file(SMALL, how="inside"))
        + out.row("short.bin", out.file(BIG[:7000], how="long" if kind in ("metadata", "virtual") else "short"))
        + out.row("日本語.txt", out.file(b"name in UTF-16"))
        + out.row("deep", deep, 2)
    )
    stream = out.folder(out.row("rsrc", out.file(b"a named stream", how="inside")))
    big = out.file(BIG, streams=struct.pack("<IIH6x", BLOCK, stream, out.meta))
    out.folder(
        out.row("big.bin", big)
        + out.row("empty", out.file(b"", how="inside"))
        + out.row("gone.jpg", out.file(GONE), 4)
        + out.row("sub", sub, 2),
        root=True,
    )
    return out


@pytest.mark.parametrize("kind", ["plain", "metadata", "virtual", "sparable"])
def test_every_kind_of_partition_is_read_bit_for_bit(tmp_path: Path, kind: str) -> None:
    """Discs, camcorder media and Blu-rays would be unread, or read from the wrong place."""
    image = tmp_path / "d.img"
    image.write_bytes(disc(kind).finish(7, 3))
    with open_evidence([image]) as evidence:
        device = Device(evidence)
        (filesystem,) = device.filesystems
        found = read_all(filesystem)
        live = {p: s.body for p, s in found.items() if s.entry.allocated}
        assert live == {**FILES, "big.bin:rsrc": b"a named stream"}
        assert found["gone.jpg"].body == GONE and not found["gone.jpg"].entry.allocated
        assert filesystem.expected == filesystem.found == 10 and not device.unread_now()
        assert found["sub/small.txt"].entry.times.written == datetime(2025, 6, 1, 12, 30, 15, tzinfo=UTC)
        for path, seen in found.items():
            if seen.entry.extents and path != "sub/deep/hole.bin":
                at = b"".join(evidence.read(x.offset, x.size) for x in seen.entry.extents)
                assert at == seen.body, "extents are places on the media"
        assert filesystem.find("sub/small.txt") == found["sub/small.txt"].entry.locator
        assert filesystem.find("sub/none") is None


def test_seven_zip_reads_what_the_tests_write(tmp_path: Path) -> None:
    """The reader would be held against a layout that only the tests know (7-Zip opens plain partitions only)."""
    image, out = tmp_path / "d.img", tmp_path / "out"
    image.write_bytes(disc("plain").finish(7, 3))
    # It extracts everything and then complains of the frame, which has only the descriptors that a reader needs.
    subprocess.run(["7zz", "x", "-tudf", f"-o{out}", image], check=False, capture_output=True)
    found = {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()}
    unknown = {"sub/deep/hole.bin", "sub/deep/continued.bin"}  # It gives nothing of holes and continuations.
    assert found.keys() == FILES.keys()
    assert {p: b for p, b in found.items() if p not in unknown} == {p: FILES[p] for p in FILES if p not in unknown}


def test_a_bridge_disc_is_listed_once_as_seven_zip_has_it(tmp_path: Path) -> None:
    """A video disc would be read by its short ISO names, or every file twice."""
    source, out, image = tmp_path / "s", tmp_path / "out", tmp_path / "d.iso"
    for number in range(30):
        path = source / f"folder {number % 3}" / f"a long name of file {number} ü.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(RANDOM.randbytes(number * 321))
    subprocess.run(["genisoimage", "-quiet", "-udf", "-J", "-R", "-o", image, source], check=True, capture_output=True)
    subprocess.run(["7zz", "x", "-tudf", f"-o{out}", image], check=True, capture_output=True)
    with open_evidence([image]) as evidence:
        device = Device(evidence)
        udf, iso = device.filesystems
        assert {p: s.body for p, s in read_all(udf).items()} == {
            str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()
        }
        assert udf.expected == udf.found and not list(iso.entries()) and not device.unread_now()


@pytest.mark.parametrize(
    "options", [["-r", "1.02", "-b", "512"], ["-r", "2.01", "-b", "4096"], ["-m", "dvdram"], ["-m", "cdr", "--closed"]]
)
def test_volumes_of_mkudffs_open(tmp_path: Path, options: list[str]) -> None:
    """Other block sizes and revisions would not be recognised."""
    image = tmp_path / "m.img"
    subprocess.run(["truncate", "-s", "24M", image], check=True)
    subprocess.run(["mkudffs", *options, image], check=True, capture_output=True)
    with open_evidence([image]) as evidence:
        device = Device(evidence)
        (filesystem,) = device.filesystems
        assert filesystem.type == "UDF" and not [e for e in filesystem.entries() if e.size]
        assert not device.unread_now() and filesystem.expected in (None, filesystem.found)


def test_damage_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    """A scratched disc would be listed short in silence."""
    out = disc("plain")
    body = bytearray(out.finish(7, 3))
    record = next(
        at for at in range(START * BLOCK, len(body), BLOCK)
        if descriptor(bytes(body[at : at + BLOCK]), (266,)) and SMALL in body[at : at + BLOCK]
    )  # fmt: skip
    body[record + 60] ^= 1
    name = body.index(b"\x08continued.bin")
    body[name + 3] ^= 1
    image = tmp_path / "d.img"
    image.write_bytes(body)
    with open_evidence([image]) as evidence:
        device = Device(evidence)
        (filesystem,) = device.filesystems
        found = {p: s.body for p, s in read_all(filesystem).items() if s.entry.allocated}
        lost = {"sub/small.txt", "sub/deep/continued.bin"}
        assert {p: b for p, b in found.items() if ":" not in p} == {p: b for p, b in FILES.items() if p not in lost}
        reasons = [(p.path, p.reason) for p in device.unread_now()]
        assert any(path == "sub/small.txt" and "record is damaged" in why for path, why in reasons)
        assert any(path == "sub/deep" and "of its listing are damaged" in why for path, why in reasons)
        assert filesystem.expected != filesystem.found


def test_bad_sectors_under_a_file_are_holes_of_it(tmp_path: Path) -> None:
    """Zeros would be hashed as if they were the file."""
    image = tmp_path / "d.img"
    image.write_bytes(disc("plain").finish(7, 3))
    with open_evidence([image]) as evidence:
        (filesystem,) = Device(evidence).filesystems
        entry = next(e for e in filesystem.entries() if e.path == "big.bin")
        at = entry.extents[0].offset
        evidence.missing.add(at + 4096, at + 4608, "bad sector")
        content = filesystem.content(entry.locator)
        assert list(content.under()) == [(4096, 4608, "bad sector")]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_damage_brings_the_reader_down(tmp_path: Path, data: st.DataObject) -> None:
    """A crafted disc would end the run with a traceback, or hold it for ever."""
    kind = data.draw(st.sampled_from(sorted(_WHOLE)))
    whole = _WHOLE[kind]
    body = bytearray(whole)
    used = [at for at in range(16 * BLOCK, len(whole), BLOCK) if whole[at : at + BLOCK].strip(b"\0")]
    for _ in range(3):
        at = data.draw(st.sampled_from(used)) + data.draw(st.integers(0, 300))
        body[at : at + 4] = data.draw(st.binary(min_size=4, max_size=4))
        start = at // BLOCK * BLOCK
        if data.draw(st.booleans()):  # A checksum that fits, so that the values behind it are met.
            body[start : start + BLOCK] = _sealed(bytes(body[start : start + BLOCK]))
    image = tmp_path / "d.img"
    image.write_bytes(body)
    with open_evidence([image]) as evidence:
        try:
            filesystem = UdfFileSystem(0, 0, evidence, 0, evidence.size)
        except EvidenceError:
            return
        for number, entry in enumerate(filesystem.entries()):
            assert number < 1000
            if entry.readable and entry.size < 1 << 20:
                filesystem.content(entry.locator).read(0, entry.size)


def _sealed(block: bytes) -> bytes:
    kind, length, place = struct.unpack_from("<H8xHI", block)
    fixed = tag(kind, block[16 : 16 + min(length, len(block) - 16)], place)
    return fixed + block[len(fixed) :]


_WHOLE = {kind: disc(kind).finish(7, 3) for kind in ("plain", "metadata", "virtual", "sparable")}
