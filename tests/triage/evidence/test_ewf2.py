"""Ex01: sets written here, held against libewf; what is damaged is named and everything else is read."""

from __future__ import annotations

import bz2
import hashlib
import random
import struct
import zlib
from pathlib import Path

import pyewf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safelight.errors import EvidenceError
from safelight.triage.evidence import expand_parts, open_evidence
from safelight.triage.evidence.ewf2 import Ewf2Evidence, part_names

MEDIA = random.Random(21).randbytes(300_032) + bytes(200_192) + b"\x5a" * 100_352 + b"end".ljust(512, b"\0")
CHUNK = 64 * 512


def _text(rows: dict[str, object]) -> bytes:
    body = "\ufeff1\nmain\n" + "\t".join(rows) + "\n" + "\t".join(str(v) for v in rows.values()) + "\n\n"
    return body.encode("utf-16-le")


class _Sections:
    """Appends sections: the body, then its description, which leads back to the one before."""

    def __init__(self, out: bytearray) -> None:
        self.out, self.before = out, 0

    def __call__(self, kind: int, body: bytes) -> None:
        pad = -len(body) % 16
        body += bytes(pad)
        self.out.extend(body)
        digest = hashlib.md5(body).digest() if body else bytes(16)
        head = struct.pack("<IIQQII16s12x", kind, bool(body), self.before, len(body), 64, pad, digest)
        self.before = len(self.out)
        self.out.extend(head + struct.pack("<I", zlib.adler32(head)))


def write_ex01(
    folder: Path, media: bytes = MEDIA, *, parts: int = 1, method: int = 1, pattern: bool = False
) -> list[Path]:
    """A set by the specification of version 2."""
    pack = {1: lambda b: zlib.compress(b, 1), 2: bz2.compress}[method]
    chunks = [media[at : at + CHUNK] for at in range(0, len(media), CHUNK)]
    each = -(-len(chunks) // parts)
    paths = []
    for number in range(parts):
        out = bytearray(b"EVF2\x0d\x0a\x81\x00" + struct.pack("<BBHI16s", 2, 1, method, number + 1, bytes(range(16))))
        section = _Sections(out)
        device = {"sn": "", "md": "", "lb": "", "ts": len(media) // 512, "hs": "", "dc": "", "dt": "f", "pid": ""}
        section(1, pack(_text({**device, "rs": "", "ls": "", "bp": 512, "ph": 1})))
        section(2, pack(_text({"nm": "", "cn": "SYNTHETIC", "tb": len(chunks), "cp": 1, "sb": 64, "gr": 64, "wb": 64})))
        rows, body, base = b"", b"", len(out)
        mine = chunks[number * each : (number + 1) * each]
        for chunk in mine:
            packed = pack(chunk)
            if pattern and chunk == chunk[:8] * (len(chunk) // 8):
                rows += struct.pack("<QII", struct.unpack("<Q", chunk[:8])[0], 0, 5)
                continue
            piece, flags = (
                (packed, 1) if len(packed) < len(chunk) else (chunk + struct.pack("<I", zlib.adler32(chunk)), 2)
            )
            rows += struct.pack("<QII", base + len(body), len(piece), flags)
            body += piece + bytes(-len(piece) % 16)
        section(3, body)
        head = struct.pack("<QII", number * each, len(mine), 0)
        section(4, head + struct.pack("<I12x", zlib.adler32(head)) + rows + struct.pack("<I12x", zlib.adler32(rows)))
        if number == parts - 1:
            digest = hashlib.md5(media).digest()
            section(8, digest + struct.pack("<I12x", zlib.adler32(digest)))
        section(15 if number == parts - 1 else 13, b"")
        path = folder / f"exhibit.Ex{number + 1:02d}"
        path.write_bytes(out)
        paths.append(path)
    return paths


@pytest.mark.parametrize(("parts", "pattern"), [(1, False), (3, False), (2, True)])
def test_ex01_is_read_bit_for_bit_as_libewf_reads_it(tmp_path: Path, parts: int, pattern: bool) -> None:
    """An EnCase 7 image would be refused, or read wrongly."""
    paths = write_ex01(tmp_path, parts=parts, pattern=pattern)
    other = pyewf.handle()
    other.open([str(p) for p in paths])
    assert other.read_buffer_at_offset(len(MEDIA), 0) == MEDIA
    assert expand_parts(paths[0]) == paths
    with open_evidence([paths[0]]) as evidence:
        assert (evidence.format, evidence.size) == ("Ex01", len(MEDIA))
        assert evidence.read(0, evidence.size) == MEDIA
        assert evidence.read(CHUNK - 7, 100) == MEDIA[CHUNK - 7 : CHUNK + 93]
        assert evidence.stored_md5 == hashlib.md5(MEDIA).hexdigest() == other.get_hash_values()["MD5"]
        assert not evidence.missing and not evidence.problems


def test_ex01_packed_with_bzip2(tmp_path: Path) -> None:
    """The format's second compression would read as damage."""
    with open_evidence(write_ex01(tmp_path, method=2)) as evidence:
        assert evidence.read(0, evidence.size) == MEDIA


def test_a_damaged_chunk_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    """libewf gives it as zeros without a word: a file with a hole would be hashed as if it were whole."""
    (path,) = write_ex01(tmp_path)
    body = bytearray(path.read_bytes())
    body[1000 + 2 * CHUNK] ^= 1
    path.write_bytes(body)
    with open_evidence([path]) as evidence:
        read = evidence.read(0, evidence.size)
        ((left, right, why),) = evidence.missing
        assert (right - left, left % CHUNK) == (CHUNK, 0) and "damaged" in why
        assert read[:left] + read[right:] == MEDIA[:left] + MEDIA[right:]


def test_missing_and_cut_parts_are_named_and_the_rest_is_read(tmp_path: Path) -> None:
    """A set that lost its last part would be refused whole, or end early in silence."""
    paths = write_ex01(tmp_path, parts=3)
    paths[2].unlink()
    with open_evidence([paths[0]]) as evidence:
        ((left, right, why),) = evidence.missing
        assert right == len(MEDIA) and "was not given" in why
        assert evidence.read(0, left) == MEDIA[:left]
    paths[1].write_bytes(paths[1].read_bytes()[:-200])
    with open_evidence([paths[0]]) as evidence:
        ((left, right, why),) = evidence.missing
        assert right == len(MEDIA) and left == 7 * CHUNK and "exhibit.Ex02" in why
        assert evidence.read(0, left) == MEDIA[:left]


def test_the_second_part_alone_says_what_to_give(tmp_path: Path) -> None:
    """A person would not know which file is the right one."""
    with pytest.raises(EvidenceError, match="part 2 of an Ex01 set"):
        open_evidence([write_ex01(tmp_path, parts=2)[1]])
    assert part_names(Path("a.Ex01"))[:1] + part_names(Path("a.Ex01"))[98:99] == ["a.Ex02", "a.ExAA"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 4000), end=st.booleans(), byte=st.integers(0, 255))
def test_no_damage_gives_wrong_bytes_in_silence(tmp_path: Path, at: int, end: bool, byte: int) -> None:
    """Changed bytes would be hashed as the exhibit's."""
    (path,) = write_ex01(tmp_path, pattern=True)
    body = bytearray(path.read_bytes())
    body[-at - 1 if end else at] = byte
    path.write_bytes(body)
    try:
        evidence = Ewf2Evidence([path])
    except EvidenceError:
        return
    with evidence:
        read = evidence.read(0, min(evidence.size, len(MEDIA)))
        for place in range(0, len(read), CHUNK):
            if not evidence.missing.overlaps(place, place + CHUNK):
                assert read[place : place + CHUNK] == MEDIA[place : place + CHUNK]
