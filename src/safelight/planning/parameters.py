"""The parameters of the force model, each with its unit, source and range: `load_parameters`."""

from __future__ import annotations

import functools
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Any

from safelight.planning.errors import PlanningError

RISKS = ("very_high", "high", "medium", "low")
ASSUMPTION = "assumption"
Value = float | tuple[float, ...] | Mapping[str, float]


@dataclass(frozen=True)
class Parameter:
    """One number, or twelve for the months, or one for each risk level.

    Args:
        source: where it was read or how it was derived, or 'assumption'.
        low, high: the range that is accepted.
    """

    id: str
    title: str
    unit: str
    value: Value
    low: float
    high: float
    source: str
    note: str = ""

    @property
    def assumed(self) -> bool:
        return self.source == ASSUMPTION


@dataclass(frozen=True)
class Parameters:
    """All parameters by id; `with_changes` gives another set."""

    rows: Mapping[str, Parameter]

    def number(self, name: str) -> float:
        """A parameter that is one number."""
        value = self._find(name).value
        assert isinstance(value, float)
        return value

    def months(self, name: str) -> tuple[float, ...]:
        """A parameter with twelve numbers."""
        value = self._find(name).value
        assert isinstance(value, tuple)
        return value

    def risk(self, name: str, risk: str) -> float:
        """A parameter with a number for each risk level."""
        value = self._find(name).value
        assert isinstance(value, Mapping)
        return value[risk]

    def with_changes(self, changes: Mapping[str, object]) -> Parameters:
        """Another set. ``clock.triage.high`` changes one risk level alone; '+4' and '-40' change a number by so much.

        Raises:
            PlanningError: an unknown name, not a number, or outside the range.
        """
        rows = dict(self.rows)
        for name, wanted in changes.items():
            base, _, risk = name.rpartition(".")
            if name not in rows and base in rows and risk in RISKS and isinstance(rows[base].value, Mapping):
                before = rows[base]
                rows[base] = _changed(before, {**before.value, risk: wanted})  # type: ignore[dict-item]
            elif name in rows:
                rows[name] = _changed(rows[name], wanted)
            else:
                raise PlanningError(
                    name, "there is no such parameter.", fix="`safelight plan --parameters` lists them."
                )
        return Parameters(MappingProxyType(rows))

    def _find(self, name: str) -> Parameter:
        if name not in self.rows:
            raise PlanningError(name, "there is no such parameter.", fix="`safelight plan --parameters` lists them.")
        return self.rows[name]


@functools.lru_cache(maxsize=1)
def load_parameters() -> Parameters:
    """The parameters that Safelight ships.

    Raises:
        PlanningError: the file is malformed (a fault of ours).
    """
    text = (resources.files("safelight.planning") / "parameters.toml").read_text(encoding="utf-8")
    rows: dict[str, Parameter] = {}
    for row in tomllib.loads(text)["parameter"]:
        low, high = row["range"]
        bare = Parameter(
            row["id"], row["title"], row["unit"], 0.0, float(low), float(high), row["source"], row.get("note", "")
        )
        if bare.id in rows:
            raise PlanningError(bare.id, "it stands twice in parameters.toml.", fix="Remove one.")
        rows[bare.id] = _with(bare, _typed(bare, row["value"]))
    return Parameters(MappingProxyType(rows))


def _changed(before: Parameter, wanted: object) -> Parameter:
    if isinstance(wanted, str) and isinstance(before.value, float):
        try:
            number = float(wanted)
        except ValueError as error:
            raise PlanningError(
                before.id, f"{wanted!r} is not a number.", fix="Give a number, or +4 or -40."
            ) from error
        wanted = before.value + number if wanted[:1] in "+-" else number
    value = _typed(before, wanted)
    if isinstance(value, float) != isinstance(before.value, float) or isinstance(value, tuple) != isinstance(
        before.value, tuple
    ):
        raise PlanningError(
            before.id, "it has another shape.", fix="Give one number, twelve, or one for each risk level."
        )
    return _with(before, value)


def _typed(row: Parameter, value: Any) -> Value:
    if isinstance(value, Mapping):
        if set(value) != set(RISKS):
            raise PlanningError(row.id, f"it needs {', '.join(RISKS)}.", fix="Give each level its number.")
        return MappingProxyType({risk: _number(row, value[risk]) for risk in RISKS})
    if isinstance(value, list | tuple):
        if len(value) != 12:
            raise PlanningError(row.id, f"{len(value)} numbers for twelve months.", fix="Give twelve.")
        return tuple(_number(row, one) for one in value)
    return _number(row, value)


def _number(row: Parameter, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise PlanningError(row.id, f"{value!r} is not a number.", fix=f"Give a number of {row.unit}.")
    if not row.low <= value <= row.high:
        raise PlanningError(
            row.id, f"{value:g} is outside {row.low:g} to {row.high:g} {row.unit}.", fix="Give one inside the range."
        )
    return float(value)


def _with(row: Parameter, value: Value) -> Parameter:
    return Parameter(row.id, row.title, row.unit, value, row.low, row.high, row.source, row.note)
