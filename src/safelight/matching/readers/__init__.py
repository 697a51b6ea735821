"""Read lists of hashes in the formats in which they are handed out; the format is recognised by content.

VICS JSON 1.1, 1.2, 1.3 and 2.0 (cases and hash sets), CSV with a header, and plain lists of digests. A file is read
whole or not at all: a truncated one raises, and nothing of it is kept. A bad row in a whole file is reported with its
reason and the others are kept.
"""

from __future__ import annotations

import hashlib
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
        kind: known (the default), known-good or common.
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
    from safelight.matching.readers.delimited import read_delimited
    from safelight.matching.readers.vics_json import read_vics

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
    about: dict[str, Any] = {"kind": kind or "known", "category_of": category_of, "on_progress": on_progress}
    if store is None:
        collector = Collector(path, **about)
    else:
        collector = Collector.into(_spool(store), _identity(path, head, about["kind"], resume_key), path=path, **about)
    try:
        reader = read_vics if body.startswith((b"{", b"[")) else read_delimited
        collector.format = reader(path, head, collector)
        provenance = Provenance(path.name, collector.format, received_from, received_at, legal_basis)
        return collector.result(name=name or path.stem, version=version, provenance=provenance, store=store)
    except OSError as error:
        raise MatchingError(f"{path} cannot be read: {error}.", fix="Check the disk and try again.") from error
    except MatchingError:
        collector.discard()  # the file itself is at fault: nothing of it stays
        raise


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
