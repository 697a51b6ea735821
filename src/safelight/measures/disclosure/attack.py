"""What a reader with a linear programme can work out from everything that was published.

Each published cell says ``low <= sum of its atoms <= high``. The attacker solves, for a small count, the two linear
programmes 'least' and 'most' under all those statements of all releases. As counts are whole, the answers are rounded
inwards. A count whose range is narrower than five numbers is known to within two: it is disclosed.

The solver is GLOP of OR-Tools, started again from its last basis; and most counts need no programme of their own,
because each solution found for one is a possible world for all.

Source: Fischetti and Salazar, Solving the cell suppression problem (Management Science 47, 2001), sections 1 and 2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from ortools.linear_solver import pywraplp

from safelight.measures.disclosure.policy import WITHIN
from safelight.measures.errors import DisclosureError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ENOUGH = 2 * WITHIN + 1
_TINY = 1e-6


@dataclass(frozen=True)
class Statement:
    """A published cell: ``low <= sum of atoms <= high``; ``high`` None where nothing is said."""

    atoms: NDArray[np.int64]
    low: int
    high: int | None


@dataclass(frozen=True, slots=True)
class Range:
    """What the attacker knows of a count: it is one of ``low`` to ``high`` (None: without limit)."""

    low: int
    high: int | None

    @property
    def disclosed(self) -> bool:
        """Whether the count is known to within two people."""
        return self.high is not None and self.high - self.low < _ENOUGH


class Attack:
    """The attacker's programme over one population.

    Args:
        size: number of atoms.
        statements: every published cell of every release.
    """

    def __init__(self, size: int, statements: Sequence[Statement]) -> None:
        self._solver = pywraplp.Solver.CreateSolver("GLOP")
        infinity = self._solver.infinity()
        impossible = np.zeros(size, dtype=bool)
        for statement in statements:
            if statement.high == 0:
                impossible[statement.atoms] = True
        self._free = ~impossible
        self._atoms: list[Any] = [None if impossible[a] else self._solver.NumVar(0, infinity, "") for a in range(size)]
        for statement in statements:
            if statement.high == 0:
                continue
            row = self._solver.Constraint(statement.low, infinity if statement.high is None else statement.high)
            for atom in statement.atoms:
                if not impossible[atom]:
                    row.SetCoefficient(self._atoms[atom], 1)
        self._objective = self._solver.Objective()
        self.programmes = 0

    def world(self) -> NDArray[np.float64]:
        """The possible world that the last programme found: a value for each atom."""
        return np.array([0.0 if v is None else v.solution_value() for v in self._atoms])

    def extreme(self, atoms: NDArray[np.int64], *, most: bool) -> float | None:
        """The least or the most that a sum of atoms can be; None where it has no limit.

        Raises:
            DisclosureError: no numbers at all fit what was published: a later release contradicts an earlier one.
        """
        self._objective.Clear()
        for atom in atoms:
            if self._free[atom]:
                self._objective.SetCoefficient(self._atoms[atom], 1)
        self._objective.SetOptimizationDirection(most)
        self.programmes += 1
        status = self._solver.Solve()
        if status == pywraplp.Solver.OPTIMAL:
            return float(self._objective.Value())
        if status == pywraplp.Solver.UNBOUNDED or (status == pywraplp.Solver.ABNORMAL and most):
            return None
        raise DisclosureError(
            "What is to be published does not agree with what was published before: no counts fit both.",
            fix="Publish revised figures as a population of their own, and say that they were revised.",
        )

    def ranges(self, targets: Sequence[NDArray[np.int64]]) -> list[Range]:
        """What is known of each sum of atoms. Ranges that are wide enough are given as far as they were looked at."""
        least = np.full(len(targets), np.inf)
        most = np.full(len(targets), -np.inf)
        for number, atoms in enumerate(targets):
            for upwards in (True, False):
                if most[number] - least[number] >= _ENOUGH:
                    break
                value = self.extreme(atoms, most=upwards)
                if value is None:
                    most[number] = np.inf
                    continue
                world = self.world()
                sums = np.array([world[a].sum() for a in targets])
                np.minimum(least, sums, out=least)
                np.maximum(most, sums, out=most)
        return [
            Range(max(0, math.ceil(low - _TINY)) if math.isfinite(low) else 0,
                  math.floor(high + _TINY) if math.isfinite(high) else None)
            for low, high in zip(least, most, strict=True)
        ]  # fmt: skip
