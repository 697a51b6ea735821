"""Tables of counts with all their totals, as they would be published: the cells, and which people each of them counts.

A *population* is what is counted (children at risk, devices, ...). Tables of one population share their people, so a
cell of one can be worked out from cells of another, and of an earlier release. Everything is therefore laid over one
*grid*: the finest cross-classification of all dimensions of all the tables. A square of the grid is an *atom*; each
cell of each table is a sum of atoms.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from safelight.measures.errors import CountError, DisclosureError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_ATOMS = 200_000
TOTAL = None
"""The level of a dimension that is summed over."""

Key = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Dimension:
    """One way to split a population: its name and its levels, in the order in which they are shown.

    ``exhaustive``: every person of the population has one of the levels (a reader may rely on it, so the attack does).
    The four latest quarters are not; the units of the force are.
    """

    name: str
    levels: tuple[str, ...]
    exhaustive: bool = True

    def __post_init__(self) -> None:
        if not self.levels:
            raise CountError(f"The dimension {self.name!r} has no levels.", fix="Leave the dimension out.")
        if len(set(self.levels)) != len(self.levels):
            raise CountError(f"The dimension {self.name!r} names a level twice.", fix="Give each level once.")


@dataclass(frozen=True)
class CountTable:
    """One table of counts of people, with a total over every set of its dimensions.

    Attributes:
        name: what the table is called in the release.
        population: what is counted; tables of one population are attacked together.
        dimensions: how it is split.
        counts: whole numbers >= 0, one axis for each dimension.
        scope: levels of further dimensions that all the people of the table have, such as ``{"quarter": "2026 Q3"}``.
    """

    name: str
    population: str
    dimensions: tuple[Dimension, ...]
    counts: NDArray[np.int64]
    scope: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        counts = np.asarray(self.counts)
        shape = tuple(len(d.levels) for d in self.dimensions)
        if counts.shape != shape:
            raise CountError(
                f"Table {self.name!r} has counts of shape {counts.shape}; its dimensions make {shape}.",
                fix="Give one axis for each dimension.",
            )
        if counts.size and (counts.min() < 0 or np.any(counts != np.floor(counts))):
            raise CountError(f"Table {self.name!r} holds a count that is no whole number from 0.", fix="Give counts.")
        names = [d.name for d in self.dimensions] + list(self.scope)
        if len(set(names)) != len(names):
            raise CountError(f"Table {self.name!r} names a dimension twice.", fix="Leave one of them out.")
        object.__setattr__(self, "counts", counts.astype(np.int64))

    @classmethod
    def from_records(
        cls,
        name: str,
        population: str,
        records: Iterable[Mapping[str, str]],
        dimensions: Sequence[Dimension],
        *,
        scope: Mapping[str, str] | None = None,
    ) -> CountTable:
        """Count records (one a person) by their values of ``dimensions``.

        Raises:
            CountError: a record has no value for a dimension, or one that is not among its levels.
        """
        places = [{level: i for i, level in enumerate(d.levels)} for d in dimensions]
        counts = np.zeros(tuple(len(d.levels) for d in dimensions), dtype=np.int64)
        for number, record in enumerate(records, 1):
            try:
                counts[tuple(place[record[d.name]] for place, d in zip(places, dimensions, strict=True))] += 1
            except KeyError as error:
                raise CountError(
                    f"Record {number} of table {name!r} does not fit: {error.args[0]!r} is missing or no level.",
                    fix="Add the level, for instance 'not recorded', or correct the record.",
                ) from None
        return cls(name, population, tuple(dimensions), counts, scope or {})

    def cells(self) -> list[Key]:
        """All cells: the inner ones and every total, the grand total last of all."""
        choices = [(*d.levels, TOTAL) for d in self.dimensions]
        return list(itertools.product(*choices))

    def count(self, key: Key) -> int:
        """How many people a cell counts."""
        index: list[Any] = []
        for dimension, level in zip(self.dimensions, key, strict=True):
            index.append(slice(None) if level is TOTAL else dimension.levels.index(level))
        return int(self.counts[tuple(index)].sum())

    def is_total(self, key: Key) -> bool:
        """Whether a cell sums over something."""
        return any(level is TOTAL for level in key)


class Grid:
    """The atoms of one population under some tables.

    Raises:
        DisclosureError: the dimensions make more than 200,000 atoms: too many to prove anything in good time.
    """

    def __init__(self, tables: Sequence[CountTable]) -> None:
        levels: dict[str, dict[str, None]] = {}
        for table in tables:
            for dimension in table.dimensions:
                levels.setdefault(dimension.name, {}).update(dict.fromkeys(dimension.levels))
            for name, level in table.scope.items():
                levels.setdefault(name, {})[level] = None
        self.names = tuple(levels)
        self.levels = {name: {level: i for i, level in enumerate(values)} for name, values in levels.items()}
        # People of a table that says nothing of a dimension may have a level of it that no table names.
        complete = {d.name for table in tables for d in table.dimensions if d.exhaustive}
        for name in self.names:
            spoken_of = all(name in {d.name for d in t.dimensions} | set(t.scope) for t in tables)
            if not spoken_of and name not in complete:
                self.levels[name][""] = len(self.levels[name])
        self.shape = tuple(len(self.levels[name]) for name in self.names)
        self.size = math.prod(self.shape)
        if self.size > MOST_ATOMS:
            raise DisclosureError(
                f"The tables together split their people in {self.size:,} ways; more than {MOST_ATOMS:,} cannot be "
                "proven safe in good time.",
                fix="Publish fewer dimensions, or fewer levels of them.",
            )

    def atoms(self, table: CountTable, key: Key) -> NDArray[np.int64]:
        """The atoms that a cell of a table sums, as their numbers in the grid."""
        fixed = {**table.scope, **{d.name: level for d, level in zip(table.dimensions, key, strict=True)}}
        axes = []
        for name, size in zip(self.names, self.shape, strict=True):
            level = fixed.get(name)
            if level is not None:
                axes.append(np.array([self.levels[name][level]]))
                continue
            split = next((d.levels for d in table.dimensions if d.name == name), None)
            # A total of a table counts the levels of that table only.
            axes.append(np.arange(size) if split is None else np.array([self.levels[name][v] for v in split]))
        return np.ravel_multi_index(np.meshgrid(*axes, indexing="ij"), self.shape).ravel() if axes else np.zeros(1, int)
