"""Write a submission to the national database: VICS 2.0 JSON of digests and facts about files, never their content.

Field names and shapes follow the public UK writer (X-Ways Clees4All). PDQ and SHA-256 have no field of their own in
VICS and go under AlternativeHashes; confirm with the recipient that they are wanted. Category numbers are the site's:
the UK table is not public, so none is built in.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from safelight.errors import MatchingError
from safelight.matching.hashtext import SIZES, excerpt

#: The OData context of VICS 2.0 cases in the UK model.
UK_CONTEXT = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/UK/$metadata#Cases"
#: What `category_number` is asked for a file that nobody has categorised.
UNCATEGORISED = "uncategorised"
_LARGEST = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class VicsMediaFile:
    """One place where a file was found. Times carry their zone; None where there is none or a senseless one."""

    file_name: str
    file_path: str
    created: datetime | None = None
    written: datetime | None = None
    accessed: datetime | None = None
    deleted: bool = False
    unallocated: bool = False
    source_id: str = ""
    physical_location: str = ""


@dataclass(frozen=True, slots=True)
class VicsMedia:
    """One distinct file. `category` is its letter, or None where nobody has categorised it; VICS demands `md5`."""

    md5: bytes
    category: str | None
    sha1: bytes | None = None
    sha256: bytes | None = None
    pdq: bytes | None = None
    photodna: str | None = None
    size: int | None = None
    mime_type: str = ""
    series: str = ""
    tags: str = ""
    comments: str = ""
    victim_identified: bool | None = None
    offender_identified: bool | None = None
    is_distributed: bool | None = None
    is_suspected: bool | None = None
    date_updated: datetime | None = None
    files: tuple[VicsMediaFile, ...] = ()


@dataclass(frozen=True, slots=True)
class VicsCase:
    """The case a submission belongs to."""

    case_number: str
    contact_organization: str
    contact_name: str = ""
    contact_phone: str = ""
    contact_email: str = ""
    contact_title: str = ""
    case_id: uuid.UUID = field(default_factory=uuid.uuid4)
    seizure_date: datetime | None = None
    source_application_name: str = "Safelight"
    source_application_version: str = ""


@dataclass(frozen=True, slots=True)
class WrittenSubmission:
    """What was written: its path, the SHA-256 of the file in hexadecimal, and how many media it holds."""

    path: Path
    sha256: str
    media_count: int


def write_vics_submission(
    path: Path | str,
    *,
    case: VicsCase,
    media: Iterable[VicsMedia],
    category_number: Callable[[str], int | None],
    context_uri: str = UK_CONTEXT,
) -> WrittenSubmission:
    """Stream a submission into a file that appears only when it is whole.

    Args:
        media: any number; MediaID is the position, from 1.
        category_number: the site's number for a letter (or `uncategorised`) in this context; None where it set none.

    Raises:
        MatchingError: a category without a number, a malformed digest or time, a case without number or organisation,
            no media, or a file that cannot be written. Nothing is left behind.
    """
    path = Path(path)
    if not case.case_number.strip() or not case.contact_organization.strip():
        raise MatchingError("A submission needs a case number and an organisation.", fix="Fill in both.")
    body = path.with_name(f".{path.name}.media")
    whole = path.with_name(f".{path.name}.partial")
    numbers: dict[str, int] = {}
    try:
        # Media go to a file of their own first: their number stands before them in the case.
        with body.open("w", encoding="utf-8", newline="\n") as out:
            count = 0
            for count, item in enumerate(media, 1):
                number = _number(item.category or UNCATEGORISED, numbers, category_number, context_uri)
                out.write(",\n" if count > 1 else "")
                json.dump(_media(item, count, number), out, ensure_ascii=False)
        if not count:
            raise MatchingError("A submission needs at least one file.", fix="Choose the findings to submit.")
        with whole.open("wb") as target:
            digest = _assemble(target, case, body, count, context_uri)
        whole.replace(path)
    except UnicodeEncodeError as error:
        raise MatchingError(
            f"A name or text in the submission is not valid Unicode: {excerpt(error.object)!r}.",
            fix="Replace the undecodable characters of file names before submitting.",
        ) from error
    except OSError as error:
        raise MatchingError(
            f"{path} cannot be written: {error.strerror}.", fix="Free space or permit writing."
        ) from error
    finally:
        body.unlink(missing_ok=True)
        whole.unlink(missing_ok=True)
    return WrittenSubmission(path, digest, count)


def _assemble(target: IO[bytes], case: VicsCase, body: Path, count: int, context_uri: str) -> str:
    digest = hashlib.sha256()

    def put(block: bytes) -> None:
        digest.update(block)
        target.write(block)

    key = "@odata.context" if "/VICSDATAMODEL/" in context_uri else "odata.metadata"
    fields = json.dumps(_case(case, count), ensure_ascii=False)
    put(f'{{"{key}": {json.dumps(context_uri)}, "value": [\n{fields[:-1]}, "Media": [\n'.encode())
    with body.open("rb") as source:
        while block := source.read(1 << 20):
            put(block)
    put(b"\n]}\n]}\n")
    target.flush()
    os.fsync(target.fileno())
    return digest.hexdigest()


def _case(case: VicsCase, count: int) -> dict[str, Any]:
    return {
        "CaseID": f"{{{str(case.case_id).upper()}}}",
        "CaseNumber": case.case_number,
        "ContactOrganization": case.contact_organization,
        "ContactName": case.contact_name,
        "ContactPhone": case.contact_phone,
        "ContactEmail": case.contact_email,
        "ContactTitle": case.contact_title,
        "SeizureDate": _time(case.seizure_date, "SeizureDate"),
        "SourceApplicationName": case.source_application_name,
        "SourceApplicationVersion": case.source_application_version,
        "TotalMediaFiles": count,
    }


def _media(item: VicsMedia, media_id: int, number: int) -> dict[str, Any]:
    where = f"Media {media_id}"
    md5 = _hex(item.md5, "md5", where)
    if item.size is not None and not 0 <= item.size <= _LARGEST:
        raise MatchingError(f"{where}: a file cannot have {item.size} bytes.", fix="Correct the finding.")
    fields: dict[str, Any] = {"MediaID": media_id, "Category": number, "MD5": md5}
    if item.sha1 is not None:
        fields["SHA1"] = _hex(item.sha1, "sha1", where)
    if item.photodna is not None:
        fields["PhotoDNA"] = item.photodna
    alternatives = []
    for name, value in (("SHA256", item.sha256), ("PDQ", item.pdq)):
        if value is not None:
            text = _hex(value, name.lower(), where)
            # PDQ is printed in lower case by every tool that knows it.
            alternatives.append({"MD5": md5, "HashName": name, "HashValue": text.lower() if name == "PDQ" else text})
    optional = {
        "MediaSize": item.size,
        "MimeType": item.mime_type or None,
        "Series": item.series or None,
        "Tags": item.tags or None,
        "Comments": item.comments or None,
        "VictimIdentified": item.victim_identified,
        "OffenderIdentified": item.offender_identified,
        "IsDistributed": item.is_distributed,
        "IsSuspected": item.is_suspected,
        "DateUpdated": _time(item.date_updated, f"{where} DateUpdated"),
    }
    fields |= {key: value for key, value in optional.items() if value is not None}
    if alternatives:
        fields["AlternativeHashes"] = alternatives
    fields["MediaFiles"] = [_media_file(file, md5, where) for file in item.files]
    return fields


def _media_file(file: VicsMediaFile, md5: str, where: str) -> dict[str, Any]:
    if not file.file_name or not file.file_path:
        raise MatchingError(
            f"{where}: a place needs a file name and a path.", fix="Name unallocated data by its offset."
        )
    fields: dict[str, Any] = {"MD5": md5, "FileName": file.file_name, "FilePath": file.file_path}
    optional = {
        "Created": _time(file.created, f"{where} Created"),
        "Written": _time(file.written, f"{where} Written"),
        "Accessed": _time(file.accessed, f"{where} Accessed"),
        "SourceID": file.source_id or None,
        "PhysicalLocation": file.physical_location or None,
    }
    fields |= {key: value for key, value in optional.items() if value is not None}
    return fields | {"Deleted": file.deleted, "Unallocated": file.unallocated}


def _number(
    category: str, known: dict[str, int], category_number: Callable[[str], int | None], context_uri: str
) -> int:
    if category not in known:
        number = category_number(category)
        if number is None:
            raise MatchingError(
                f"No VICS number is set for category {excerpt(category)} in {context_uri}.",
                fix=f"Set the site's VICS category numbers for this context: one is missing for {excerpt(category)}.",
            )
        known[category] = number
    return known[category]


def _hex(value: bytes, name: str, where: str) -> str:
    if len(value) != SIZES[name]:
        raise MatchingError(
            f"{where}: {name.upper()} has {len(value)} bytes where {SIZES[name]} belong.", fix="Correct the finding."
        )
    return value.hex().upper()


def _time(moment: datetime | None, where: str) -> str | None:
    """ISO 8601 in UTC with Z.

    Raises:
        MatchingError: a time without a zone.
    """
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise MatchingError(f"{where}: the time {moment} has no zone.", fix="Give times with their zone.")
    try:
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except OverflowError as error:
        raise MatchingError(f"{where}: {moment} is not a time.", fix="Leave senseless times out.") from error
