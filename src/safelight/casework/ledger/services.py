"""Writing to the ledger. Called by every service in the transaction of the change itself."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

from django.db import connection, models, transaction
from django.utils import timezone

from safelight.casework.ledger.checking import LATE_WINDOW
from safelight.casework.ledger.models import Category, LedgerEntry, LedgerLeaf, LedgerSeal
from safelight.casework.ledger.registry import VERBS
from safelight.tlog.merkle import Frontier, leaf_hash

SEAL_LOCK = 0x5AFE11D6  # any constant: the PostgreSQL advisory lock that lets one sealer work at a time


def fingerprint(text: str) -> dict[str, Any]:
    """What binds free text into the ledger without writing it there: a random nonce and SHA-256 of nonce + text.

    The text can later be proven unchanged, or erased without leaving its content behind (DPA 2018 s.62; the
    Information Commissioner's guidance says an erasure log must not hold what was erased).
    """
    nonce = secrets.token_hex(16)
    return {"nonce": nonce, "sha256": sha256((nonce + text).encode()).hexdigest(), "characters": len(text)}


def canonical(entry: LedgerEntry) -> bytes:
    """The bytes that are hashed for an entry: JSON, keys sorted, times in UTC to the microsecond."""
    return json.dumps(
        {
            "uid": str(entry.uid),
            "at": entry.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "actor": entry.actor_id,
            "actor_name": entry.actor_name,
            "actor_role": entry.actor_role,
            "category": entry.category,
            "verb": entry.verb,
            "subject_type": entry.subject_type,
            "subject_id": entry.subject_id,
            "subject_label": entry.subject_label,
            "case_key": entry.case_key,
            "recipient": entry.recipient,
            "reason": entry.reason,
            "payload": entry.payload,
        },
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=True,
    ).encode()


def _plain(value: Any) -> Any:
    """``value`` as JSON holds it, so that what is hashed now equals what is read back later."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = [_plain(v) for v in value]
        return sorted(items, key=str) if isinstance(value, set | frozenset) else items
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, models.Model):
        return str(getattr(value, "reference", value.pk))
    if value is None or isinstance(value, bool | int | str):
        return value
    return str(value)


def _case_of(subject: models.Model | None) -> int | None:
    # A row may keep its entries out of its case's: those of a covert strategy discussion would tell the whole unit.
    if subject is None or getattr(subject, "outside_ledger_of_case", False):
        return None
    if subject._meta.label == "cases.Case":
        return subject.pk
    return getattr(subject, "case_id", None)


def record(
    actor: Any,
    verb: str,
    subject: models.Model | None = None,
    *,
    category: str = Category.ALTERATION,
    case: models.Model | None = None,
    payload: dict[str, Any] | None = None,
    recipient: str = "",
    reason: str = "",
    at: datetime | None = None,
) -> LedgerEntry:
    """Write one entry. Must run inside the transaction of what it records.

    Args:
        actor: the acting user, or None for the system itself.
        verb: a registered verb ("case.opened").
        subject: what it was done to; None for a list or the system.
        category: a value of :class:`Category`.
        case: the case it belongs to, when ``subject`` does not say so itself.
        payload: codes, references, numbers and times; free text only as its :func:`fingerprint`.
        recipient: who received a disclosure.
        reason: a short coded or stated reason, where policy asks for one.

    Raises:
        KeyError: the verb is not registered (a fault of ours).
        RuntimeError: called outside a transaction (a fault of ours).
    """
    _may_write(verb)
    entry = _entry(
        actor, verb, subject, category=category, case=case, payload=payload, recipient=recipient, reason=reason, at=at
    )
    entry.save(force_insert=True)
    return entry


def record_many(
    actor: Any, verb: str, rows: Iterable[tuple[models.Model, dict[str, Any]]], *, category: str = Category.ALTERATION
) -> int:
    """Write one entry for each (subject, payload), in as few statements as there can be. Returns how many.

    Raises: as :func:`record`.
    """
    _may_write(verb)
    entries = [_entry(actor, verb, subject, category=category, payload=payload) for subject, payload in rows]
    LedgerEntry.objects.bulk_create(entries, batch_size=500)
    return len(entries)


def _may_write(verb: str) -> None:
    if verb not in VERBS:
        raise KeyError(f"The ledger verb {verb!r} is not registered in any verbs.py.")
    if not connection.in_atomic_block:
        raise RuntimeError(f"{verb}: a ledger entry is written in the transaction of what it records.")


def glass_of(actor: Any) -> list[str]:
    """The break-glass accesses under which ``actor`` acts now: each look and each change says so."""
    until = getattr(actor, "glass_until", None)
    if until is None or until <= timezone.now():
        return []
    from safelight.casework.breakglass.models import Opening

    return [row.reference for row in Opening.objects.running().filter(user=actor).order_by("pk")]


def _entry(
    actor: Any,
    verb: str,
    subject: models.Model | None,
    *,
    category: str,
    case: models.Model | None = None,
    payload: dict[str, Any] | None = None,
    recipient: str = "",
    reason: str = "",
    at: datetime | None = None,
) -> LedgerEntry:
    known = actor is not None and getattr(actor, "pk", None) is not None
    glass = glass_of(actor) if known else []
    entry = LedgerEntry(
        uid=uuid4(),
        at=at or timezone.now(),
        actor=actor if known else None,
        actor_name=str(actor) if known else "Safelight",
        actor_role=actor.role if known else "system",
        category=category,
        verb=verb,
        subject_type=subject._meta.label_lower if subject is not None else "",
        subject_id=str(subject.pk) if subject is not None else "",
        subject_label=str(getattr(subject, "reference", "") or "")[:80],
        case_key=_case_of(case) or _case_of(subject),
        recipient=recipient[:200],
        reason=reason[:500],
        payload=_plain({**(payload or {}), **({"break_glass": glass} if glass else {})}),
    )
    entry.digest = leaf_hash(canonical(entry)).hex()
    return entry


@transaction.atomic
def seal(limit: int = 50_000) -> LedgerSeal | None:
    """Append the entries that are not yet in the tree and write the new root. One sealer at a time; group commit.

    Returns:
        The new seal, or None when there was nothing to seal or another sealer is at work.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SEAL_LOCK])
            if not cursor.fetchone()[0]:
                return None
    last = LedgerSeal.objects.order_by("-tree_size").first()
    waiting = LedgerEntry.objects.filter(leaf=None)
    if last:
        waiting = waiting.filter(id__gt=last.through_entry - LATE_WINDOW)
    entries = list(waiting.order_by("id").values_list("id", "digest")[:limit])
    if not entries:
        return None
    tree = Frontier(last.tree_size, map(bytes.fromhex, last.frontier)) if last else Frontier()
    leaves = []
    for key, digest in entries:
        leaves.append(LedgerLeaf(index=tree.size, entry_id=key, leaf_hash=digest))
        tree.append(bytes.fromhex(digest))
    LedgerLeaf.objects.bulk_create(leaves, batch_size=2_000)
    return LedgerSeal.objects.create(
        at=timezone.now(),
        tree_size=tree.size,
        root=tree.root().hex(),
        frontier=[h.hex() for h in tree.hashes],
        through_entry=max(entries[-1][0], last.through_entry if last else 0),
    )
