"""Hundreds of damaged images, one after the other: each ends in a result or in words, and the bench goes on."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from safelight.errors import EvidenceError
from safelight.triage import TriageSettings, triage_device
from safelight.triage.pipeline import Bench

SOURCES = ("apfs.raw", "ext2.E01", "ext2.qcow2", "ext2.vmdk", "hfsplus.raw", "hfsplus_zlib.dmg", "image.vhd",
           "iso9660.raw", "windows_volume.qcow2")  # fmt: skip


def mutate(body: bytearray, rng: random.Random, used: list[int]) -> None:
    """A few bytes of the structures that are there, or of the header; now and then the end is cut off."""
    for _ in range(rng.choice((1, 3, 10, 50))):
        at = rng.choice(used) + rng.randrange(512) if rng.random() < 0.5 else rng.randrange(min(len(body), 8192))
        at = min(at, len(body) - 1)
        body[at] = rng.choice((0, 255, rng.randrange(256), body[at] ^ (1 << rng.randrange(8))))
    if rng.random() < 0.15:
        del body[rng.randrange(1, len(body)) :]


@pytest.mark.parametrize("name", SOURCES)
def test_a_damaged_image_never_ends_the_run(images: Path, tmp_path: Path, name: str) -> None:
    """One hostile exhibit would stop the triage of all the others."""
    original = (images / name).read_bytes()
    used = [at for at in range(0, len(original), 512) if any(original[at : at + 512])]
    rng = random.Random(f"images {name}")
    path = tmp_path / f"mutant{Path(name).suffix}"
    outcomes = {"complete": 0, "unread parts": 0, "refused": 0}
    with Bench(TriageSettings(stall_seconds=2, picture_workers=1)) as bench:
        for _ in range(30):
            body = bytearray(original)
            mutate(body, rng, used)
            path.write_bytes(body)
            try:
                result = triage_device([path], hash_sets=[], operator="Demo", bench=bench)
            except EvidenceError as error:
                outcomes["refused"] += 1
                assert error.what
                continue
            outcomes[result.state] += 1
            if result.state == "complete":
                assert not result.unread
        # The bench is as good as new after all of them.
        path.write_bytes(original)
        assert triage_device([path], hash_sets=[], operator="Demo", bench=bench).counts.files >= 3
    assert sum(outcomes.values()) == 30
