"""Carrying the journals of the serving processes into the database and the ledger, exactly once.

A segment of a journal file, its tallies and hits, and the ledger entry that holds the segment's SHA-256 are one
transaction with the mark of how far it was read: after a crash the same segment is read again, and only once counted.
"""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.db import transaction
from django.db.models import F

from safelight.casework.exchange.models import ApiKey, Bank, Hit, JournalFile, LookupTally
from safelight.casework.exchange.publishing import folder
from safelight.casework.exchange.services import suspend_key
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.exchange.journal import HASH, MORE, PICTURE, RECORD, REFUSED, SUFFIX, SUSPENDED, Record
from safelight.exchange.service import JOURNAL
from safelight.exchange.watch import RULES

AT_ONCE = 50_000
_log = logging.getLogger(__name__)


@dataclass
class Collected:
    """What one pass carried over."""

    lookups: int = 0
    hits: int = 0
    refused: int = 0
    suspended: int = 0
    faulty: int = 0


def collect() -> Collected:
    """Carry over all that stands in the journals now."""
    total = Collected()
    place = folder() / JOURNAL
    if not place.is_dir():
        return total
    known = dict(JournalFile.objects.values_list("name", "offset"))
    for path in sorted(place.glob(f"*{SUFFIX}")):
        while path.stat().st_size - known.get(path.name, 0) >= RECORD:
            known[path.name] = _segment(path, total)
    return total


@transaction.atomic
def _segment(path: Path, total: Collected) -> int:
    """Carry over the next records of one file. Returns where they end."""
    JournalFile.objects.get_or_create(name=path.name)
    mark = JournalFile.objects.select_for_update().get(name=path.name)
    with path.open("rb") as file:
        file.seek(mark.offset)
        data = file.read(AT_ONCE * RECORD)
    data = data[: len(data) // RECORD * RECORD]
    if not data:
        return mark.offset
    records = [Record.unpack(data[at : at + RECORD]) for at in range(0, len(data), RECORD)]
    whole = [one for one in records if one is not None]
    faulty = len(records) - len(whole)
    if faulty:
        _log.error("%s: %d records fail their checksum; they are counted and kept as they are.", path.name, faulty)
    keys = {key.pk: key for key in ApiKey.objects.select_related("platform").filter(pk__in={one.key for one in whole})}
    counts = _tally(whole, keys)
    made = _hits(whole, keys)
    start, mark.offset = mark.offset, mark.offset + len(data)
    mark.faulty += faulty
    mark.save(update_fields=["offset", "faulty"])
    record(
        None,
        "exchange.lookups",
        None,
        category=Category.DISCLOSURE,
        recipient=", ".join(sorted({key.platform.name for key in keys.values()})),
        payload={
            "file": path.name,
            "from": start,
            "to": mark.offset,
            "sha256": hashlib.sha256(data).hexdigest(),
            "faulty": faulty,
            "keys": {
                keys[number].reference if number in keys else f"unknown {number}": row for number, row in counts.items()
            },
        },
    )
    for one in whole:
        if one.kind == SUSPENDED and one.key in keys:
            rule = list(RULES)[one.distance] if one.distance < len(RULES) else "unknown"
            total.suspended += (
                suspend_key(None, keys[one.key], rule=rule, counted=one.content, at=_moment(one)) is not None
            )
    total.lookups += sum(row["lookups"] for row in counts.values())
    total.refused += sum(row["refused"] for row in counts.values())
    total.hits += made
    total.faulty += faulty
    return mark.offset


def _moment(one: Record) -> datetime:
    return datetime.fromtimestamp(one.at / 1e6, UTC)


def _tally(records: list[Record], keys: dict[int, ApiKey]) -> dict[int, dict[str, int]]:
    hours: dict[tuple[int, datetime], list[int]] = defaultdict(lambda: [0, 0, 0])
    pictures: set[tuple[bytes, int]] = set()
    last: dict[int, datetime] = {}
    for one in records:
        moment = _moment(one)
        row = hours[one.key, moment.replace(minute=0, second=0, microsecond=0)]
        last[one.key] = max(moment, last.get(one.key, moment))
        if one.kind == REFUSED:
            row[2] += 1
        elif one.kind == HASH:
            row[0] += 1
            row[1] += one.matches > 0
        elif one.kind == PICTURE:
            # A picture is one look-up, whatever it is looked up by.
            if (one.request, 0) not in pictures:
                pictures.add((one.request, 0))
                row[0] += 1
            if one.matches and (one.request, 1) not in pictures:
                pictures.add((one.request, 1))
                row[1] += 1
    counts: dict[int, dict[str, int]] = {}
    for (number, hour), (lookups, hits, refused) in hours.items():
        summed = counts.setdefault(number, {"lookups": 0, "hits": 0, "refused": 0})
        for name, value in (("lookups", lookups), ("hits", hits), ("refused", refused)):
            summed[name] += value
        if number not in keys or not (lookups or refused):
            continue
        tally, _ = LookupTally.objects.get_or_create(key_id=number, hour=hour)
        LookupTally.objects.filter(pk=tally.pk).update(
            lookups=F("lookups") + lookups, hits=F("hits") + hits, refused=F("refused") + refused
        )
    for number, moment in last.items():
        ApiKey.objects.filter(pk=number).update(last_used_at=moment)
    return counts


def _hits(records: list[Record], keys: dict[int, ApiKey]) -> int:
    banks = {bank.pk: bank for bank in Bank.objects.filter(pk__in={one.bank for one in records if one.bank})}
    pictures = {one.request for one in records if one.kind == PICTURE}
    made = 0
    for one in records:
        if one.kind not in (HASH, PICTURE, MORE) or not one.matches or one.bank not in banks or one.key not in keys:
            continue
        key = keys[one.key]
        hit, new = Hit.objects.get_or_create(
            request=uuid.UUID(bytes=one.request),
            bank=banks[one.bank],
            content=one.content,
            algorithm=one.algorithm,
            defaults={
                "platform": key.platform,
                "key": key,
                "distance": one.distance,
                "picture": one.request in pictures,
                "at": _moment(one),
            },
        )
        if new:
            made += 1
            record(
                None,
                "exchange.hit",
                hit,
                category=Category.DISCLOSURE,
                recipient=key.platform.name,
                at=hit.at,
                payload={"bank": hit.bank, "content": hit.content, "algorithm": hit.algorithm, "key": key},
            )
    return made
