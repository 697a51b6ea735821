"""One pair explained: each comparison in words with the weight it adds or takes, from the start to the sum.

The same statement scores a handful of candidates of a new record in milliseconds.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
from splink import DuckDBAPI
from splink.internals.realtime import compare_records

from safelight.linkage.clusters import GUARD_WORDS, guard
from safelight.linkage.comparisons import comparisons
from safelight.linkage.model import ADJUSTED, Model


@dataclass(frozen=True)
class Step:
    """One step of the waterfall.

    Args:
        title: what is compared; says: the outcome in words; left, right: the two values as compared.
        weight: log2 of how much more often this is so among records of one person; total: the sum so far.
    """

    title: str
    says: str
    left: str
    right: str
    weight: float
    total: float


@dataclass(frozen=True)
class Evidence:
    """Why two records may be one person. ``guard`` holds the reason, in words, why weight alone must not join them."""

    left: int
    right: int
    weight: float
    steps: tuple[Step, ...]
    guard: str = ""

    @property
    def probability(self) -> float:
        """The chance that it is one person, as the model sees it."""
        return float(1 / (1 + 2.0 ** -max(min(self.weight, 200.0), -200.0)))

    @property
    def reasons(self) -> tuple[str, ...]:
        """What speaks for it, strongest first, in words."""
        found = sorted((one for one in self.steps if one.weight >= 1), key=lambda one: -one.weight)
        return tuple(f"{one.title}: {one.says}" for one in found)


class PairScorer:
    """Scores pairs of rows of the feature table, with every step. Keeps the prepared statement of its model."""

    def __init__(self, con: duckdb.DuckDBPyConnection, model: Model, frequency: str) -> None:
        self.con, self.model, self.frequency = con, model, frequency
        self._statement = ""

    def score(self, left: str, right: str, *, join: str = "unique_id_l <> unique_id_r") -> list[Evidence]:
        """Compare each row of ``left`` with each of ``right`` (names of feature tables) that ``join`` allows."""
        for side, name in ((left, "_pair_left"), (right, "_pair_right")):
            self._with_frequencies(side, name)
        rows: list[dict[str, Any]] = self.con.sql(self._sql()).filter(join).to_arrow_table().to_pylist()
        reasons = self._guards(rows, left, right)
        return sorted(
            (self._evidence(row, reasons.get((row["unique_id_l"], row["unique_id_r"]), "")) for row in rows),
            key=lambda one: -one.weight,
        )

    def _sql(self) -> str:
        """Splink's own statement for this model, written once, over our two tables."""
        if not self._statement:
            left, right = self.con.table("_pair_left"), self.con.table("_pair_right")
            found = compare_records(left, right, self.model.settings(evidence=True), DuckDBAPI(self.con))
            self._statement = re.sub(
                r"__splink__compare_records_(left|right)_\w+", r"_pair_\1", found.sql_used_to_create
            )
            self.con.execute(f"drop table {found.physical_name}")
        return self._statement

    def _with_frequencies(self, table: str, out: str) -> None:
        joins = " ".join(
            f"left join {self.frequency} f{n} on f{n}.name = '{name}' and f{n}.value = t.{name}"
            for n, name in enumerate(ADJUSTED)
        )
        columns = ", ".join(f"f{n}.share as tf_{name}" for n, name in enumerate(ADJUSTED))
        self.con.execute(f"create or replace temp table {out} as select t.*, {columns} from {table} t {joins}")

    def _guards(self, rows: list[dict[str, Any]], left: str, right: str) -> dict[tuple[int, int], str]:
        if not rows:
            return {}
        ids = [pa.array([row[f"unique_id_{side}"] for row in rows], pa.int64()) for side in "lr"]
        self.con.register("_scored", pa.table({"l": ids[0], "r": ids[1]}))
        self.con.execute(f"create or replace temp view _both as from {left} union all by name from {right}")
        self.con.execute("create or replace temp table _both_rows as select distinct on (unique_id) * from _both")
        guard(self.con, edges="_scored", features="_both_rows", out="_scored_guard", temp=True)
        found = self.con.execute("select l, r, reason from _scored_guard").fetchall()
        self.con.unregister("_scored")
        return {(one, other): GUARD_WORDS[reason] for one, other, reason in found}

    def _evidence(self, row: dict[str, Any], reason: str) -> Evidence:
        start = _log2_odds(self.model.prior)
        total, steps = start, [Step("Start", "two records taken at random", "", "", start, start)]
        for comparison in comparisons():
            level = row[f"gamma_{comparison.name}"]
            weight = sum(
                value or 0.0
                for name, value in row.items()
                if name in (f"mw_{comparison.name}", f"mw_tf_adj_{comparison.name}")
            )
            says = "not known in one of them"
            if level >= 0:
                # Splink counts levels from the last (0) to the first.
                says = (*comparison.levels, comparison.otherwise)[len(comparison.levels) - level].words
            total += weight
            left, right = (_text(comparison.shows, row.get(f"{comparison.shows}_{side}")) for side in "lr")
            steps.append(Step(comparison.title, says, left, right, weight, total))
        return Evidence(row["unique_id_l"], row["unique_id_r"], float(row["match_weight"]), tuple(steps), reason)


def _log2_odds(probability: float) -> float:
    return math.log2(probability / (1 - probability))


def _text(column: str, value: Any) -> str:
    """A value as a person reads it: without the marks that the comparison needs."""
    if value is None:
        return ""
    if isinstance(value, list):
        # A contact begins with the letter of its kind: t, e or o.
        return ", ".join(sorted(str(one)[1:] if column == "contacts" else str(one) for one in value))
    if column == "born":
        return f"{value[:4]}-{value[4:6]}-{value[6:]}"
    return str(value).replace("|", ", ").strip(", ") if column == "place" else str(value)
