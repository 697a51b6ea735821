"""Forged ledgers (L1, L2) and the time that verifying ten million entries takes (L3).

A small ledger of several seals, all cosigned by a witness, is forged in one way after the other by somebody with all
rights over the database (no triggers), checked, and put back. A forgery is found when the check names a range of leaves
that holds what was changed. The kinds: a value changed; an entry, leaf or both deleted; an entry inserted into the
sealed part; two leaves exchanged; the end cut off; an entry rewritten, removed or added with every digest, leaf, root
and frontier recomputed (L2); and an older state put back, or put back and continued otherwise. Between the forgeries
the honest ledger is checked, in which an entry waits for its seal: no alarm may be false.
"""

from __future__ import annotations

import json
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from trust import Progress, Result, Size

TITLE = "The ledger under forgery"
DATABASES = ("sqlite", "postgresql")
ORDER = 10

#: Forgeries in all, of them L2; clean checks.
SIZES = {"small": (70, 10, 70), "full": (10_000, 1_000, 10_000)}
TABLES = ("ledger_ledgerseal", "ledger_ledgerleaf", "ledger_ledgerentry")
TEXTS = (
    "actor_name", "actor_role", "category", "verb", "subject_type", "subject_id", "subject_label", "recipient",
    "reason", "digest",
)  # fmt: skip

#: (first leaf, last leaf) of what was changed.
Span = tuple[int, int]


class Forger:
    """Somebody with all rights over the database of a small sealed ledger."""

    def __init__(self, seed: int, folder: Path) -> None:
        from django.db import connection, transaction

        from safelight.casework.ledger.models import LedgerSeal
        from safelight.casework.ledger.outside import log_signer
        from safelight.casework.ledger.services import record, seal
        from safelight.tlog.witness import Witness

        self.rng = random.Random(seed)
        self.cursor = connection.cursor()
        self.sqlite = connection.vendor == "sqlite"
        folder.mkdir(exist_ok=True)
        self.witness = Witness(folder, "witness.example")
        self.witness.add_log(log_signer().verifier)
        for _ in range(6):
            with transaction.atomic():
                for number in range(self.rng.randint(3, 9)):
                    record(
                        None, "account.changed", payload={"n": number, "who": ["a", "b"][: number % 3]},
                        reason="Because “so”", recipient="Somebody", at=datetime(2026, 5, 1 + number, tzinfo=UTC),
                    )  # fmt: skip
            assert seal() is not None
            self._cosign()
        with transaction.atomic():
            record(None, "account.changed", payload={"waits": True})
        self.total = LedgerSeal.objects.latest("tree_size").tree_size
        self.sizes = [0, *LedgerSeal.objects.values_list("tree_size", flat=True)]
        self.book = self._notes()

    def _cosign(self) -> None:
        from safelight.casework.ledger.models import LedgerSeal
        from safelight.casework.ledger.witnessing import _request

        newest = LedgerSeal.objects.order_by("-tree_size").first()
        seen = self.witness.latest(_origin())
        self.witness.add_checkpoint(_request(newest, seen.checkpoint.size if seen else 0))

    def _notes(self) -> list[Any]:
        from safelight.tlog.notes import read_all

        return read_all(self.witness.book(_origin()).read_text(encoding="utf-8"))

    def check(self) -> Any:
        """What `safelight ledger verify` does, the witness's book in hand."""
        from safelight.casework.ledger.against import compare
        from safelight.casework.ledger.verify import verify

        result = verify()
        compare(result, self.witness.signer.verifier, self.book)
        return result

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Whatever is done within is put back."""
        from django.db import transaction

        with transaction.atomic():
            yield
            transaction.set_rollback(True)

    def disarm(self) -> None:
        """Take the triggers away."""
        if self.sqlite:
            self.cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'ledger_%%'")
            for (name,) in self.cursor.fetchall():
                self.cursor.execute(f'DROP TRIGGER "{name}"')
            self.cursor.execute("PRAGMA ignore_check_constraints = ON")
        else:
            self.cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for table in (*TABLES, "ledger_sealmark"):
                self.cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")

    def do(self, statement: str, *values: Any) -> None:
        self.cursor.execute(statement, values)

    def ask(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        self.cursor.execute(statement, values)
        return list(self.cursor.fetchall())

    def entry_at(self, leaf: int) -> int:
        return int(self.ask('SELECT entry_id FROM ledger_ledgerleaf WHERE "index" = %s', leaf)[0][0])

    def between(self, leaf: int) -> Span:
        """The leaves of the seal that first covers ``leaf``."""
        after = next(size for size in self.sizes if size > leaf)
        return self.sizes[self.sizes.index(after) - 1], after - 1

    # --- the kinds --------------------------------------------------------------------------------------------

    def flip(self) -> Span:
        """One value changed somewhere: in an entry, a leaf or a seal."""
        leaf = self.rng.randrange(self.total)
        entry, kind = self.entry_at(leaf), self.rng.random()
        if kind < 0.6:
            column = self.rng.choice(TEXTS)
            ((old,),) = self.ask(f"SELECT {column} FROM ledger_ledgerentry WHERE id = %s", entry)
            self.do(f"UPDATE ledger_ledgerentry SET {column} = %s WHERE id = %s", self._bent(old), entry)
        elif kind < 0.75:
            column, value = self.rng.choice(
                [("payload", json.dumps({"n": 99})), ("case_key", 7), ("at", "2026-05-02 00:00:01+00:00")]
            )
            if column == "at" and self.sqlite:
                value = "2026-05-02 00:00:01"
            self.do(f"UPDATE ledger_ledgerentry SET {column} = %s WHERE id = %s", value, entry)
        elif kind < 0.85:
            ((old,),) = self.ask("SELECT leaf_hash FROM ledger_ledgerleaf WHERE entry_id = %s", entry)
            self.do("UPDATE ledger_ledgerleaf SET leaf_hash = %s WHERE entry_id = %s", self._bent(old), entry)
        else:
            size = self.between(leaf)[1] + 1
            column = self.rng.choice(["root", "frontier", "through_entry", "tree_size"])
            ((old,),) = self.ask(f"SELECT {column} FROM ledger_ledgerseal WHERE tree_size = %s", size)
            if column == "frontier":
                hashes = json.loads(old) if isinstance(old, str) else old
                place = self.rng.randrange(len(hashes))
                new: Any = json.dumps([*hashes[:place], self._bent(hashes[place]), *hashes[place + 1 :]])
            else:
                new = self._bent(old) if isinstance(old, str) else old + 1000
            self.do(f"UPDATE ledger_ledgerseal SET {column} = %s WHERE tree_size = %s", new, size)
            return self.between(leaf)
        return leaf, leaf

    def _bent(self, old: str) -> str:
        place = self.rng.randrange(len(old)) if old else 0
        bent = chr(ord(old[place]) ^ 1) if old else "x"
        return old[:place] + bent + old[place + 1 :]

    def delete(self) -> Span:
        """An entry with its leaf, or one of the two."""
        leaf, kind = self.rng.randrange(self.total), self.rng.randrange(3)
        entry = self.entry_at(leaf)
        if kind != 1:
            self.do('DELETE FROM ledger_ledgerleaf WHERE "index" = %s', leaf)
        if kind != 2:
            self.do("DELETE FROM ledger_ledgerentry WHERE id = %s", entry)
        return leaf, leaf

    def insert(self) -> Span:
        """An entry, honestly hashed, put into the sealed part; the leaves after it move up, the last seals are kept."""
        leaf = self.rng.randrange(self.total)
        entry = self._copy_of(self.entry_at(leaf))
        self.do('UPDATE ledger_ledgerleaf SET "index" = -"index" - 1 WHERE "index" >= %s', leaf)
        self.do('UPDATE ledger_ledgerleaf SET "index" = -"index" WHERE "index" < 0')
        self._put(leaf, entry)
        return leaf, self.between(leaf)[1]

    def reorder(self) -> Span:
        """Two leaves exchanged, each with its own hash."""
        one = self.rng.randrange(self.total - 1)
        other = self.rng.randrange(one + 1, self.total)
        first, second = self.entry_at(one), self.entry_at(other)
        self.do('DELETE FROM ledger_ledgerleaf WHERE "index" IN (%s, %s)', one, other)
        self._put(one, second)
        self._put(other, first)
        return one, one

    def cut(self) -> Span:
        """The newest entries gone, the seals kept."""
        leaf = self.rng.randrange(self.total)
        ids = [row[0] for row in self.ask('SELECT entry_id FROM ledger_ledgerleaf WHERE "index" >= %s', leaf)]
        self.do('DELETE FROM ledger_ledgerleaf WHERE "index" >= %s', leaf)
        self.do(f"DELETE FROM ledger_ledgerentry WHERE id IN ({', '.join(map(str, ids))})")
        return leaf, self.total - 1

    def rewrite(self) -> Span:
        """L2: an entry changed, removed or added, and every digest, leaf, seal and frontier recomputed."""
        leaf, kind = self.rng.randrange(self.total), self.rng.randrange(3)
        entry = self.entry_at(leaf)
        if kind == 0:
            self._reword(entry)
        elif kind == 1:
            self.do('DELETE FROM ledger_ledgerleaf WHERE "index" = %s', leaf)
            self.do("DELETE FROM ledger_ledgerentry WHERE id = %s", entry)
            self.do('UPDATE ledger_ledgerleaf SET "index" = -"index" WHERE "index" > %s', leaf)
            self.do('UPDATE ledger_ledgerleaf SET "index" = -"index" - 1 WHERE "index" < 0')
        else:
            self.do('UPDATE ledger_ledgerleaf SET "index" = -"index" - 1 WHERE "index" >= %s', leaf)
            self.do('UPDATE ledger_ledgerleaf SET "index" = -"index" WHERE "index" < 0')
            self._put(leaf, self._copy_of(entry))
        self._seal_again()
        assert_sound(self)
        return self.between(leaf)

    def roll_back(self) -> Span:
        """An older state put back whole, half the time continued with other entries."""
        from django.db import transaction

        from safelight.casework.ledger.services import record, seal

        size = self.rng.choice(self.sizes[1:-1])
        ids = [row[0] for row in self.ask('SELECT entry_id FROM ledger_ledgerleaf WHERE "index" >= %s', size)]
        self.do("DELETE FROM ledger_ledgerseal WHERE tree_size > %s", size)
        self.do('DELETE FROM ledger_ledgerleaf WHERE "index" >= %s', size)
        self.do(f"DELETE FROM ledger_ledgerentry WHERE id IN ({', '.join(map(str, ids))}) OR id > {max(ids)}")
        if self.rng.random() < 0.5:
            with transaction.atomic():
                for number in range(self.rng.randint(1, 2 * self.total)):
                    record(None, "account.changed", payload={"other": number})
            seal()
        assert_sound(self)
        return size, size

    # --- a forger's tools -------------------------------------------------------------------------------------

    def _copy_of(self, entry: int) -> int:
        from django.db import transaction

        from safelight.casework.ledger.services import record

        with transaction.atomic():
            return int(record(None, "account.changed", payload={"copy": entry}, reason="Inserted").pk)

    def _put(self, leaf: int, entry: int) -> None:
        ((digest,),) = self.ask("SELECT digest FROM ledger_ledgerentry WHERE id = %s", entry)
        self.do('INSERT INTO ledger_ledgerleaf ("index", entry_id, leaf_hash) VALUES (%s, %s, %s)', leaf, entry, digest)

    def _reword(self, entry: int) -> None:
        from safelight.casework.ledger.models import LedgerEntry
        from safelight.casework.ledger.services import canonical
        from safelight.tlog.merkle import leaf_hash

        row = LedgerEntry.objects.get(pk=entry)
        row.reason += " (reworded)"
        digest = leaf_hash(canonical(row)).hex()
        self.do("UPDATE ledger_ledgerentry SET reason = %s, digest = %s WHERE id = %s", row.reason, digest, entry)
        self.do("UPDATE ledger_ledgerleaf SET leaf_hash = %s WHERE entry_id = %s", digest, entry)

    def _seal_again(self) -> None:
        from safelight.tlog.merkle import Frontier

        leaves = self.ask('SELECT leaf_hash, entry_id FROM ledger_ledgerleaf ORDER BY "index"')
        sizes = [size for size in self.sizes[1:-1] if size < len(leaves)] + [len(leaves)]
        old = self.ask("SELECT id, tree_size FROM ledger_ledgerseal ORDER BY tree_size")
        for key, _ in old[len(sizes) :]:
            self.do("DELETE FROM ledger_ledgerseal WHERE id = %s", key)
        tree, newest, done = Frontier(), 0, 0
        for (key, _), size in zip(old, sizes, strict=False):
            for digest, entry in leaves[done:size]:
                tree.append(bytes.fromhex(digest))
                newest = max(newest, entry)
            done = size
            self.do(
                "UPDATE ledger_ledgerseal SET tree_size = %s, root = %s, frontier = %s, through_entry = %s "
                "WHERE id = %s",
                size, tree.root().hex(), json.dumps([one.hex() for one in tree.hashes]), newest, key,
            )  # fmt: skip


def _origin() -> str:
    from django.conf import settings

    return str(settings.LEDGER_ORIGIN)


def assert_sound(forger: Forger) -> None:
    """A forgery that must be found by the witness is sound in itself: otherwise the trial proves too little."""
    from safelight.casework.ledger.verify import verify

    found = verify().faults
    assert not found, found


KINDS: dict[str, Callable[[Forger], Span]] = {
    "a value changed": Forger.flip,
    "deleted": Forger.delete,
    "inserted": Forger.insert,
    "put in another order": Forger.reorder,
    "the end cut off": Forger.cut,
    "rewritten, every hash recomputed (L2)": Forger.rewrite,
    "an older state put back, or a fork": Forger.roll_back,
}


def run(size: Size) -> Result:
    """L1 and L2 on the database that Django is set up for. L3 has a benchmark: benchmarks/ledger.py."""
    from django.conf import settings
    from django.db import transaction

    forgeries, of_them, clean = SIZES[size]
    result, tried, found = Result(), Counter(), Counter()
    alarms = checks = 0
    kinds = list(KINDS)
    with tempfile.TemporaryDirectory() as folder, transaction.atomic():
        kept = settings.LEDGER_KEY
        settings.LEDGER_KEY = Path(folder) / "ledger.key"
        forger = Forger(2026, Path(folder) / "witness")
        others = [kind for kind in kinds if "L2" not in kind]
        plan = [kinds[5]] * of_them + [others[n % len(others)] for n in range(forgeries - of_them)]
        forger.rng.shuffle(plan)
        forger.disarm()
        with Progress("forgeries and clean checks", forgeries + clean) as step:
            for number, kind in enumerate(plan):
                with forger.undone():
                    first, last = KINDS[kind](forger)
                    seen = forger.check()
                tried[kind] += 1
                named = any(begin <= first <= end for begin, end in seen.ranges)
                found[kind] += named
                if not named:
                    result.fail(f"Forgery {number}, {kind}, leaves {first} to {last}: {seen.faults or 'nothing found'}")
                while checks * forgeries < clean * (number + 1):
                    checks += 1
                    honest = forger.check()
                    if not honest.proven:
                        alarms += 1
                        result.fail(f"False alarm after forgery {number}: {honest.faults}")
                    step()
                step()
        settings.LEDGER_KEY = kept
        transaction.set_rollback(True)
    for kind in kinds:
        result.add(f"L1 {kind}", tried[kind], found[kind], "found, with the leaves named")
    result.add("L1 the honest ledger checked", checks, checks - alarms, "no false alarm")
    return result
