"""The demo's bench: real device images, hash sets that know some of their pictures, and real triage runs."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from safelight.casework.allocation.models import Allocation
from safelight.casework.base.errors import NotPossible
from safelight.casework.cases.models import Case
from safelight.casework.devices.models import Device, EvidenceImage, TriageRun
from safelight.casework.devices.runs import queue_triage
from safelight.casework.devices.services import book_in, register_image
from safelight.casework.devices.tasks import run_triage
from safelight.casework.fleet.services import ask_first_answer
from safelight.casework.fleet.tasks import give_first_answer
from safelight.casework.hashsets.services import import_hash_set
from safelight.casework.submissions.grading import record_grade
from safelight.casework.submissions.services import mark_sent, record_receipt, write_submission
from safelight.demo.diskimages import DiskImage, build_disk_images
from safelight.demo.hashsets import write_block_set, write_hash_sets
from safelight.demo.history import Story

GRADING_TOOL = "Example Grader 1.0 (synthetic)"


class Bench:
    """Where devices are imaged and triaged.

    Args:
        evidence: the evidence folder; images are written below it.
        rng: chance.
        home: the unit whose devices have real images.
        runs: how many triage runs the history may hold; each is really carried out.
    """

    def __init__(self, evidence: Path, rng: random.Random, *, home: str, runs: int) -> None:
        self.evidence, self.rng, self.home, self.left = evidence, rng, home, runs
        self.stock: list[DiskImage] = []
        self.next_image = 0
        self.begun = False
        self._asked: dict[int, bool] = {}

    def stock_up(self, on_progress: Callable[[int, int, str], None] | None = None) -> None:
        """Write the device images."""
        self.stock = build_disk_images(self.evidence / "stock", on_progress=on_progress)

    def import_hash_sets(self, actor: Any, folder: Path) -> None:
        """Write the two demo lists and import them as an examiner would; the block set lies beside the data."""
        lists = write_hash_sets(folder)
        write_block_set(folder.parent / "blocks.set")
        for path, name, source in (
            (lists.vics, "Synthetic national set", "Invented for the demo (VICS 2.0 JSON)"),
            (lists.csv, "Synthetic partner list", "Invented for the demo (CSV with PDQ)"),
        ):
            import_hash_set(
                actor,
                path=path,
                file_name=path.name,
                name=name,
                kind="known",
                version="demo-1",
                source=source,
                legal_basis="None needed: every picture is abstract and made by this program.",
            )

    def has_image_for(self, case: Case) -> bool:
        """Whether devices of this case are examined here; decided once for each case.

        The first one at home always is: whatever the day, the demo has a device that was triaged.
        """
        if case.pk not in self._asked:
            chance = self.rng.random() < 0.6 or not any(self._asked.values())
            self._asked[case.pk] = case.unit.code == self.home and self.left > 0 and chance
        return self._asked[case.pk] and self.left > 0

    def image_of(self, device: Device) -> Path:
        """A forensic copy of the device: one of the stock under the exhibit's own name (a hard link)."""
        chosen = self.stock[self.next_image % len(self.stock)]
        self.next_image += 1
        folder = self.evidence / device.case.reference
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{device.exhibit.replace('/', '-')}{chosen.path.suffix}"
        if not target.exists():
            os.link(chosen.path, target)
        return target.relative_to(self.evidence)

    def register(self, device: Device, officer: Any) -> EvidenceImage:
        return register_image(officer, device, path=str(self.image_of(device)))

    def examine(self, world: Any, device: Device, officer: Any, moment: datetime) -> Story:
        """Image, triage, grade, submit, and the answer of the national database; each after a wait."""
        examiner = self.rng.choice(world.force.examiners)
        self.left -= 1
        first_of_all, self.begun = not self.begun, True
        image = self.register(device, examiner)
        moment += timedelta(hours=self.rng.uniform(1, 20))
        yield moment
        if self.rng.random() < 0.4:
            self.look_first(examiner, device, image)
            moment += timedelta(hours=self.rng.uniform(4, 60))
            yield moment
        run = queue_triage(examiner, device, image)
        run_triage(run.pk)
        run.refresh_from_db()
        moment += timedelta(hours=self.rng.uniform(4, 60))
        yield moment
        if not run.findings.exists() or (self.rng.random() < 0.2 and not first_of_all):
            return
        for finding in run.findings.filter(category="", known_good=False):
            record_grade(examiner, finding, category=self.rng.choice("ABC"), graded_in=GRADING_TOOL)
        try:
            submission = write_submission(examiner, run)
        except NotPossible:
            return  # every file of this device went in with another device of the case
        moment += timedelta(hours=self.rng.uniform(2, 40))
        yield moment
        mark_sent(examiner, submission)
        moment += timedelta(hours=self.rng.uniform(10, 90))
        yield moment
        first = submission.items.order_by("id").first()
        rejected = (
            {first.md5: "Size and digest disagree with the record held (invented)."} if self.rng.random() < 0.3 else {}
        )
        record_receipt(examiner, submission, receipt=f"SYN-CAID-{submission.pk:05d}", rejected=rejected)

    def look_first(self, examiner: Any, device: Device, image: EvidenceImage) -> None:
        """A first answer, really given. (The job that asking puts into the queue finds nothing more to do.)"""
        give_first_answer(ask_first_answer(examiner, device, image, minutes=1).pk)

    def leave_waiting(self, examiner: Any, count: int) -> list[TriageRun]:
        """Seize fresh exhibits and queue their triage, so that the worker can be seen at it when the demo starts."""
        seized_at = timezone.now() - timedelta(minutes=90)
        live = Allocation.objects.filter(ended_at=None, case__unit__code=self.home, case__status="open")
        runs = []
        for place, allocation in enumerate(live.select_related("case", "investigator").order_by("-pk")[:count]):
            device = book_in(
                allocation.investigator,
                allocation.case,
                exhibit=f"SYN/NEW/{place + 1}",
                kind="card",
                description="Memory card found this morning (synthetic)",
                seized_at=seized_at,
                seized_from="1 Example Street",
                seized_by=str(allocation.investigator),
                place="Property store, Example Road",
                seal=f"SYN90000{place}",
            )
            image = self.register(device, examiner)
            if place == 0:
                self.look_first(examiner, device, image)
            runs.append(queue_triage(examiner, device, image))
        return runs
