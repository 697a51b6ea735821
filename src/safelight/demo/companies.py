"""The demo's internet companies: platforms with keys, look-ups, matches, reports and takedown notices.

Every company is invented and says so. Their look-ups are records in a journal, carried over by the collector as those
of a real service would be.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.utils import timezone

from safelight.casework.exchange import banks, notices, reports, services
from safelight.casework.exchange.collecting import collect
from safelight.casework.exchange.models import ApiKey, Bank, Platform
from safelight.casework.exchange.publishing import folder, publish_all
from safelight.casework.hashsets.models import HashSetRecord
from safelight.demo.history import Story
from safelight.exchange.journal import HASH, SUSPENDED, Record

PLATFORMS = (
    # name, look-ups a day, share of removals within a day
    ("Example Social (synthetic)", 120, 0.8),
    ("Example Cloud (synthetic)", 60, 0.6),
    ("Example Chat (synthetic)", 30, 0.35),
)
DAYS = 28
_MATCH = 0.04


def companies_story(manager: Any, rng: random.Random, start: datetime, until: datetime) -> Story:
    """A month with three platforms, one of which probes."""
    known = HashSetRecord.objects.filter(kind="known", retired_at=None).order_by("pk").first()
    if known is None:
        return
    shared = banks.make_bank(
        manager, name="DEMO_KNOWN", purpose="SYNTHETIC DEMO SET, shared with every platform", hash_set=known
    )
    own = banks.make_bank(manager, name="DEMO_OWN", purpose="Pictures that the force confirmed (synthetic)")
    for _ in range(6):
        banks.add_content(manager, own, signals={"md5": f"{rng.getrandbits(128):032x}", "pdq": _code(rng)})
    parts = []
    for name, each_day, quick in PLATFORMS:
        platform = services.add_platform(
            manager, name=name, contact="Example Trust Team", contact_email="trust@example.org",
            agreement="Invented for the demonstration", per_minute=600, per_day=100_000, banks=[shared, own],
        )  # fmt: skip
        key, _ = services.issue_key(
            manager, platform, label="Upload service (synthetic)", scopes=["lookup", "picture", "report"], days=200
        )
        parts.append((platform, key, each_day, quick))
    prober, _ = services.issue_key(
        manager, parts[2][0], label="Research machine (synthetic)", scopes=["lookup", "distance"], days=60
    )
    later: list[tuple[datetime, Callable[[], Any]]] = []
    for day in range(DAYS):
        moment = start + timedelta(days=day)
        yield moment
        for step in [one for one in later if one[0] <= moment]:
            step[1]()
            later.remove(step)
        for platform, key, each_day, quick in parts:
            _look_ups(rng, key, (shared, own), moment - timedelta(hours=6), each_day)
            if day % 3 == 0:
                later += _found(manager, rng, platform, day, quick, moment)
    yield until - timedelta(hours=3)
    _write([Record(SUSPENDED, prober.pk, _micro(timezone.now()), uuid.uuid4().bytes, matches=1, content=131)])
    collect()
    publish_all()


def _code(rng: random.Random) -> str:
    return f"{rng.getrandbits(256):064x}"


def _micro(moment: datetime) -> int:
    return int(moment.timestamp() * 1e6)


def _look_ups(rng: random.Random, key: ApiKey, held: tuple[Bank, ...], moment: datetime, number: int) -> None:
    """A day of look-ups, as the serving processes would have written them."""
    made = []
    for _ in range(rng.randint(number // 2, number)):
        at = _micro(moment + timedelta(seconds=rng.uniform(0, 5 * 3600)))
        match = rng.random() < _MATCH
        bank = rng.choice(held) if match else None
        exact = rng.random() < 0.6
        made.append(
            Record(
                HASH,
                key.pk,
                at,
                uuid.UUID(int=rng.getrandbits(128), version=4).bytes,
                algorithm="md5" if exact else "pdq",
                matches=int(match),
                distance=0 if exact or not match else 2 * rng.randint(1, 15),
                fingerprint=rng.randbytes(32),
                bank=bank.pk if bank else 0,
                content=_entry(rng, bank) if bank else 0,
            )
        )
    _write(made)
    collect()


def _entry(rng: random.Random, bank: Bank) -> int:
    if bank.hash_set is not None:
        return rng.randrange(max(1, int(bank.hash_set.counts["entries"])))
    return int(rng.choice(list(bank.contents.values_list("pk", flat=True))))


def _write(records: list[Record]) -> None:
    path = Path(folder()) / "journal" / "demo.slj"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(b"".join(record.pack() for record in records))


def _found(
    manager: Any, rng: random.Random, platform: Platform, day: int, quick: float, moment: datetime
) -> list[tuple[datetime, Callable[[], Any]]]:
    """A platform reports what it found; a notice goes out where it stands. Returns what happens to it later."""
    where = f"https://{platform.name.split()[1].lower()}.example/synthetic/{day}"
    told, _ = reports.receive_report(
        platform, signal_type="md5", signal=f"{rng.getrandbits(128):032x}", detected_at=timezone.now(), url=where,
        uk_linked=True, ncmec_report_id=str(9_000_000 + rng.randrange(1_000_000)) if rng.random() < 0.6 else "",
    )  # fmt: skip
    if rng.random() > 0.8:
        return []
    sent = notices.send_notice(manager, platform, url=where, recipient="Example Trust Team", report=told)
    if rng.random() < quick:
        gone = moment + timedelta(hours=rng.uniform(1, 30))
        return [(gone, partial(notices.record_removal, manager, sent, told_by="Example Trust Team", removed_at=gone))]
    if rng.random() < 0.5:
        asked = moment + timedelta(hours=rng.uniform(30, 60))
        return [(asked, partial(notices.chase, manager, sent, how="By e-mail (synthetic)"))]
    return []
