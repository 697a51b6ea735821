"""Which further cells to hide so that a small count cannot be worked out: the fewest that a linear programme finds.

The programme looks for another world: one in which the count in question is five people away from what the attacker
knows, everything published before still holds, and as few as possible of the new cells would have to show another
number. Those cells are hidden; then both worlds fit what is published, and the count is protected.

Source: Kelly, Golden and Assad, Cell suppression: disclosure protection for sensitive tabular data (Networks 22, 1992).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from ortools.linear_solver import pywraplp

from safelight.measures.disclosure.attack import _ENOUGH, Range, Statement

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TINY = 1e-6


def cells_to_hide(
    size: int,
    fixed: Sequence[Statement],
    changeable: Sequence[Statement],
    costs: Sequence[float],
    target: NDArray[np.int64],
    known: Range,
) -> list[int] | None:
    """The cells of ``changeable`` to hide, by position; empty when none is needed, None when nothing helps.

    Args:
        size: number of atoms.
        fixed: statements that stay as they are.
        changeable: statements of cells that could be hidden.
        costs: what hiding each costs.
        target: atoms of the count to be protected.
        known: what the attacker knows of it.
    """
    best: tuple[float, list[int]] | None = None
    worlds: list[tuple[int | None, int | None]] = [(known.low + _ENOUGH, None)]
    if known.high is not None and known.high - _ENOUGH >= 1:
        worlds.append((None, known.high - _ENOUGH))
    for least, most in worlds:
        found = _other_world(size, fixed, changeable, costs, target, least, most)
        if found is not None and (best is None or found[0] < best[0]):
            best = found
    return best[1] if best else None


def _other_world(
    size: int,
    fixed: Sequence[Statement],
    changeable: Sequence[Statement],
    costs: Sequence[float],
    target: NDArray[np.int64],
    least: int | None,
    most: int | None,
) -> tuple[float, list[int]] | None:
    solver = pywraplp.Solver.CreateSolver("GLOP")
    infinity = solver.infinity()
    atoms: list[Any] = [solver.NumVar(0, infinity, "") for _ in range(size)]

    def constrain(statement_atoms: NDArray[np.int64], low: float, high: float) -> Any:
        row = solver.Constraint(low, high)
        for atom in statement_atoms:
            row.SetCoefficient(atoms[atom], 1)
        return row

    for statement in fixed:
        constrain(statement.atoms, statement.low, infinity if statement.high is None else statement.high)
    objective = solver.Objective()
    objective.SetMinimization()
    changes = []
    for statement, cost in zip(changeable, costs, strict=True):
        row = constrain(statement.atoms, statement.low, infinity if statement.high is None else statement.high)
        more, less = solver.NumVar(0, infinity, ""), solver.NumVar(0, infinity, "")
        row.SetCoefficient(more, -1)
        row.SetCoefficient(less, 1)
        objective.SetCoefficient(more, cost)
        objective.SetCoefficient(less, cost)
        # A hidden cell holds at least one person.
        constrain(statement.atoms, 1, infinity)
        changes.append((more, less))
    constrain(target, -infinity if least is None else least, infinity if most is None else most)
    if solver.Solve() != pywraplp.Solver.OPTIMAL:
        return None
    chosen = [
        index for index, (more, less) in enumerate(changes) if more.solution_value() + less.solution_value() > _TINY
    ]
    return sum(costs[index] for index in chosen), chosen
