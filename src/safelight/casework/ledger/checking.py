"""Checking a ledger against its seals, stretch by stretch, on as many cores as there are.

It rests on the seals' frontiers: each seal's frontier must be the frontier of the seal before, with the leaves between
appended. If that holds for every seal from the first on, it holds for the whole tree, and each stretch can be checked
by itself, in any process (decision 0046). A fault in one stretch is named there and hides nothing in the others.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any

from safelight.casework.ledger.columns import Source, Words, digest_of
from safelight.tlog.merkle import EMPTY_ROOT, Frontier

#: How another process reaches the database: its vendor, and what its driver is told.
Address = tuple[str, dict[str, Any]]

#: Entries behind the last sealed one among which a late-committing transaction is looked for.
LATE_WINDOW = 20_000
#: Leaves that one process checks at a time; and from how many on there are several processes.
STRETCH = 100_000
SEVERAL = 300_000


@dataclass
class Verification:
    """What a verification found. ``faults`` are sentences that name the entry or range; empty means proven."""

    entries: int = 0
    sealed: int = 0
    seals: int = 0
    waiting: int = 0
    root: str = ""
    faults: list[str] = field(default_factory=list)
    #: First and last leaf of each fault, in the order of ``faults``; an entry that is under no leaf has none (-1).
    ranges: list[tuple[int, int]] = field(default_factory=list)
    #: How many entries each witness has cosigned that are so here; marks of seals that hold; what could not be asked.
    witnessed: dict[str, int] = field(default_factory=dict)
    marks: int = 0
    remarks: list[str] = field(default_factory=list)

    @property
    def proven(self) -> bool:
        return not self.faults

    def add(self, first: int, last: int, sentence: str) -> None:
        self.faults.append(sentence)
        self.ranges.append((first, last))


def check_all(
    source: Source, address: Address | None = None, on_progress: Callable[[int, int], None] | None = None
) -> Verification:
    """Re-read the whole ledger and check it against its seals.

    Args:
        source: where the ledger is.
        address: how other processes reach the same database, where they see the same; then a large ledger is checked by
            as many as there are cores.
        on_progress: called with (leaves done, leaves in all) as stretches of the ledger are done.
    """
    # One statement, so that a seal made meanwhile cannot look like a fault.
    (entries, leaves, highest, seals, total, through, root), *_ = source.ask(
        "SELECT (SELECT count(*) FROM ledger_ledgerentry), (SELECT count(*) FROM ledger_ledgerleaf), "
        '(SELECT max("index") FROM ledger_ledgerleaf), count(*), max(tree_size), max(through_entry), '
        "(SELECT root FROM ledger_ledgerseal ORDER BY tree_size DESC LIMIT 1) FROM ledger_ledgerseal"
    )
    total = total or 0
    result = Verification(entries=entries, seals=seals, root=root or EMPTY_ROOT.hex())
    stretches = _stretches(source, total)
    processes = (os.cpu_count() or 1) if address and total >= SEVERAL and len(stretches) > 1 else 1
    found = []
    for one in _check(source, stretches, address, processes):
        found.append(one)
        result.sealed += one.leaves
        if on_progress:
            on_progress(result.sealed, total)
    for one in sorted(found, key=lambda one: one.start):
        for fault in one.faults:
            result.add(*fault)
    if highest is not None and highest >= total:
        result.add(total, highest, f"Leaves {total} to {highest} are under no seal.")
    if result.faults:
        _check_order(source, result, -1 if highest is None else highest)
    if entries > leaves or result.faults:
        _check_waiting(source, result, through or 0, entries - leaves)
    if on_progress:
        on_progress(result.sealed, total)
    return result


def _stretches(source: Source, total: int) -> list[tuple[int, int]]:
    """Sealed sizes to begin and end at, about ``STRETCH`` leaves apart."""
    cuts, last = [], 0
    for (size,) in source.ask("SELECT tree_size FROM ledger_ledgerseal ORDER BY tree_size"):
        if size - last >= STRETCH or size == total:
            cuts.append((last, size))
            last = size
    return cuts


def _check_order(source: Source, result: Verification, highest: int) -> None:
    """Where something is wrong, name the leaves whose seal has another size than when it was made: each is larger than
    the one before, and none is over more leaves than there are.
    """
    before, last = 0, 0
    for (size,) in source.ask("SELECT tree_size FROM ledger_ledgerseal ORDER BY id"):
        if size <= last:
            result.add(
                before,
                max(before, size - 1),
                f"The seal over {last} entries was made before the one over {size}: leaves {before} to {size - 1} have "
                "lost a seal of their own.",
            )
        else:
            before = last
        last = size
    if before <= highest < last - 1:
        result.add(
            before, highest, f"The newest seal is over {last} entries: leaves {before} to {highest} cannot be checked."
        )


def _check_waiting(source: Source, result: Verification, through: int, wanted: int) -> None:
    """Entries that are under no leaf yet hash to their digests."""
    words: dict[str, str] = Words()
    for after in (max(0, through - LATE_WINDOW), 0):
        found, faults = 0, []
        for row in source.waiting(after):
            found += 1
            if digest_of(row, words).hex() != row[3]:
                faults.append(f"Entry {row[1]}, not yet sealed, does not hash to its digest.")
        # Usually all that wait are the newest. Where more are missing from the tree, all are looked at.
        if found >= wanted and not result.faults:
            break
    result.waiting = found
    for fault in faults:
        result.add(-1, -1, fault)


def _check(
    source: Source, stretches: list[tuple[int, int]], address: Address | None, processes: int
) -> Iterator[Stretch]:
    if address is None or processes < 2:
        for start, end in stretches:
            yield check_stretch(source, start, end)
        return
    with ProcessPoolExecutor(
        processes, mp_context=get_context("spawn"), initializer=_open_source, initargs=address
    ) as pool:
        for done in as_completed([pool.submit(_check_in_process, start, end) for start, end in stretches]):
            yield done.result()


@dataclass
class Stretch:
    """What was found in the leaves ``start`` to before ``end``. A fault is (first leaf, last leaf, sentence)."""

    start: int
    end: int
    leaves: int = 0
    seals: int = 0
    faults: list[tuple[int, int, str]] = field(default_factory=list)


def _frontier(size: int, stored: Any) -> Frontier:
    """The frontier that a seal holds.

    Raises:
        ValueError, TypeError: it holds none that fits its size.
    """
    hashes = json.loads(stored) if isinstance(stored, str) else stored
    return Frontier(size, [bytes.fromhex(one) for one in hashes])


class _Check:
    """One pass over a stretch. ``hurt``: the seal being worked towards has a named fault already."""

    def __init__(self, source: Source, start: int, end: int) -> None:
        self.source, self.found = source, Stretch(start, end)
        self.seals = source.seals(start, end)
        self.below = start  # where the stretch of the next seal begins
        self.hurt = False
        self.tree = Frontier()
        self.newest = 0  # the highest entry under a leaf so far
        self.bad: tuple[int, int, int, int] | None = None  # first and last leaf, first and last entry
        if start:
            self._begin(self.seals.pop(0) if self.seals and self.seals[0][0] == start else (start, "", None, "", 0))
        self.sizes = iter(self.seals)
        self.seal = next(self.sizes, None)

    def _begin(self, seal: tuple[Any, ...]) -> None:
        """Work on from the frontier of a seal, whatever came before."""
        self.below, self.hurt, self.newest = seal[0], False, self.newest or seal[4]
        try:
            self.tree = _frontier(seal[0], seal[2])
        except (ValueError, TypeError, AttributeError):
            self.tree = Frontier(seal[0], [bytes(32)] * seal[0].bit_count())
            self._fault(seal[0] - 1, seal[0] - 1, f"The seal over {seal[0]} entries is damaged.")
            self.hurt = True

    def _fault(self, first: int, last: int, sentence: str) -> None:
        self.found.faults.append((first, last, sentence))
        self.hurt = True

    def _name_bad(self) -> None:
        if self.bad:
            first, last, one, other = self.bad
            entries = f"Entry {one} (leaf {first}) does" if first == last else (
                f"Entries {one} to {other} (leaves {first} to {last}) do"
            )  # fmt: skip
            self._fault(first, last, f"{entries} not hash to what was sealed.")
            self.bad = None

    def _close(self) -> None:
        """The leaves of the next seal are all there: does it follow from them?"""
        self._name_bad()
        seal = self.seal
        assert seal is not None
        size, root, stored, at, through = seal
        try:
            sealed: Frontier | None = _frontier(size, stored)
        except (ValueError, TypeError, AttributeError):
            sealed = None
        if not self.hurt and (sealed is None or sealed.hashes != self.tree.hashes or sealed.root().hex() != root):
            span = f"leaf {self.below}" if self.below == size - 1 else f"leaves {self.below} to {size - 1}"
            self._fault(
                self.below, size - 1, f"The root sealed at {str(at)[:19]} over {size} entries does not follow from "
                f"them: {span} or the seal itself were changed, added, removed or put in another order.",
            )  # fmt: skip
        elif not self.hurt and through != self.newest:
            self._fault(
                self.below,
                size - 1,
                f"The seal over {size} entries names {through} as its newest entry, not {self.newest}.",
            )
        if self.hurt:
            self._begin(seal)  # what comes after is judged by itself
        self.below = size
        self.found.seals += 1
        self.seal = next(self.sizes, None)

    def _gap(self, upto: int) -> None:
        """Leaves are missing before leaf ``upto``."""
        self._name_bad()
        size = self.tree.size
        words = f"Leaf {size} is" if upto == size + 1 else f"Leaves {size} to {upto - 1} are"
        self._fault(size, upto - 1, f"{words} missing.")
        while self.seal is not None and self.seal[0] <= upto:
            self._begin(self.seal)
            self.found.seals += 1
            self.seal = next(self.sizes, None)
        if self.tree.size < upto:
            self.tree = Frontier(upto, [bytes(32)] * upto.bit_count())
            self.hurt = True

    def run(self) -> Stretch:
        words = Words()
        found, rows = self.found, self.source.stretch(self.found.start, self.found.end)
        for row in rows:
            index, entry, leaf, digest = row[:4]
            self.newest = max(self.newest, entry)
            if index > self.tree.size:
                self._gap(index)
            made = digest_of(row, words)
            if made.hex() != leaf or leaf != digest:
                if self.bad and self.bad[1] == index - 1:
                    self.bad = (self.bad[0], index, self.bad[2], entry)
                else:
                    self._name_bad()
                    self.bad = (index, index, entry, entry)
            elif self.bad:
                self._name_bad()
            self.tree.append(made)
            found.leaves += 1
            if self.seal is not None and self.tree.size == self.seal[0]:
                self._close()
        self._name_bad()
        if self.tree.size < found.end:
            self._gap(found.end)
        return found


def check_stretch(source: Source, start: int, end: int) -> Stretch:
    """Check the leaves from ``start`` (a sealed size, or 0) to before ``end`` (a sealed size) against their seals."""
    return _Check(source, start, end).run()


_source: Source | None = None


def _open_source(vendor: str, told: dict[str, Any]) -> None:
    """In a process of its own: connect to the ledger's database, as the driver's arguments ``told`` say."""
    global _source
    if vendor == "sqlite":
        _source = Source(sqlite3.connect(told["database"], timeout=20), vendor)
    else:
        import psycopg

        _source = Source(psycopg.connect(**told, autocommit=True), vendor)


def _check_in_process(start: int, end: int) -> Stretch:
    """:func:`check_stretch` over the connection of this process."""
    assert _source is not None
    return check_stretch(_source, start, end)
