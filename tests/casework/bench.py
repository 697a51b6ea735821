"""A bench for tests: real device images, the demo's hash sets, and a folder for what Safelight writes."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.casework.factories import make_case, make_device, make_user
from tests.support.evidence import shared_evidence

from safelight.casework.devices import services
from safelight.casework.devices.models import Device, TriageRun
from safelight.casework.devices.tasks import run_triage
from safelight.casework.hashsets.services import import_hash_set
from safelight.demo.contents import Variant
from safelight.demo.diskimages import DiskImage, build_disk_images
from safelight.demo.hashsets import HashSets, write_hash_sets

CARD = Variant(
    "card", "Memory card", "fat32", "mbr", ("DCIM/100DEMO", "Download", "Android/data"), 2, 2, 40, (800, 600)
)


@cache
def _built() -> tuple[Path, DiskImage, HashSets]:
    """Built once for all tests of the process; nothing of it is ever written to."""
    folder = Path(tempfile.mkdtemp(prefix="safelight-bench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    card = build_disk_images(folder / "evidence", variants=[CARD])[0]
    return folder, card, write_hash_sets(folder / "lists")


@dataclass
class Bench:
    """``evidence`` holds ``card.dd`` (FAT32, 2 exact and 2 similar pictures of the demo sets) and the shared images."""

    evidence: Path
    data: Path
    card: DiskImage
    lists: HashSets
    examiner: Any

    def import_sets(self) -> list[Any]:
        """Both demo sets: digests with category numbers (VICS), and PDQ with letters (CSV)."""
        return [
            import_hash_set(
                self.examiner,
                path=path,
                file_name=path.name,
                name=f"Synthetic {path.suffix[1:]} list",
                kind="known",
                version="1",
                source="Synthetic publisher",
                legal_basis="A test",
            )
            for path in (self.lists.vics, self.lists.csv)
        ]

    def device(self, path: str = "card.dd", case: Any = None) -> Device:
        """A device with this image registered."""
        device = make_device(case or make_case(), self.examiner)
        services.register_image(self.examiner, device, path=path)
        return device

    def triage(self, device: Device) -> TriageRun:
        """Ask for triage, run the job, and give the run as it stands then."""
        run = services.queue_triage(self.examiner, device)
        run_triage(run.pk)
        run.refresh_from_db()
        return run


def make_bench(settings: Any, tmp_path: Path) -> Bench:
    folder, card, lists = _built()
    root = tmp_path / "evidence"
    root.mkdir()
    for source in [card.path, *shared_evidence("images").iterdir()]:
        # A hard link would let a fault write into the shared original; these are small.
        if source.is_file() and source.stat().st_size <= 64 << 20:
            shutil.copyfile(source, root / source.name)
    settings.EVIDENCE_ROOT, settings.DATA = root, tmp_path / "data"
    settings.REPORTS_ROOT = settings.DATA / "reports"
    settings.DATA.mkdir()
    return Bench(root, settings.DATA, card, lists, make_user("examiner", "CN", skills=["image_grading"]))
