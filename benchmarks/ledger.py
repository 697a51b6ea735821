"""Verifying the whole ledger: `python benchmarks/ledger.py [--entries 10000000] [--group 100]`.

    .venv/bin/python benchmarks/ledger.py --entries 10000000
    scripts/with-postgres --durable .venv/bin/python benchmarks/ledger.py --entries 10000000

The entries are written into the product's own tables (without their secondary indexes, which verification does not
use), each with a payload like those of the product, and sealed in groups. Timed is the product's verification: every
entry read from its columns, hashed, and every seal's root and frontier recomputed. Beside it, in the same run and over
a part of the same rows, the plain way: rows through the ORM, `json.dumps` and `hashlib`, one process.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
VERBS = ("case.viewed", "case.opened", "list.viewed", "clocks.started", "devices.triaged", "ledger.viewed")
ROLES = ("investigator", "supervisor", "referral_desk", "examiner")


def payload(number: int, rng: random.Random) -> dict[str, Any]:
    """Seven in ten are small, as in the product; some list what somebody saw."""
    kind = number % 10
    if kind < 4:
        return {"filters": {"state": "open"}, "page": number % 7}
    if kind < 7:
        return {
            "rule": "police_referral_to_csc",
            "subject": f"SL-2026-{number % 99_999:05}",
            "due": "2026-12-01T10:00:00",
        }
    if kind < 9:
        return {"before": "received", "after": "assessed", "points": number % 40, "flags": ["child", "live"]}
    return {"entries": [rng.randrange(10**7) for _ in range(12)], "note": {"nonce": "ab" * 16, "sha256": "cd" * 32}}


def rows(count: int, sqlite: bool) -> Iterator[tuple[Any, ...]]:
    """(entry columns in the table's order without the key, digest as bytes)."""
    rng = random.Random(2026)
    exact = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
    for number in range(count):
        at = BEGUN + timedelta(seconds=number * 3, microseconds=number % 1_000_000)
        uid = UUID(int=rng.getrandbits(128), version=4)
        body = payload(number, rng)
        who, case = number % 400, number % 60_000
        values = {
            "uid": str(uid), "at": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "actor": None,
            "actor_name": f"Officer {who} (synthetic)", "actor_role": ROLES[who % 4],
            "category": "consultation" if number % 2 else "alteration", "verb": VERBS[number % 6],
            "subject_type": "cases.case", "subject_id": str(case), "subject_label": f"SL-2026-{case:05}",
            "case_key": case, "recipient": "", "reason": "" if number % 9 else "Strategy discussion, “urgent”",
            "payload": body,
        }  # fmt: skip
        digest = sha256(b"\x00" + exact(values).encode()).digest()
        yield (
            uid.hex if sqlite else str(uid), str(at.replace(tzinfo=None)) if sqlite else at.isoformat(),
            values["actor_name"], values["actor_role"], values["category"], values["verb"], values["subject_type"],
            values["subject_id"], values["subject_label"], case, "", values["reason"], json.dumps(body), digest,
        )  # fmt: skip


COLUMNS = (
    "id, uid, at, actor_name, actor_role, category, verb, subject_type, subject_id, subject_label, case_key, "
    "recipient, reason, payload, digest"
)


def fill(count: int, group: int) -> None:
    """Write the entries, their leaves and seals."""
    from django.db import connection

    from safelight.tlog.merkle import Frontier

    sqlite = connection.vendor == "sqlite"
    connection.ensure_connection()
    raw, tree, first = connection.connection, Frontier(), 1
    if sqlite:
        raw.execute("PRAGMA synchronous=OFF")
    _without_indexes()
    rng, begun = random.Random(7), time.monotonic()
    entries: list[tuple[Any, ...]] = []
    leaves: list[tuple[Any, ...]] = []
    seals: list[tuple[Any, ...]] = []
    next_seal = rng.randint(1, 2 * group - 1)

    def write() -> None:
        for table, names, batch in (
            ("ledger_ledgerentry", COLUMNS, entries),
            ("ledger_ledgerleaf", '"index", entry_id, leaf_hash', leaves),
            ("ledger_ledgerseal", "at, tree_size, root, frontier, through_entry", seals),
        ):
            if sqlite:
                marks = ", ".join("?" for _ in names.split(","))
                raw.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", batch)
            else:
                with raw.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                    for row in batch:
                        copy.write_row(row)
            batch.clear()

    if sqlite:
        raw.execute("BEGIN")
    for number, row in enumerate(rows(count, sqlite), first):
        digest = row[-1].hex()
        entries.append((number, *row[:-1], digest))
        leaves.append((number - 1, number, digest))
        tree.append(row[-1])
        if number >= next_seal or number == count:
            next_seal = number + rng.randint(1, 2 * group - 1)
            root, frontier = tree.root().hex(), json.dumps([one.hex() for one in tree.hashes])
            seals.append((row[1], number, root, frontier, number))
        if len(entries) == 50_000 or number == count:
            write()
            if sys.stderr.isatty() or number % 1_000_000 == 0:
                print(f"  {number:,} entries written, {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    if sqlite:
        raw.execute("COMMIT")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    else:
        raw.execute("VACUUM (ANALYZE) ledger_ledgerentry, ledger_ledgerleaf, ledger_ledgerseal")


def _without_indexes() -> None:
    """Drop triggers and secondary indexes of the tables: filling takes a third of the time."""
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA foreign_keys=OFF")
            cursor.execute(
                "SELECT type, name FROM sqlite_master WHERE tbl_name IN ('ledger_ledgerentry', 'ledger_ledgerleaf', "
                "'ledger_ledgerseal') AND type IN ('trigger', 'index') AND sql IS NOT NULL"
            )
            for kind, name in cursor.fetchall():
                cursor.execute(f'DROP {kind} "{name}"')
            return
        for table in ("ledger_ledgerentry", "ledger_ledgerleaf", "ledger_ledgerseal"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        cursor.execute(
            "SELECT indexname FROM pg_indexes WHERE tablename = 'ledger_ledgerentry' AND indexname NOT LIKE '%%pkey' "
            "AND indexname NOT LIKE '%%uid%%'"
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f'DROP INDEX "{name}"')


def plainly(count: int) -> float:
    """The peer: seconds for the first ``count`` entries through the ORM, in one process."""
    from safelight.casework.ledger.models import LedgerLeaf
    from safelight.casework.ledger.services import canonical
    from safelight.tlog.merkle import Frontier, leaf_hash

    begun, tree = time.perf_counter(), Frontier()
    leaves = LedgerLeaf.objects.filter(index__lt=count).select_related("entry").order_by("index")
    for leaf in leaves.iterator(chunk_size=5_000):
        made = leaf_hash(canonical(leaf.entry))
        assert made.hex() == leaf.leaf_hash == leaf.entry.digest
        tree.append(made)
    tree.root()
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=500_000)
    parser.add_argument("--group", type=int, default=100, help="entries of one seal, on average")
    parser.add_argument("--peer", type=int, default=50_000, help="entries that the plain way reads")
    parser.add_argument("--fill", action="store_true", help="only fill the database of DATABASE_URL")
    parser.add_argument("--filled", action="store_true", help="the database of DATABASE_URL is filled already")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="safelight-ledger-") as folder:
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/ledger.sqlite3")
        os.environ |= {
            "SAFELIGHT_DATA": folder, "SAFELIGHT_TESTING": "1", "DJANGO_SETTINGS_MODULE": "safelight.web.settings",
        }  # fmt: skip
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection

        from safelight.casework.ledger.verify import verify

        if not asked.filled:
            call_command("migrate", verbosity=0)
            fill(asked.entries, asked.group)
        if asked.fill:
            return
        fastest = None
        for _ in range(2):
            begun = time.perf_counter()
            result = verify()
            seconds = time.perf_counter() - begun
            assert result.proven, result.faults[:3]
            assert result.sealed == asked.entries
            fastest = min(fastest or seconds, seconds)
            print(f"  verified in {seconds:.1f} s", file=sys.stderr, flush=True)
        peer = plainly(min(asked.peer, asked.entries)) / min(asked.peer, asked.entries) * asked.entries
        engine = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}[connection.vendor]
        print(f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}, {engine}\n")
        print("| entries | seals | Safelight, all cores | plain ORM and hashlib, one process | ratio |")
        print("|---|---|---|---|---|")
        print(
            f"| {asked.entries:,} | {result.seals:,} | {fastest:.1f} s ({asked.entries / fastest:,.0f}/s) "
            f"| {peer:,.0f} s (from {min(asked.peer, asked.entries):,}) | {peer / fastest:.1f} |"
        )


if __name__ == "__main__":
    main()
