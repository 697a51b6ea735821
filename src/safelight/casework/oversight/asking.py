"""Questions to the extract: what is counted, split by what, of which rows; as data, never as SQL from a form.

Every name in the SQL is one of ours; every value goes in as a parameter. The SQL is shown, so that anyone can see what
a figure is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from safelight.casework.base.errors import Invalid
from safelight.casework.oversight.computing import LONDON
from safelight.casework.oversight.store import opened
from safelight.casework.oversight.tables import TABLES

MOST_ROWS = 500
MOST_SPLITS = 2
PARTS = {"year": "%Y", "quarter": "", "month": "%Y-%m"}


@dataclass(frozen=True)
class Spec:
    """One question, checked.

    Attributes:
        table: of the extract.
        by: up to two splits: a column (text or bool), or ``column:year``, ``:quarter``, ``:month`` of a time.
        time, since, until: only rows whose ``time`` lies in this period (days, London; until is not in it).
        where: column = value.
    """

    table: str
    by: tuple[str, ...] = ()
    time: str = ""
    since: date | None = None
    until: date | None = None
    where: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For the database and the ledger."""
        return {
            "table": self.table, "by": list(self.by), "time": self.time,
            "since": self.since.isoformat() if self.since else "",
            "until": self.until.isoformat() if self.until else "", "where": self.where,
        }  # fmt: skip

    def sql(self) -> tuple[str, dict[str, Any]]:
        """The query and its parameters."""
        splits = [_split(one) for one in self.by]
        parameters: dict[str, Any] = {}
        conditions = []
        if self.since:
            conditions.append(f"{self.time} >= $since")
            parameters["since"] = datetime.combine(self.since, time(), LONDON)
        if self.until:
            conditions.append(f"{self.time} < $until")
            parameters["until"] = datetime.combine(self.until, time(), LONDON)
        for number, (column, value) in enumerate(sorted(self.where.items())):
            conditions.append(f"coalesce(CAST({column} AS VARCHAR), '') = $value{number}")
            parameters[f"value{number}"] = value
        chosen = ", ".join([*(f"{sql} AS split{n}" for n, sql in enumerate(splits)), "count(*) AS n"])
        sql = f"SELECT {chosen} FROM {self.table}"  # noqa: S608 - names of our own tables and columns only
        if conditions:
            sql += " WHERE " + " AND ".join(conditions)
        if splits:
            places = ", ".join(str(n + 1) for n in range(len(splits)))
            sql += f" GROUP BY {places} ORDER BY {places}"
        return sql + f" LIMIT {MOST_ROWS + 1}", parameters


@dataclass(frozen=True)
class Answer:
    """What came of it: the column heads, the rows, and whether there were more than are shown."""

    spec: Spec
    sql: str
    head: list[str]
    rows: list[tuple[Any, ...]]
    more: bool

    @property
    def total(self) -> int:
        return sum(row[-1] for row in self.rows)


def splits_of(table: str) -> dict[str, str]:
    """How a table can be split: name to what the form calls it."""
    found: dict[str, str] = {}
    for name, _, kind in _columns(table):
        words = name.removesuffix("_at").replace("_", " ")
        if kind in ("text", "bool"):
            found[name] = words
        elif kind == "time":
            found |= {f"{name}:{part}": f"{words}, by {part}" for part in PARTS}
    return found


def times_of(table: str) -> dict[str, str]:
    """The columns of a table that a period can be asked of."""
    return {name: name.removesuffix("_at").replace("_", " ") for name, _, kind in _columns(table) if kind == "time"}


def checked(spec: dict[str, Any]) -> Spec:
    """A question from a form, an address or the database.

    Raises:
        Invalid: it names a table, a split or a column that is not there, or the period is upside down.
    """
    table = str(spec.get("table", ""))
    if table not in {one.name for one in TABLES}:
        raise Invalid(f"There is no table {table!r}.", fix="Choose one from the list.", field="table")
    by = tuple(dict.fromkeys(str(one) for one in spec.get("by", ()) if one))
    for one in by:
        if one not in splits_of(table):
            raise Invalid(f"{table} cannot be split by {one!r}.", fix="Choose one from the list.", field="by")
    if len(by) > MOST_SPLITS:
        raise Invalid(f"{len(by)} splits are too many.", fix=f"Choose up to {MOST_SPLITS}.", field="by")
    where = {str(k): str(v) for k, v in dict(spec.get("where", {})).items() if str(v) != ""}
    for one in where:
        if one not in {name for name, _, kind in _columns(table) if kind in ("text", "bool")}:
            raise Invalid(f"{table} cannot be narrowed by {one!r}.", fix="Choose one from the list.", field="where")
    since, until = _day(spec.get("since"), "since"), _day(spec.get("until"), "until")
    column = str(spec.get("time", ""))
    if (since or until) and column not in times_of(table):
        raise Invalid("The period is of no time in this table.", fix="Choose which time it is of.", field="time")
    if since and until and since >= until:
        raise Invalid("The period ends before it begins.", fix="Give a later end.", field="until")
    return Spec(table, by, column if since or until else "", since, until, where)


def answer(folder: Path, spec: Spec) -> Answer:
    """Ask the extract. Raises NotPossible when its files are gone."""
    sql, parameters = spec.sql()
    with opened(folder) as base:
        found = base.execute(sql, parameters).fetchall()
    head = [*(splits_of(spec.table)[one].capitalize() for one in spec.by), "Number"]
    return Answer(spec, sql, head, found[:MOST_ROWS], len(found) > MOST_ROWS)


def _columns(table: str) -> tuple[tuple[str, str, str], ...]:
    return next((one.columns for one in TABLES if one.name == table), ())


def _split(name: str) -> str:
    column, _, part = name.partition(":")
    if not part:
        return f"coalesce(CAST({column} AS VARCHAR), 'not recorded')"
    local = f"timezone('Europe/London', {column})"
    text = (
        f"concat(year({local}), ' Q', quarter({local}))" if part == "quarter" else f"strftime({local}, '{PARTS[part]}')"
    )
    return f"CASE WHEN {column} IS NULL THEN 'not yet' ELSE {text} END"


def _day(value: Any, name: str) -> date | None:
    if not value:
        return None
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise Invalid(f"{value!r} is not a date.", fix="Write it as 2026-10-01.", field=name) from None
