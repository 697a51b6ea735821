"""Working out the figures of the pages from one extract, all units and months at once.

A value is ``{"n", "k", "value", "low", "high", "open", "median"}``: for a time ``value`` is the share kept within the
limit, ``open`` how many still wait (censored), ``median`` hours; for a share k of n with Wilson's interval; for a count
``value`` is k and low and high are its exact Poisson limits: what chance alone would make of a force unchanged.
None stands for what cannot be said, with the reason in ``note``.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from safelight.casework.base.standards import standards
from safelight.casework.oversight.figures import COUNT, FIGURES, SHARE, Figure
from safelight.casework.oversight.store import opened, rows
from safelight.measures import MeasuresError, clock_summary, wilson

if TYPE_CHECKING:
    import duckdb

Value = dict[str, Any]
ALL = ""
WINDOW = timedelta(days=91)
MONTHS = 13
LONDON = ZoneInfo("Europe/London")


def values_of(folder: Path, moment: datetime) -> dict[str, Any]:
    """Every figure: now and the quarter before, for the force and each unit, and month by month for the force.

    Args:
        folder: of the extract.
        moment: when it was made.

    Returns:
        ``{figure id: {"now": {unit: value}, "before": {...}, "trend": [[label, value], ...]}}``.
    """
    made: dict[str, Any] = {}
    with opened(folder) as base:
        began = _began(base) or moment
        # A month or quarter that began before the records did has no value: nothing then is not nothing recorded.
        edges = [edge for edge in months(moment) if edge >= began]
        for one in FIGURES:
            now = _at(base, one, moment - WINDOW, moment, moment)
            before = (
                _at(base, one, moment - 2 * WINDOW, moment - WINDOW, moment)
                if one.back and moment - 2 * WINDOW >= began
                else {}
            )
            trend = []
            if one.back:
                for start, end in pairwise(edges):
                    found = _at(base, one, start, end, moment, units=False)
                    trend.append([f"{start.astimezone(LONDON):%Y-%m}", found.get(ALL, _nothing())])
            made[one.id] = {"now": now, "before": before, "trend": trend}
    return made


def _began(base: duckdb.DuckDBPyConnection) -> datetime | None:
    """When the records begin: the first referral or case."""
    earliest = "SELECT min(received_at) AS first FROM referrals UNION ALL SELECT min(opened_at) FROM cases"
    first = rows(base, f"SELECT min(first) FROM ({earliest})")  # noqa: S608 - our own tables
    return first[0][0] if first else None


def months(moment: datetime, count: int = MONTHS) -> list[datetime]:
    """The first moments of the ``count`` latest whole months and of the month of ``moment``, London time."""
    local = moment.astimezone(LONDON)
    number = local.year * 12 + local.month - 1
    return [
        datetime((number - back) // 12, (number - back) % 12 + 1, 1, tzinfo=LONDON) for back in range(count, -1, -1)
    ]


def _at(
    base: duckdb.DuckDBPyConnection, one: Figure, since: datetime, until: datetime, seen: datetime, units: bool = True
) -> dict[str, Value]:
    sql, parameters = sql_of(one), _parameters(one.sql, since, until)
    if one.kind == COUNT:
        return _counts(rows(base, sql, parameters))
    if one.kind == SHARE:
        return _shares(rows(base, sql, parameters))
    return _times(base, sql, {**parameters, "seen": seen}, units)


def figure_at(base: duckdb.DuckDBPyConnection, one: Figure, since: datetime, until: datetime, seen: datetime) -> Value:
    """One figure of the whole force in one period."""
    return _at(base, one, since, until, seen, units=False).get(ALL, _nothing())


def sql_of(one: Figure) -> str:
    """The figure's query with what policy sets put in."""
    sql = one.sql.replace("{drift}", _drift()) if "{drift}" in one.sql else one.sql
    return sql.replace("{red}", str(int(standards().policy["rso_caseload_red"].value))) if "{red}" in sql else sql


def _drift() -> str:
    setting = standards().policy["drift_days"]
    days = {risk: int(setting.for_risk(risk)) for risk in standards().risks}
    cases = " ".join(f"WHEN '{risk}' THEN {number}" for risk, number in days.items())
    return f"CASE risk {cases} ELSE {min(days.values())} END"


def _parameters(sql: str, since: datetime, until: datetime) -> dict[str, Any]:
    return {name: value for name, value in (("since", since), ("until", until)) if f"${name}" in sql}


def _nothing(note: str = "There is none in this time.") -> Value:
    return {"n": 0, "k": 0, "value": None, "low": None, "high": None, "note": note}


def _counts(found: list[tuple[Any, ...]]) -> dict[str, Value]:
    from scipy.stats import chi2

    tally: dict[str, int] = defaultdict(int)
    tally[ALL] = 0
    for unit, k in found:
        tally[unit or "none"] += k
        tally[ALL] += k
    return {
        unit: {
            "n": k, "k": k, "value": k,
            "low": float(chi2.ppf(0.025, 2 * k) / 2) if k else 0.0, "high": float(chi2.ppf(0.975, 2 * k + 2) / 2),
        }
        for unit, k in tally.items()
    }  # fmt: skip


def _shares(found: list[tuple[Any, ...]]) -> dict[str, Value]:
    tally: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for unit, k, n in found:
        for name in (unit or "none", ALL):
            tally[name][0] += k
            tally[name][1] += n
    made = {}
    for unit, (k, n) in tally.items():
        if not n:
            continue
        share = wilson(k, n)
        made[unit] = {"n": n, "k": k, "value": share.estimate, "low": share.low, "high": share.high}
    return made or {ALL: _nothing()}


CURVE = (
    "SELECT coalesce(unit, 'none') AS unit, "
    "greatest(epoch(least(coalesce(stopped_at, $seen), $seen) - triggered_at), 0) / 3600 AS hours, "
    "coalesce(epoch(due_at - triggered_at) / 3600, 0) AS allowed, "
    "coalesce(stopped_at <= $seen, false) AS ended FROM ({}) ORDER BY unit"
)


def _times(base: duckdb.DuckDBPyConnection, sql: str, parameters: dict[str, Any], units: bool) -> dict[str, Value]:
    """Elapsed over allowed, so that clocks of every risk stand in one curve; the limit is then 1."""
    import numpy as np

    found = base.execute(CURVE.format(sql), parameters).fetchnumpy()
    names = np.asarray(found["unit"], dtype=str)
    if names.size == 0:
        return {ALL: _nothing()}
    hours, allowed, ended = (np.asarray(found[name]) for name in ("hours", "allowed", "ended"))
    made = {ALL: _time(hours, allowed, ended)}
    if units:
        starts = np.flatnonzero(np.r_[True, names[1:] != names[:-1]])
        for start, end in zip(starts, [*starts[1:], names.size], strict=True):
            made[str(names[start])] = _time(hours[start:end], allowed[start:end], ended[start:end])
    return made


def _time(hours: Any, allowed: Any, ended: Any) -> Value:
    timed = allowed > 0
    k = int(ended.sum())
    made: Value = {"n": int(ended.size), "k": k, "open": int(ended.size) - k, "value": None, "low": None, "high": None}
    try:
        made["median"] = clock_summary(hours, ended, 1.0).median
        if not timed.any():
            return {**made, "note": "The force has not set this clock's time."}
        met = clock_summary(hours[timed] / allowed[timed], ended[timed], 1.0).met
        if met is None:
            return {**made, "note": "None of these clocks has run for its whole time yet."}
        return {**made, "value": met.estimate, "low": met.low, "high": met.high}
    except MeasuresError as error:
        return {**made, "note": str(error)}
