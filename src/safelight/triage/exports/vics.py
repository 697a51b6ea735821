"""Findings as VICS 2.0 JSON, for tools of the field that read such lists: digests and facts about files, no content."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from safelight.matching import UK_CONTEXT, VicsCase, VicsMedia, VicsMediaFile, write_vics_submission
from safelight.triage.result import Finding, TriageResult
from safelight.triage.verdict import NOT_LISTED

_SPACE = uuid.UUID("6b1f2a52-6f0b-4d4e-9d0c-2f1a5f3f7c11")


@dataclass(frozen=True, slots=True)
class VicsOptions:
    """What a VICS file needs and a device does not tell.

    Attributes:
        case_number, organisation: as the recipient knows them.
        number_of: the site's number for a category letter, None where it set none. Where any that is needed is
            missing, every file is 0 (uncategorised), and its category stands in its tags: a guessed number would be
            read as a decision.
    """

    case_number: str = ""
    organisation: str = ""
    number_of: Callable[[str], int | None] = lambda category: None


def write_vics(result: TriageResult, path: Path, options: VicsOptions) -> int:
    """Write the findings that have a digest of their own; how many media there are. Without any, no file is written.

    Fragments are left out: they are pieces of listed files, and have no digest of a file on this device.

    Raises:
        MatchingError: the file cannot be written.
    """
    groups: dict[str, list[Finding]] = {}
    for found in result.findings:
        if found.md5 and found.category not in NOT_LISTED:
            groups.setdefault(found.md5, []).append(found)
    if not groups:
        return 0
    numbers = {f.category or "uncategorised": None for rows in groups.values() for f in rows}
    known = {name: options.number_of(name) for name in numbers}
    known.setdefault("uncategorised", 0)
    if known["uncategorised"] is None:
        known["uncategorised"] = 0
    usable = None not in known.values()
    device = result.evidence.parts[0].name if result.evidence.parts else "device"
    written = write_vics_submission(
        path,
        case=VicsCase(
            case_number=options.case_number or device,
            contact_organization=options.organisation or "not given",
            contact_name=result.operator,
            case_id=uuid.uuid5(_SPACE, result.run_id),
            source_application_name=result.tool,
            source_application_version=result.tool_version,
        ),
        media=_media(groups, device),
        category_number=lambda category: known[category] if usable else 0,
        context_uri=UK_CONTEXT,
    )
    return written.media_count


def _media(groups: dict[str, list[Finding]], device: str) -> Iterator[VicsMedia]:
    for rows in groups.values():
        # The gravest stands first; an exact match before a likeness.
        one = rows[0]
        files = {(f.filesystem, f.path): f for f in rows}
        sets = ", ".join(dict.fromkeys(f.hash_set for f in rows))
        how = "same digest" if one.kind == "exact" else f"PDQ distance {one.distance}"
        yield VicsMedia(
            md5=bytes.fromhex(one.md5),
            category=one.category,
            sha1=bytes.fromhex(one.sha1) if one.sha1 else None,
            sha256=bytes.fromhex(one.sha256) if one.sha256 else None,
            pdq=bytes.fromhex(one.pdq) if one.pdq else None,
            size=one.size,
            tags=f"category {one.category or 'none'} by {sets}",
            comments=f"{one.kind} match ({how}); nobody has looked at it",
            is_suspected=True,
            files=tuple(_place(f, device) for f in files.values()),
        )


def _place(found: Finding, device: str) -> VicsMediaFile:
    return VicsMediaFile(
        file_name=_valid(found.name) or "unnamed",
        file_path=_valid(found.path) or "unnamed",
        created=found.times.created,
        written=found.times.written,
        accessed=found.times.accessed,
        deleted=found.state == "deleted",
        unallocated=found.state == "unallocated",
        source_id=_valid(device),
        physical_location=str(found.offsets[0]) if found.offsets else "",
    )


def _valid(text: str) -> str:
    """Text that JSON in UTF-8 can hold."""
    return text.encode("utf-8", "backslashreplace").decode()
