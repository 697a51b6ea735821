"""E01: every byte right and checked; whatever is cut, flipped or missing is listed, and the rest is read."""

from __future__ import annotations

import hashlib
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from safelight.errors import EvidenceError
from safelight.triage.evidence import ewf, open_evidence
from safelight.triage.evidence.base import Evidence


def _whole(evidence: Evidence, window: int = 1 << 20) -> bytes:
    return b"".join(evidence.read(at, window) for at in range(0, evidence.size, window))


@pytest.fixture(scope="module", params=["none", "fast", "best"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """An E01 set of several parts that ewfacquire made, and what is in it."""
    folder = tmp_path_factory.mktemp(f"ewf-{request.param}")
    rng = random.Random(7)
    body = bytearray(rng.randbytes(3 << 20))
    body[500_000:1_500_000] = b"plain words " * 83_333 + b"    "
    body += bytes(1 << 20)
    (folder / "raw.dd").write_bytes(body)
    subprocess.run(
        ["ewfacquire", "-q", "-u", "-f", "encase6", "-c", f"deflate:{request.param}", "-S", "1048576", "-d", "sha1",
         "-t", str(folder / "set"), str(folder / "raw.dd")],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder / "set.E01", bytes(body)


def test_media_is_bit_for_bit_and_agrees_with_the_stored_digests(made: tuple[Path, bytes]) -> None:
    """Every digest of every file on an E01 would be wrong."""
    first, body = made
    with open_evidence([first]) as evidence:
        assert evidence.size == len(body)
        assert len(evidence.parts) > 1
        assert _whole(evidence) == body
        assert evidence.stored_md5 == hashlib.md5(body).hexdigest()
        assert evidence.stored_sha1 == hashlib.sha1(body).hexdigest()
        assert not evidence.unread()
        rng = random.Random(1)
        for _ in range(200):
            at, n = rng.randrange(len(body)), rng.randrange(1, 100_000)
            assert evidence.read(at, n) == body[at : at + n]


def test_public_images_agree_with_their_stored_digest(images: Path) -> None:
    """Images that other tools made could not be verified."""
    for name in ("ext2.E01", "ext2.split.E01"):
        with open_evidence([images / name]) as evidence:
            assert hashlib.md5(_whole(evidence)).hexdigest() == evidence.stored_md5


def test_zlib_alone_gives_the_same(made: tuple[Path, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without the fast inflater would read other bytes."""
    monkeypatch.setattr(ewf, "LIBDEFLATE", False)
    with open_evidence([made[0]]) as evidence:
        assert _whole(evidence) == made[1]


def test_cut_short_anywhere_reads_what_is_there_and_lists_the_rest(made: tuple[Path, bytes], tmp_path: Path) -> None:
    """A truncated image would give zeros as if they were the device's own bytes."""
    first, body = made
    for name in sorted(p.name for p in first.parent.glob("set.E*")):
        shutil.copyfile(first.parent / name, tmp_path / name)
    last = sorted(tmp_path.glob("set.E*"))[1]
    original = last.read_bytes()
    for later in sorted(tmp_path.glob("set.E*"))[2:]:
        later.unlink()
    sizes = set()
    for part in range(1, 20):
        last.write_bytes(original[: len(original) * part // 20])
        with open_evidence([tmp_path / "set.E01"]) as evidence:
            assert evidence.size == len(body)
            data = _whole(evidence)
            unread = evidence.unread()
            assert unread and evidence.problems
            at = 0
            for gap in unread:
                assert gap.offset is not None and gap.size is not None
                assert data[at : gap.offset] == body[at : gap.offset]
                assert not any(data[gap.offset : gap.offset + gap.size])
                at = gap.offset + gap.size
            assert data[at:] == body[at:]
            sizes.add(sum(p.size or 0 for p in unread))
    assert len(sizes) > 3, "more of the part should give more of the media, also where the chunk table is cut off"


def test_a_flipped_byte_costs_its_chunk_and_is_listed(images: Path, tmp_path: Path) -> None:
    """A damaged chunk would pass as good."""
    body = bytearray((images / "ext2.split.E01").read_bytes())
    with open_evidence([images / "ext2.split.E01"]) as evidence:
        right = _whole(evidence)
    body[1_000_000] ^= 1
    (tmp_path / "a.E01").write_bytes(body)
    shutil.copyfile(images / "ext2.split.E02", tmp_path / "a.E02")
    with open_evidence([tmp_path / "a.E01"]) as evidence:
        data = _whole(evidence)
        (gap,) = evidence.unread()
        assert gap.size == 32768 and "damaged chunk" in gap.reason
        assert data[: gap.offset] == right[: gap.offset]
        assert data[gap.offset + gap.size :] == right[gap.offset + gap.size :]


def test_a_missing_last_part_is_named(images: Path, tmp_path: Path) -> None:
    """Half a device would be reported as a whole one."""
    shutil.copyfile(images / "ext2.split.E01", tmp_path / "a.E01")
    with open_evidence([tmp_path / "a.E01"]) as evidence:
        assert "the parts after a.E01 are missing" in evidence.unread()[0].reason


def test_parts_of_two_sets_are_refused(images: Path, tmp_path: Path) -> None:
    """Two devices would be mixed into one."""
    shutil.copyfile(images / "ext2.split.E01", tmp_path / "a.E01")
    shutil.copyfile(images / "ext2.E01", tmp_path / "a.E02")
    with pytest.raises(EvidenceError, match="where part 2 belongs"):
        open_evidence([tmp_path / "a.E01"])


def test_damaged_headers_never_crash(images: Path, tmp_path: Path) -> None:
    """One damaged image would end the run of all."""
    original = (images / "ext2.E01").read_bytes()
    rng = random.Random(3)
    path = tmp_path / "m.E01"
    for _ in range(300):
        body = bytearray(original)
        for _ in range(rng.choice((1, 4, 20))):
            body[rng.randrange(len(body))] = rng.randrange(256)
        if rng.random() < 0.2:
            del body[rng.randrange(13, len(body)) :]
        path.write_bytes(body)
        try:
            with open_evidence([path]) as evidence:
                evidence.read(0, 1 << 20)
        except EvidenceError:
            continue


def test_part_names_run_through_the_alphabet() -> None:
    """A set of more than 99 parts would end at part 99."""
    names = ewf.part_names(Path("x.E01"))
    assert names[0] == "x.E02" and names[97] == "x.E99" and names[98] == "x.EAA" and names[-1] == "x.ZZZ"
    assert ewf.part_names(Path("x.e01"))[98] == "x.eaa"
