"""Evidence made to harm: mutated images, mutated pictures, bombs and paths; for the tests and the full-size run.

Everything is deterministic: mutant number `n` of a source is the same in every run (`random.Random(f"{kind} {n}")`).
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import random
import struct
import subprocess
import tarfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image
from tests.support.evidence import shared_evidence

pillow_heif.register_heif_opener()

PICTURE_KINDS = ("JPEG", "PNG", "WEBP", "HEIF", "GIF", "TIFF", "BMP", "AVIF")
_SHARED = ("ext2.E01", "ext2.qcow2", "ext2.vmdk", "image.vhd", "hfsplus_zlib.dmg", "iso9660.raw", "apfs.raw",
           "hfsplus.raw", "windows_volume.qcow2")  # fmt: skip


def image_sources(work: Path) -> dict[str, bytes]:
    """Small images by name: public ones, and NTFS, FAT, exFAT and ext4 with a few files, made here."""
    sources = {name: shared_evidence("images", name).read_bytes() for name in _SHARED}
    files = work / "files"
    (files / "DCIM").mkdir(parents=True, exist_ok=True)
    for number in range(6):
        (files / "DCIM" / f"p{number}.jpg").write_bytes(picture("JPEG", seed=number))
    (files / "note.txt").write_text("notes\n" * 300)
    (files / "box.zip").write_bytes(zipped({"a.txt": b"a" * 900, "b.png": picture("PNG")}))
    (files / "empty.bin").write_bytes(b"")
    tools = os.environ["PATH"] + ":/usr/sbin:/sbin"

    def run(*command: str) -> None:
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PATH": tools})

    ext, fat, ntfs, exfat = (work / f"made.{name}" for name in ("ext4", "fat", "ntfs", "exfat"))
    run("mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-d", str(files), str(ext), "1M")
    for path, size in ((fat, 1 << 20), (ntfs, 5 << 18), (exfat, 3 << 20)):  # about the least that their makers take
        path.write_bytes(bytes(size))
    run("mkfs.vfat", str(fat))
    run("mcopy", "-s", "-i", str(fat), str(files / "DCIM"), str(files / "note.txt"), str(files / "box.zip"), "::")
    run("mkntfs", "-F", "-q", "-f", "-c", "1024", str(ntfs))
    for file in (*sorted((files / "DCIM").iterdir()), files / "box.zip"):
        run("ntfscp", "-f", str(ntfs), str(file), file.name)
    run("mkfs.exfat", "-c", "4096", str(exfat))
    _fill_exfat(exfat, sorted((files / "DCIM").iterdir()))
    return {**sources, **{path.name: path.read_bytes() for path in (ext, fat, ntfs, exfat)}}


def _fill_exfat(image: Path, files: list[Path]) -> None:
    """Put files into an empty exFAT volume: nothing that can be had without mounting does."""
    from tests.triage.evidence.test_made_here import _entry_set

    raw = bytearray(image.read_bytes())
    heap, _, root = struct.unpack_from("<III", raw, 88)
    base, first = heap * 512, 20
    at = next(n for n in range(base + (root - 2) * 4096, len(raw), 32) if raw[n] == 0)
    for number, file in enumerate(files):
        body = file.read_bytes()
        rows = _entry_set(file.name, first, len(body), live=number % 3 != 2)
        raw[at : at + len(rows)] = rows
        at += len(rows)
        place = base + (first - 2) * 4096
        raw[place : place + len(body)] = body
        first += -(-len(body) // 4096)
    image.write_bytes(raw)


def mutated_image(original: bytes, name: str, number: int) -> bytes:
    """A few bytes of the structures that are there, or of the header; now and then the end is cut off."""
    rng = random.Random(f"images {name} {number}")
    body = bytearray(original)
    array = np.frombuffer(original, np.uint8)
    whole = array[: len(array) // 512 * 512].reshape(-1, 512).any(axis=1)
    used = np.flatnonzero(whole)
    for _ in range(rng.choice((1, 3, 10, 50))):
        at = int(used[rng.randrange(len(used))]) * 512 + rng.randrange(512)
        if rng.random() < 0.5:
            at = rng.randrange(min(len(body), 8192))
        at = min(at, len(body) - 1)
        body[at] = rng.choice((0, 255, rng.randrange(256), body[at] ^ (1 << rng.randrange(8))))
    if rng.random() < 0.15:
        del body[rng.randrange(1, len(body)) :]
    return bytes(body)


def picture(kind: str, *, seed: int = 0, side: int = 80) -> bytes:
    """An abstract picture."""
    y, x = np.mgrid[0:side, 0:side]
    pixels = np.stack([(x * (5 + seed)) % 256, (y * 3) % 256, (x * y + 9 * seed) % 256], axis=2).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, format=kind)
    return out.getvalue()


def mutated_picture(original: bytes, kind: str, number: int) -> bytes:
    """Some bytes changed, doubled or cut off; its first bytes mostly stay, so that it is still taken for a picture."""
    rng = random.Random(f"pictures {kind} {number}")
    body = bytearray(original)
    start = 0 if rng.random() < 0.1 else min(16, len(body) - 1)
    for _ in range(rng.choice((1, 2, 8, 40, 200))):
        body[rng.randrange(start, len(body))] = rng.choice((0, 255, rng.randrange(256)))
    if rng.random() < 0.1:
        at = rng.randrange(start, len(body))
        body[at:at] = body[at : at + rng.randrange(1, 400)]
    if rng.random() < 0.15:
        del body[rng.randrange(16, len(body)) :]
    # Each is another file: equal ones would be decoded once.
    return bytes(body) + number.to_bytes(4, "big")


def videos() -> dict[str, bytes]:
    """Short MP4 files of abstract content."""
    return {"doorknob": shared_evidence("videos", "doorknob-hd-no-bar.mp4").read_bytes()[:120_000]}


def zipped(members: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of these members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as box:
        for name, body in members.items():
            box.writestr(name, body)
    return out.getvalue()


def zeros_gz(gibibytes: int) -> bytes:
    """A gzip of so many GiB of zeros, made without holding them: one member a GiB, one after another."""
    one = gzip.compress(bytes(1 << 20), 9, mtime=0)
    return one * (1024 * gibibytes)


def lying_png(width: int, height: int, *, rows: int = 0) -> bytes:
    """A PNG whose header claims a size that its data may not have."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    data = zlib.compress(bytes((width * 3 + 1) * rows or 10), 9)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def forty_two(levels: int, width: int, leaf: bytes) -> bytes:
    """A zip of zips of zips, as 42.zip is."""
    body = zipped({"0.bin": leaf})
    for _ in range(levels):
        body = zipped({f"{n}.zip": body for n in range(width)}, method=zipfile.ZIP_STORED)
        body = zipped({"box.zip": body})
    return body


def overlapping_zip(members: int, size: int) -> bytes:
    """All members share one compressed body (after D. Fifield, A better zip bomb, 2019)."""
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packed.compress(bytes(size)) + packed.flush()
    crc = zlib.crc32(bytes(size))
    local = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 8, 0, 0, crc, len(body), size, 1, 0) + b"0" + body
    central = b""
    for number in range(members):
        name = f"{number}".encode()
        central += struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, 0, 8, 0, 0, crc, len(body), size, len(name),
                               0, 0, 0, 0, 0, 0) + name  # fmt: skip
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, members, members, len(central), len(local), 0)
    return local + central + end


def sparse_tar(size: int) -> bytes:
    """A GNU tar whose one member claims `size` bytes in holes."""
    info = tarfile.TarInfo("holes.bin")
    info.size = size
    out = io.BytesIO()
    out.write(info.tobuf(format=tarfile.GNU_FORMAT))
    out.write(bytes(10240))
    return out.getvalue()


def thin_qcow2(size: int) -> bytes:
    """A QCOW2 that claims so many bytes and stores none."""
    clusters = -(-size // (1 << 16))
    entries = max(1, -(-clusters // 8192))
    head = struct.pack(">4sIQIIQIIQQIIQ", b"QFI\xfb", 2, 0, 0, 16, size, 0, min(entries, 1 << 22), 1 << 16, 1 << 17,
                       1, 0, 0)  # fmt: skip
    return head.ljust(1 << 16, b"\0") + bytes(1 << 18)


def bombs(work: Path) -> dict[str, bytes]:
    """What unpacks, claims or nests without end, by name. Beside each lies a harmless picture, which must be read."""
    mib = bytes(1 << 20)
    many = {f"d/{n}": b"" for n in range(60_000)}
    found = {
        "zip of zeros, 1 GiB.zip": _zip_of_zeros(1),
        "zip of zeros, 5 GiB.zip": _zip_of_zeros(5),
        "zip of 60,000 empty files.zip": zipped(many, method=zipfile.ZIP_STORED),
        "zip 42 style, 6 levels of 16.zip": forty_two(3, 16, mib * 4),
        "zip nested 40 deep.zip": _nested(40),
        "zip overlapping, 5,000 members of 2 MiB.zip": overlapping_zip(5_000, 2 << 20),
        "zip overlapping, 60,000 members.zip": overlapping_zip(60_000, 1 << 20),
        "gz of 4 GiB.gz": zeros_gz(4),
        "gz of 40 GiB.gz": zeros_gz(40),
        "xz of 512 MiB.xz": lzma.compress(mib * 512, preset=1),
        "xz with a 1.5 GiB dictionary.xz": _xz_big_dictionary(),
        "bz2 of 512 MiB.bz2": b"".join(bz2.compress(mib * 8) for _ in range(64)),
        "gz of gz of gz.gz": gzip.compress(gzip.compress(zeros_gz(1), 9), 9),
        "tar that claims 16 TB.tar": sparse_tar(16 << 40),
        "tar that claims 8 EB.tar": sparse_tar((1 << 63) - 1),
        "tar of 50,000 names.tar": _tar_names(50_000),
        "tar of links in a loop.tar": _tar_loop(),
        "disk of 16 TB, thin.qcow2": thin_qcow2(16 << 40),
        "disk of 64 EB, thin.qcow2": thin_qcow2((1 << 63) - 512),
        "picture 60,000 x 60,000.png": lying_png(60_000, 60_000),
        "picture 2,147,483,647 x 1.png": lying_png(2_147_483_647, 1),
        "picture 12,000 x 12,000, all there.png": lying_png(12_000, 12_000, rows=12_000),
        "picture 30,000 x 30,000, some rows.png": lying_png(30_000, 30_000, rows=300),
        "picture with 50,000 chunks.png": _png_chunks(50_000),
        "animation of 3,000 frames.gif": _long_gif(3_000),
        "picture 65,535 x 65,535.gif": b"GIF89a"
        + b"\xff" * 4
        + b"\x80\0\0"
        + bytes(6)
        + b",\0\0\0\0\xff\xff\xff\xff\0\2\0;",
        "picture 65,500 x 65,500.jpg": _jpeg_claiming(65_500),
        "picture 16,383 x 16,383.webp": _webp_claiming(),
        "picture in tiles of 2 GB.tiff": _tiff_claiming(46_000),
        "picture whose directories loop.tiff": _tiff_loop(),
        "heic without end.heic": _heic_deep(),
        "text of one line of 64 MiB.csv": b"a," * (32 << 20),
    }
    for name, body in found.items():
        (work / name).write_bytes(body)
    for name, size in (("sparse file of 16 GB.bin", 16 << 30), ("sparse file of 1 TB.raw", 1 << 40)):
        with (work / name).open("wb") as stream:
            stream.truncate(size)
        found[name] = b""
    loop = work / "loop"
    loop.mkdir()
    (loop / "a").symlink_to("b")
    (loop / "b").symlink_to("a")
    (loop / "up").symlink_to("..")
    (loop / "root").symlink_to("/")
    deep = work / "deep"
    try:
        for _ in range(300):
            deep.mkdir()
            deep = deep / "d"
        (deep.parent / "bottom.txt").write_text("here")
    except OSError:
        pass
    crowd = work / "crowd of 100,000 files"
    crowd.mkdir()
    for number in range(100_000):
        (crowd / str(number)).touch()
    return found


def _zip_of_zeros(gibibytes: int) -> bytes:
    out = io.BytesIO()
    box = zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9)
    with box, box.open("zeros.bin", "w", force_zip64=True) as member:
        for _ in range(64 * gibibytes):
            member.write(bytes(16 << 20))
    return out.getvalue()


def _nested(levels: int) -> bytes:
    body = b"the innermost"
    for number in range(levels):
        body = zipped({f"level{number}.zip" if number else "text.txt": body})
    return body


def _xz_big_dictionary() -> bytes:
    """An .xz whose filter asks its reader for a dictionary of 1.5 GiB."""
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 16}]
    body = bytearray(lzma.compress(bytes(1 << 20), format=lzma.FORMAT_XZ, filters=filters))
    # Block header at 12: size, flags, filter id 0x21, property size 1, dictionary size code.
    size = (body[12] + 1) * 4
    body[16] = 38  # 2 << (38 // 2 + 11) = 2 GiB
    struct.pack_into("<I", body, 12 + size - 4, zlib.crc32(bytes(body[12 : 12 + size - 4])))
    return bytes(body)


def _tar_names(count: int) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as box:
        for number in range(count):
            box.addfile(tarfile.TarInfo(f"n/{number}"))
    return out.getvalue()


def _tar_loop() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as box:
        for name, target in (("a", "b"), ("b", "a"), ("up", "../../../../etc/passwd"), ("self", "self")):
            for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
                info = tarfile.TarInfo(name)
                info.type, info.linkname = kind, target
                box.addfile(info)
    return out.getvalue()


def _png_chunks(count: int) -> bytes:
    body = picture("PNG")
    text = struct.pack(">I", 9) + b"tEXt" + b"a\0bcdefgh"
    text += struct.pack(">I", zlib.crc32(text[4:]))
    return body[:33] + text * count + body[33:]


def _long_gif(frames: int) -> bytes:
    out = io.BytesIO()
    shades = [Image.new("P", (64, 64), n % 256) for n in range(frames)]
    shades[0].save(out, format="GIF", save_all=True, append_images=shades[1:], optimize=False)
    return out.getvalue()


def _jpeg_claiming(side: int) -> bytes:
    body = bytearray(picture("JPEG"))
    at = body.index(b"\xff\xc0")
    struct.pack_into(">HH", body, at + 5, side, side)
    return bytes(body)


def _webp_claiming() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (16, 16)).save(out, format="WEBP", lossless=True)
    body = bytearray(out.getvalue())
    at = body.index(b"VP8L") + 9
    struct.pack_into("<I", body, at, 16382 | 16382 << 14)
    return bytes(body)


def _tiff_claiming(side: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (16, 16)).save(out, format="TIFF")
    body = bytearray(out.getvalue())
    at = struct.unpack_from("<I", body, 4)[0]
    for number in range(struct.unpack_from("<H", body, at)[0]):
        tag = at + 2 + 12 * number
        if struct.unpack_from("<H", body, tag)[0] in (256, 257, 278):
            struct.pack_into("<HI", body, tag + 2, 4, 1)
            struct.pack_into("<I", body, tag + 8, side)
    return bytes(body)


def _tiff_loop() -> bytes:
    body = bytearray(picture("TIFF"))
    at = struct.unpack_from("<I", body, 4)[0]
    entries = struct.unpack_from("<H", body, at)[0]
    struct.pack_into("<I", body, at + 2 + 12 * entries, at)
    return bytes(body)


def _heic_deep() -> bytes:
    inner = b""
    for _ in range(2_000):
        inner = struct.pack(">I", 8 + 4 + len(inner)) + b"meta" + bytes(4) + inner
    return picture("HEIF")[:40] + inner


HOSTILE_NAMES = (
    "../up.txt", "../../../../etc/cron.d/x", "/etc/passwd", "//server/share/x", "C:\\Windows\\x.dll", "..\\..\\x.txt",
    "CON", "NUL.txt", "aux.", "com1.jpg", "a\u202ejpg.exe", "\u2066x\u2069.png", "a\u0000b", "\ufeffbom", "nl\nname",
    "cr\rname", "tab\tname", "esc\x1b[31mred", "bell\x07", "=1+1.csv", "@cmd", "+x", "-rf", "<script>alert(1)</script>",
    "{{7*7}}", "${jndi:x}", "%n%s%x", "';drop table x--", " trailing ", ".", "..", "...", "~", "$(id)", "`id`", "|x",
    "x" * 255, "d/" * 120 + "deep", "\u00e9", "e\u0301", "\U0001f600", "\udcff\udc80", "a:stream", "a::$DATA", "a;b&c",
)  # fmt: skip


def hostile_names(count: int) -> list[str]:
    """So many names, each hostile in its way and different from the others."""
    names = list(HOSTILE_NAMES)
    rng = random.Random("names")
    while len(names) < count:
        first, second = rng.choice(HOSTILE_NAMES), rng.choice(HOSTILE_NAMES)
        names.append(f"{first}/{len(names)}{second}"[:4000])
    return names[:count]


def zip_of_names(names: list[str]) -> bytes:
    """A zip whose members have exactly these names; `zipfile` would mend them."""
    out, central = bytearray(), bytearray()
    for number, name in enumerate(names):
        raw, body = name.encode("utf-8", "surrogateescape"), f"content {number}".encode()
        crc, at = zlib.crc32(body), len(out)
        out += struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0x800, 0, 0, 0, crc, len(body), len(body), len(raw), 0)
        out += raw + body
        central += struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, 0x800, 0, 0, 0, crc, len(body), len(body),
                               len(raw), 0, 0, 0, 0, 0, at) + raw  # fmt: skip
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, len(names), len(names), len(central), len(out), 0)
    return bytes(out + central + end)


def tar_of_names(names: list[str]) -> bytes:
    """A tar with these names (a NUL ends a name there: such names are left out)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as box:
        for number, name in enumerate(n for n in names if "\0" not in n):
            body = f"content {number}".encode()
            info = tarfile.TarInfo(name)
            info.size = len(body)
            box.addfile(info, io.BytesIO(body))
    return out.getvalue()
