"""Importing and retiring hash sets, and opening the live ones for a triage run."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.standards import standards
from safelight.casework.base.values import required_text
from safelight.casework.hashsets.models import HashSetRecord, RejectedRow
from safelight.casework.hashsets.overlaps import compare_with_others
from safelight.casework.hashsets.quarantine import hold_floods
from safelight.casework.hashsets.rechecks import ask_for_recheck
from safelight.casework.hashsets.store import folder_of, load_live, negative_bank, open_set
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.errors import MatchingError
from safelight.matching import ReadResult, read_hash_set
from safelight.matching.readers import OnProgress

__all__ = [
    "KINDS", "folder_of", "import_hash_set", "load_live", "negative_bank", "open_set", "read_list", "retire",
    "sha256_of",
]  # fmt: skip

KINDS = {
    "known": "Known material: what must be found",
    "known-good": "Known-good: files vouched for as harmless",
    "common": "Common: files often seen, not vouched for",
}
# A new version that grows or shrinks beyond this is taken for a mistake of its publisher until a person confirms it.
FLOOD_FACTOR = 5
DROUGHT_FACTOR = 0.5
_CHUNK = 1 << 20


def sha256_of(path: Path) -> str:
    """SHA-256 (hex) of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_CHUNK):
            digest.update(block)
    return digest.hexdigest()


def read_list(path: Path, *, name: str, kind: str, **about: Any) -> tuple[ReadResult, Counter[tuple[str, int]]]:
    """Read a list with the category numbers that the site has set, and count the numbers that it has not.

    Raises:
        MatchingError: the file is no list, is cut off, or holds nothing usable.
    """
    known = standards()
    unmapped: Counter[tuple[str, int]] = Counter()

    def category_of(context: str, number: int | None) -> str | None:
        found = known.vics_category(context, number)
        if found is None and number is not None:
            unmapped[context, number] += 1
        return found

    return read_hash_set(path, name=name, kind=kind, category_of=category_of, **about), unmapped


def import_hash_set(
    actor: Any,
    *,
    path: Path | str,
    file_name: str,
    name: str,
    kind: str,
    version: str,
    source: str,
    legal_basis: str,
    fresh_days: int = 90,
    size_confirmed: bool = False,
    on_progress: OnProgress | None = None,
) -> HashSetRecord:
    """Import one version of a list. A live version of the same name is retired: each name has one live version.

    Args:
        path: the file on this machine. file_name: what it was called where it came from.
        kind: known, known-good or common.
        source: from whom it came. legal_basis: why we may hold it.
        fresh_days: after so many days without a newer version it is shown as stale.
        size_confirmed: a person says that the list is rightly much larger or smaller than the version before.

    Raises:
        NotAllowed: not this person.
        Invalid: a value is missing or unknown, or the file is no usable list (nothing of it is kept).
        NotPossible: the same content is held already.
    """
    need(actor, "hashsets.import", what="Only examiners, supervisors and administrators import hash sets.")
    path = Path(path)
    title = required_text(name, field="name", what="The name")[:120]
    if kind not in KINDS:
        raise Invalid(f"There is no kind of hash set {kind!r}.", fix=f"Use {', '.join(KINDS)}.", field="kind")
    origin = required_text(source, field="source", what="The source")[:160]
    basis = required_text(legal_basis, field="legal_basis", what="The legal basis")[:300]
    edition = required_text(version, field="version", what="The version")[:60]
    now = timezone.now()
    try:
        # Reading may take long: it happens before the transaction begins.
        read, unmapped = read_list(
            path,
            name=title,
            kind=kind,
            version=edition,
            received_from=origin,
            received_at=now.isoformat(),
            legal_basis=basis,
            store=_incoming(title),
            resume_key=f"{edition} {settings.SITE_STANDARDS}",
            on_progress=on_progress,
        )
        digest = sha256_of(path)
    except MatchingError as error:
        raise Invalid(_named(error.what, path, file_name), fix=error.fix, field="file") from error
    except OSError as error:
        raise Invalid(f"{file_name} cannot be read: {error.strerror}.", field="file") from error
    try:
        if not size_confirmed:
            _refuse_flood(title, len(read.hash_set))
        return _keep(actor, read, unmapped, digest, file_name, fresh_days)
    finally:
        shutil.rmtree(_incoming(title), ignore_errors=True)  # where it was refused it is still there


def _incoming(name: str) -> Path:
    """Where a list of this name is put together until its root is known."""
    return Path(settings.DATA) / "hashsets" / f"incoming-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _settle(incoming: Path, root: str) -> None:
    """Put a finished set under its root; the same content from an earlier import makes room for the new name."""
    place = folder_of(root)
    shutil.rmtree(place, ignore_errors=True)
    incoming.rename(place)


def _named(text: str, path: Path, file_name: str) -> str:
    """The message with the name that the person knows in place of where the upload lies."""
    return text.replace(str(path), file_name)


def _refuse_flood(name: str, entries: int) -> None:
    old = HashSetRecord.objects.filter(name=name, retired_at=None).first()
    before = old.counts.get("entries", 0) if old else 0
    if before and not before * DROUGHT_FACTOR <= entries <= max(before * FLOOD_FACTOR, 1000):
        raise Invalid(
            f"This version has {entries:,} entries, the one in use {before:,}: it was not taken.",
            fix="Ask its publisher whether that is right, and confirm the size then.",
            field="size_confirmed",
        )


@transaction.atomic
def _keep(
    actor: Any, read: ReadResult, unmapped: Counter[tuple[str, int]], digest: str, file_name: str, fresh_days: int
) -> HashSetRecord:
    hashes = read.hash_set
    same = HashSetRecord.objects.filter(root=hashes.root, retired_at=None).first()
    if same is not None:
        raise NotPossible(
            f"The same content is already held as {same.reference}, {same.name}, version {same.version}.",
            fix="There is nothing to import.",
        )
    now = timezone.now()
    for old in HashSetRecord.objects.select_for_update().filter(name=hashes.name, retired_at=None):
        _retire(actor, old, reason="replaced")
    _settle(_incoming(hashes.name), hashes.root)
    counts = hashes.counts()
    origin = hashes.provenance
    row = HashSetRecord.objects.create(
        name=hashes.name,
        kind=hashes.kind,
        version=hashes.version,
        root=hashes.root,
        folder=hashes.root,
        source=origin.received_from,
        legal_basis=origin.legal_basis,
        file_name=file_name[:255],
        file_sha256=digest,
        format=read.format[:40],
        counts={
            "entries": counts.entries,
            "by_category": {code or "": number for code, number in counts.by_category.items()},
            "by_hash": counts.by_hash,
            "contexts": list(read.contexts),
            "unmapped": [
                {"context": context, "number": number, "entries": entries}
                for (context, number), entries in sorted(unmapped.items())
            ],
            "rejected": read.rejected_count,
            "noted": read.noted_count,
        },
        imported_at=now,
        imported_by=actor,
        fresh_days=fresh_days,
    )
    RejectedRow.objects.bulk_create(
        (
            RejectedRow(
                hash_set=row,
                where=problem.where[:120],
                reason=problem.reason[:300].replace("\0", ""),
                excerpt=problem.excerpt[:200].replace("\0", ""),
                kept=problem.kept,
            )
            for problem in read.rejected
        ),
        batch_size=500,
    )
    record(
        actor,
        "hashset.imported",
        row,
        category=Category.COLLECTION,
        payload={
            "name": row.name,
            "version": row.version,
            "kind": row.kind,
            "root": row.root,
            "entries": counts.entries,
            "rejected": read.rejected_count,
            "file_sha256": digest,
            "source": row.source,
        },
    )
    hold_floods(row, open_set(row, verify=False))
    compare_with_others(row)
    if row.kind == "known":
        ask_for_recheck(row)
    return row


def _retire(actor: Any, row: HashSetRecord, *, reason: str) -> None:
    row.retired_at = timezone.now()
    row.save(update_fields=["retired_at"])
    record(actor, "hashset.retired", row, payload={"name": row.name, "root": row.root}, reason=reason)


@transaction.atomic
def retire(actor: Any, hash_set: HashSetRecord, *, reason: str) -> HashSetRecord:
    """Take a hash set out of use. Its hashes and earlier findings stay.

    Raises:
        NotAllowed, NotPossible (retired already), Invalid (no reason).
    """
    need(actor, "hashsets.retire", what="Only examiners, supervisors and administrators retire hash sets.")
    row = HashSetRecord.objects.select_for_update().get(pk=hash_set.pk)
    text = required_text(reason, field="reason", what="The reason")
    if row.retired_at is not None:
        raise NotPossible(f"{row.reference} is already retired.")
    _retire(actor, row, reason=text)
    return row
