"""Audit statistics that can be believed. Pure Python: no Django, and numpy or scipy only once something is computed.

=================  ==========================================================  ==================================
question           start with                                                  module
=================  ==========================================================  ==================================
what was printed   ``published_figures()``                                     ``safelight.measures.figures``
how many to audit  ``sample_size``, ``allocate``, ``draw``                     ``safelight.measures.sampling``
what it shows      ``proportion``, ``weighted_proportion``                     ``safelight.measures.intervals``
who is kinder      ``grade_table``, ``compare_grades``, ``bound_from_margins``  ``safelight.measures.agreement``
did it change      ``two_proportions``, ``weighted_change``, ``years_table``   ``safelight.measures.comparison``
is it unusual      ``xmr_chart``, ``t_chart``, ``g_chart``, ``funnel``         ``safelight.measures.charts``
how long it takes  ``clock_summary``, ``kaplan_meier``, ``log_rank``           ``safelight.measures.survival``
what a skill does  ``compare_outcomes``, ``e_value``                           ``safelight.measures.effects``
=================  ==========================================================  ==================================

Every refusal is a :class:`MeasuresError` that says what is wrong and what to do. Shares are from 0 to 1 everywhere;
only texts are in per cent. docs/audit-statistics.md says when not to use which.
"""

from __future__ import annotations

from safelight.measures.agreement import (
    GradeTable,
    ScaleMapping,
    bound_from_margins,
    compare_grades,
    grade_table,
    optimism_bias,
)
from safelight.measures.charts import ControlChart, Funnel, funnel, g_chart, t_chart, xmr_chart
from safelight.measures.comparison import (
    Sample,
    chi_square,
    fisher,
    two_proportions,
    weighted_change,
    years_table,
)
from safelight.measures.effects import EffectReport, compare_outcomes, e_value, e_value_of_shares
from safelight.measures.errors import (
    CountError,
    EmptySampleError,
    FiguresFileError,
    MeasuresError,
    NotEstimableError,
    ScaleMismatchError,
    TooFewCasesError,
)
from safelight.measures.figures import published_figures
from safelight.measures.intervals import (
    Interval,
    Proportion,
    clopper_pearson,
    hypergeometric,
    proportion,
    wilson,
)
from safelight.measures.sampling import (
    Audited,
    Stratum,
    allocate,
    draw,
    margin_of,
    sample_size,
    weighted_proportion,
)
from safelight.measures.survival import (
    ClockSummary,
    Curve,
    clock_summary,
    cumulative_incidence,
    kaplan_meier,
    log_rank,
    rmst_difference,
)

__all__ = [
    "Audited",
    "ClockSummary",
    "ControlChart",
    "CountError",
    "Curve",
    "EffectReport",
    "EmptySampleError",
    "FiguresFileError",
    "Funnel",
    "GradeTable",
    "Interval",
    "MeasuresError",
    "NotEstimableError",
    "Proportion",
    "Sample",
    "ScaleMapping",
    "ScaleMismatchError",
    "Stratum",
    "TooFewCasesError",
    "allocate",
    "bound_from_margins",
    "chi_square",
    "clock_summary",
    "clopper_pearson",
    "compare_grades",
    "compare_outcomes",
    "cumulative_incidence",
    "draw",
    "e_value",
    "e_value_of_shares",
    "fisher",
    "funnel",
    "g_chart",
    "grade_table",
    "hypergeometric",
    "kaplan_meier",
    "log_rank",
    "margin_of",
    "optimism_bias",
    "proportion",
    "published_figures",
    "rmst_difference",
    "sample_size",
    "t_chart",
    "two_proportions",
    "weighted_change",
    "weighted_proportion",
    "wilson",
    "xmr_chart",
    "years_table",
]
