"""How often a control chart cries wolf: measured by simulation, shipped as a table, and repeatable.

The table (data/false_alarms.toml) holds, for charts of 8 to 120 points, the share with at least one signal when nothing
has changed. It was made by :func:`simulate_false_alarms` with the seed that it names; a test repeats part of it.
"""

from __future__ import annotations

import functools
import tomllib
from importlib import resources
from typing import TYPE_CHECKING, Literal

from safelight.measures.checks import whole
from safelight.measures.errors import CountError
from safelight.measures.rules import RULES, XMR_LIMIT, XMR_NEAR, marks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Model = Literal["normal", "poisson3", "ar05"]
BLOCK = 20_000


def false_alarm_rate(points: int) -> tuple[float, str]:
    """The share of unchanged XmR charts of this length with at least one signal, and what it rests on.

    Between the lengths of the table it is interpolated; beyond 120 points the rate of 120 is a lower bound and says so.
    """
    table = _table()
    lengths = sorted(table)
    points = whole(points, "points", least=lengths[0])
    note = "simulated: independent normal figures, four rules; oftener when one month hangs on the last"
    if points >= lengths[-1]:
        more = "at least, " if points > lengths[-1] else ""
        return table[lengths[-1]]["any"], more + note
    above = next(length for length in lengths if length > points)
    below = max(length for length in lengths if length <= points)
    part = (points - below) / (above - below)
    return table[below]["any"] * (1 - part) + table[above]["any"] * part, note


@functools.cache
def _table() -> dict[int, dict[str, float]]:
    text = (resources.files("safelight.measures") / "data" / "false_alarms.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(text)["normal"]
    return {row["points"]: {key: row[key] for key in (*RULES, "any")} for row in rows}


def simulate_false_alarms(points: int, series: int, seed: int, model: Model = "normal") -> dict[str, float]:
    """The share of unchanged XmR charts in which each rule, and any rule, gives a signal.

    Args:
        points: length of each chart, from 8.
        series: how many charts.
        seed: of the generator (PCG64).
        model: independent ``normal``, ``poisson3`` (counts of mean 3), or ``ar05`` (each month hangs on the last with
            correlation 0.5).
    """
    import numpy as np

    whole(points, "points", least=8)
    generator = np.random.Generator(np.random.PCG64(seed))
    hits = dict.fromkeys((*RULES, "any"), 0)
    left = whole(series, "series", least=1)
    while left:
        size = min(BLOCK, left)
        left -= size
        values = _draw(generator, size, points, model)
        mean = values.mean(axis=1, keepdims=True)
        spread = np.abs(np.diff(values, axis=1)).mean(axis=1, keepdims=True)
        wide, near = XMR_LIMIT * spread, XMR_NEAR * spread
        found = {
            rule: flags.any(axis=1)
            for rule, flags in marks(values, mean, mean - wide, mean + wide, mean - near, mean + near).items()
        }
        for rule in RULES:
            hits[rule] += int(found[rule].sum())
        hits["any"] += int(np.logical_or.reduce(list(found.values())).sum())
    return {rule: count / series for rule, count in hits.items()}


def _draw(generator: np.random.Generator, size: int, points: int, model: Model) -> NDArray[np.float64]:
    import numpy as np

    if model == "poisson3":
        return generator.poisson(3, (size, points)).astype(float)
    values = generator.standard_normal((size, points))
    if model == "normal":
        return values
    if model != "ar05":
        raise CountError(f"The model {model!r} is unknown.", fix="Use normal, poisson3 or ar05.")
    for place in range(1, points):
        values[:, place] = 0.5 * values[:, place - 1] + np.sqrt(0.75) * values[:, place]
    return values
