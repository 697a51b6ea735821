"""Check the structure of a VICS 2.0 submission before it leaves: our own validator, as no official schema is public.

It checks what public readers and the public UK writer agree on: the context, the case's fields, mandatory and
well-formed digests, unique MediaIDs, places with name and path, times, and the total.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from safelight.errors import MatchingError
from safelight.matching.hashtext import excerpt
from safelight.matching.readers.jsonstream import stream_items

_CONTEXT = re.compile(
    r"http://github\.com/(VICSDATAMODEL/ProjectVic/DataModels/2\.0\.xml/(US|UK|Default|CUSTOM)/\$metadata"
    r"|ICMEC/ProjectVic/DataModels/1\.[123]\.xml)#(Cases|Media)\Z"
)
_GUID = re.compile(r"\{?[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}?\Z", re.ASCII)
_DIGEST = {name: re.compile(rf"[0-9A-Fa-f]{{{n}}}\Z", re.ASCII) for name, n in (("MD5", 32), ("SHA1", 40))}
_CASE_FIELDS = ("CaseNumber", "ContactOrganization", "SourceApplicationName")
_TIMES = ("Created", "Written", "Accessed")
_FLAGS = ("VictimIdentified", "OffenderIdentified", "IsDistributed", "IsSuspected", "IsPrecategorized")
_MOST = 1000


def validate_vics(path: Path | str) -> list[str]:
    """Problems of a VICS file, in plain sentences; an empty list means that none was found.

    Cases are read as a stream of media. After 1,000 problems it stops and says so.

    Raises:
        MatchingError: the file cannot be read.
    """
    problems: list[str] = []
    try:
        for problem in _problems(Path(path)):
            problems.append(problem)
            if len(problems) == _MOST:
                problems.append("There are more problems; only the first 1,000 are listed.")
                break
    except OSError as error:
        raise MatchingError(f"{path} cannot be read: {error.strerror}.", fix="Check the path.") from error
    return problems


def _problems(path: Path) -> Iterator[str]:
    try:
        context = next((c for key in ("@odata.context", "odata.metadata") for c in _stream(path, key)), None)
        if not isinstance(context, str) or not _CONTEXT.match(context):
            yield f"The context is not a VICS one: {excerpt(context)}."
        cases = not (isinstance(context, str) and context.endswith("#Media"))
        total = yield from _check_media(path, "value.item.Media.item" if cases else "value.item")
        if cases:
            yield from _check_cases(path, total)
    except MatchingError as error:
        yield error.what


def _stream(path: Path, prefix: str) -> Iterator[Any]:
    return stream_items(lambda: path.open("rb"), str(path), prefix)


def _check_cases(path: Path, media: int) -> Iterator[str]:
    for field in ("CaseID", *_CASE_FIELDS):
        values = list(_stream(path, f"value.item.{field}"))
        if not values:
            yield f"The case has no {field}."
        for value in values:
            if field == "CaseID" and not (isinstance(value, str) and _GUID.match(value)):
                yield f"CaseID is not a GUID: {excerpt(value)}."
            elif not isinstance(value, str) or not value.strip():
                yield f"The case's {field} is empty."
    for value in _stream(path, "value.item.SeizureDate"):
        if value is not None and not _is_time(value):
            yield f"SeizureDate is not a time with its zone: {excerpt(value)}."
    totals = list(_stream(path, "value.item.TotalMediaFiles"))
    if not totals:
        yield "The case has no TotalMediaFiles."
    elif not all(isinstance(total, int) for total in totals):
        yield f"TotalMediaFiles is not a number: {excerpt(totals[0])}."
    elif sum(totals) != media:
        yield f"TotalMediaFiles says {sum(totals)}, but the file holds {media} media."


def _check_media(path: Path, prefix: str) -> Generator[str, None, int]:
    """Yields problems, returns how many media there are."""
    seen: set[int] = set()
    count = 0
    for media in _stream(path, prefix):
        count += 1
        if not isinstance(media, dict):
            yield f"Item {count} is not an object."
            continue
        media_id = media.get("MediaID")
        where = f"Media {excerpt(media_id, 24)}" if media_id is not None else f"Item {count}"
        if not isinstance(media_id, int) or isinstance(media_id, bool):
            yield f"{where}: MediaID is not a whole number."
        elif media_id in seen:
            yield f"{where}: MediaID is used twice."
        else:
            seen.add(media_id)
        yield from _check_fields(media, where)
    if not count:
        yield "The file holds no media."
    return count


def _check_fields(media: dict[str, Any], where: str) -> Iterator[str]:
    category = media.get("Category")
    if category is not None and (not isinstance(category, int) or isinstance(category, bool)):
        yield f"{where}: Category is not a whole number: {excerpt(category)}."
    md5 = media.get("MD5")
    if not _is_digest("MD5", md5):
        yield f"{where}: MD5 is missing or not 32 hexadecimal digits: {excerpt(md5)}."
    if media.get("SHA1") not in (None, "") and not _is_digest("SHA1", media["SHA1"]):
        yield f"{where}: SHA1 is not 40 hexadecimal digits: {excerpt(media['SHA1'])}."
    size = media.get("MediaSize")
    if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 0):
        yield f"{where}: MediaSize is not a number of bytes: {excerpt(size)}."
    for name in _FLAGS:
        if media.get(name) is not None and not isinstance(media[name], bool):
            yield f"{where}: {name} is neither true nor false: {excerpt(media[name])}."
    if media.get("DateUpdated") is not None and not _is_time(media["DateUpdated"]):
        yield f"{where}: DateUpdated is not a time with its zone: {excerpt(media['DateUpdated'])}."
    for listed in ("AlternativeHashes", "MediaFiles"):
        if not isinstance(media.get(listed, []), list):
            yield f"{where}: {listed} is not a list."
            continue
        for item in media.get(listed, []):
            if not isinstance(item, dict):
                yield f"{where}: {listed} holds something that is not an object."
            elif listed == "MediaFiles":
                yield from _check_place(item, md5, where)
            elif not item.get("HashName") or not item.get("HashValue"):
                yield f"{where}: an alternative hash has no name or no value."


def _check_place(place: dict[str, Any], md5: object, where: str) -> Iterator[str]:
    for name in ("FileName", "FilePath"):
        if not isinstance(place.get(name), str) or not place[name]:
            yield f"{where}: a place has no {name}."
    if not _is_digest("MD5", place.get("MD5")):
        yield f"{where}: a place's MD5 is missing or not 32 hexadecimal digits."
    elif isinstance(md5, str) and place["MD5"].upper() != md5.upper():
        yield f"{where}: a place's MD5 differs from its media's."
    for name in _TIMES:
        if place.get(name) is not None and not _is_time(place[name]):
            yield f"{where}: {name} is not a time with its zone: {excerpt(place[name])}."


def _is_digest(name: str, value: object) -> bool:
    return isinstance(value, str) and _DIGEST[name].match(value) is not None


def _is_time(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False
