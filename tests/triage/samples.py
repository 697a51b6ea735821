"""Findings and results for tests of what is done with them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from safelight.triage import (
    Counts,
    EvidencePart,
    EvidenceRecord,
    Finding,
    HashSetRecord,
    Times,
    TriageResult,
    TriageSettings,
    UnreadPart,
)
from safelight.triage.result import STATE_COMPLETE, STATE_UNREAD, findings_digest
from safelight.triage.verdict import decide

NOON = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)


def finding(**changes: Any) -> Finding:
    values: dict[str, Any] = {
        "kind": "exact", "algorithm": "md5", "category": "A", "hash_set": "SYNTHETIC", "hash_set_root": "ab" * 32,
        "distance": 0, "mode": "", "path": "DCIM/a.jpg", "name": "a.jpg", "size": 10, "state": "live",
        "times": Times(NOON, NOON), "offsets": (4096,), "md5": "11" * 16, "sha1": "22" * 20, "sha256": "33" * 32,
        "pdq": None, "type": "JPEG", "volume": 1, "filesystem": 0, "address": 7,
    }  # fmt: skip
    return Finding(**{**values, **changes})


def result(
    *,
    findings: tuple[Finding, ...] = (),
    unread: tuple[UnreadPart, ...] = (),
    counts: Counts | None = None,
    **more: Any,
) -> TriageResult:
    settings = TriageSettings()
    sets = (HashSetRecord("SYNTHETIC", "1", "ab" * 32, {"entries": 3}),)
    counts = counts or Counts(files=5, files_read=5, files_live=5, bytes_read=50)
    state = STATE_UNREAD if unread else STATE_COMPLETE
    values: dict[str, Any] = {
        "run_id": "r1", "tool": "safelight triage", "tool_version": "0.1.0", "libraries": {"pytsk3": "1"},
        "started": NOON, "finished": NOON, "operator": "Demo Examiner", "settings": settings, "state": state,
        "evidence": EvidenceRecord((EvidencePart("d.dd", "/evidence/d.dd", 100),), "raw", 100),
        "volumes": (), "filesystems": (), "counts": counts, "hash_sets": sets, "findings": findings, "problems": (),
        "unread": unread, "limits": ("Free space was not searched.",),
        "verdict": decide(findings, counts, unread, state=state, entries_in_sets=3),
        "findings_digest": findings_digest(findings, sets, settings),
    }  # fmt: skip
    return TriageResult(**{**values, **more})
