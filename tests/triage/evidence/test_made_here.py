"""XFS and exFAT volumes that their own tools make, with content, read bit for bit without mounting anything."""

from __future__ import annotations

import random
import struct
import subprocess
from pathlib import Path

from tests.triage.evidence.reading import read_all
from tests.triage.evidence.test_carving import picture

from safelight.triage.evidence import Device, open_evidence

SMALL, LARGE = b"hello xfs", random.Random(12).randbytes(3_000_001)


def test_xfs_made_here_is_read_bit_for_bit(tmp_path: Path) -> None:
    """The disk of a network store would be listed wrongly or not at all."""
    (tmp_path / "small").write_bytes(SMALL)
    (tmp_path / "large").write_bytes(LARGE)
    rows = "\n".join(f"f{n} ---644 0 0 {tmp_path}/small" for n in range(300))
    (tmp_path / "proto").write_text(
        f"/dev/null\n0 0\nd--755 0 0\na.txt ---644 0 0 {tmp_path}/small\nsub d--755 0 0\n"
        f"b.bin ---644 0 0 {tmp_path}/large\n$\nmany d--755 0 0\n{rows}\n$\n$\n"
    )
    image = tmp_path / "x.img"
    subprocess.run(
        ["mkfs.xfs", "-q", "-p", str(tmp_path / "proto"), "-d", f"file,name={image},size=320m"],
        check=True, capture_output=True,
    )  # fmt: skip
    with open_evidence([image]) as evidence:
        (filesystem,) = Device(evidence).filesystems
        found = {p: s.body for p, s in read_all(filesystem).items()}
        assert found == {"a.txt": SMALL, "sub/b.bin": LARGE, **{f"many/f{n}": SMALL for n in range(300)}}
        assert filesystem.type == "XFS" and filesystem.found == filesystem.expected


def _entry_set(name: str, first: int, size: int, *, live: bool) -> bytes:
    """The directory entries of one file that lies in one piece (exFAT specification, 7.4 to 7.7)."""
    text = name.encode("utf-16-le")
    units = -(-len(text) // 30)
    head = bytearray(struct.pack("<BBHHHIII12x", 0x85, 1 + units, 0, 0x20, 0, 0x5921_0000, 0x5921_0000, 0x5921_0000))
    stream = struct.pack("<BBBBHHQIIQ", 0xC0, 3, 0, len(name), 0, 0, size, 0, first, size)
    names = b"".join(
        struct.pack("<BB30s", 0xC1, 0, text[at : at + 30].ljust(30, b"\0")) for at in range(0, len(text), 30)
    )
    rows = bytearray(head + stream + names)
    total = 0
    for at, byte in enumerate(rows):
        if at not in (2, 3):
            total = ((total & 1) << 15 | total >> 1) + byte & 0xFFFF
    struct.pack_into("<H", rows, 2, total)
    if not live:
        for at in range(0, len(rows), 32):
            rows[at] &= 0x7F
    return bytes(rows)


def test_exfat_made_here_is_read_bit_for_bit_with_deleted_and_lost_files(tmp_path: Path) -> None:
    """Camera cards and USB sticks would be listed wrongly (another reader gets every byte of exFAT wrong)."""
    image = tmp_path / "x.img"
    with image.open("wb") as out:
        out.truncate(16 << 20)
    subprocess.run(["mkfs.exfat", "-c", "4096", str(image)], check=True, capture_output=True)
    raw = bytearray(image.read_bytes())
    heap, _, root = struct.unpack_from("<III", raw, 88)
    base = heap * 512
    listing = base + (root - 2) * 4096
    bitmap = next(
        struct.unpack_from("<I", raw, at + 20)[0] for at in range(listing, listing + 4096, 32) if raw[at] == 0x81
    )
    jpeg = picture("JPEG", (300, 200))
    live, gone, lost = random.Random(13).randbytes(100_001), jpeg, picture("PNG", (90, 90))
    at = next(n for n in range(listing, listing + 4096, 32) if raw[n] == 0)
    for name, first, body, kept in (("live and well.bin", 200, live, True), ("gone.jpg", 400, gone, False)):
        rows = _entry_set(name, first, len(body), live=kept)
        raw[at : at + len(rows)] = rows
        at += len(rows)
        place = base + (first - 2) * 4096
        raw[place : place + len(body)] = body
        if kept:
            for cluster in range(first - 2, first - 2 + -(-len(body) // 4096)):
                raw[base + (bitmap - 2) * 4096 + cluster // 8] |= 1 << cluster % 8
    place = base + 900 * 4096
    raw[place : place + len(lost)] = lost
    image.write_bytes(raw)
    with open_evidence([image]) as evidence:
        filesystem, space = Device(evidence, carve=True).filesystems
        found = read_all(filesystem)
        assert found["live and well.bin"].body == live and found["live and well.bin"].entry.allocated
        assert found["gone.jpg"].body == gone and not found["gone.jpg"].entry.allocated
        assert [s.body for s in read_all(space).values()] == [lost]


def test_a_compressed_ntfs_file_and_its_stream_are_read_bit_for_bit(tmp_path: Path) -> None:
    """Windows compresses folders on its own: such files would be hashed as noise, or their holes as lost."""
    words = b"".join(b"synthetic text %d " % n * 20 for n in range(9000))
    body = words[:400_000] + bytes(300_000) + random.Random(1).randbytes(200_000) + words[400_000:1_100_000]
    image = tmp_path / "n.img"
    subprocess.run(["truncate", "-s", "12M", image], check=True)
    subprocess.run(["mkntfs", "-F", "-q", "-Q", "-C", image], check=True, capture_output=True)
    (tmp_path / "c.bin").write_bytes(body)
    (tmp_path / "s.bin").write_bytes(LARGE[:70_000])
    subprocess.run(["ntfscp", image, tmp_path / "c.bin", "c.bin"], check=True, capture_output=True)
    subprocess.run(["ntfscp", "-N", "hidden", image, tmp_path / "s.bin", "c.bin"], check=True, capture_output=True)
    listing = subprocess.run(["fls", image], check=True, capture_output=True, text=True).stdout
    address = next(line.split()[1].rstrip(":") for line in listing.splitlines() if line.endswith("\tc.bin"))
    said = subprocess.run(["istat", image, address], check=True, capture_output=True, text=True).stdout
    assert "Non-Resident, Compressed" in said and "Allocated Size: 0 " not in said
    with open_evidence([image]) as evidence:
        (filesystem,) = Device(evidence).filesystems
        found = {p: s for p, s in read_all(filesystem).items() if not p.startswith("$")}
        assert {p: s.body for p, s in found.items()} == {"c.bin": body, "c.bin:hidden": LARGE[:70_000]}
        extent = found["c.bin"].entry.extents[0]
        evidence.missing.add(extent.offset, extent.offset + 512, "bad sector")
        locator = found["c.bin"].entry.locator
        content = filesystem.content(locator)
        (hole,) = list(content.under())
        assert hole == (0, 65536, "bad sector"), "16 clusters are compressed as one, and lost as one"
