"""Read lists of hashes in the formats in which they are handed out; the format is recognised by content.

VICS JSON 1.1, 1.2, 1.3 and 2.0 (cases and hash sets), INTERPOL ICSE and other CSV with a header, plain lists, NCMEC
hash sharing XML, StopNCII JSON, and of ordinary software NSRL RDS 3 (SQLite) and hashlookup JSON. A file is read
whole or not at all: a truncated one raises, and nothing of it is kept. A bad row in a whole file is reported with its
reason and the others are kept.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from safelight.errors import MatchingError
from safelight.matching.entry import Provenance
from safelight.matching.readers.base import (
    CategoryMap,
    Collector,
    OnProgress,
    ReadResult,
    RejectedRow,
)

__all__ = ["CategoryMap", "OnProgress", "ReadResult", "RejectedRow", "read_hash_set"]

_HEAD = 64 * 1024
# hashlookup writes SHA-1 with a hyphen as a key of the object itself; VICS writes SHA1, and hyphens only as a value.
_LOOKUP_KEY = re.compile(rb'"(?:SHA-1|SHA-256|hashlookup:[a-z-]+)"\s*:', re.IGNORECASE)


def read_hash_set(
    path: Path | str,
    *,
    name: str | None = None,
    kind: str | None = None,
    category_of: CategoryMap | None = None,
    on_progress: OnProgress | None = None,
    received_from: str = "",
    received_at: str = "",
    legal_basis: str = "",
    version: str = "",
    store: Path | None = None,
    resume_key: str = "",
) -> ReadResult:
    """Read one list file into a hash set.

    Args:
        path: the file.
        name: what to call the set; the file's name if left out.
        kind: known, known-good or common. Left out: common for lists of ordinary software, which are known but not good
            (NSRL, hashlookup), and known for all others.
        category_of: turns (context, number) into a category letter, or None where the site has set none. The context
            is the VICS model's address, or `csv`. The same number means different things in different contexts, so
            there is no built-in map: without one every entry is uncategorised, and the result says so.
        on_progress: called now and then with bytes read and bytes in all.
        received_from, received_at, legal_basis, version: kept with the set for the record.
        store: a folder to put the set into, ready to be opened by `HashSet.open`; any length is then read in bounded
            memory, an interrupted import goes on where it stopped when it is called again, and every row that was left
            out lies beside the set in `quarantine.jsonl`. Without, the set is built in memory.
        resume_key: names whatever else decides the content (the site's category map): another key begins anew.

    Raises:
        MatchingError: the file is missing, truncated, of no known format, holds no usable entry, or holds categorised
            material while it is to be taken as known-good or common.
    """
    path = Path(path)
    try:
        if not path.is_file():
            raise MatchingError(f"{path} is not a file.", fix="Give the path of one list file.")
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte
        raise MatchingError(f"{path} cannot be read: {error}.", fix="Check the path and its permissions.") from error
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise MatchingError(f"{path} is UTF-16 text.", fix="Save it as UTF-8 and try again.")
    body = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not body and len(head) < _HEAD:
        raise MatchingError(f"{path} is empty.", fix="Fetch the list again.")
    reader, usual = _reader_for(body)
    about: dict[str, Any] = {"kind": kind or usual, "category_of": category_of, "on_progress": on_progress}
    if store is None:
        collector = Collector(path, **about)
    else:
        collector = Collector.into(_spool(store), _identity(path, head, about["kind"], resume_key), path=path, **about)
    try:
        collector.format = reader(path, head, collector)
        provenance = Provenance(path.name, collector.format, received_from, received_at, legal_basis)
        return collector.result(name=name or path.stem, version=version, provenance=provenance, store=store)
    except OSError as error:
        raise MatchingError(f"{path} cannot be read: {error}.", fix="Check the disk and try again.") from error
    except MatchingError:
        collector.discard()  # the file itself is at fault: nothing of it stays
        raise


def _reader_for(body: bytes) -> tuple[Callable[[Path, bytes, Collector], str], str]:
    """The reader for a file that begins so, and the kind of set that it usually makes."""
    from safelight.matching.readers.delimited import read_delimited
    from safelight.matching.readers.feeds import read_hashlookup, read_stopncii
    from safelight.matching.readers.ncmec import read_ncmec
    from safelight.matching.readers.nsrl import MAGIC, read_nsrl
    from safelight.matching.readers.vics_json import read_vics

    if body.startswith(MAGIC):
        return read_nsrl, "common"
    if body.startswith(b"<"):
        return read_ncmec, "known"
    if not body.startswith((b"{", b"[")):
        return read_delimited, "known"
    if b'"hashRecords"' in body:
        return read_stopncii, "known"
    if _LOOKUP_KEY.search(body) and b'"value"' not in body and b"odata" not in body:
        return read_hashlookup, "common"
    return read_vics, "known"


def _spool(store: Path) -> Path:
    """Where rows wait while they are read: beside the folder, so that what is there stays in use until the end."""
    return store.parent / f".{store.name}.importing"


def _identity(path: Path, head: bytes, kind: str, key: str) -> dict[str, Any]:
    about = path.stat()
    return {
        "file": str(path.absolute()),
        "size": about.st_size,
        "changed": about.st_mtime_ns,
        "head": hashlib.sha256(head).hexdigest(),
        "kind": kind,
        "key": key,
    }
