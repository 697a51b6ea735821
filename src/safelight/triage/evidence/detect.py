"""From paths to evidence: what an image is, told by its content and never by its name, and which files belong to it."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from safelight.errors import EvidenceError
from safelight.triage.evidence import ewf, ewf2, virtual
from safelight.triage.evidence.base import Evidence
from safelight.triage.evidence.folder import FolderEvidence
from safelight.triage.evidence.raw import RawEvidence, find_split_parts, open_read_only, read_sectors
from safelight.triage.model import Problem

_NOT_YET = (
    (b"LVF\x09\x0d\x0a\xff\x00", "an L01 logical image", "Export its files into a folder, and triage the folder."),
    (b"LEF2\x0d\x0a\x81\x00", "an Lx01 logical image", "Export its files into a folder, and triage the folder."),
    (b"ADSEGMENTEDFILE\x00", "an AD1 logical image", "Export its files into a folder, and triage the folder."),
    (b"Rar!\x1a\x07", "a RAR archive", "Unpack it into a folder, and triage the folder."),
)  # fmt: skip

#: No disk is larger; a virtual one that claims to be has a damaged header.
_LARGEST = 1 << 50


def open_evidence(paths: Sequence[Path]) -> Evidence:
    """Open one device's image for reading only.

    Args:
        paths: the image; for a set of several files its first part (the others are found beside it), or all parts in
            their order; or one folder of files.

    Raises:
        EvidenceError: a file is missing or not readable, a later part was given without the first, or the container is
            damaged beyond reading, encrypted, or of a kind that is not read yet.
    """
    if not paths:
        raise EvidenceError("No image was given.", fix="Name at least one image file.")
    first = paths[0]
    if len(paths) == 1 and first.is_dir():
        return FolderEvidence(first)
    for path in paths:
        _must_be_file(path)
    head, tail = _ends(first)
    if head.startswith((ewf.SIGNATURE, ewf2.SIGNATURE)):
        return _open_ewf(list(paths), head)
    if head.startswith(b"PK\x03\x04") and head[30:].startswith((b"container.description", b"version.txt")):
        raise EvidenceError(
            f"{first} is an AFF4 image, which this version does not read.", fix="Convert it to E01 or raw."
        )
    for signature, what, fix in _NOT_YET:
        if head.startswith(signature):
            raise EvidenceError(f"{first} is {what}, which this version does not read.", fix=fix)
    kind = virtual.virtual_kind(head, tail)
    if kind:
        if len(paths) > 1:
            raise EvidenceError(f"{first} is a {kind} image of one file.", fix="Give the other images on their own.")
        disk = virtual.OPENERS[kind](virtual.Place(first))
        if disk.thin and disk.size > _LARGEST:
            disk.close()
            raise EvidenceError(
                f"{first} claims {disk.size:,} bytes of media: its header is damaged.", fix="Copy the image again."
            )
        return disk
    return _open_raw(list(paths), head)


def expand_parts(path: Path) -> list[Path]:
    """The files that `open_evidence([path])` would read: `path` and its brothers."""
    if not path.is_file():
        return [path]
    head, _ = _ends(path)
    if head.startswith(ewf.SIGNATURE) and len(head) > 12:
        return ewf.find_parts(path) if ewf.segment_number(head) == 1 and _is_ewf_name(path) else [path]
    if head.startswith(ewf2.SIGNATURE) and len(head) > 15:
        return _following(path) if ewf2.segment_number(head) == 1 else [path]
    if re.fullmatch(r"\.0*1", path.suffix) and len(path.suffix) >= 3:
        return find_split_parts(path)[0]
    return [path]


def _following(first: Path) -> list[Path]:
    """The parts of an Ex01 set that lie beside the first without a gap."""
    folded = {p.name.casefold(): p for p in first.parent.iterdir()}
    parts = [first]
    if re.fullmatch(r"\.[A-Za-z]x01", first.suffix):
        for name in ewf2.part_names(first):
            found = folded.get(name.casefold())
            if found is None:
                break
            parts.append(found)
    return parts


def _is_ewf_name(path: Path) -> bool:
    return re.fullmatch(r"\.[A-Za-z]01", path.suffix) is not None


def _must_be_file(path: Path) -> None:
    if "\0" in str(path):
        raise EvidenceError(f"The path {str(path)!r} holds a NUL character.", fix="Name an image file.")
    if not path.exists():
        raise EvidenceError(f"There is no file {path}.", fix="Check the name and that the disk is mounted.")
    if not path.is_file():
        raise EvidenceError(
            f"{path} is not a regular file.", fix="Give an image file; devices are imaged before they are triaged."
        )
    if path.stat().st_size == 0:
        raise EvidenceError(f"{path} is empty (0 bytes).", fix="Copy the image again.")


def _ends(path: Path) -> tuple[bytes, bytes]:
    fd = open_read_only(path)
    try:
        size = os.fstat(fd).st_size
        return read_sectors(fd, 0, min(size, 4096)), read_sectors(fd, max(0, size - 512), min(size, 512))
    except OSError as error:
        raise EvidenceError(f"{path} cannot be read: {error.strerror}.", fix="Check the disk.") from None
    finally:
        os.close(fd)


def _open_ewf(paths: list[Path], head: bytes) -> Evidence:
    if head.startswith(ewf2.SIGNATURE):
        number = ewf2.segment_number(head) if len(head) > 15 else 1
        if number != 1:
            raise EvidenceError(
                f"{paths[0]} is part {number} of an Ex01 set.",
                fix="Give the first part; the others are found beside it.",
            )
        return ewf2.Ewf2Evidence(_following(paths[0]) if len(paths) == 1 else paths)
    number = ewf.segment_number(head) if len(head) > 12 else 1
    if number != 1:
        raise EvidenceError(
            f"{paths[0]} is part {number} of an E01 set.", fix="Give the first part; the others are found beside it."
        )
    if len(paths) == 1 and _is_ewf_name(paths[0]):
        paths = ewf.find_parts(paths[0])
    return ewf.EwfEvidence(paths)


def _open_raw(paths: list[Path], head: bytes) -> Evidence:
    holes: dict[int, str] = {}
    first = paths[0]
    if len(paths) == 1 and re.fullmatch(r"\.0*1", first.suffix) and len(first.suffix) >= 3:
        start = int(first.suffix[1:])
        paths, missing = find_split_parts(first)
        stem, width = first.name[: -len(first.suffix)], len(first.suffix) - 1
        holes = {n - start: f"{stem}.{n:0{width}d}" for n in missing}
    evidence = RawEvidence(paths, holes)
    named = re.fullmatch(r"\.([esl]x?\d\d|qcow2?|vhdx?|vmdk|dmg)", first.suffix, re.IGNORECASE)
    if named:
        evidence.problems.append(
            Problem(
                first.name, f"It is named like {named[1].upper()} but does not hold that format; it was read as raw."
            )
        )
    return evidence


def not_an_image(evidence: Evidence) -> EvidenceError:
    """The error for a raw file in which neither a volume table nor a file system can be recognised."""
    path = Path(evidence.parts[0].path)
    head = evidence.read(0, 4096)
    named = f" It is named {path.suffix}, but" if re.fullmatch(r"\.[A-Za-z0-9]{2,5}", path.suffix) else " It"
    text = head and all(byte in b"\t\n\r\f\x1b" or 32 <= byte < 127 or byte >= 128 for byte in head)
    if text:
        try:
            head.decode("utf-8", "ignore")
            shape = f"{named} holds text."
        except UnicodeDecodeError:  # pragma: no cover - "ignore" never raises
            shape = ""
    else:
        shape = f"{named} holds no container, volume table or file system that is known."
    return EvidenceError(
        f"{path} is not a forensic image:{shape}",
        fix="Check that this is the right file, and that it was copied whole.",
    )
