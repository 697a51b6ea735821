"""Lists of hashes as text: CSV with a header (comma, semicolon or tab), or one digest a line.

Encodings: UTF-8 with or without a byte-order mark, and Windows-1252, even behind a UTF-8 mark (a real spreadsheet
habit). Columns are known by their header, in any case and order; the columns of INTERPOL's ICSE list are among them.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from safelight.errors import MatchingError
from safelight.matching.entry import HashSetEntry
from safelight.matching.hashtext import SIZES, excerpt, parse_hex
from safelight.matching.readers.base import Collector
from safelight.matching.readers.values import read_flag, read_number

_LONGEST_FIELD = 131_072

#: The context under which a CSV's category numbers are looked up in the site's map.
CSV_CONTEXT = "csv"
_BOM = b"\xef\xbb\xbf"
_DELIMITERS = (",", ";", "\t")
_COLUMNS = {
    "md5": "md5",
    "md5hash": "md5",
    "sha1": "sha1",
    "sha1hash": "sha1",
    "sha256": "sha256",
    "sha256hash": "sha256",
    "pdq": "pdq",
    "pdqhash": "pdq",
    "photodna": "photodna",
    "size": "size",
    "filesize": "size",
    "mediasize": "size",
    "category": "category",
    "grade": "category",
    "series": "series",
    "seriesname": "series",
    "tags": "tags",
    "victimidentified": "victim_identified",
    "offenderidentified": "offender_identified",
    "isdistributed": "is_distributed",
    "distributed": "is_distributed",
    "baseline": "baseline",
}
_FLAGS = ("victim_identified", "offender_identified", "is_distributed")
_BY_DIGITS = {32: "md5", 40: "sha1", 64: "sha256"}
_HEX_LINE = re.compile(r"[0-9a-fA-F]+\Z", re.ASCII)
_LETTER = re.compile(r"[A-Za-z]\Z", re.ASCII)
_LONGEST_FIELD = 1 << 17


def read_delimited(path: Path, head: bytes, collector: Collector) -> str:
    """Stream the rows of a text list into the collector; returns `CSV` or `text`.

    Raises:
        MatchingError: neither a header we know nor digests, or the file ends in the middle of a row.
    """
    encoding = _encoding_of(path)
    if encoding != "utf-8":
        collector.note("file", "not UTF-8: read as Windows-1252, so letters in series and tags may be wrong")
    with collector.open() as raw:
        if head.startswith(_BOM):
            raw.read(len(_BOM))
        # cp1252 leaves five bytes undefined; they can only stand in free text, never in a digest.
        errors = "strict" if encoding == "utf-8" else "replace"
        text = io.TextIOWrapper(raw, encoding=encoding, errors=errors, newline="")
        first = _first_line(text)
        if _is_digest(first):
            _read_plain(path, first, text, collector)
            return "text"
        return _read_table(path, first, text, collector)


def _read_plain(path: Path, first: str, text: Iterable[str], collector: Collector) -> None:
    """One digest a line; MD5, SHA-1 and SHA-256 told apart by length. Blank lines and lines after # are skipped."""
    number = 0
    for number, line in enumerate(_chain(first, text), 1):
        value = line.strip()
        if not value or value.startswith("#"):
            continue
        name = _BY_DIGITS.get(len(value))
        if name is None or not _HEX_LINE.match(value):
            _stop_if_cut(path, line, number)
            collector.reject(f"row {number}", "not an MD5, SHA-1 or SHA-256 in hexadecimal", value)
            continue
        digest = bytes.fromhex(value)
        entry = HashSetEntry(
            md5=digest if name == "md5" else None,
            sha1=digest if name == "sha1" else None,
            sha256=digest if name == "sha256" else None,
            source_row=number,
        )
        collector.add(entry, f"row {number}")


@dataclass
class _LastLine:
    """Remembers the raw line read last, to tell a cut-off end from a bad row."""

    lines: Iterator[str]
    text: str = ""

    def __iter__(self) -> Iterator[str]:
        for line in self.lines:
            self.text = line
            yield line


def _read_table(path: Path, first: str, text: Iterable[str], collector: Collector) -> str:
    delimiter, columns = _header_of(path, first)
    collector.add_context(CSV_CONTEXT)
    lines = _LastLine(iter(text))
    csv.field_size_limit(_LONGEST_FIELD)
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    width = first.count(delimiter) + 1
    try:
        for number, row in enumerate(rows, 2):
            if not any(field.strip() for field in row):
                continue
            where = f"row {number}"
            if len(row) < width and not lines.text.endswith(("\n", "\r")):
                _stop_if_cut(path, lines.text, number)
            try:
                _collect(row, columns, number, where, collector)
            except MatchingError as error:
                if error.fix:  # about the whole list, not this row
                    raise
                _stop_if_cut(path, lines.text, number)
                collector.reject(where, error.what)
    except csv.Error as error:
        raise MatchingError(
            f"{path} breaks off or is damaged near row {rows.line_num + 1} ({error}); nothing of it was kept.",
            fix="Fetch the file again.",
        ) from error
    return "CSV"


def _collect(row: list[str], columns: dict[int, str], number: int, where: str, collector: Collector) -> None:
    """Add one row of a table.

    Raises:
        MatchingError: a malformed digest, or none.
    """
    values = {name: row[at].strip() for at, name in columns.items() if at < len(row) and row[at].strip()}
    digests = {name: parse_hex(values[name], size, name.upper()) for name, size in SIZES.items() if name in values}
    if not digests:
        raise MatchingError("no digest in the row")
    size = read_number(values.get("size"))
    if "size" in values and (size is None or not 0 <= size < 1 << 63):
        collector.note(where, "size is not a file size; kept without one", values["size"])
        size = None
    for name in _FLAGS:
        if name in values and read_flag(values[name]) is None:
            collector.note(where, f"{name.replace('_', ' ')} is neither yes nor no; left open", values[name])
    collector.add(
        HashSetEntry(
            md5=digests.get("md5"),
            sha1=digests.get("sha1"),
            sha256=digests.get("sha256"),
            pdq=digests.get("pdq"),
            size=size,
            category=_category(values.get("category"), where, collector),
            series=values.get("series", ""),
            tags=",".join(filter(None, (values.get("tags"), "baseline" if read_flag(values.get("baseline")) else ""))),
            photodna=values.get("photodna"),
            source_row=number,
            source_category=excerpt(values["category"], 40) if "category" in values else None,
            victim_identified=read_flag(values.get("victim_identified")),
            offender_identified=read_flag(values.get("offender_identified")),
            is_distributed=read_flag(values.get("is_distributed")),
        ),
        where,
    )


def _category(value: str | None, where: str, collector: Collector) -> str | None:
    """A single letter is taken as it is; a number goes through the site's map; anything else is reported."""
    if value is None:
        return None
    if _LETTER.match(value):
        return collector.checked(value.upper(), where)
    number = read_number(value)
    if number is None:
        collector.note(where, "category is neither a letter nor a number; kept as uncategorised", value)
        return None
    return collector.category(CSV_CONTEXT, number, where)


def _header_of(path: Path, first: str) -> tuple[str, dict[int, str]]:
    """The delimiter under which most of the first line's names are known, and which column is what."""
    best: tuple[str, dict[int, str]] = (",", {})
    for delimiter in _DELIMITERS:
        names = [re.sub(r"[^a-z0-9]", "", field.lower()) for field in first.split(delimiter)]
        columns: dict[int, str] = {}
        for at, name in enumerate(names):
            if name in _COLUMNS and _COLUMNS[name] not in columns.values():
                columns[at] = _COLUMNS[name]
        if len(columns) > len(best[1]):
            best = (delimiter, columns)
    if not any(name in SIZES for name in best[1].values()):
        raise MatchingError(
            f"{path} is neither VICS JSON, nor a list of digests, nor a CSV whose first row names a column md5, sha1, "
            f"sha256 or pdq; it begins {excerpt(first.strip(), 40)!r}.",
            fix="Give the file a header row, or the right format.",
        )
    return best


def _stop_if_cut(path: Path, line: str, number: int) -> None:
    """A bad row at the very end without a line end means that the file was cut off.

    Raises:
        MatchingError: it was.
    """
    if not line.endswith(("\n", "\r")):
        raise MatchingError(
            f"{path} breaks off in row {number}; nothing of it was kept.",
            fix="Fetch the file again and compare its size or checksum with the supplier's.",
        )


def _is_digest(line: str) -> bool:
    value = line.strip()
    return value.startswith("#") or (len(value) in _BY_DIGITS and _HEX_LINE.match(value) is not None)


def _first_line(text: io.TextIOWrapper) -> str:
    line = text.readline(_LONGEST_FIELD)
    while line and not line.strip():
        line = text.readline(_LONGEST_FIELD)
    return line


def _chain(first: str, rest: Iterable[str]) -> Iterator[str]:
    yield first
    yield from rest


def _encoding_of(path: Path) -> str:
    """`utf-8` if the whole file is, else `cp1252`."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                decoder.decode(block)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"
