"""Bad sectors anywhere: every range is listed, the rest is read, no file with a hole passes for whole (F7)."""

from __future__ import annotations

import errno
import os
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.triage.conftest import make_ext
from tests.triage.evidence.test_counters import fat
from tests.triage.evidence.test_udf import disc

from safelight.triage.digests import digest_content
from safelight.triage.evidence import Device, open_evidence

RUNS = 25
FILES = {f"d{n % 3}/f{n}.bin": random.Random(n).randbytes(n * 4321) for n in range(12)}


def _ntfs(folder: Path, images: Path) -> Path:
    image = folder / "n.img"
    subprocess.run(["truncate", "-s", "6M", image], check=True)
    subprocess.run(["mkntfs", "-F", "-q", "-Q", image], check=True, capture_output=True)
    for name, body in FILES.items():
        (folder / "f").write_bytes(body)
        subprocess.run(["ntfscp", image, folder / "f", Path(name).name], check=True, capture_output=True)
    return image


def _fat(folder: Path, images: Path) -> Path:
    image = fat(folder, "16", 4)
    for name, body in FILES.items():
        (folder / "f").write_bytes(body)
        subprocess.run(["mcopy", "-i", image, folder / "f", f"::DCIM/{Path(name).name}"], check=True)
    return image


def _udf(folder: Path, images: Path) -> Path:
    (folder / "u.img").write_bytes(disc("metadata").finish(7, 3))
    return folder / "u.img"


def _iso(folder: Path, images: Path) -> Path:
    for name, body in FILES.items():
        (folder / "s" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "s" / name).write_bytes(body)
    command = ["genisoimage", "-quiet", "-udf", "-J", "-R", "-o", folder / "d.iso", folder / "s"]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "d.iso"


MAKERS: dict[str, Callable[[Path, Path], Path]] = {
    "ext4": lambda folder, images: make_ext(folder / "e.img", FILES, size="3M"),
    "NTFS": _ntfs, "FAT16": _fat, "UDF": _udf, "ISO and UDF": _iso,
    "HFS+": lambda folder, images: images / "hfsplus.raw",
    "APFS": lambda folder, images: images / "apfs.raw",
    "ext2 in E01": lambda folder, images: images / "ext2.split.E01",
}  # fmt: skip


def _seen(image: Path) -> tuple[dict[str, tuple[bool, str, int]], list[tuple[int, int]], list[str]]:
    """Live files as (complete, MD5, size), the ranges that the report would list, and all reasons."""
    found = {}
    with open_evidence([image]) as evidence:
        device = Device(evidence, check_gaps=False)
        for filesystem in device.filesystems:
            for entry in filesystem.entries():
                if not entry.allocated or not entry.readable or entry.sparse or entry.path.startswith("$"):
                    continue
                content = filesystem.content(entry.locator)
                row = digest_content(content)
                missing = any(evidence.missing.overlaps(x.offset, x.offset + x.size) for x in entry.extents)
                found[entry.path] = (not row.gaps and not missing, row.md5, entry.size)
        reasons = [p.reason for p in device.unread_now()]
        differs = [f for f in device.filesystems if f.expected != f.found]
        reasons += [f"{f.type} says {f.expected} and lists {f.found}" for f in differs]
        return found, [(a, b) for a, b, _ in evidence.missing], reasons


@pytest.mark.parametrize("kind", MAKERS)
def test_no_bad_sector_is_passed_over(images: Path, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file with a hole would be hashed as if it were whole, or a folder listed short, and nobody would know."""
    image = MAKERS[kind](tmp_path, images)
    truth, none, _ = _seen(image)
    assert len(truth) >= 3 and not none and all(whole for whole, _, _ in truth.values())
    raw = image.read_bytes()
    used = [at for at in range(4096, len(raw) - 511, 512) if raw[at : at + 512].strip(b"\0")]
    real = os.pread
    bad: list[tuple[int, int]] = []

    def faulty(descriptor: int, length: int, at: int) -> bytes:
        if any(a < at + length and at < b for a, b in bad):
            raise OSError(errno.EIO, "Input/output error")
        return real(descriptor, length, at)

    monkeypatch.setattr(os, "pread", faulty)
    touched = whole = 0
    for seed in range(RUNS):
        rng = random.Random(f"{kind} {seed}")
        bad[:] = [(at, at + 512 * rng.choice((1, 1, 8, 40))) for at in rng.sample(used, rng.choice((1, 3, 8)))]
        found, missing, reasons = _seen(image)
        touched += bool(missing or reasons)
        for path, (complete, md5, size) in found.items():
            if complete and path in truth and size == truth[path][2]:
                whole += 1
                assert md5 == truth[path][1], f"{path} passes for whole: {bad}, {missing}"
        lost = [p for p in truth if p not in found or found[p][2] != truth[p][2]]
        assert not lost or reasons, f"{lost} are gone without a word: {bad}"
        if "E01" not in kind:
            for left, right in missing:
                assert any(a // 4096 * 4096 < right and left < -(-b // 4096) * 4096 for a, b in bad), "a range too many"
    assert touched > RUNS // 3 and whole > RUNS
