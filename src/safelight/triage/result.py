"""The record of one triage run: what was found, what was read, what was not, and all that is needed to repeat it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from safelight.triage.codec import decode, encode
from safelight.triage.model import EvidencePart, FileSystemRecord, Problem, Times, UnreadPart, Volume
from safelight.triage.sampled import FirstAnswer
from safelight.triage.sandbox.state import Confinement
from safelight.triage.settings import TriageSettings

FORMAT = "safelight-triage/1"

STATE_COMPLETE = "complete"
STATE_UNREAD = "unread parts"
STATE_STOPPED = "stopped"
STATE_SAMPLED = "first answer"


@dataclass(frozen=True, slots=True)
class EvidenceRecord:
    """The image: its parts, its container format, the media inside it and the digests that identify it.

    `media_sha256` is None when the settings did not ask for it. `stored_*` is what the container says about itself;
    `stored_agrees` is None when there is nothing to compare.
    """

    parts: tuple[EvidencePart, ...]
    format: str
    media_size: int
    media_sha256: str | None = None
    stored_md5: str | None = None
    stored_sha1: str | None = None
    stored_agrees: bool | None = None


@dataclass(frozen=True, slots=True)
class HashSetRecord:
    """A hash set as used: `root` identifies its exact content."""

    name: str
    version: str
    root: str
    counts: Mapping[str, int]
    known_good: bool = False


@dataclass(frozen=True, slots=True)
class Counts:
    """What was seen and read. Files are counted once, however many names they have.

    `deleted_in_part` of the `files_partly_read` are deleted files whose remaining content is no longer reachable by
    their record; where it still exists it lies in free space, and the report's limits say that that was not searched.
    """

    files: int = 0
    files_live: int = 0
    files_deleted: int = 0
    names_only: int = 0
    directories: int = 0
    other: int = 0
    empty: int = 0
    sparse: int = 0
    files_read: int = 0
    files_partly_read: int = 0
    files_not_read: int = 0
    deleted_in_part: int = 0
    bytes_in_files: int = 0
    bytes_read: int = 0
    pictures: int = 0
    pictures_hashed: int = 0
    pictures_low_quality: int = 0
    pictures_not_decoded: int = 0
    videos: int = 0
    videos_hashed: int = 0
    videos_not_decoded: int = 0
    duplicates: int = 0
    known_good: int = 0
    type_mismatches: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """One file that matches one entry of one hash set.

    Attributes:
        kind: `exact`, `perceptual`, or `block` (blocks of a listed file, whose digests then stand in the notes).
        algorithm: the digest that matched: `md5`, `sha1`, `sha256`, `pdq` (a picture, or a frame of a video) or `vpdq`
            (a video by its frames).
        category: the category that the hash set (mapped by the site's table) gives it; None where it gives none.
        distance: PDQ distance in bits (0 for an exact match).
        mode: how a picture was hashed (`full size`); empty for an exact match.
        state: `live`, `deleted`, or `unallocated` for blocks in space that no file uses.
        offsets: where the file's pieces begin on the media, bytes.
    """

    kind: str
    algorithm: str
    category: str | None
    hash_set: str
    hash_set_root: str
    distance: int
    mode: str
    path: str
    name: str
    size: int
    state: str
    times: Times
    offsets: tuple[int, ...]
    md5: str
    sha1: str
    sha256: str
    pdq: str | None
    type: str
    volume: int
    filesystem: int
    address: int | None = None
    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer in a sentence, with its reasons.

    `level` is one of `listed material`, `possible listed material`, `no listed material in what was read`, `not
    compared`, `not read`, and of a first answer `no listed material in the sample`.
    No level and no sentence says that a device holds nothing.
    """

    level: str
    sentence: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TriageResult:
    """Everything a run has to say. `to_json` and `from_json` are the file format `safelight-triage/1`.

    `sandbox` is how the processes that parsed the evidence were shut in; None in records of versions that had none.
    """

    run_id: str
    tool: str
    tool_version: str
    libraries: Mapping[str, str]
    started: datetime
    finished: datetime
    operator: str
    settings: TriageSettings
    state: str
    evidence: EvidenceRecord
    volumes: tuple[Volume, ...]
    filesystems: tuple[FileSystemRecord, ...]
    counts: Counts
    hash_sets: tuple[HashSetRecord, ...]
    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...]
    unread: tuple[UnreadPart, ...]
    limits: tuple[str, ...]
    verdict: Verdict
    findings_digest: str
    sandbox: Confinement | None = None
    first: FirstAnswer | None = None

    @property
    def bytes_not_read(self) -> int:
        """Bytes of all unread parts whose size is known."""
        return sum(part.size or 0 for part in self.unread)

    @property
    def exit_code(self) -> int:
        """0 complete, or a first answer as sure as was asked for; 3 finished with unread parts, or stopped."""
        if self.state == STATE_SAMPLED and self.first is not None:
            return 0 if self.first.reached and not self.unread else 3
        return 0 if self.state == STATE_COMPLETE else 3

    def to_json(self) -> dict[str, Any]:
        """The machine record, plain JSON values."""
        return {
            "format": FORMAT,
            **encode(self),
            "bytes_not_read": self.bytes_not_read,
            "exit_code": self.exit_code,
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> TriageResult:
        """The result that `to_json` wrote.

        Raises:
            EvidenceError: the record is of another format or version, incomplete, or its findings do not fit its
                digest.
        """
        from safelight.errors import EvidenceError

        if record.get("format") != FORMAT:
            raise EvidenceError(
                f"This is not a triage record: its format is {record.get('format')!r}, not {FORMAT!r}.",
                fix="Give the report.json of a safelight triage run.",
            )
        body = {k: v for k, v in record.items() if k not in ("format", "bytes_not_read", "exit_code")}
        result = decode(cls, body)
        if result.findings_digest != findings_digest(result.findings, result.hash_sets, result.settings, result.first):
            raise EvidenceError(
                "The findings of this triage record do not fit its findings digest.",
                fix="The record was changed after the run; run the triage again.",
            )
        return result


def findings_digest(
    findings: tuple[Finding, ...],
    hash_sets: tuple[HashSetRecord, ...],
    settings: TriageSettings,
    first: FirstAnswer | None = None,
) -> str:
    """SHA-256 (hex) over the findings in canonical order, the hash sets' roots and the settings that decide matches.

    Equal for equal evidence, hash sets and settings, whoever runs it, when and on what machine.
    """
    rows = sorted(json.dumps(encode(f), sort_keys=True, ensure_ascii=True, separators=(",", ":")) for f in findings)
    head = {
        "roots": sorted({s.root for s in hash_sets}),
        "threshold": settings.threshold,
        "min_quality": settings.min_quality,
        "pictures": settings.pictures,
        "deleted": settings.deleted,
    }
    if settings.reduced:
        head["reduced"] = True
    if settings.pictures and settings.videos:
        head["frame_seconds"] = settings.frame_seconds
    if settings.block_set:
        head["block_run"] = settings.block_run
    if first is not None:
        head |= {"seed": first.settings.seed, "drawn": first.drawn, "checked": first.files_checked}
    digest = hashlib.sha256(json.dumps(head, sort_keys=True, separators=(",", ":")).encode())
    for row in rows:
        digest.update(b"\n" + row.encode())
    return digest.hexdigest()
