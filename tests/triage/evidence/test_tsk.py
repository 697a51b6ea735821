"""File systems against The Sleuth Kit's own command line: the same files, the same bytes."""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from tests.triage.conftest import make_ext

from safelight.triage.evidence import Device, open_evidence
from safelight.triage.evidence.filesystem import FileSystemReader
from safelight.triage.model import FileEntry


def contents(filesystem: FileSystemReader) -> dict[str, tuple[FileEntry, str]]:
    """Every entry by path, with the MD5 of its content."""
    found = {}
    for entry in filesystem.entries():
        body = b""
        if entry.readable and entry.size and not entry.sparse:
            content = filesystem.content(entry.locator)
            body = content.read(0, content.size)
        found[entry.path] = (entry, hashlib.md5(body).hexdigest())
    return found


def sleuth_kit(raw: Path, offset: int) -> tuple[Counter[str], dict[str, str]]:
    """Paths of files that `fls` lists (live and deleted), and the MD5 that `icat` gives for each address."""
    listing = subprocess.run(
        ["fls", "-r", "-p", "-o", str(offset // 512), str(raw)], check=True, capture_output=True, text=True
    ).stdout
    paths: Counter[str] = Counter()
    digests = {}
    for line in listing.splitlines():
        match = re.match(r"^([-r])/(r) (\* )?([\d-]+)(\(realloc\))?:\t(.*)$", line)
        if not match or match[6].endswith("(Volume Label Entry)"):
            continue
        if match[4].count("-") == 2 and match[4].split("-")[1] != "128":
            continue  # An index of NTFS, not content.
        paths[match[6]] += 1
        body = subprocess.run(["icat", "-r", "-o", str(offset // 512), str(raw), match[4]], capture_output=True).stdout
        digests[match[6]] = hashlib.md5(body).hexdigest()
    return paths, digests


@pytest.mark.parametrize(
    "name",
    ["ext2.E01", "ext2.split.E01", "ext2.qcow2", "ext2.vmdk", "image.vhd", "windows_volume.qcow2", "hfsplus.raw",
     "hfsplus_zlib.dmg", "iso9660.raw"],
)  # fmt: skip
def test_every_file_and_byte_as_the_sleuth_kit_has_it(images: Path, tmp_path: Path, name: str) -> None:
    """Files would be missed, or read wrongly, on images that others made."""
    with open_evidence([images / name]) as evidence:
        raw = tmp_path / "media.raw"
        raw.write_bytes(evidence.read(0, evidence.size))
        (filesystem,) = Device(evidence).filesystems
        ours = contents(filesystem)
        paths, digests = sleuth_kit(raw, filesystem.offset)
        assert paths, "the other tool should list something"
        streams = {p: md5 for p, (e, md5) in ours.items()}
        for path in paths:
            if path.startswith("$OrphanFiles/") and digests[path] == hashlib.md5(b"").hexdigest():
                continue  # A record that was never used.
            assert path in streams, f"{path} is missing"
            entry = ours[path][0]
            if entry.readable and not entry.sparse and entry.allocated:
                assert streams[path] == digests[path], path
        for path, (entry, _) in ours.items():
            listed = path in paths or ":" in path or path.startswith("$OrphanFiles/") or not entry.readable
            assert listed or filesystem.type == "NTFS" and path.startswith("$"), (
                f"{path} is not known to the other tool"
            )
        if filesystem.expected is not None:
            assert filesystem.found == filesystem.expected


def test_ntfs_alternate_streams_are_files_of_their_own(images: Path) -> None:
    """A picture hidden in an alternate stream would never be read."""
    with open_evidence([images / "windows_volume.qcow2"]) as evidence:
        (filesystem,) = Device(evidence).filesystems
        ours = contents(filesystem)
        assert ours["$Secure:$SDS"][0].size == 262396
        assert ours["$BadClus:$Bad"][0].sparse


def test_ext4_made_here_is_read_bit_for_bit_with_hard_links_counted_once(tmp_path: Path) -> None:
    """Counts would double, or a large or odd-named file would be read wrongly."""
    import random

    rng = random.Random(4)
    files = {
        "tiny.txt": b"x",
        "large.bin": rng.randbytes(1_500_000),
        "deep/" * 20 + "leaf.bin": rng.randbytes(5000),
        "na\nme \x07.txt": b"control characters",
        "ünï/£.txt": b"accents",
    }
    image = make_ext(tmp_path / "e.img", files, size="8M")
    with open_evidence([image]) as evidence:
        (filesystem,) = Device(evidence).filesystems
        ours = contents(filesystem)
        want = Counter(hashlib.md5(b).hexdigest() for b in files.values())
        assert Counter(md5 for e, md5 in ours.values() if e.size) == want
        assert "na\\nme \\x07.txt" in ours, "control characters are shown as escapes"
        assert filesystem.found == filesystem.expected
        large = ours["large.bin"][0]
        joined = b"".join(evidence.read(x.offset, x.size) for x in large.extents)
        assert joined == files["large.bin"], "extents say where on the media the bytes are"
        assert all(t is not None and t.tzinfo is not None for t in (large.times.written, large.times.accessed))


def test_hard_links_are_one_file_with_names(tmp_path: Path) -> None:
    """One file would be counted and reported as several."""
    import os
    import shutil

    source = tmp_path / "files"
    source.mkdir()
    (source / "a.txt").write_bytes(b"same")
    os.link(source / "a.txt", source / "b.txt")
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", str(source), str(tmp_path / "e.img"), "2M"], check=True)
    shutil.rmtree(source)
    with open_evidence([tmp_path / "e.img"]) as evidence:
        (filesystem,) = Device(evidence).filesystems
        (entry,) = [e for e in filesystem.entries() if e.size]
        assert {entry.path, *filesystem.more_names[entry.locator]} == {"a.txt", "b.txt"}


def test_a_file_deleted_from_fat_is_listed_and_read(tmp_path: Path) -> None:
    """Deleted pictures on a camera card would be lost."""
    image, body = tmp_path / "f.img", b"deleted content " * 500
    (tmp_path / "gone.txt").write_bytes(body)
    subprocess.run(["mkfs.vfat", "-C", str(image), "2048"], check=True, capture_output=True)
    subprocess.run(["mcopy", "-i", str(image), str(tmp_path / "gone.txt"), "::GONE.TXT"], check=True)
    subprocess.run(["mdel", "-i", str(image), "::GONE.TXT"], check=True)
    with open_evidence([image]) as evidence:
        (filesystem,) = Device(evidence).filesystems
        (entry,) = [e for e in filesystem.entries() if e.size]
        assert not entry.allocated and entry.path.endswith("ONE.TXT")
        assert filesystem.content(entry.locator).read(0, len(body)) == body
