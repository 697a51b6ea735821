"""Virtual disks: the same media from every container, and no way from a header to other files of this computer."""

from __future__ import annotations

import hashlib
import random
import struct
import subprocess
import uuid
from pathlib import Path

import pytest
from tests.triage.evidence.test_luks import Memory

from safelight.errors import EvidenceError
from safelight.triage.evidence import allocated, open_evidence
from safelight.triage.places import merged, without


def test_one_file_system_in_four_containers_is_the_same_media(images: Path) -> None:
    """A container would be read wrongly."""
    digests = {}
    for name in ("ext2.E01", "ext2.split.E01", "ext2.qcow2", "ext2.vmdk"):
        with open_evidence([images / name]) as evidence:
            digests[name] = hashlib.md5(evidence.read(0, evidence.size)).hexdigest()
            assert not evidence.unread()
    assert len(set(digests.values())) == 1, digests
    assert digests["ext2.E01"] == "196066add11fb71c4c49cf1bb50d6d24"


def test_a_qcow2_overlay_never_opens_a_parent_elsewhere(images: Path, tmp_path: Path) -> None:
    """An image could make the tool read the workstation's own disk as evidence."""
    body = bytearray((images / "ext2.qcow2").read_bytes())
    secret = tmp_path / "secret.raw"
    secret.write_bytes(b"not evidence" * 1000)
    folder = tmp_path / "evidence"
    folder.mkdir()
    (folder / "link.raw").symlink_to(secret)
    for name in (str(secret), "../secret.raw", "link.raw", "/dev/zero", "json:{}"):
        body[400:1000] = name.encode().ljust(600, b"\0")
        struct.pack_into(">QI", body, 8, 400, len(name))
        (folder / "a.qcow2").write_bytes(body)
        with pytest.raises(EvidenceError, match="overlay|cannot be opened"):
            open_evidence([folder / "a.qcow2"])


def _qemu(*words: str | Path) -> None:
    subprocess.run([str(word) for word in words], check=True, capture_output=True)


def _flat(image: Path) -> bytes:
    """What QEMU itself reads."""
    out = image.with_suffix(".flat")
    _qemu("qemu-img", "convert", "-O", "raw", image, out)
    return out.read_bytes()


def _whole(image: Path) -> tuple[bytes, str]:
    with open_evidence([image]) as evidence:
        assert not evidence.unread()
        body = evidence.read(0, evidence.size)
        for at, length in ((65_530, 12), (1 << 20, 300_000), (evidence.size - 5, 5)):
            assert evidence.read(at, length) == body[at : at + length]
        for start, end in without([(0, evidence.size)], evidence.stored()):
            assert not any(body[start:end]), "what is said to be a hole holds data"
        return body, " ".join(p.what for p in evidence.problems)


def test_a_chain_of_qcow2_overlays_on_a_raw_disk_is_what_qemu_reads(tmp_path: Path) -> None:
    """A virtual machine with snapshots would stay unread until someone flattens it."""
    base = tmp_path / "base.raw"
    base.write_bytes(random.Random(5).randbytes(3_000_000).ljust(4 << 20, b"\0"))
    over, top = tmp_path / "over.qcow2", tmp_path / "top.qcow2"
    _qemu("qemu-img", "create", "-f", "qcow2", "-b", base, "-F", "raw", over, "5M")
    _qemu(
        "qemu-io", "-c", "write -P 0x41 100000 200000", "-c", "write -z 1M 256k", "-c", "write -P 0x44 4608k 9k", over
    )
    _qemu("qemu-img", "create", "-f", "qcow2", "-o", "cluster_size=4k", "-b", over.name, "-F", "qcow2", top)
    _qemu("qemu-io", "-c", "write -P 0x42 2M 100k", "-c", "write -z 0 64k", top)
    body, said = _whole(top)
    assert body == _flat(top)
    assert "over.qcow2" in said and "base.raw" in said
    base.unlink()
    with pytest.raises(EvidenceError, match=r"base\.raw.*does not lie beside it"):
        open_evidence([top])


def test_a_chain_of_overlays_that_bites_its_tail_is_refused(tmp_path: Path) -> None:
    """One crafted image would hold the run for ever."""
    one, two = tmp_path / "a.qcow2", tmp_path / "b.qcow2"
    _qemu("qemu-img", "create", "-f", "qcow2", two, "1M")
    _qemu("qemu-img", "create", "-f", "qcow2", "-b", two, "-F", "qcow2", one)
    _qemu("qemu-img", "rebase", "-u", "-b", one, "-F", "qcow2", two)
    with pytest.raises(EvidenceError, match="no end"):
        open_evidence([one])


def test_a_damaged_table_of_an_overlay_is_no_parent_bytes(tmp_path: Path) -> None:
    """What was deleted since would be read as if it were there now."""
    base, over = tmp_path / "base.raw", tmp_path / "over.qcow2"
    base.write_bytes(b"B" * (2 << 20))
    _qemu("qemu-img", "create", "-f", "qcow2", "-b", base, "-F", "raw", over)
    _qemu("qemu-io", "-c", "write -P 0x41 0 2M", over)
    raw = over.read_bytes()
    table = struct.unpack_from(">Q", raw, 40)[0]
    cut = struct.unpack_from(">Q", raw, table)[0] & 0x00FFFFFFFFFFFE00
    over.write_bytes(raw[: cut + 100])
    with open_evidence([over]) as evidence:
        body = evidence.read(0, evidence.size)
        missing = list(evidence.missing)
        kept = bytearray(body)
        for left, right, _ in missing:
            kept[left:right] = b""
        assert missing and b"B" not in kept


def test_vmdk_pieces_and_snapshots_are_what_qemu_reads(tmp_path: Path) -> None:
    """A virtual machine's disk in several files, or with a snapshot, would stay unread."""
    raw = tmp_path / "d.raw"
    raw.write_bytes(random.Random(6).randbytes(2_000_000).ljust(4 << 20, b"\0"))
    for form in ("twoGbMaxExtentFlat", "twoGbMaxExtentSparse"):
        _qemu("qemu-img", "convert", "-O", "vmdk", "-o", f"subformat={form}", raw, tmp_path / f"{form}.vmdk")
        assert _whole(tmp_path / f"{form}.vmdk")[0] == raw.read_bytes()
    half = (tmp_path / "twoGbMaxExtentFlat.vmdk").read_text()
    body = raw.read_bytes()
    (tmp_path / "one.vmdk").write_bytes(body[: 1 << 20])
    (tmp_path / "two.vmdk").write_bytes(body[1 << 20 :])
    whole = next(line for line in half.splitlines() if line.startswith("RW "))
    (tmp_path / "two-pieces.vmdk").write_text(
        half.replace(whole, 'RW 2048 FLAT "one.vmdk" 0\nRW 6144 FLAT "two.vmdk" 0')
    )
    assert _whole(tmp_path / "two-pieces.vmdk")[0] == body
    base, snap = tmp_path / "base.vmdk", tmp_path / "snap.vmdk"
    _qemu("qemu-img", "convert", "-O", "vmdk", raw, base)
    _qemu("qemu-img", "create", "-f", "vmdk", "-b", base, "-F", "vmdk", snap)
    _qemu("qemu-io", "-c", "write -P 0x43 2M 100k", snap)
    got, said = _whole(snap)
    assert got == _flat(snap) and "base.vmdk" in said
    _qemu("qemu-img", "convert", "-O", "vmdk", raw, base)
    with pytest.raises(EvidenceError, match="identifier differs"):
        open_evidence([snap])


def _difference(folder: Path, parent: bytes, name: str, written: dict[int, bytes]) -> Path:
    """A differencing VHD on a dynamic one (Virtual Hard Disk Image Format Specification 1.0), by sector."""
    whole = bytearray(parent[-512:])
    size, block = struct.unpack_from(">Q", whole, 48)[0], 2 << 20
    struct.pack_into(">Q", whole, 16, 512)  # Where the dynamic header lies.
    struct.pack_into(">I", whole, 60, 4)
    whole[68:84] = bytes(range(16))
    _seal(whole, 64)
    blocks = -(-size // block)
    header = bytearray(1024)
    header[:8] = b"cxsparse"
    struct.pack_into(">QQIII", header, 8, (1 << 64) - 1, 2048, 0x10000, blocks, block)
    header[40:56] = parent[-512:][68:84]
    text = name.encode("utf-16-be")
    header[64 : 64 + len(text)] = text
    place = 2048 + -(-blocks * 4 // 512) * 512
    local = name.encode("utf-16-le")
    header[576:600] = b"W2ru" + struct.pack(">IIIQ", 512, len(local), 0, place)
    _seal(header, 36)
    table, data, at = [], b"", place + 512
    for number in range(blocks):
        mine = {s: b for s, b in written.items() if s * 512 // block == number}
        if not mine:
            table.append(0xFFFFFFFF)
            continue
        bits, body = bytearray(512), bytearray(block)
        for sector, content in mine.items():
            inside = sector - number * block // 512
            bits[inside // 8] |= 0x80 >> inside % 8
            body[inside * 512 : inside * 512 + 512] = content
        table.append((at + len(data)) // 512)
        data += bits + body
    rows = b"".join(struct.pack(">I", row) for row in table).ljust(place - 2048, b"\xff")
    path = folder / "child.vhd"
    path.write_bytes(bytes(whole) + header + bytes(512) + rows + local.ljust(512, b"\0") + data + bytes(whole))
    return path


def _seal(head: bytearray, at: int) -> None:
    head[at : at + 4] = bytes(4)
    struct.pack_into(">I", head, at, ~sum(head) & 0xFFFFFFFF)


def test_a_differencing_vhd_is_read_with_its_parent(tmp_path: Path) -> None:
    """A Windows virtual machine with a checkpoint would stay unread."""
    raw, base = tmp_path / "d.raw", tmp_path / "base.vhd"
    raw.write_bytes(random.Random(7).randbytes(5 << 20))
    _qemu("qemu-img", "convert", "-O", "vpc", "-o", "subformat=dynamic,force_size=on", raw, base)
    written = {s: bytes([s % 251]) * 512 for s in (0, 7, 4096, 4097, 9000)}
    child = _difference(tmp_path, base.read_bytes(), "base.vhd", written)
    truth = bytearray(raw.read_bytes())
    for sector, content in written.items():
        truth[sector * 512 : sector * 512 + 512] = content
    body, said = _whole(child)
    assert body[: len(truth)] == bytes(truth) and "base.vhd" in said
    other = bytearray(base.read_bytes())
    for at in (0, len(other) - 512):
        footer = other[at : at + 512]
        footer[68] ^= 1
        _seal(footer, 64)
        other[at : at + 512] = footer
    base.write_bytes(other)
    with pytest.raises(EvidenceError, match="identifier differs"):
        open_evidence([child])


def test_a_differencing_vhdx_is_read_with_its_parent(tmp_path: Path) -> None:
    """Hyper-V's checkpoints would stay unread; and no public VHDX was at hand to hold the format against."""
    base, child = tmp_path / "base.vhdx", tmp_path / "child.avhdx"
    _qemu("qemu-img", "create", "-f", "vhdx", "-o", "block_size=1M", base, "8M")
    _qemu("qemu-io", "-f", "vhdx", "-c", "write -P 0x31 0 3M", "-c", "write -P 0x32 5M 2M", base)
    truth = _flat(base)
    assert _whole(base)[0] == truth
    _qemu("qemu-img", "create", "-f", "vhdx", "-o", "block_size=1M", child, "8M")
    _qemu("qemu-io", "-f", "vhdx", "-c", "write -P 0x41 1M 1M", "-c", "write -P 0x42 4M 64k", child)
    _as_difference(child, base, partly=True)
    expected = bytearray(truth)
    expected[(6 << 20) + 3 * 512 : (6 << 20) + 10 * 512] = b"\x43" * 7 * 512
    expected[(6 << 20) + 100 * 512 : (6 << 20) + 101 * 512] = b"\x43" * 512
    expected[1 << 20 : 2 << 20] = b"\x41" * (1 << 20)
    expected[4 << 20 : 5 << 20] = (b"\x42" * 65536).ljust(1 << 20, b"\0")
    body, said = _whole(child)
    assert body == bytes(expected) and "base.vhdx" in said


def _as_difference(child: Path, base: Path, *, partly: bool) -> None:
    """Turn a VHDX of QEMU into one that names `base` as its parent (MS-VHDX 2.6.2.1, 2.6.2.6)."""
    raw = bytearray(child.read_bytes())
    guid = uuid.UUID("2dc27766-f623-4200-9d64-115e9bfd4a08").bytes_le
    regions = raw[196608 : 196608 + 65536]
    rows = {bytes(regions[at : at + 16]): struct.unpack_from("<QI", regions, at + 16) for at in (16, 48)}
    start = next(place for key, (place, _) in rows.items() if key != guid)
    count = struct.unpack_from("<H", raw, start + 10)[0]
    items = {}
    for number in range(count):
        at = start + 32 + number * 32
        items[uuid.UUID(bytes_le=bytes(raw[at : at + 16]))] = struct.unpack_from("<II", raw, at + 16)
    parameters = items[uuid.UUID("caa16737-fa36-4d43-b3b6-33f0aa44e76b")][0]
    struct.pack_into("<I", raw, start + parameters + 4, 2)
    head = max(
        (base.read_bytes()[at : at + 4096] for at in (65536, 131072)), key=lambda h: struct.unpack_from("<Q", h, 8)[0]
    )
    link = "{" + str(uuid.UUID(bytes_le=head[32:48])) + "}"
    pairs = {"parent_linkage": link, "absolute_win32_path": f"C:\\VMs\\{base.name}"}
    body, table = b"", b""
    for key, value in pairs.items():
        k, v = key.encode("utf-16-le"), value.encode("utf-16-le")
        first = 20 + 12 * len(pairs) + len(body)
        table += struct.pack("<IIHH", first, first + len(k), len(k), len(v))
        body += k + v
    kind = uuid.UUID("b04aefb7-d19e-4a81-b789-25b8e9445913").bytes_le
    locator = kind + struct.pack("<HH", 0, len(pairs)) + table + body
    place = 131072
    raw[start + place : start + place + len(locator)] = locator
    at = start + 32 + count * 32
    raw[at : at + 32] = uuid.UUID("a8d35f2d-b30b-454d-abf7-d3d84834ab0c").bytes_le + struct.pack(
        "<IIII", place, len(locator), 4, 0
    )
    struct.pack_into("<H", raw, start + 10, count + 1)
    if partly:
        # Block 6 in part: sectors 3 to 9 and 100 of it are in the child, by a bitmap of its own.
        table, end = rows[guid][0], -(-len(raw) // (1 << 20)) << 20
        raw = raw.ljust(end + (2 << 20), b"\0")
        raw[end : end + (1 << 20)] = b"\x43" * (1 << 20)
        for sector in (*range(6 * 2048 + 3, 6 * 2048 + 10), 6 * 2048 + 100):
            raw[end + (1 << 20) + sector // 8] |= 1 << sector % 8
        struct.pack_into("<Q", raw, table + 6 * 8, end | 7)
        struct.pack_into("<Q", raw, table + 4096 * 8, end + (1 << 20) | 6)
    child.write_bytes(raw)


@pytest.mark.parametrize("name", ["/etc/passwd", "../outside.bin", "/dev/sda"])
def test_a_vmdk_cannot_name_files_elsewhere(tmp_path: Path, name: str) -> None:
    """A descriptor could name any file of this computer as a piece of the exhibit."""
    folder = tmp_path / "evidence"
    folder.mkdir()
    (tmp_path / "outside.bin").write_bytes(bytes(1 << 20))
    descriptor = (
        '# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\ncreateType="twoGbMaxExtentFlat"\n'
        f'# Extent description\nRW 1024 FLAT "{name}" 0\nRW 1024 FLAT "{name}" 0\n# The Disk Data Base\n#DDB\n'
    )
    (folder / "a.vmdk").write_text(descriptor)
    with pytest.raises(EvidenceError):
        open_evidence([folder / "a.vmdk"])


def test_a_cut_vhd_or_qcow2_reads_on_and_lists_the_rest(images: Path, tmp_path: Path) -> None:
    """A truncated virtual disk would give zeros as if they were real."""
    body = (images / "windows_volume.qcow2").read_bytes()
    (tmp_path / "a.qcow2").write_bytes(body[: len(body) // 2])
    with open_evidence([tmp_path / "a.qcow2"]) as evidence:
        evidence.read(0, evidence.size)
        assert evidence.unread()


def test_a_header_that_claims_an_impossible_size_is_refused(images: Path, tmp_path: Path) -> None:
    """A run would take years."""
    body = bytearray((images / "ext2.qcow2").read_bytes())
    struct.pack_into(">Q", body, 24, 1 << 60)
    (tmp_path / "a.qcow2").write_bytes(body)
    with pytest.raises(EvidenceError):
        open_evidence([tmp_path / "a.qcow2"])


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("qcow2", "cluster_size=64k"), ("qcow2", "cluster_size=4k"), ("qcow2", "compat=0.10"),
        ("vhdx", "block_size=1M"), ("vpc", "subformat=dynamic,force_size=on"), ("vmdk", "subformat=monolithicSparse"),
        ("vmdk", "zeroed_grain=on"),
    ],
)  # fmt: skip
def test_the_holes_of_a_virtual_disk_are_known(tmp_path: Path, kind: str, options: str) -> None:
    """A first answer would draw its places from terabytes that are not there; or, worse, leave data out as a hole."""
    size = 3 << 30
    image = tmp_path / f"d.{kind}"
    _qemu("qemu-img", "create", "-f", kind, "-o", options, image, str(size))
    places = [(0, 512), (5 << 20, 4096), ((1 << 30) + 70_000, 150_000), (size - 65536, 65536)]
    for at, length in places:
        _qemu("qemu-io", "-f", kind, "-c", f"write -P 0x5A {at // 512 * 512} {-(-length // 512) * 512}", image)
    if kind != "vpc":
        _qemu("qemu-io", "-f", kind, "-c", "write -z 1500M 3M", image)
    with open_evidence([image]) as evidence:
        stored = merged(evidence.stored())
        assert sum(b - a for a, b in stored) <= 16 << 20
        for at, length in places:
            assert not without([(at, at + length)], stored)
            assert set(evidence.read(at, 512)) == {0x5A}
        for start, end in without([(0, evidence.size)], stored):
            assert not any(evidence.read(start, min(end - start, 1 << 20)))
            assert not any(evidence.read(max(start, end - (1 << 20)), min(end - start, 1 << 20)))


def test_a_damaged_map_claims_no_holes(tmp_path: Path) -> None:
    """Listed material behind a damaged table would be left out of the sample, and nobody would know."""
    for kind, reader in (("qcow2", allocated.qcow2), ("vhdx", allocated.vhd), ("vmdk", allocated.vmdk)):
        image = tmp_path / f"d.{kind}"
        _qemu("qemu-img", "create", "-f", kind, image, "64M")
        _qemu("qemu-io", "-f", kind, "-c", "write -P 0x5A 1M 1M", image)
        whole = image.read_bytes()
        rng = random.Random(kind)
        for cut in (0, 30, 512, 70_000, 200_000, len(whole) // 2):
            found = reader(Memory(whole[:cut]), 64 << 20)
            assert found is None or not without([(1 << 20, 2 << 20)], found), (kind, cut)
        for _ in range(30):
            body = bytearray(whole)
            for _ in range(8):
                body[rng.randrange(min(len(body), 1 << 18))] = rng.randrange(256)
            found = reader(Memory(bytes(body)), 64 << 20)
            assert found is None or all(0 <= a < b <= 64 << 20 for a, b in found)
