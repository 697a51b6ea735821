"""Turning a triage result into rows: findings, unread parts, and what the run says about itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from safelight.casework.devices.models import Finding, TriageRun, UnreadPart
from safelight.triage.result import STATE_COMPLETE, STATE_STOPPED, TriageResult

BATCH = 500
_MUST_LOOK = "a person must look at this match"  # how the engine ends the note of a match that contradicts itself
_LARGEST = 2**63 - 1


def plain(text: str, limit: int | None = None) -> str:
    """``text`` as every database holds it: undecodable bytes and NUL made visible, never dropped."""
    made = text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
    return made if limit is None or len(made) <= limit else made[: limit - 1] + "…"


def _number(value: int | None) -> int | None:
    return None if value is None or not 0 <= value <= _LARGEST else value


def _time(value: datetime | None) -> datetime | None:
    """Times of a hostile file system may lie anywhere; a database holds years 1 to 9999, in UTC."""
    if value is None:
        return None
    try:
        return value.astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def findings_of(run: TriageRun, result: TriageResult, records: Mapping[str, Any]) -> Iterable[Finding]:
    """The findings as rows (not saved). ``records`` maps a hash set's root to its record."""
    volumes = {volume.index: volume.description for volume in result.volumes}
    for found in result.findings:
        record = records[found.hash_set_root]
        yield Finding(
            run=run,
            kind=found.kind,
            algorithm=found.algorithm,
            category="" if found.category in (None, "uncategorised") else found.category,
            hash_set=record,
            distance=found.distance,
            mode=plain(found.mode, 40),
            known_good=record.kind != "known",
            path=plain(found.path),
            volume=plain(f"{found.volume} {volumes.get(found.volume, '')}".strip(), 80),
            size=found.size,
            created=_time(found.times.created),
            written=_time(found.times.written),
            accessed=_time(found.times.accessed),
            deleted=found.state == "deleted",
            offset=_number(found.offsets[0]) if found.offsets else None,
            media_type=plain(found.type, 60),
            md5=found.md5,
            sha1=found.sha1,
            sha256=found.sha256,
            pdq=found.pdq or "",
            notes=[plain(text) for text in found.notes],
            doubtful=any(text.endswith(_MUST_LOOK) for text in found.notes),
        )


def unread_of(run: TriageRun, result: TriageResult) -> Iterable[UnreadPart]:
    """The unread parts as rows (not saved)."""
    for part in result.unread:
        yield UnreadPart(
            run=run,
            what=plain(part.what, 200),
            offset=_number(part.offset),
            length=_number(part.size),
            reason=plain(part.reason, 500),
            path=plain(part.path or ""),
        )


def state_of(result: TriageResult) -> str:
    """The state of a run that came to an end."""
    if result.state == STATE_STOPPED:
        return TriageRun.State.CANCELLED
    if result.state == STATE_COMPLETE and not result.unread:
        return TriageRun.State.FINISHED
    return TriageRun.State.UNREAD_PARTS


def summary_of(result: TriageResult) -> dict[str, Any]:
    """The figures that the pages show, as plain JSON. The whole record is report.json."""
    counts = result.counts
    return {
        "level": result.verdict.level,
        "reasons": [plain(reason) for reason in result.verdict.reasons],
        "limits": [plain(limit) for limit in result.limits],
        "problems": [{"where": plain(p.where), "what": plain(p.what)} for p in result.problems[:200]],
        "problems_total": len(result.problems),
        "format": plain(result.evidence.format, 120),
        "media_size": result.evidence.media_size,
        "media_sha256": result.evidence.media_sha256,
        "stored_agrees": result.evidence.stored_agrees,
        "parts": [plain(part.name, 200) for part in result.evidence.parts],
        "filesystems": [{"type": f.type, "offset": f.offset, "size": f.size} for f in result.filesystems],
        "files": counts.files,
        "files_live": counts.files_live,
        "files_deleted": counts.files_deleted,
        "files_read": counts.files_read,
        "files_not_read": counts.files_not_read + counts.files_partly_read,
        "bytes_read": counts.bytes_read,
        "pictures": counts.pictures,
        "pictures_hashed": counts.pictures_hashed,
        "known_good_files": counts.known_good,
        "operator": plain(result.operator, 120),
        "time_zone": settings.TIME_ZONE,
    }
