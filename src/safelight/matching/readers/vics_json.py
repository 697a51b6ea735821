"""VICS (Project VIC) OData JSON, versions 1.1, 1.2, 1.3 and 2.0, cases and hash sets, read as a stream.

Fields and quirks: docs of the public exporters (X-Ways Clees4All, Griffeye) and readers (IPED, GLEAPP). Seen in real
files and tolerated: a byte-order mark, booleans as text, MediaSize as text, several media that share one digest.
IsPrecategorized is ignored: exporters set it on entries that have no category.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from safelight.errors import MatchingError
from safelight.matching.entry import HashSetEntry
from safelight.matching.hashtext import SIZES, excerpt, parse_hex
from safelight.matching.readers.base import Collector
from safelight.matching.readers.jsonstream import starts_array, stream_items
from safelight.matching.readers.values import read_flag, read_number, read_text

_CONTEXT = re.compile(rb'"(?:@odata\.context|odata\.metadata)"\s*:\s*"((?:[^"\\]|\\.)*)"')
_VERSION = re.compile(r"DataModels/(\d+\.\d+)\.xml")
_KEYS = {"MD5": "md5", "SHA1": "sha1", "SHA256": "sha256"}
# AlternativeHashes[].HashName, without hyphens and case, to what we call it.
_ALTERNATIVES = {"sha1": "sha1", "sha256": "sha256", "pdq": "pdq", "md5": "md5"}


def read_vics(path: Path, head: bytes, collector: Collector) -> str:
    """Stream the entries of a VICS file into the collector; returns the format's name.

    Raises:
        MatchingError: not JSON, truncated, or JSON that is not VICS.
    """
    context = _context_of(path, head, collector)
    collector.add_context(context)
    shape = "media" if context.endswith("#Media") else "cases"
    # One shape needs one streaming path; a file whose context names the wrong shape is read by the other.
    order = ("value.item", "value.item.Media.item") if shape == "media" else ("value.item.Media.item", "value.item")
    count = 0
    for prefix in order:
        for item in stream_items(collector.open, str(path), prefix):
            count += _take(item, context, count, collector)
        if count:
            if prefix != order[0]:
                collector.note("file", f"the context names {shape}, but the file has the other shape", context)
            break
    if not count:
        raise MatchingError(f"{path} is VICS JSON without any media.", fix="Check that it is the right file.")
    version = _VERSION.search(context)
    return f"VICS {version[1] if version else 'of unknown version'} {shape}"


def _take(item: object, context: str, before: int, collector: Collector) -> int:
    """Collect one item of the stream; a case met where media were announced gives all its media."""
    if isinstance(item, dict) and isinstance(item.get("Media"), list) and "MD5" not in item:
        for number, media in enumerate(item["Media"]):
            _collect(media, context, before + number + 1, collector)
        return len(item["Media"])
    if isinstance(item, dict) and "CaseID" in item and "MD5" not in item:
        return 0  # a case without media
    _collect(item, context, before + 1, collector)
    return 1


def _collect(media: object, context: str, number: int, collector: Collector) -> None:
    if not isinstance(media, dict):
        collector.reject(f"item {number}", "not an object", media)
        return
    media_id = media.get("MediaID")
    where = f"item {number}" if media_id is None else f"item {number} (MediaID {excerpt(media_id, 24)})"
    try:
        digests = _digests(media)
    except MatchingError as error:
        collector.reject(where, error.what)
        return
    if not digests:
        collector.reject(where, "no MD5 and no other digest")
        return
    size = read_number(media.get("MediaSize"))
    if size is not None and not 0 <= size < 1 << 63:
        size = None
    if size is None and media.get("MediaSize") not in (None, ""):
        collector.note(where, "MediaSize is not a file size; kept without one", media["MediaSize"])
    given = media.get("Category")
    number_given = read_number(given)
    if number_given is None and given not in (None, ""):
        collector.note(where, "category is not a number; kept as uncategorised", given)
    collector.add(
        HashSetEntry(
            md5=digests.get("md5"),
            sha1=digests.get("sha1"),
            sha256=digests.get("sha256"),
            pdq=digests.get("pdq"),
            size=size,
            category=collector.category(context, number_given, where),
            series=read_text(media.get("Series")),
            tags=read_text(media.get("Tags")),
            victim_identified=read_flag(media.get("VictimIdentified")),
            offender_identified=read_flag(media.get("OffenderIdentified")),
            is_distributed=read_flag(media.get("IsDistributed")),
            photodna=_photodna(media),
            source_row=number,
            source_category=None if given in (None, "") else excerpt(given, 40),
        ),
        where,
    )


def _digests(media: dict[str, Any]) -> dict[str, bytes]:
    """All digests of a media object by our names.

    Raises:
        MatchingError: one is malformed.
    """
    found: dict[str, bytes] = {}
    for key, name in _KEYS.items():
        value = media.get(key)
        if value not in (None, ""):
            found[name] = _parse(name, value, key)
    for name, value in _alternatives(media):
        ours = _ALTERNATIVES.get(name)
        if ours is not None and ours not in found:
            found[ours] = _parse(ours, value, f"AlternativeHashes {name}")
    return found


def _parse(name: str, value: object, where: str) -> bytes:
    if not isinstance(value, str):
        raise MatchingError(f"{where} is not text: {excerpt(value)}.")
    return parse_hex(value, SIZES[name], where)


def _alternatives(media: dict[str, Any]) -> Iterator[tuple[str, object]]:
    listed = media.get("AlternativeHashes")
    for item in listed if isinstance(listed, list) else []:
        if isinstance(item, dict) and isinstance(item.get("HashName"), str) and item.get("HashValue"):
            yield item["HashName"].lower().replace("-", "").replace(" ", ""), item["HashValue"]


def _photodna(media: dict[str, Any]) -> str | None:
    value = media.get("PhotoDNA") or next((value for name, value in _alternatives(media) if name == "photodna"), None)
    return value if isinstance(value, str) else None


def _context_of(path: Path, head: bytes, collector: Collector) -> str:
    """The OData context, which every exporter writes first; looked for in the whole file only if it did not."""
    match = _CONTEXT.search(head)
    if match:
        return match[1].decode("utf-8", "replace").replace("\\/", "/")
    for key in ("@odata.context", "odata.metadata"):
        for value in stream_items(collector.open, str(path), key):
            if isinstance(value, str):
                return value
    if starts_array(collector.open, str(path), "value"):
        collector.note("file", "no OData context: categories cannot be looked up in a map keyed on it")
        return ""
    raise MatchingError(f"{path} is JSON, but not VICS: it has no list called value.", fix="Give a VICS JSON file.")
