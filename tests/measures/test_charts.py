"""Charts: the rules as NHS Plot the Dots reads them, false alarms re-measured, published limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom, geom

from safelight.measures.alarms import false_alarm_rate, simulate_false_alarms
from safelight.measures.charts import funnel, funnel_limits, g_chart, t_chart, xmr_chart
from safelight.measures.errors import CountError, EmptySampleError, MeasuresError, TooFewCasesError
from safelight.measures.rules import marks

# Montgomery, Statistical Quality Control: hours between failures of a valve.
VALVE = [286, 948, 536, 124, 816, 729, 4, 143, 431, 8, 2837, 596, 81, 227, 603, 492, 1199, 1214, 2831, 96]


def flags(rule: str, values: list[float], *, near: float = 2, limit: float = 3) -> list[int]:
    found = marks(np.array([values], dtype=float), 0, -limit, limit, -near, near)
    return found[rule][0].astype(int).tolist()


def test_the_shift_rule_marks_the_whole_run() -> None:
    """Lost: the cases of NHSRplotthedots (test-ptd_calculate_point_type.R)."""
    assert flags("shift", [1] * 6) == [0] * 6
    assert flags("shift", [1] * 6 + [-1]) == [0] * 7
    assert flags("shift", [1] * 8 + [-1]) == [1] * 8 + [0]
    assert flags("shift", [-1] * 8 + [1]) == [1] * 8 + [0]
    assert flags("shift", [1, 1, 1, 0, 1, 1, 1]) == [0] * 7  # a point on the mean ends a run
    assert flags("shift", [1, 1, 1, math.nan, 1, 1, 1, 1]) == [0] * 8  # and so does a month without a figure


def test_the_trend_rule_needs_seven_points() -> None:
    """Lost: six points called a trend."""
    assert flags("trend", [1, 2, 3, 4, 5, 6]) == [0] * 6
    assert flags("trend", [1, 2, 3, 3, 4, 5, 6]) == [0] * 7
    assert flags("trend", [1, 2, 3, 4, 5, 6, 7]) == [1] * 7
    assert flags("trend", [2, 1, 2, 3, 4, 5, 6, 7, 3]) == [0] + [1] * 7 + [0]
    assert flags("trend", [7, 6, 5, 4, 3, 2, 1]) == [1] * 7


def test_two_of_three_near_one_limit() -> None:
    """Lost: the near points, marked on the right side only."""
    assert flags("two_of_three", [1, 2.5, 1, 2.5, 1]) == [0, 1, 0, 1, 0]
    assert flags("two_of_three", [1, 2.5, 2.5, 1]) == [0, 1, 1, 0]
    assert flags("two_of_three", [2.5, -1, 2.5]) == [0, 0, 0]  # all three must lie on one side
    assert flags("two_of_three", [2.5, 1, 1, 2.5]) == [0] * 4
    assert flags("two_of_three", [1, 3.5, 2.5]) == [0, 1, 1]  # beyond three sigma counts too (issue 194)
    assert flags("two_of_three", [-2.5, -2.5, -1]) == [1, 1, 0]


def test_limits_are_wheelers() -> None:
    """Lost: three sigma. Mean 10, moving ranges 2: limits at 10 and 5.32 either side."""
    chart = xmr_chart([9, 11] * 8)
    assert (chart.centre, chart.low, chart.high) == pytest.approx((10, 10 - 5.32, 10 + 5.32))
    assert chart.near_high == pytest.approx(10 + 5.32 * 2 / 3)
    assert not chart.signals
    spike = xmr_chart([9, 11] * 8 + [40])
    assert spike.signals[-1].rules == ("outside",) and spike.signals[-1].value == 40
    assert xmr_chart([9, 11] * 8 + [40], screen=True).high < spike.high


def test_the_false_alarm_table_can_be_measured_again() -> None:
    """Lost: the number that keeps a signal from being called a finding."""
    rate, note = false_alarm_rate(24)
    assert rate == pytest.approx(0.15, abs=0.01) and "simulated" in note  # planning measured 15.0 %
    again = simulate_false_alarms(24, 20_000, 99)
    assert again["any"] == pytest.approx(rate, abs=0.012)
    assert again["outside"] == pytest.approx(0.058, abs=0.007) and again["shift"] == pytest.approx(0.083, abs=0.01)
    assert false_alarm_rate(12)[0] == pytest.approx(0.049, abs=0.005)
    assert simulate_false_alarms(24, 10_000, 1, "poisson3")["any"] == pytest.approx(0.2369, abs=0.02)
    assert simulate_false_alarms(24, 10_000, 1, "ar05")["any"] == pytest.approx(0.69, abs=0.02)
    rates = [false_alarm_rate(points)[0] for points in range(8, 130)]
    assert rates == sorted(rates) and "at least" in false_alarm_rate(121)[1]
    assert xmr_chart([9, 11] * 12).false_alarm == rate


def test_a_month_with_no_cases_is_a_gap_and_not_a_zero() -> None:
    """Lost: a quiet month read as a collapse."""
    chart = xmr_chart([9, 11, None, 9, 11, 9, 11, 9, 11, 9])
    assert chart.points[2].value is None and not chart.points[2].rules
    assert chart.centre == pytest.approx(89 / 9) and chart.high == pytest.approx(89 / 9 + 2.66 * 2)
    assert "1 months have no figure" in chart.notes[0] and "provisional" in chart.notes[1]
    assert xmr_chart([0.0] * 10).notes[-1].startswith("The figures do not vary")


def test_days_between_rare_events() -> None:
    """Lost: Montgomery's example: centre 5.39 and upper limit 11.66 on the turned scale."""
    chart = t_chart(VALVE)
    assert chart.centre ** (1 / 3.6) == pytest.approx(5.387, abs=0.003)
    assert chart.high ** (1 / 3.6) == pytest.approx(11.66, abs=0.01)
    assert chart.low is None and not chart.signals
    assert [point.value for point in chart.points] == VALVE
    quiet = t_chart([*VALVE, 20_000])
    assert quiet.signals[-1].rules == ("outside",)
    assert "2 events fell on the day" in t_chart([0, 0, 5, 9, 1, 3, 2, 8, 4]).notes[-1]


def test_cases_between_rare_events_have_geometric_limits() -> None:
    """Lost: a limit that cries wolf because counts are not bell-shaped."""
    counts = [30, 12, 55, 8, 41, 77, 3, 25, 61, 19, 33, 14, 90, 6, 26]
    chart = g_chart(counts)
    law = geom(1 / (1 + sum(counts) / len(counts)), loc=-1)
    assert (chart.high, chart.centre) == (law.ppf(0.99865), law.ppf(0.5))
    assert chart.low is None
    beyond = float(law.sf(chart.high))
    assert chart.false_alarm == pytest.approx(1 - (1 - beyond) ** len(counts))
    assert g_chart([*counts, 2_000]).signals[-1].rules == ("outside",)
    seldom = g_chart([1_000 + n for n in range(20)])
    law = geom(1 / (1 + np.mean([1_000 + n for n in range(20)])), loc=-1)
    assert seldom.low is not None and law.cdf(seldom.low - 1) <= 0.00135 < law.cdf(seldom.low)


def test_funnel_limits_keep_their_promise() -> None:
    """Lost: 'worst unit' by bad luck: beyond a limit may lie no more than its tail, for small units too."""
    for n, target in ((10, 0.3), (50, 0.74), (400, 0.1), (1, 0.5), (5_000, 0.02)):
        limits = funnel_limits(n, target)
        law = binom(n, target)
        for low, high, tail in (
            (limits.warning_low, limits.warning_high, 0.025),
            (limits.action_low, limits.action_high, 0.001),
        ):
            assert (low * n, high * n) == pytest.approx((law.ppf(tail), law.ppf(1 - tail)))
            assert law.cdf(round(low * n) - 1) < tail and law.sf(round(high * n)) <= tail
    assert funnel_limits(4, 0.3).warning_high >= 0.75  # 3 of 4 happens by chance in 8 of 100


def test_units_are_held_against_what_chance_allows() -> None:
    """Lost: a small unit shamed, a large one missed."""
    alike = [(f"unit {n}", 30, 100) for n in range(10)]
    found = funnel([*alike, ("small", 3, 4), ("large", 450, 1_000), ("new", 0, 0)], target=0.3)
    by_name = {unit.name: unit for unit in found.units}
    assert by_name["large"].beyond == "action" and by_name["small"].beyond == ""
    assert by_name["new"].share is None and "new had no case" in found.notes[0]
    assert found.false_alarm == pytest.approx(1 - 0.998**12)
    assert funnel(alike).target == pytest.approx(0.3) and funnel(alike).overdispersion == pytest.approx(0)
    mixed = funnel([("a", 10, 100), ("b", 80, 100), ("c", 20, 100), ("d", 70, 100)])
    assert mixed.overdispersion > 20 and "differ in more than luck" in mixed.notes[0]
    assert len(found.curve) == 60 and found.curve[-1].n == 1_100


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: xmr_chart([]), EmptySampleError),
        (lambda: xmr_chart([None] * 20), EmptySampleError),
        (lambda: xmr_chart([1, 2, 3]), TooFewCasesError),
        (lambda: xmr_chart([1, None] * 10), TooFewCasesError),
        (lambda: xmr_chart([1.0, math.inf] * 10), CountError),
        (lambda: xmr_chart([1, 2] * 10, ["only one"]), CountError),
        (lambda: t_chart([1, 2, -3] * 5), CountError),
        (lambda: g_chart([0] * 10), CountError),
        (lambda: g_chart([]), EmptySampleError),
        (lambda: g_chart([1, 2]), TooFewCasesError),
        (lambda: funnel([]), EmptySampleError),
        (lambda: funnel([("a", 0, 0)]), EmptySampleError),
        (lambda: funnel([("a", 1, 5)]), TooFewCasesError),
        (lambda: funnel([("a", 5, 5), ("b", 3, 3)]), CountError),
        (lambda: funnel([("a", 6, 5), ("b", 3, 3)]), CountError),
        (lambda: funnel([("a", 1, 5), ("a", 1, 3)]), CountError),
        (lambda: simulate_false_alarms(24, 10, 1, "flat"), CountError),  # type: ignore[arg-type]
    ],
)
def test_charts_of_nothing_are_refused(call: object, error: type[MeasuresError]) -> None:
    """Lost: limits made of three points, read as if they were thirty."""
    with pytest.raises(error):
        call()  # type: ignore[operator]
