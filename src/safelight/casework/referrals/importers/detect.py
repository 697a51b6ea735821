"""Which format and encoding a file has, by its content."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from safelight.casework.referrals.importers import csv_file, cybertip, json_file
from safelight.casework.referrals.importers.record import ParsedRecord, Rejected, rejected
from safelight.sheets import SheetError, csv_of

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_KNOWN = (
    (b"%PDF", "a PDF: ask the sender for CSV, JSON or XML, or type the report in"),
    (b"\xd0\xcf\x11\xe0", "an old Office file: save the sheet as CSV"),
    (b"\xff\xd8\xff", "a picture: Safelight never takes pictures"),
    (b"\x89PNG", "a picture: Safelight never takes pictures"),
    (b"GIF8", "a picture: Safelight never takes pictures"),
)


@dataclass(frozen=True)
class Reading:
    """What was found: ``format`` in at most 20 characters ("csv cp1252 ;") and the records, read when asked for."""

    format: str
    records: Iterator[ParsedRecord | Rejected]


def decode(content: bytes) -> tuple[str, str] | None:
    """(text, encoding) of UTF-8, UTF-16 or Windows-1252, with or without a byte order mark; None when it is no text.

    A UTF-8 mark before Windows-1252 text (some spreadsheets write that) is believed for what it is: a mistake.
    """
    for mark, name in _BOMS:
        if content.startswith(mark):
            rest = content[len(mark) :]
            candidates = (name, "cp1252") if name == "utf-8" else (name,)
            return _first(rest, candidates)
    if b"\x00" in content[:4_000]:
        # UTF-16 without a mark: of plain text every second byte is zero.
        head = content[:4_000]
        even, odd = head[0::2].count(0), head[1::2].count(0)
        if max(even, odd) > len(head) // 5 and min(even, odd) < len(head) // 50 + 1:
            return _first(content, ("utf-16-le" if odd > even else "utf-16-be",))
    return _first(content, ("utf-8", "cp1252"))


def _first(content: bytes, encodings: tuple[str, ...]) -> tuple[str, str] | None:
    for encoding in encodings:
        try:
            return content.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    return None


def _nothing(reason: str) -> Iterator[Rejected]:
    yield rejected(1, reason, "")


def read(content: bytes, *, now: datetime) -> Reading:
    """Find the format of a file and read its records.

    A file that is of no known format gives one rejected record that says so; its content is not kept.

    Args:
        now: times after it are refused.
    """
    digest = sha256(content).hexdigest()
    sheet = content.startswith(b"PK")
    if sheet:
        try:
            content = csv_of("The file", content)
        except SheetError as error:
            return Reading("unknown", _nothing(f"{error} (SHA-256 {digest})"))
    for magic, what in _KNOWN:
        if content.startswith(magic):
            return Reading("unknown", _nothing(f"The file is {what}. (SHA-256 {digest})"))
    found = decode(content)
    if found is None:
        return Reading("unknown", _nothing(f"The file is no text in UTF-8, UTF-16 or Windows-1252. (SHA-256 {digest})"))
    text, encoding = found
    begins = text.lstrip("\ufeff \t\r\n")[:1]
    if begins == "<":
        return Reading("xml", cybertip.parse(_xml_bytes(content, text, encoding), now=now))
    if begins in {"{", "["}:
        return Reading(f"json {encoding}", json_file.parse(text, now=now))
    heading = csv_file.heading_of(text)
    if heading is not None:
        delimiter = {"\t": "tab"}.get(heading[0], heading[0])
        return Reading("sheet" if sheet else f"csv {encoding} {delimiter}", csv_file.parse(text, now=now))
    return Reading(
        "unknown",
        _nothing(
            "The file is no CSV with our heading (source, reference, received, summary...), no JSON and no XML. "
            f"See the guide to referral files. (SHA-256 {digest})"
        ),
    )


def _xml_bytes(content: bytes, text: str, encoding: str) -> bytes:
    """The bytes for the XML reader: as they came, except where a mark or blanks before ``<`` would confuse it."""
    if encoding in {"utf-16-le", "utf-16-be"}:
        # With a mark the declared encoding may say UTF-16; without one it could not be read at all.
        return codecs.BOM_UTF16_LE + text.lstrip("\ufeff \t\r\n").encode("utf-16-le")
    return content.removeprefix(codecs.BOM_UTF8).lstrip()
