"""JSON of two exchanges: StopNCII's FetchHashes, and hashlookup (draft-dulaunoy-hashlookup-format-03)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safelight.errors import MatchingError
from safelight.matching.entry import HashSetEntry
from safelight.matching.hashtext import SIZES, excerpt, parse_hex
from safelight.matching.readers.base import Collector
from safelight.matching.readers.jsonstream import stream_items
from safelight.matching.readers.values import read_flag, read_number, read_text

# StopNCII's signal types that are hashes of ours; the others (VideoTMK) are reported and left out.
_SIGNALS = {
    "imagepdq": "pdq", "imagemd5": "md5", "videomd5": "md5", "imagesha1": "sha1", "videosha1": "sha1",
    "imagesha256": "sha256", "videosha256": "sha256",
}  # fmt: skip
_HASHLOOKUP = {"md5": "md5", "sha-1": "sha1", "sha1": "sha1", "sha-256": "sha256", "sha256": "sha256"}


def read_stopncii(path: Path, head: bytes, collector: Collector) -> str:
    """Stream active records into the collector; returns the format's name.

    Intimate images shared without consent are no child abuse material by themselves: entries have no category.

    Raises:
        MatchingError: not whole JSON, or to be taken as harmless.
    """
    collector.known_only("A list of StopNCII")
    for number, record in enumerate(stream_items(collector.open, str(path), "hashRecords.item"), 1):
        _take_record(record, number, collector)
    for more in stream_items(collector.open, str(path), "hasMoreRecords"):
        if more is True:
            collector.note("file", "one page of several: the records of the following pages are not in this file")
    return "StopNCII"


def _take_record(record: object, number: int, collector: Collector) -> None:
    where = f"record {number}"
    if not isinstance(record, dict):
        collector.reject(where, "not an object", record)
        return
    signal, value, status = (record.get(key) for key in ("signalType", "hashValue", "hashStatus"))
    name = _SIGNALS.get(str(signal).lower())
    if name is None:
        collector.reject(where, "its kind of hash is none that is matched here", signal)
    elif str(status).lower() != "active":
        collector.reject(where, f"its status is {excerpt(status, 20)}, not Active", value)
    else:
        _add(where, {name: value}, collector, source_row=number)


def read_hashlookup(path: Path, head: bytes, collector: Collector) -> str:
    """Stream objects (one, a list, or one a line) into the collector; returns the format's name.

    Raises:
        MatchingError: not whole JSON, or to be taken as known material.
    """
    collector.harmless_only("hashlookup lists the files of ordinary software")
    prefix = "item" if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[") else ""
    for number, item in enumerate(stream_items(collector.open, str(path), prefix, several=True), 1):
        where = f"object {number}"
        if not isinstance(item, dict):
            collector.reject(where, "not an object", item)
        elif _is_malicious(item):
            collector.reject(
                where, "reported as malicious: nobody vouches for it", item.get("SHA-1") or item.get("MD5")
            )
        else:
            found = {_HASHLOOKUP[key.lower()]: value for key, value in item.items() if key.lower() in _HASHLOOKUP}
            size = read_number(item.get("FileSize"))
            tags = read_text(item.get("source"))
            _add(
                where, found, collector, source_row=number, size=size if size is None or size >= 0 else None, tags=tags
            )
    return "hashlookup"


def _is_malicious(item: dict[str, Any]) -> bool:
    stated = item.get("KnownMalicious")
    return bool(stated) and read_flag(stated) is not False


def _add(where: str, values: dict[str, object], collector: Collector, **rest: Any) -> None:
    digests: dict[str, Any] = {}
    try:
        for name, value in values.items():
            if value not in (None, ""):
                digests[name] = parse_hex(str(value), SIZES[name], name.upper())
    except MatchingError as error:
        collector.reject(where, error.what)
        return
    if not digests:
        collector.reject(where, "no digest in it")
        return
    collector.add(HashSetEntry(**digests, **rest), where)
