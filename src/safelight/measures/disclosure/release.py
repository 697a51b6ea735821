"""A release: tables made safe to publish, refused where they cannot be, and kept for the next one's attack.

    policy = PRESETS["round5"]
    release = make_release("2026 Q3", tables, policy, earlier=[q1, q2])     # raises rather than disclose
    release.tables[0].shown[("CN", "good")].text                            # "35", or "*"

Order of work: hide what is small; attack; hide further cells, as few as a linear programme finds, until the attack
finds nothing; where that is impossible, refuse. Earlier releases are part of every attack, and their own hidden counts
are among what is protected.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from safelight.measures.disclosure.attack import Attack, Range, Statement
from safelight.measures.disclosure.policy import WITHIN, Policy, Shown
from safelight.measures.disclosure.protect import cells_to_hide
from safelight.measures.disclosure.tables import CountTable, Grid, Key
from safelight.measures.errors import DisclosureError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROUNDS = 200


@dataclass
class ReleasedTable:
    """A table as it is published.

    Attributes:
        table: with its true counts.
        policy: what is hidden and rounded.
        hidden: the cells hidden to protect others.
        mixed: some hidden count of the release is not small, and readers are told that there are such. Without it a
            mark says that the count is small, which is itself knowledge.
    """

    table: CountTable
    policy: Policy
    hidden: set[Key] = field(default_factory=set)
    mixed: bool = False

    @property
    def shown(self) -> dict[Key, Shown]:
        """Every cell as it is published."""
        return {key: self.policy.show(self.table.count(key), hide=key in self.hidden) for key in self.table.cells()}

    def statements(self, grid: Grid) -> Iterable[tuple[Key, Statement]]:
        """What each cell tells an attacker, who knows the policy."""
        most_hidden = None if self.mixed else self.policy.smallest_shown - 1
        for key, shown in self.shown.items():
            high = most_hidden if shown.hidden else shown.high
            yield key, Statement(grid.atoms(self.table, key), shown.low, high)


@dataclass(frozen=True)
class Target:
    """A count that must not be known: a small cell of this release or of an earlier one."""

    population: str
    what: str
    atoms: NDArray[np.int64]
    count: int


@dataclass(frozen=True)
class Audit:
    """What the attack on a release (with all earlier ones) found."""

    targets: int
    disclosed: tuple[tuple[Target, Range], ...]
    programmes: int

    @property
    def safe(self) -> bool:
        """Whether no small count is known to within two people."""
        return not self.disclosed


@dataclass(frozen=True)
class Release:
    """What is published under one name, and the proof that it was attacked first.

    ``coarser`` says which tables were asked for in more detail than they are published in.
    """

    name: str
    tables: tuple[ReleasedTable, ...]
    audit: Audit
    coarser: tuple[str, ...] = ()

    @property
    def hidden_share(self) -> float:
        """The share of cells with people in them that show no number, totals included."""
        return _hidden_share(self.tables)

    def digest(self) -> str:
        """SHA-256 of everything that is published, to be sealed."""
        published = [
            [r.table.name, r.table.population, dict(sorted(r.table.scope.items())), r.policy.id,
             [[list(key), shown.text] for key, shown in r.shown.items()]]
            for r in self.tables
        ]  # fmt: skip
        return hashlib.sha256(json.dumps([self.name, published], sort_keys=True).encode()).hexdigest()


def _targets(grid: Grid, tables: Sequence[ReleasedTable], smallest_shown: int) -> list[Target]:
    """Small cells, and small differences between a cell and another that lies within it (a year and its quarters)."""
    found: dict[bytes, Target] = {}
    cells: dict[bytes, tuple[str, NDArray[np.int64], int]] = {}
    population = tables[0].table.population
    for released in tables:
        for key in released.table.cells():
            count = released.table.count(key)
            atoms = grid.atoms(released.table, key)
            where = f"{released.table.name}: {', '.join('all' if level is None else level for level in key)}"
            cells.setdefault(atoms.tobytes(), (where, atoms, count))
            if released.policy.is_small(count) or 0 < count < smallest_shown:
                found.setdefault(atoms.tobytes(), Target(population, where, atoms, count))
    names, members, counts = zip(*cells.values(), strict=True)
    rows = np.concatenate([np.full(len(m), i) for i, m in enumerate(members)])
    inside = sparse.csr_array((np.ones(len(rows), np.int32), (rows, np.concatenate(members))), (len(names), grid.size))
    shared = (inside @ inside.T).tocoo()
    sizes, truth = np.array([len(m) for m in members]), np.array(counts)
    within = shared.data == sizes[shared.row]
    rest = truth[shared.col] - truth[shared.row]
    for i, j in zip(*(x[within & (rest > 0) & (rest < smallest_shown)] for x in (shared.row, shared.col)), strict=True):
        atoms = np.setdiff1d(members[j], members[i])
        found.setdefault(
            atoms.tobytes(), Target(population, f"{names[j]} without {names[i]}", atoms, int(truth[j] - truth[i]))
        )
    return list(found.values())


def audit(tables: Sequence[ReleasedTable], earlier: Sequence[Release] = ()) -> Audit:
    """Attack tables together with all that was published before."""
    disclosed: list[tuple[Target, Range]] = []
    targets = programmes = 0
    every = [*(t for release in earlier for t in release.tables), *tables]
    for population in sorted({t.table.population for t in tables}):
        here = [t for t in every if t.table.population == population]
        grid = Grid([t.table for t in here])
        attack = Attack(grid.size, [s for t in here for _, s in t.statements(grid)])
        small = _targets(grid, here, max(t.policy.smallest_shown for t in tables))
        ranges = attack.ranges([t.atoms for t in small])
        disclosed += [(t, r) for t, r in zip(small, ranges, strict=True) if r.disclosed]
        targets += len(small)
        programmes += attack.programmes
    return Audit(targets, tuple(disclosed), programmes)


def _hidden_share(tables: Sequence[ReleasedTable]) -> float:
    cells = [shown for one in tables for key, shown in one.shown.items() if one.table.count(key) > 0]
    return sum(shown.hidden for shown in cells) / len(cells) if cells else 0.0


def make_release(
    name: str,
    tables: Sequence[CountTable],
    policy: Policy,
    *,
    earlier: Sequence[Release] = (),
    most_hidden: float | None = None,
) -> Release:
    """Make tables safe to publish.

    Args:
        name: of the release, such as ``2026 Q3``.
        tables: with their true counts.
        policy: what is hidden and rounded.
        earlier: everything published before about the same populations.
        most_hidden: the largest share of cells with people in them that may be hidden, 0 to 1. Where it is more, the
            table with the most of them is published with a dimension less (:func:`coarser`), and it is tried again.
            None: as they are, whatever is hidden.

    Raises:
        DisclosureError: a small count would be known to within two people whatever further cell is hidden, or the
            tables contradict an earlier release.
    """
    wanted = list(tables)
    rougher: list[str] = []
    while True:
        try:
            made = _safe(name, wanted, policy, earlier)
        except DisclosureError:
            open_to_it = [(_small_share(one, policy), place) for place, one in enumerate(wanted) if one.dimensions]
            if most_hidden is None or not open_to_it:
                raise
            _, place = max(open_to_it)
            rougher.append(wanted[place].name)
            wanted[place] = coarser(wanted[place], policy)
            continue
        if most_hidden is None or made.hidden_share <= most_hidden:
            return replace(made, coarser=tuple(dict.fromkeys(rougher)))
        shares = [(_hidden_share([one]), place) for place, one in enumerate(made.tables) if one.table.dimensions]
        if not shares:  # totals only, and still hidden: nothing rougher is left
            return replace(made, coarser=tuple(dict.fromkeys(rougher)))
        _, place = max(shares)
        rougher.append(wanted[place].name)
        wanted[place] = coarser(wanted[place], policy)


def coarser(table: CountTable, policy: Policy) -> CountTable:
    """The table summed over one of its dimensions: the one that leaves the smallest share of small cells."""
    choices = []
    for axis in range(len(table.dimensions)):
        rest = tuple(d for place, d in enumerate(table.dimensions) if place != axis)
        one = CountTable(table.name, table.population, rest, table.counts.sum(axis=axis), table.scope)
        choices.append((_small_share(one, policy), -one.counts.size, axis, one))
    return min(choices, key=lambda choice: choice[:3])[3]


def _small_share(table: CountTable, policy: Policy) -> float:
    counts = [table.count(key) for key in table.cells()]
    return sum(policy.is_small(count) for count in counts) / max(1, sum(count > 0 for count in counts))


def _safe(name: str, tables: Sequence[CountTable], policy: Policy, earlier: Sequence[Release]) -> Release:
    released = [ReleasedTable(table, policy) for table in tables]
    for _ in range(_ROUNDS):
        found = audit(released, earlier)
        if found.safe:
            return Release(name, tuple(released), found)
        populations = sorted({target.population for target, _ in found.disclosed})
        if not sum(_hide_more(population, released, earlier, found) for population in populations):
            break
    target, known = found.disclosed[0]
    raise DisclosureError(
        f"Release {name!r} is not safe: '{target.what}' could be worked out to {known.low} to {known.high} people, "
        f"with all earlier releases beside it, and hiding further cells does not help "
        f"({len(found.disclosed)} such {'count' if len(found.disclosed) == 1 else 'counts'}).",
        fix=f"Publish fewer or coarser tables; no small count may be known to within {WITHIN}.",
    )


def _hide_more(population: str, released: Sequence[ReleasedTable], earlier: Sequence[Release], found: Audit) -> bool:
    new = [t for t in released if t.table.population == population]
    old = [t for release in earlier for t in release.tables if t.table.population == population]
    grid = Grid([t.table for t in [*old, *new]])
    fixed = [s for t in old for _, s in t.statements(grid)]
    cells: list[tuple[ReleasedTable, Key]] = []
    open_to_change: list[Statement] = []
    costs: list[float] = []
    for table in new:
        for key, statement in table.statements(grid):
            count = table.table.count(key)
            if count == 0:
                fixed.append(statement)
            elif table.policy.is_small(count) or key in table.hidden:
                # Hidden already: free to change once the marks no longer say that everything hidden is small.
                fixed.append(Statement(statement.atoms, 1, None))
            else:
                cells.append((table, key))
                open_to_change.append(statement)
                costs.append(2.0 if table.table.is_total(key) else 1.0)
    for target, known in found.disclosed:
        if target.population != population:
            continue
        chosen = cells_to_hide(grid.size, fixed, open_to_change, costs, target.atoms, known)
        if chosen is None:
            continue
        if not chosen and not new[0].mixed:
            # It is enough that a mark no longer says 'small': one further cell, the smallest that is no total.
            inner = [index for index, (table, key) in enumerate(cells) if not table.table.is_total(key)]
            chosen = sorted(inner, key=lambda index: cells[index][0].table.count(cells[index][1]))[:1]
        if chosen:
            for index in chosen:
                table, key = cells[index]
                table.hidden.add(key)
            for table in released:
                table.mixed = True
            return True  # attack again: what was hidden for one count often protects the next
    return False


def record_of(audit: Audit) -> dict[str, Any]:
    """The audit for the ledger and the page: numbers only."""
    return {"targets": audit.targets, "disclosed": len(audit.disclosed), "programmes": audit.programmes}
