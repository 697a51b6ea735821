"""Writing what the serving processes read: keys, banks, changes (docs/decisions/0020).

The database is the truth. Every step that changes it publishes after its commit; `reconcile`, which `safelight tick`
and the start of `safelight exchange serve` run, publishes anew what a crash in between has lost.
"""

from __future__ import annotations

import fcntl
import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from safelight.casework.exchange.models import ApiKey, Bank, BankContent, Suspension, WithdrawnRow
from safelight.casework.hashsets.services import folder_of
from safelight.exchange.banks import CHANGES, MANIFEST, append_changes
from safelight.exchange.files import write_json
from safelight.exchange.service import KEYS

_SECRET, _LOCK, _MARK = "fingerprint.key", "publish.lock", "published.json"


def folder() -> Path:
    """Where the exchange's files lie."""
    return Path(settings.DATA) / "exchange"


@contextmanager
def _alone() -> Iterator[Path]:
    """One publisher of this machine at a time."""
    place = folder()
    place.mkdir(parents=True, exist_ok=True)
    with (place / _LOCK).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield place


def _fingerprint_secret(place: Path) -> str:
    path = place / _SECRET
    if not path.exists():
        path.touch(0o600)
        path.write_text(secrets.token_hex(32))
    return path.read_text()


def fingerprint_secret() -> bytes:
    """By which a journal entry can be tied to a hash that somebody names."""
    with _alone() as place:
        return bytes.fromhex(_fingerprint_secret(place))


def _keys() -> list[dict[str, Any]]:
    rows = ApiKey.objects.select_related("platform").prefetch_related("suspensions", "platform__banks").order_by("pk")
    made = []
    for key in rows:
        platform = key.platform
        made.append(
            {
                "number": key.pk,
                "public_id": key.public_id,
                "secret_sha256": key.secret_sha256,
                "platform": platform.pk,
                "name": platform.name,
                "scopes": key.scopes,
                "expires_at": key.expires_at.timestamp(),
                "per_minute": platform.per_minute,
                "per_day": platform.per_day,
                "banks": sorted(bank.pk for bank in platform.banks.all()),
                "suspended": key.state() == "suspended",
                "revoked": key.revoked_at is not None or platform.closed_at is not None,
                "cleared_at": key.cleared_at.timestamp() if key.cleared_at else 0.0,
            }
        )
    return made


def _banks() -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for bank in Bank.objects.filter(enabled=True).select_related("hash_set").order_by("pk"):
        row: dict[str, Any] = {"number": bank.pk, "name": bank.name, "kind": bank.kind}
        if bank.hash_set is not None:
            row |= {"root": bank.hash_set.root, "folder": str(folder_of(bank.hash_set.root))}
        made.append(row)
    return made


def added(content: BankContent) -> dict[str, Any]:
    """The line that adds an entry."""
    signals = {signal.algorithm: signal.value for signal in content.signals.all()}
    return {"op": "add", "bank": content.bank_id, "content": content.pk, "signals": signals}


def changed(op: str, bank: int, content: int) -> dict[str, Any]:
    """The line that withdraws or restores one."""
    return {"op": op, "bank": bank, "content": content}


def _mark() -> dict[str, str]:
    """What tells whether everything in the database was published."""
    contents = BankContent.objects.aggregate(Max("pk"), Max("withdrawn_at"))
    rows = WithdrawnRow.objects.aggregate(Max("pk"), Max("restored_at"))
    keys = ApiKey.objects.aggregate(Max("pk"), Max("revoked_at"), Max("cleared_at"))
    stops = Suspension.objects.aggregate(Max("pk"), Max("lifted_at"))
    marks = {"contents": contents, "rows": rows, "keys": keys, "stops": stops}
    return {name: json.dumps(found, default=str, sort_keys=True) for name, found in marks.items()}


def publish_keys() -> None:
    """Write keys and banks once the transaction is committed."""
    transaction.on_commit(_write_settings)


def publish_changes(changes: Sequence[dict[str, Any]]) -> None:
    """Append changes of banks once the transaction is committed."""

    def write() -> None:
        with _alone() as place:
            append_changes(place, changes)
            write_json(place / _MARK, _mark())

    transaction.on_commit(write)


def _write_settings() -> None:
    with _alone() as place:
        _write_small(place)
        write_json(place / _MARK, _mark())


def _write_small(place: Path) -> None:
    write_json(place / KEYS, {"keys": _keys(), "fingerprint_secret": _fingerprint_secret(place)})
    (place / KEYS).chmod(0o600)
    version = secrets.randbits(48)
    write_json(place / MANIFEST, {"version": version, "banks": _banks()})


def publish_all() -> None:
    """Write everything anew from the database."""
    with _alone() as place:
        partial = place / f"{CHANGES}.partial"
        with partial.open("w", encoding="utf-8") as file:
            live = BankContent.objects.filter(withdrawn_at=None).prefetch_related("signals").order_by("pk")
            for content in live.iterator(chunk_size=2000):
                file.write(json.dumps(added(content), sort_keys=True) + "\n")
            for bank, row in WithdrawnRow.objects.filter(restored_at=None).values_list("bank_id", "row"):
                file.write(json.dumps(changed("withdraw", bank, row), sort_keys=True) + "\n")
        partial.replace(place / CHANGES)
        _write_small(place)
        write_json(place / _MARK, _mark())


def reconcile() -> bool:
    """Publish anew if the files are not those of the database. Returns whether they were not."""
    if not ApiKey.objects.exists() and not Bank.objects.exists():
        return False
    try:
        known = json.loads((folder() / _MARK).read_bytes())
    except (OSError, ValueError):
        known = None
    if known == _mark() and (folder() / CHANGES).exists() and (folder() / KEYS).exists():
        return False
    publish_all()
    return True
