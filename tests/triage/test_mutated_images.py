"""Hundreds of damaged images, one after the other: each ends in a result or in words, and the bench goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.hostile import mutated_image

from safelight.errors import EvidenceError
from safelight.triage import TriageSettings, triage_device
from safelight.triage.pipeline import Bench

SOURCES = ("apfs.raw", "ext2.E01", "ext2.qcow2", "ext2.vmdk", "hfsplus.raw", "hfsplus_zlib.dmg", "image.vhd",
           "iso9660.raw", "windows_volume.qcow2")  # fmt: skip


@pytest.mark.parametrize("name", SOURCES)
def test_a_damaged_image_never_ends_the_run(images: Path, tmp_path: Path, name: str) -> None:
    """One hostile exhibit would stop the triage of all the others."""
    original = (images / name).read_bytes()
    path = tmp_path / f"mutant{Path(name).suffix}"
    outcomes = {"complete": 0, "unread parts": 0, "refused": 0}
    with Bench(TriageSettings(stall_seconds=2, picture_workers=1)) as bench:
        for number in range(12):
            path.write_bytes(mutated_image(original, name, number))
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
    assert sum(outcomes.values()) == 12
