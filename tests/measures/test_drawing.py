"""Charts: every number of the picture stands in the table beside it, and no group differs by colour alone."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest

from safelight.measures import compare_outcomes, funnel, kaplan_meier, wilson, xmr_chart
from safelight.measures.agreement import GradeTable
from safelight.measures.drawing import (
    Drawing,
    control_chart,
    curves_chart,
    effects_chart,
    funnel_chart,
    grades_chart,
    intervals_chart,
    overlap_chart,
    pairs_chart,
)
from safelight.measures.errors import EmptySampleError

TITLES = {"good": "Good", "requires_improvement": "Requires improvement", "inadequate": "Inadequate"}


def sound(one: Drawing) -> Drawing:
    """What every drawing must be: an SVG without script, style element or outside address, in greys, with a table."""
    assert one.svg.startswith("<svg role=") and "<script" not in one.svg and "<style" not in one.svg
    assert not re.findall(r'(?:href|src)="http', one.svg)
    for colour in set(re.findall(r"#[0-9a-fA-F]{6}", one.svg)):
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        assert max(red, green, blue) - min(red, green, blue) <= 20, f"{colour} is no grey"
    assert one.rows and all(len(row) == len(one.head) for row in one.rows)
    return one


def test_shares_with_intervals_and_one_without() -> None:
    one = sound(
        intervals_chart(
            "x", [("2016", wilson(96, 374), "published"), ("2017 Q2", None, "published"), ("own", wilson(3, 9), "own")]
        )
    )
    assert one.rows[0] == ("2016", "published", "25.7 %", "21.5 to 30.3")
    assert one.rows[1] == ("2017 Q2", "published", "none", "none")
    with pytest.raises(EmptySampleError):
        intervals_chart("x", [("2017 Q2", None, "published")])


def test_grades_and_pairs() -> None:
    one = sound(
        grades_chart("x", list(TITLES.values()), {"All": [0.25, 0.25, 0.5], "CN": [1, 0, 0]}, {"All": 8, "CN": 2})
    )
    assert one.rows[0] == ("All", "8", "25.0 %", "25.0 %", "50.0 %")
    table = GradeTable("case", tuple(TITLES), ((20, 40, 13), (6, 16, 14), (0, 5, 18)))
    pairs = sound(pairs_chart("x", table, TITLES))
    assert pairs.rows[0] == ("Good", "20", "40", "13", "73") and pairs.rows[-1] == ("All", "26", "61", "45", "132")


def test_a_signal_is_another_shape_and_is_named_and_the_false_alarm_rate_is_printed() -> None:
    values: list[float | None] = [30, 31, 29, 30, None, 31, 30, 29, 31, 30, 60, 30, 29]
    one = sound(control_chart("x", xmr_chart(values), axis="Per cent"))
    assert one.rows[4][1] == "no figure" and "outside the limits" in one.rows[10][2] and one.rows[0][2] == ""
    assert "although nothing has changed in" in one.note and "of 100 cases" in one.note
    flat = sound(control_chart("x", xmr_chart([0.5] * 9), axis="Per cent", as_percent=True))
    assert "do not vary" in flat.note and flat.rows[0][1] == "50"


def test_a_unit_without_cases_stays_in_the_table_of_the_funnel() -> None:
    one = sound(funnel_chart("x", funnel([("CN", 22, 25), ("SW", 30, 100), ("NE", 0, 0)]), what="Below good"))
    assert {row[0]: row[4] for row in one.rows} == {"CN": "beyond 99.8 %", "SW": "beyond 95 %", "NE": "no case"}
    assert "NE had no case." in one.note


def test_curves_say_what_is_not_reached() -> None:
    slow = kaplan_meier([5.0, 6.0, 7.0, 8.0], [True, False, False, False])
    fast = kaplan_meier([1.0, 2.0, 3.0, 4.0], [True, True, True, True])
    one = sound(curves_chart("x", {"High": fast, "Low": slow}, unit="Hours", limit=4))
    assert one.rows[1][:4] == ("Low", "4", "1", "3") and one.rows[1][4] == "not reached"
    assert one.rows[0][4].startswith("2 (")
    with pytest.raises(EmptySampleError):
        curves_chart("x", {}, unit="Hours")


def test_the_truth_of_fifteen_points_comes_back_in_the_picture_too() -> None:
    dice = np.random.default_rng(4)
    severity = dice.normal(size=4_000)
    specialist = dice.random(4_000) < 1 / (1 + np.exp(-severity))
    charged = dice.random(4_000) < np.clip(0.3 + 0.1 * severity + 0.15 * specialist, 0, 1)
    report = compare_outcomes(charged, specialist, {"severity": severity})
    one = sound(effects_chart("x", report))
    low, high = (float(part) for part in {row[0]: row[2] for row in one.rows}["AIPW"].split(" to "))
    assert low < 15 < high
    assert sum(int(row[1]) + int(row[2]) for row in sound(overlap_chart("x", report.overlap)).rows) == 4_000


def test_importing_it_loads_no_chart_library() -> None:
    code = "import sys, safelight.measures.drawing; sys.exit('altair' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
