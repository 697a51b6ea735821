"""NSRL RDS version 3, minimal: NIST's SQLite database of the files of ordinary software, read as a stream.

Schema of RDS_2026.09.1_modern_minimal: FILE(sha256, sha1, md5, crc32, file_name, file_size, package_id; primary key:
all of them), PKG(package_id, ..., application_type). The primary key is an index in the order of the digests, so that
distinct entries come out of one pass without sorting 400 million rows. NSRL is known, not good: files that belong to
software such as hacker tools are left out and reported.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from safelight.errors import MatchingError
from safelight.matching.entry import HashSetEntry
from safelight.matching.hashtext import parse_hex
from safelight.matching.readers.base import Collector
from safelight.matching.readers.values import read_number

MAGIC = b"SQLite format 3\0"
#: Words of PKG.application_type whose files nobody vouches for.
NOT_VOUCHED = ("hack", "malware", "keylogger", "steganograph", "spyware", "password crack", "anonymi")
_STEP = 100_000


def read_nsrl(path: Path, head: bytes, collector: Collector) -> str:
    """Stream the distinct files into the collector; returns the format's name.

    Raises:
        MatchingError: cut short, damaged, no RDS database, or to be taken as known material.
    """
    collector.harmless_only("NSRL lists the files of ordinary software")
    _check_length(path, head)
    address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True)) as database:
            database.text_factory = lambda raw: raw.decode("utf-8", "replace")
            _read(path, database, collector)
    except sqlite3.Error as error:
        raise MatchingError(
            f"{path} is not a whole RDS database ({error}); nothing of it was kept.",
            fix="Fetch it again, unpack it, and compare its checksum with NIST's.",
        ) from error
    return "NSRL RDS 3"


def _check_length(path: Path, head: bytes) -> None:
    """The header says how many pages there are (SQLite file format, 1.3): a cut-off download has fewer."""
    page = int.from_bytes(head[16:18])
    expected = int.from_bytes(head[28:32]) * (65536 if page == 1 else page)
    if path.stat().st_size < expected:
        raise MatchingError(
            f"{path} is cut short: {path.stat().st_size:,} of {expected:,} bytes; nothing of it was kept.",
            fix="Fetch it again, unpack it, and compare its checksum with NIST's.",
        )


def _read(path: Path, database: sqlite3.Connection, collector: Collector) -> None:
    tables = {name.upper() for (name,) in database.execute("SELECT name FROM sqlite_master")}
    if "FILE" not in tables:
        raise MatchingError(
            f"{path} is an SQLite database, but not of NSRL: it has no table FILE.",
            fix="Give the RDS file of version 3 (minimal).",
        )
    doubted = _doubted_packages(database) if "PKG" in tables else {}
    total = path.stat().st_size
    rows = database.execute("SELECT max(rowid) FROM FILE").fetchone()[0] or 1 if _has_rowid(database) else 0
    query = "SELECT sha256, sha1, md5, file_size, package_id FROM FILE ORDER BY sha256, sha1, md5"
    last, number, doubts, size = ("", "", ""), 0, set[str](), None
    for seen, (sha256, sha1, md5, file_size, package) in enumerate(database.execute(query), 1):
        digests = (sha256 or "", sha1 or "", md5 or "")
        if digests != last:
            if any(last):
                number += 1
                _take(last, size, doubts, number, collector)
            last, doubts, size = digests, set(), file_size
        if package in doubted:
            doubts.add(doubted[package])
        if seen % _STEP == 0 and collector.on_progress and rows:
            collector.on_progress(total * seen // max(rows, seen), total)
    if any(last):
        _take(last, size, doubts, number + 1, collector)


def _has_rowid(database: sqlite3.Connection) -> bool:
    made = database.execute("SELECT sql FROM sqlite_master WHERE upper(name) = 'FILE'").fetchone()[0] or ""
    return "WITHOUT ROWID" not in made.upper()


def _doubted_packages(database: sqlite3.Connection) -> dict[object, str]:
    found = database.execute("SELECT package_id, application_type FROM PKG")
    return {package: str(kind) for package, kind in found if any(word in str(kind).lower() for word in NOT_VOUCHED)}


def _take(digests: tuple[str, str, str], size: object, doubts: set[str], number: int, collector: Collector) -> None:
    where = f"file {number}"
    if doubts:
        reason = f"belongs to software of the type {', '.join(sorted(doubts))}: nobody vouches for it"
        collector.reject(where, reason, digests[0] or digests[1] or digests[2])
        return
    sha256, sha1, md5 = digests
    try:
        entry = HashSetEntry(
            sha256=parse_hex(sha256, 32, "SHA-256") if sha256 else None,
            sha1=parse_hex(sha1, 20, "SHA-1") if sha1 else None,
            md5=parse_hex(md5, 16, "MD5") if md5 else None,
            size=read_number(size),
            source_row=number,
        )
    except MatchingError as error:
        collector.reject(where, error.what)
        return
    collector.add(entry, where)
