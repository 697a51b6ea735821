"""The folder in which a run keeps what is finished: the plan, the listing, and one result for each chunk.

A chunk's result is two files: `chunk-000007.parquet` (its files) and `chunk-000007.json` (the rest, with the SHA-256
of the first). Each gets its name only when it is whole and on the disk, the JSON last: a chunk is done when that is
there, and fits. Two workers that do the same chunk write the same thing; the later one wins, and nothing is lost.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safelight.errors import EvidenceError
from safelight.triage.codec import decode, encode
from safelight.triage.model import Problem, UnreadPart
from safelight.triage.plan import Chunk, DevicePlan
from safelight.triage.result import Counts, Finding
from safelight.triage.rows import settle
from safelight.triage.sandbox import Confinement

FORMAT = "safelight-triage-chunk/1"
PLAN, LISTING = "plan.json", "listing.parquet"


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """What one chunk came to, beside the Parquet file of its records.

    Attributes:
        plan: digest of the plan it belongs to.
        chunk: its number.
        complete: False where the run was stopped in the middle: what was read then counts until the chunk is done anew.
        rows: records in its Parquet file, whose SHA-256 is `records`.
        counts: of its files (and of those inside them).
        known_good: files that a known-good set vouches for.
        findings: matches with hash sets.
        runs: blocks of listed files: offset, source, position, count of each run.
        problems, unread: what it met.
        identity: digests of the whole media, from an identity chunk.
        sandbox: how the process that parsed the device was shut in.
    """

    plan: str
    chunk: int
    complete: bool
    rows: int
    records: str
    counts: Counts
    known_good: int = 0
    findings: tuple[Finding, ...] = ()
    runs: tuple[tuple[int, ...], ...] = ()
    problems: tuple[Problem, ...] = ()
    unread: tuple[UnreadPart, ...] = ()
    identity: Mapping[str, str] | None = None
    sandbox: Confinement = field(default_factory=Confinement)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"format": FORMAT, **encode(self)}


class RunFolder:
    """The working state of one run of one device. Made when it is not there."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def make(self) -> None:
        """Make the folder.

        Raises:
            EvidenceError: it cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EvidenceError(
                f"The run's folder {self.path} cannot be made: {error.strerror}.", fix="Name a folder elsewhere."
            ) from None

    @property
    def listing(self) -> Path:
        """The listing of the plan."""
        return self.path / LISTING

    @property
    def draft(self) -> Path:
        """Where the listing is kept while it grows."""
        return self.path / f".growing.{os.getpid()}.draft"

    def records(self, chunk: int) -> Path:
        """Where a chunk's records lie."""
        return self.path / f"chunk-{chunk:06d}.parquet"

    def _result(self, chunk: int) -> Path:
        return self.path / f"chunk-{chunk:06d}.json"

    def write_plan(self, plan: DevicePlan) -> None:
        """Keep the plan. From now on the run can be resumed."""
        self._write(self.path / PLAN, plan.to_json())

    def plan(self) -> DevicePlan | None:
        """The plan that is kept here; None where the run has not come so far.

        Raises:
            EvidenceError: it is damaged, or of another version.
        """
        path = self.path / PLAN
        if not path.exists():
            return None
        record = _read(path)
        if record is None:
            raise EvidenceError(f"{path} is damaged.", fix="Start the run anew (--fresh).")
        return DevicePlan.from_json(record)

    def write_result(self, result: ChunkResult) -> None:
        """Keep a chunk's result; its records must be there already."""
        self._write(self._result(result.chunk), result.to_json())

    def result(self, plan: DevicePlan, chunk: Chunk) -> ChunkResult | None:
        """A chunk's result, complete or not; None where there is none that is whole and fits the plan."""
        record = _read(self._result(chunk.index))
        if record is None or record.pop("format", None) != FORMAT:
            return None
        try:
            result = decode(ChunkResult, record)
        except EvidenceError:
            return None
        if result.plan != plan.digest or result.chunk != chunk.index:
            return None
        return result if file_digest(self.records(chunk.index)) == result.records else None

    def missing(self, plan: DevicePlan) -> list[Chunk]:
        """The chunks that are still to be done, in order."""
        found = []
        for chunk in plan.chunks:
            result = self.result(plan, chunk)
            if result is None or not result.complete:
                found.append(chunk)
        return found

    def clear(self) -> None:
        """Throw away what a run left here. Only files that a run writes are touched.

        Raises:
            EvidenceError: they cannot be removed.
        """
        try:
            for pattern in (PLAN, LISTING, "chunk-*", ".*.draft"):
                for path in self.path.glob(pattern):
                    path.unlink(missing_ok=True)
        except OSError as error:
            raise EvidenceError(f"{self.path} cannot be cleared: {error.strerror}.", fix="Check its rights.") from None

    def remove(self) -> None:
        """Remove the folder: its run is over and reported."""
        self.clear()
        shutil.rmtree(self.path, ignore_errors=True)

    def _write(self, path: Path, record: Mapping[str, Any]) -> None:
        draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
        try:
            draft.write_text(json.dumps(record, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
            settle(draft, path)
        except OSError as error:
            raise EvidenceError(
                f"{path} cannot be written: {error.strerror}.", fix="Name a folder with room for it."
            ) from None


def file_digest(path: Path) -> str:
    """SHA-256 (hex) of a file; empty where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _read(path: Path) -> dict[str, Any] | None:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) else None
