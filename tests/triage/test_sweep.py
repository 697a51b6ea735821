"""The pass over the media, held against reading every file through its parser."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.triage.conftest import make_ext

from safelight.demo.diskimages import DiskImage
from safelight.triage.digests import FileDigest, digest_content
from safelight.triage.evidence import Device, open_evidence
from safelight.triage.evidence.raw import RawEvidence
from safelight.triage.model import Extent, FileEntry
from safelight.triage.plain import PlainFiles, lies_in_order
from safelight.triage.sweep import Sweep

KEEP = 1 << 20


def both_ways(path: Path, *, lanes: bool, window: int) -> tuple[int, dict[str, tuple[FileDigest, FileDigest]]]:
    """How many files there are, and each plain one read through the parser and by the pass; the image's digest held."""
    with open_evidence([path]) as evidence:
        device = Device(evidence)
        parsed: dict[int, tuple[FileEntry, FileDigest]] = {}
        total = 0
        for filesystem in device.filesystems:
            plain = PlainFiles(filesystem, evidence)
            for entry in filesystem.entries():
                if not entry.readable or not entry.size or entry.sparse or entry.size > evidence.size:
                    continue
                total += 1
                if lies_in_order(entry, evidence.size) and plain.holds(entry.locator):
                    parsed[len(parsed)] = entry, digest_content(filesystem.content(entry.locator), keep_up_to=KEEP)
        sweep = Sweep(evidence, image=["sha256"], window=window, lanes=lanes)
        found: dict[int, FileDigest] = {}
        for start in range(0, evidence.size, window):
            end = min(start + window, evidence.size)
            files = [
                (number, [[x.offset, x.size] for x in entry.extents])
                for number, (entry, _) in parsed.items()
                if start <= entry.extents[0].offset < end
            ]
            found.update(sweep.window(start, end, files, keep=KEEP))
        whole = hashlib.sha256(evidence.read(0, evidence.size)).hexdigest()
        assert sweep.digests() == {"sha256": whole}
        sweep.close()
    assert set(found) == set(parsed), "every file is given once"
    return total, {entry.path: (was, found[number]) for number, (entry, was) in parsed.items()}


@pytest.mark.parametrize("lanes", [True, False])
@pytest.mark.parametrize("window", [1 << 16, 8 << 20])
def test_the_pass_reads_what_the_parsers_read(demo_devices: dict[str, DiskImage], lanes: bool, window: int) -> None:
    """A file read straight from the disk would get another digest than the file has."""
    kinds = set()
    for device in demo_devices.values():
        if device.file_system in kinds:
            continue
        kinds.add(device.file_system)
        total, pairs = both_ways(device.path, lanes=lanes, window=window)
        assert len(pairs) >= total // 3, f"{device.file_system}: too few files take the quick way"
        for path, (parsed, swept) in pairs.items():
            assert parsed == swept, path


def test_public_images_both_ways(images: Path) -> None:
    """As above, on file systems that we did not make."""
    seen = 0
    for name in ("ext2.raw", "ext2.E01", "image.vhd", "windows_volume.qcow2", "hfsplus.raw", "iso9660.raw"):
        if (images / name).exists():
            _, pairs = both_ways(images / name, lanes=True, window=1 << 20)
            seen += len(pairs)
            assert all(parsed == swept for parsed, swept in pairs.values())
    assert seen > 3


PIECES = st.lists(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 6)), min_size=1, max_size=5), max_size=25)


@settings(max_examples=60, deadline=None)
@given(PIECES, st.integers(0, 511), st.booleans(), st.booleans(), st.integers(1, 5))
def test_files_in_pieces_over_windows(
    tmp_path_factory: pytest.TempPathFactory,
    layout: list[list[tuple[int, int]]],
    cut: int,
    lanes: bool,
    whole: bool,
    pages: int,
) -> None:
    """Scattered files, files that share bytes (deleted ones do) and files over many windows would be read wrongly."""
    size, window = 160 * 512, pages * 4096
    body = np.random.default_rng(7).integers(0, 256, size, dtype=np.uint8).tobytes()
    path = tmp_path_factory.mktemp("s") / "m.raw"
    path.write_bytes(body)
    files: dict[int, list[list[int]]] = {}
    for row, steps in enumerate(layout):
        at, extents = 512 * (row % 20), []
        for gap, length in steps:
            at += gap * 512
            extents.append([at, length * 512])
            at += length * 512
        extents[-1][1] -= cut
        if at <= size:
            files[row] = extents
    evidence = RawEvidence([path])
    sweep = Sweep(evidence, image=["sha256"] if whole else [], window=window, lanes=lanes)
    got: dict[int, FileDigest] = {}
    for start in range(0, size, window):
        end = min(start + window, size)
        here = [(n, x) for n, x in files.items() if start <= x[0][0] < end]
        got.update(sweep.window(start, end, here, keep=0))
    for number, extents in files.items():
        content = b"".join(body[a : a + n] for a, n in extents)
        assert got[number].md5 == hashlib.md5(content).hexdigest()
        assert got[number].sha1 == hashlib.sha1(content).hexdigest()
        assert got[number].sha256 == hashlib.sha256(content).hexdigest()
    assert sweep.digests() == ({"sha256": hashlib.sha256(body).hexdigest()} if whole else None)
    sweep.close()
    evidence.close()


def test_an_image_that_shrinks_meanwhile_is_a_gap_not_a_crash(tmp_path: Path) -> None:
    """A disk that goes away during the run would end it, or pass zeros off as content."""
    path = tmp_path / "m.raw"
    path.write_bytes(os.urandom(1 << 20))
    evidence = RawEvidence([path])
    sweep = Sweep(evidence, window=1 << 20)
    os.truncate(path, 1 << 19)
    ((_, found),) = sweep.window(0, 1 << 20, [(0, [[1 << 18, 1 << 19]])], keep=0)
    assert found.bytes_read == 1 << 19 and evidence.missing.overlaps(1 << 19, 3 << 18)
    sweep.close()


def test_ext_with_holes_takes_the_careful_way(tmp_path: Path) -> None:
    """A sparse file read by its extents alone would lose its holes."""
    source = tmp_path / "sparse.bin"
    with source.open("wb") as out:
        out.write(os.urandom(8192))
        out.seek(1 << 20)
        out.write(os.urandom(8192))
    image = make_ext(tmp_path / "e.img", {"whole.bin": os.urandom(50_000)}, size="8M")
    os.system(f"debugfs -w -R 'write {source} sparse.bin' {image} 2>/dev/null")
    total, pairs = both_ways(image, lanes=True, window=1 << 20)
    assert "whole.bin" in pairs and "sparse.bin" not in pairs and total >= 2


@given(st.permutations(range(6)), st.integers(1, 4000), st.sampled_from([1 << 16, 1 << 20]), st.booleans())
@settings(max_examples=40, deadline=None)
def test_pieces_may_lie_in_any_order(
    tmp_path_factory: pytest.TempPathFactory, places: list[int], last: int, window: int, picture: bool
) -> None:
    """Files that a full disk scattered would be put together wrongly, or read again and again through their parser."""
    path = tmp_path_factory.mktemp("s") / "m.raw"
    step = 16384
    body = bytearray(np.random.default_rng(last).bytes(6 * step))
    if picture:
        body[places[0] * step : places[0] * step + 3] = b"\xff\xd8\xff"
    path.write_bytes(body)
    pieces = [[place * step, 8192] for place in places]
    pieces[-1][1] = last
    size = 5 * 8192 + last
    entry = FileEntry(0, "f", size, "1", extents=tuple(Extent(a, n) for a, n in pieces))
    assert lies_in_order(entry, len(body), window)
    assert lies_in_order(entry, len(body)) is (places == sorted(places))
    assert not lies_in_order(entry, len(body) - 16384, window)
    found: list[tuple[int, FileDigest]] = []
    with open_evidence([path]) as evidence:
        sweep = Sweep(evidence, window=window)
        for start in range(0, len(body), window):
            end = min(start + window, len(body))
            begins = start <= pieces[0][0] < end
            found += sweep.window(start, end, [(0, pieces), (1, [[pieces[0][0], 64]])] if begins else [], keep=1 << 20)
        sweep.close()
    digests = dict(found)
    assert len(found) == 2 and set(digests) == {0, 1}
    want = b"".join(body[a : a + n] for a, n in pieces)
    assert (digests[0].md5, digests[0].sha1) == (hashlib.md5(want).hexdigest(), hashlib.sha1(want).hexdigest())
    assert digests[0].sha256 == hashlib.sha256(want).hexdigest() and digests[0].bytes_read == size
    assert digests[0].body == (want if picture else None)
    assert digests[1].md5 == hashlib.md5(want[:64]).hexdigest()
