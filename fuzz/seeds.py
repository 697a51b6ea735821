#!/usr/bin/env python3
"""Make the corpora anew: small, synthetic, one of each kind. Needs ewf-tools, qemu-utils and mkudffs, as the tests do.

Nothing here is a picture: what stands for one is its headers alone, behind a byte that chooses the walk.
"""

# ruff: noqa: E402, S603
from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]
CORPUS = ROOT / "fuzz/corpus"

from tests.triage.evidence.udf_writer import Disc


def put(target: str, name: str, data: bytes) -> None:
    from fuzz.targets import TARGETS

    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data[: TARGETS[target].most])


def run(*words: str, given: bytes | None = None) -> None:
    subprocess.run(words, check=True, input=given, capture_output=True)


def containers(work: Path) -> None:
    raw = work / "raw"
    raw.write_bytes(b"".join(bytes([i]) * 512 for i in range(16)))
    for form, target, name in (("encase6", "e01", "small.E01"), ("encase7-v2", "ex01", "small.Ex01")):
        out = work / name
        run("ewfacquire", "-u", "-q", "-f", form, "-c", "deflate:fast", "-t", str(out.with_suffix("")), str(raw))
        put(target, "small", next(work.glob(f"{out.stem}.[Ee]*")).read_bytes())
        for path in work.glob(f"{out.stem}.*"):
            path.unlink()
    base = work / "base.qcow2"
    run("qemu-img", "create", "-f", "qcow2", "-o", "cluster_size=512", str(base), "64k")
    run("qemu-io", "-c", "write -P 7 1k 1k", "-f", "qcow2", str(base))
    over = work / "over.qcow2"
    run("qemu-img", "create", "-f", "qcow2", "-o", "cluster_size=512", "-b", str(base), "-F", "qcow2", str(over))
    run("qemu-io", "-c", "write -P 9 8k 2k", "-f", "qcow2", str(over))
    put("qcow2-overlay", "small", over.read_bytes())
    put("allocation-maps", "qcow2", over.read_bytes())
    vhd = work / "a.vhd"
    run("qemu-img", "create", "-f", "vpc", "-o", "subformat=dynamic,force_size=on", str(vhd), "1M")
    put("allocation-maps", "vhd", vhd.read_bytes())
    vmdk = work / "a.vmdk"
    run("qemu-img", "create", "-f", "vmdk", "-o", "subformat=monolithicSparse", str(vmdk), "1M")
    put("allocation-maps", "vmdk", vmdk.read_bytes())
    raw_vhd = bytearray(vhd.read_bytes())
    at = struct.unpack_from(">Q", raw_vhd, 16)[0]
    raw_vhd[60:64] = struct.pack(">I", 4)  # a differencing disk
    struct.pack_into(">QII", raw_vhd, at + 16, at + 1024, 0x10000, 2)
    put("vhd-difference", "small", bytes(raw_vhd))
    for name, data in (("qcow2", over.read_bytes()), ("vhd", vhd.read_bytes()), ("vmdk", vmdk.read_bytes())):
        put("virtual-kind", name, data[:4096])
    put("virtual-kind", "dmg", bytes(512) + b"koly" + bytes(508))


def volumes(work: Path) -> None:
    disk = work / "disk"
    for label, name in (("dos", "mbr"), ("gpt", "gpt")):
        disk.write_bytes(bytes(1 << 20))
        run("/usr/sbin/sfdisk", "-q", str(disk), given=f"label: {label}\n,256K\n,\n".encode())
        data = disk.read_bytes()
        put("partition-tables", name, data[:17408])
        if label == "gpt":
            put("second-gpt", "gpt", data[-16384:])
    for kind in ("plain", "sparable", "virtual", "metadata"):
        made = Disc(kind)
        inner = made.folder(made.row("in.txt", made.file(b"inside", how="inside")))
        rows = made.row("a.txt", made.file(b"some bytes")) + made.row("short", made.file(b"s", how="short"))
        made.folder(rows + made.row("hole", made.file(bytes(9000), how="hole")) + made.row("sub", inner, 2), root=True)
        put("udf", kind, b"".join(sectors(made.finish(4, 2))))
    record = bytearray(1024)
    struct.pack_into("<4sHHQHHHHII", record, 0, b"FILE", 48, 3, 1, 1, 1, 56, 1, 416, 1024)
    name = "a.txt".encode("utf-16-le")
    body = struct.pack("<Q4Q2QIIBB", 5, 1, 2, 3, 4, 4096, 10, 0x20, 0, 5, 1) + name
    record[56 : 56 + 24 + len(body)] = struct.pack("<IIBBHHHIHBB", 0x30, 104, 0, 0, 0, 0, 1, len(body), 24, 1, 0) + body
    struct.pack_into("<IIBBHHHQQHHIQQQ", record, 160, 0x80, 72, 1, 0, 64, 0, 2, 0, 0, 64, 0, 0, 4096, 10, 10)
    record[224:228] = b"\x11\x01\x20\x00"
    struct.pack_into("<I", record, 232, 0xFFFFFFFF)
    struct.pack_into("<HH", record, 48, 1, 0)
    record[510:512] = record[1022:1024] = b"\x01\x00"
    put("ntfs-mft", "two", bytes(record) * 2)
    head = bytearray(8192)
    head[32:36] = b"NXSB"
    struct.pack_into("<IQ", head, 36, 4096, 2)
    struct.pack_into("<I4xQ", head, 104, 1, 1)
    put("apfs-books", "super", sealed(bytes(head[:4096])) * 2)
    hfs = bytearray(8192)
    hfs[1024:1028] = b"H+\x00\x04"
    struct.pack_into(">II", hfs, 1024 + 40, 512, 16)
    struct.pack_into(">QIIII", hfs, 1024 + 112, 512, 512, 1, 8, 1)
    put("hfs-free", "small", bytes(hfs))
    xfs = bytearray(16384)
    struct.pack_into(">4sIQ", xfs, 0, b"XFSB", 4096, 4)
    struct.pack_into(">II", xfs, 84, 4, 1)
    struct.pack_into(">4sIIIIIIIII", xfs, 512, b"XAGF", 1, 0, 4, 1, 2, 0, 1, 1, 0)
    put("xfs-free", "small", bytes(xfs))
    put("counters", "hfs", bytes(hfs))
    iso = bytearray(20 * 2048)
    iso[16 * 2048 : 16 * 2048 + 6] = b"\x01CD001"
    struct.pack_into("<H", iso, 16 * 2048 + 128, 2048)
    struct.pack_into("<I4xI", iso, 16 * 2048 + 132, 10, 18)
    iso[18 * 2048 : 18 * 2048 + 10] = b"\x01\x00\x13\x00\x00\x00\x01\x00\x00\x00"
    put("counters", "iso", bytes(iso))
    text = 'g { id = "a" seqno = 1 extent_size = 8 physical_volumes { pv0 { id = "x" pe_start = 8 pe_count = 4 } } '
    text += 'logical_volumes { v { id = "y" segment_count = 1 segment1 { start_extent = 0 extent_count = 2 type = '
    text += '"striped" stripe_count = 1 stripes = [ "pv0", 0 ] } } } }'
    put("lvm-text", "linear", text.encode())
    lvm = bytearray(16384)
    struct.pack_into("<8sQII8s", lvm, 512, b"LABELONE", 1, 0, 32, b"LVM2 001")
    lvm[544:576] = b"x" * 32
    struct.pack_into("<Q2Q2Q2Q2Q", lvm, 576, 16384, 8192, 0, 0, 0, 4096, 4096, 0, 0)
    put("lvm", "label", bytes(lvm))
    luks = b"LUKS\xba\xbe\0\1" + b"aes".ljust(32, b"\0") + b"xts-plain64".ljust(32, b"\0") + b"sha256".ljust(32, b"\0")
    luks += struct.pack(">II", 8, 32) + bytes(20) + bytes(32) + struct.pack(">I", 1000) + bytes(40)
    put("luks", "one", luks + struct.pack(">II32sII", 0x00AC71F3, 1000, bytes(32), 8, 4000) * 8)
    body = json.dumps({"keyslots": {}, "tokens": {}, "segments": {}, "digests": {}, "config": {}}).encode()
    put("luks", "two", (b"LUKS\xba\xbe\0\2" + struct.pack(">QQ", 16384, 1)).ljust(4096, b"\0") + body)
    boot = bytearray(512)
    boot[:11] = b"\xeb\x58\x90-FVE-FS-"
    struct.pack_into("<H", boot, 11, 512)
    boot[160:176] = bytes.fromhex("3bd66749292ed84a8399f6a339e3d001")
    struct.pack_into("<3Q", boot, 176, 512, 1024, 2048)
    books = b"-FVE-FS-" + struct.pack("<HH", 0, 2) + bytes(52) + struct.pack("<I", 112) + bytes(200)
    put("bitlocker", "small", bytes(boot) + books.ljust(70000, b"\0"))


def sectors(disc: bytes) -> Iterator[bytes]:
    """Those that hold anything, as the target takes them."""
    for number in range(len(disc) // 2048):
        body = disc[number * 2048 : number * 2048 + 2048].rstrip(b"\0")
        if body:
            yield struct.pack("<HH", number, len(body)) + body


def sealed(block: bytes) -> bytes:
    """With the Fletcher checksum of APFS."""
    low = high = 0
    for (word,) in struct.iter_unpack("<I", block[8:]):
        low = (low + word) % 0xFFFFFFFF
        high = (high + low) % 0xFFFFFFFF
    first = 0xFFFFFFFF - (low + high) % 0xFFFFFFFF
    return struct.pack("<II", first, 0xFFFFFFFF - (low + first) % 0xFFFFFFFF) + block[8:]


def archives() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a/b.txt", "hello " * 20)
        made.writestr("../c", b"")
    put("archives", "zip", out.getvalue())
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("ä" * 60 + "/b.txt")
        info.size = 5
        tar.addfile(info, io.BytesIO(b"hello"))
    packed = out.getvalue()[:3584]
    put("archives", "tar", packed)
    for name, data in (
        ("gz", gzip.compress(packed, mtime=0)),
        ("bz2", bz2.compress(packed)),
        ("xz", lzma.compress(packed)),
    ):
        put("archives", name, data)


def pictures() -> None:
    chunk = struct.pack(">I", 13) + b"IHDR" + struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", zlib.crc32(chunk[4:])) + bytes(4) + b"IEND\xaeB`\x82"
    kinds = (
        b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x0b\x08\x00\x01\x00\x01\x01\x01\x11\x00\xff\xda\x00\x08\x01\x01\x00\x00?\x00a\xff\xd9",
        png,
        b"GIF89a\x01\x00\x01\x00\x80\x00\x00" + bytes(6) + b",\0\0\0\0\1\0\1\0\0\2\2D\1\0;",
        b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0" + bytes(14),
        b"BM" + struct.pack("<IHHIIiiHHIIiiII", 58, 0, 0, 54, 40, 1, 1, 1, 24, 0, 4, 0, 0, 0, 0) + bytes(4),
        b"II*\0\x08\0\0\0" + struct.pack("<HHHII", 1, 0x111, 4, 1, 8) + bytes(4),
        b"\0\0\0\x14ftypheic\0\0\0\0heic\0\0\0\x08mdat",
    )
    for number, data in enumerate(kinds):
        put("carving", f"kind-{number}", bytes([number]) + data)
        put("filetypes", f"kind-{number}", b" " + data)


def lists() -> None:
    md5, sha1 = "d41d8cd98f00b204e9800998ecf8427e", "da39a3ee5e6b4b0d3255bfef95601890afd80709"
    media = {"MediaID": 1, "Category": 1, "MD5": md5, "SHA1": sha1, "MediaSize": 5}
    vics = {
        "odata.metadata": "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/1.3.xml/UK/$metadata#Media",
        "value": [media],
    }
    put("hash-lists", "vics", json.dumps(vics).encode())
    put("hash-lists", "csv", f"md5,sha1,category,size\n{md5},{sha1},1,5\n".encode())
    put("hash-lists", "plain", f"{md5}\n{md5}  name.bin\n".encode())
    put(
        "hash-lists",
        "nsrl",
        f'"SHA-1","MD5","CRC32","FileName","FileSize","ProductCode","OpSystemCode","SpecialCode"\n"{sha1.upper()}","{md5.upper()}","00000000","a",0,1,"362",""\n'.encode(),
    )
    put("hash-lists", "stopncii", b"hash,type\n" + b"f" * 64 + b",pdq\n")
    put("hash-lists", "ncmec", f'{{"entries":[{{"fingerprints":{{"md5":"{md5}"}},"classification":"A1"}}]}}'.encode())
    put("digests", "md5", md5.encode())
    put("array-files", "begins", b"SLARRAY1" + struct.pack("<Q", 40) + b'{"kind":"digests","arrays":{},"meta":{}}')
    csv = "report id,received,source,summary,suspect name\nA1,2026-11-01 10:00,NCMEC,Text,Sam Synthetic\n"
    put("referrals", "csv", csv.encode())
    put(
        "referrals",
        "json",
        json.dumps(
            {
                "referrals": [
                    {"source_reference": "A1", "summary": "Text", "people": [{"role": "suspect", "given_names": "Sam"}]}
                ]
            }
        ).encode(),
    )
    put(
        "referrals",
        "xml",
        b"<report><reportId>1</reportId><incidentSummary><incidentType>x</incidentType><incidentDateTime>2026-11-01T10:00:00Z</incidentDateTime></incidentSummary></report>",
    )
    put("triage-report", "begins", json.dumps({"format": "safelight-triage/1", "tool": {}, "files": []}).encode())
    put(
        "child-answers",
        "volume",
        json.dumps(
            {"index": 0, "scheme": "MBR", "kind": "volume", "description": "x", "offset": 0, "size": 9}
        ).encode(),
    )
    put(
        "child-answers",
        "sandbox",
        json.dumps({"mode": "auto", "layers": ["seccomp"], "missing": {"landlock": "x"}}).encode(),
    )
    put("exchange-journal", "zeros", bytes(512))
    put("site-standards", "clock", b'[clocks.caid_upload]\nduration = { hours = 72 }\nlabel = "Policy 12/2026"\n')
    put("site-standards", "policy", b'[policy.rota]\nvalue = 3\nlabel = "x"\n')
    put("clock-durations", "table", b"{ hours = 24 }")
    put("clock-durations", "text", b"24 hours")
    put("ledger-proofs", "one", b"a" * 64 + struct.pack("<QQ", 0, 1))
    put("ledger-proofs", "path", b"a" * 64 + struct.pack("<QQ", 2, 5) + b"b" * 96)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        containers(Path(folder))
        volumes(Path(folder))
    archives()
    pictures()
    lists()


if __name__ == "__main__":
    main()
