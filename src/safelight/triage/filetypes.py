"""What a file is by its first bytes, whatever its name says."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

#: Bytes of a file that `sniff` wants to see.
HEAD = 4096

#: Types that are decoded and hashed perceptually.
PICTURES = frozenset({"JPEG", "PNG", "GIF", "BMP", "TIFF", "WebP", "HEIC", "AVIF"})

#: Types that are shown to the video decoder, which finds out whether they hold pictures.
VIDEOS = frozenset({"MP4", "QuickTime", "AVI", "Matroska", "ASF", "MPEG", "FLV", "Ogg"})
#: Those of them that often hold sound alone; of the others, one without a picture is damaged.
SOUNDS = frozenset({"Matroska", "ASF", "Ogg"})

_EXTENSIONS = {
    "JPEG": {"jpg", "jpeg", "jpe", "jfif", "jif", "thm", "mpo"},
    "PNG": {"png", "apng"},
    "GIF": {"gif"},
    "BMP": {"bmp", "dib"},
    "TIFF": {"tif", "tiff", "dng", "nef", "cr2", "arw", "orf", "pef", "srw", "rw2", "3fr", "iiq"},
    "WebP": {"webp"},
    "HEIC": {"heic", "heif", "hif"},
    "AVIF": {"avif"},
}
_BRANDS = {
    "HEIC": {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"},
    "AVIF": {b"avif", b"avis"},
}
_SIMPLE = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"%PDF-", "PDF"),
    (b"PK\x03\x04", "ZIP"),
    (b"\x1a\x45\xdf\xa3", "Matroska"),
    (b"OggS", "Ogg"),
    (b"FLV\x01", "FLV"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "ASF"),
    (b"\0\0\x01\xba", "MPEG"),
    (b"\0\0\x01\xb3", "MPEG"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"Rar!\x1a\x07", "RAR"),
    (b"\x1f\x8b", "gzip"),
    (b"SQLite format 3\0", "SQLite"),
    (b"MZ", "PE"),
    (b"\x7fELF", "ELF"),
    (b"PK\x05\x06", "ZIP"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"EVF\x09\x0d\x0a\xff\0", "E01"),
    (b"QFI\xfb", "QCOW2"),
    (b"conectix", "VHD"),
    (b"vhdxfile", "VHDX"),
    (b"KDMV", "VMDK"),
)

_BY_BYTE: dict[bytes, list[tuple[bytes, str]]] = {}
for _mark, _name in _SIMPLE:
    _BY_BYTE.setdefault(_mark[:1], []).append((_mark, _name))

#: Types that hold files of their own and are opened.
CONTAINERS = frozenset(
    {"ZIP", "7-Zip", "gzip", "bzip2", "xz", "Zstandard", "tar", "E01", "QCOW2", "VHD", "VHDX", "VMDK", "disk image"}
)
_VOLUMES = (
    (3, b"NTFS    "), (3, b"EXFAT   "), (3, b"-FVE-FS-"), (54, b"FAT1"), (82, b"FAT32   "), (0, b"LUKS\xba\xbe"),
    (0, b"XFSB"), (32, b"NXSB"), (512, b"EFI PART"), (512, b"LABELONE"), (1024, b"H+\0\x04"),
)  # fmt: skip

#: Single bytes, by their place, of which every recognised file has at least one.
_TELLING: dict[int, set[int]] = {
    0: {*(mark[0] for mark in _BY_BYTE), *b"RB"}, 4: {*b"f"}, 257: {*b"u"}, 510: {0x55}, 1080: {0x53},
}  # fmt: skip
for _at, _mark in _VOLUMES:
    _TELLING.setdefault(_at, set()).add(_mark[0])


def sniff(head: bytes) -> str:
    """The type in a word (`JPEG`, `MP4`, `PDF`, ...), or `` where nothing known is recognised."""
    for mark, name in _BY_BYTE.get(head[:1], ()):
        if head.startswith(mark):
            return name
    if head[:4] == b"RIFF" and len(head) >= 12:
        return {b"WEBP": "WebP", b"AVI ": "AVI", b"WAVE": "WAV"}.get(head[8:12], "RIFF")
    if head[4:8] == b"ftyp":
        return _iso_media(head)
    if head[:2] == b"BM" and len(head) >= 18:
        size = int.from_bytes(head[14:18], "little")
        if size in (12, 16, 40, 52, 56, 64, 108, 124):
            return "BMP"
    if head[257:262] == b"ustar":
        return "tar"
    return "disk image" if _is_disk(head) else ""


def recognisable(
    octets: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Which of many files `sniff` may recognise, told by single bytes: where it says no, `sniff` gives ``.

    Args:
        octets: a buffer.
        starts, sizes: where in it each file begins, and its bytes (at least 1).
    """
    import numpy as np

    found = np.zeros(len(starts), np.bool_)
    for at, letters in _TELLING.items():
        there = np.flatnonzero(sizes > at)
        known = np.zeros(256, np.bool_)
        known[list(letters)] = True
        found[there] |= known[octets[starts[there] + at]]
    return found


def _is_disk(head: bytes) -> bool:
    """Whether these are the first bytes of a file system, or of a disk with a volume table."""
    for at, mark in _VOLUMES:
        if head.startswith(mark, at):
            return True
    if head[1080:1082] == b"\x53\xef" and any(head[1024:1028]) and head[1048] <= 6 and not any(head[1049:1052]):
        return True  # ext: so many inodes, and a block size of 1 to 64 KiB.
    if head[510:512] != b"\x55\xaa":
        return False
    rows = [head[at : at + 16] for at in range(446, 510, 16)]
    used = [row for row in rows if any(row)]
    return bool(used) and all(row[0] in (0, 0x80) and row[4] and any(row[8:12]) and any(row[12:16]) for row in used)


def _iso_media(head: bytes) -> str:
    length = min(int.from_bytes(head[:4], "big"), len(head), 256)
    brands = [head[8:12], *(head[i : i + 4] for i in range(16, length - 3, 4))]
    for name, known in _BRANDS.items():
        if brands[0] in known:
            # `mif1` is only the frame; the compatible brands tell what is inside.
            if brands[0] in (b"mif1", b"msf1") and any(b in _BRANDS["AVIF"] for b in brands):
                return "AVIF"
            return name
    if brands[0] in (b"M4A ", b"M4B ", b"M4P "):
        return "M4A"
    return "QuickTime" if brands[0] == b"qt  " else "MP4"


def mismatch(name: str, kind: str) -> bool:
    """Whether a picture goes under a name that says something else (a JPEG called `notes.txt`)."""
    if kind not in PICTURES:
        return False
    base = name.rsplit("/", 1)[-1]
    ending = base.rsplit(".", 1)[1].lower() if "." in base.lstrip(".") else ""
    return ending not in _EXTENSIONS[kind]
