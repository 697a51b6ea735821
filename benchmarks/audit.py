"""Audit statistics on a million cases: ours beside plain pandas and statsmodels, in one run.

    python benchmarks/audit.py                      # 1,000,000 cases
    python benchmarks/audit.py --cases 50000 --ours # a quick look

Each line is one job of an audit on the same synthetic force: units that differ, specialists who get the harder cases
and add 15 points, units that grade themselves kindly, clocks of which some still run. Where the peer gives the same
figure it is compared, and a difference fails the run. The peer's bootstrap has 100 samples, ours 10,000.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from safelight.measures import (
    Audited,
    allocate,
    compare_grades,
    compare_outcomes,
    draw,
    funnel,
    grade_table,
    kaplan_meier,
    log_rank,
    weighted_proportion,
)
from safelight.standards import load_standards

GRADES = ("good", "requires_improvement", "inadequate")
UNITS, KINDS, SAMPLE = 13, 5, 2_000
TRUTH = 0.15
MOST = 50_000


def force(cases: int, seed: int = 1) -> pd.DataFrame:
    """The synthetic force, a row for each case."""
    dice = np.random.default_rng(seed)
    unit, kind = dice.integers(UNITS, size=cases), dice.integers(KINDS, size=cases)
    severity, volume = dice.normal(size=cases), dice.normal(size=cases)
    specialist = dice.random(cases) < 1 / (1 + np.exp(-(-0.3 + severity + 0.6 * volume + 0.4 * (kind == 1))))
    base = 0.12 + 0.5 / (1 + np.exp(-(1.3 * severity + 0.5 * volume + 0.4 * (kind == 1))))
    theirs = (dice.normal(size=cases) + 0.05 * unit > -0.6).astype(int) + (dice.normal(size=cases) > 0.4)
    own = np.clip(theirs - (dice.random(cases) < 0.55), 0, 2)
    hours = np.round(dice.weibull(0.9, cases) * (20 + 2 * unit), 1) + 0.1
    watched = np.round(dice.uniform(1, 400, cases), 1)
    return pd.DataFrame({
        "case": np.arange(1, cases + 1), "unit": unit, "kind": kind, "specialist": specialist, "severity": severity,
        "volume": volume, "charged": dice.random(cases) < base + TRUTH * specialist, "own": own, "theirs": theirs,
        "hours": np.minimum(hours, watched), "met": hours <= watched,
    })  # fmt: skip


def drawn(data: pd.DataFrame) -> Any:
    strata = [f"{u}/{k}/{int(s)}" for u, k, s in zip(data.unit, data.kind, data.specialist, strict=True)]
    cases = [f"C-{case:07d}" for case in data.case]
    sizes = Counter(strata)
    plan = allocate(dict(sorted(sizes.items())), SAMPLE)
    found = {name: [0, 0] for name in sizes}
    good = data.theirs.to_numpy() == 0
    for one in draw(zip(cases, strata, strict=True), plan, "benchmark"):
        found[one.stratum][0] += 1
        found[one.stratum][1] += bool(good[int(one.case[2:]) - 1])
    return weighted_proportion([Audited(name, sizes[name], n, k) for name, (n, k) in found.items()])


def drawn_by_pandas(data: pd.DataFrame) -> Any:
    groups = data.groupby(["unit", "kind", "specialist"])
    share = SAMPLE / len(data)
    picked = groups.sample(frac=share, random_state=1)
    weight = groups.size() / picked.groupby(["unit", "kind", "specialist"]).size()
    rows = picked.assign(good=picked.theirs == 0).groupby(["unit", "kind", "specialist"]).good.mean()
    return float((rows * weight * picked.groupby(["unit", "kind", "specialist"]).size()).sum() / groups.size().sum())


def graded(data: pd.DataFrame) -> Any:
    scale = load_standards().grades["case"]
    names = np.array(GRADES)
    table = grade_table(zip(names[data.own].tolist(), names[data.theirs].tolist(), strict=True), scale, scale)
    return compare_grades(table)


def graded_by_statsmodels(data: pd.DataFrame) -> Any:
    from statsmodels.stats.contingency_tables import SquareTable
    from statsmodels.stats.inter_rater import cohens_kappa

    table = pd.crosstab(data.own, data.theirs).to_numpy()
    square = SquareTable(table, shift_zeros=False)
    gap = (data.theirs - data.own).to_numpy()
    dice = np.random.default_rng(1)
    means = [gap[dice.integers(len(gap), size=len(gap))].mean() for _ in range(100)]  # 100, not 10,000
    return (
        float(cohens_kappa(table, wt="quadratic").kappa), square.homogeneity().statistic, gap.mean(),
        np.quantile(means, [0.025, 0.975]),
    )  # fmt: skip


def clocks(data: pd.DataFrame) -> Any:
    curve = kaplan_meier(data.hours.to_numpy(), data.met.to_numpy())
    groups = {str(u): (g.hours.to_numpy(), g.met.to_numpy()) for u, g in data.groupby("unit")}
    return curve.quantile()[0], curve.met_within(24.0).estimate, curve.rmst(72.0).estimate, log_rank(groups).statistic


def clocks_by_statsmodels(data: pd.DataFrame) -> Any:
    from statsmodels.duration.survfunc import SurvfuncRight, survdiff

    fitted = SurvfuncRight(data.hours, data.met.astype(int))
    times, survival = np.asarray(fitted.surv_times), np.asarray(fitted.surv_prob)
    inside = times < 72.0
    steps = np.concatenate(([0.0], times[inside], [72.0]))
    rmst = float((np.diff(steps) * np.concatenate(([1.0], survival[inside]))).sum())
    statistic, _ = survdiff(data.hours, data.met.astype(int), data.unit)
    return fitted.quantile(0.5), 1 - float(survival[times <= 24.0][-1]), rmst, statistic


def skilled(data: pd.DataFrame) -> Any:
    covariates = {"severity": data.severity, "volume": data.volume, "kind": data.kind.astype(str).to_numpy()}
    return compare_outcomes(data.charged.to_numpy(), data.specialist.to_numpy(), covariates)


def skilled_by_statsmodels(data: pd.DataFrame) -> Any:
    """Up to MOST cases the same three with their errors, by TreatmentEffect (its outcome model is a line; it takes more
    than a minute). Beyond that the AIPW estimate alone, with statsmodels' Logit, and without an interval."""
    from statsmodels.api import OLS, Logit
    from statsmodels.treatment.treatment_effects import TreatmentEffect

    dummies = pd.get_dummies(data.kind, drop_first=True, dtype=float)
    design = np.column_stack([np.ones(len(data)), data.severity, data.volume, dummies])
    t, y = data.specialist.to_numpy(dtype=int), data.charged.to_numpy(dtype=float)
    chosen = Logit(t, design).fit(disp=0)
    if len(data) <= MOST:
        found = TreatmentEffect(OLS(y, design), t, results_select=chosen)
        made = [(one, one.results_gmm.bse[0]) for one in (found.ipw(), found.ra(), found.aipw())]
        return "ipw", float(np.ravel(made[0][0].effect)[0])
    e = chosen.predict(design)
    m1 = Logit(y[t == 1], design[t == 1]).fit(disp=0).predict(design)
    m0 = Logit(y[t == 0], design[t == 0]).fit(disp=0).predict(design)
    return "aipw", float((m1 - m0 + t * (y - m1) / e - (1 - t) * (y - m0) / (1 - e)).mean())


def units(data: pd.DataFrame) -> Any:
    found = data.assign(below=data.theirs > 0).groupby("unit").below.agg(["sum", "count"])
    return funnel([(str(u), int(row["sum"]), int(row["count"])) for u, row in found.iterrows()])


def units_by_statsmodels(data: pd.DataFrame) -> Any:
    from statsmodels.stats.proportion import proportion_confint

    found = data.assign(below=data.theirs > 0).groupby("unit").below.agg(["sum", "count"])
    return proportion_confint(found["sum"], found["count"], method="wilson")


JOBS: tuple[tuple[str, Callable[..., Any], Callable[..., Any]], ...] = (
    ("draw 2,000 of all in 130 strata, weigh them", drawn, drawn_by_pandas),
    ("own grades against the auditor's, all coefficients", graded, graded_by_statsmodels),
    ("clocks: Kaplan-Meier, RMST, log-rank of 13 units", clocks, clocks_by_statsmodels),
    ("specialists: regression, IPW, AIPW, overlap, E-value", skilled, skilled_by_statsmodels),
    ("units in a funnel", units, units_by_statsmodels),
)


def agree(name: str, ours: Any, theirs: Any) -> None:
    """Stops the run where both give the same figure and it is not the same."""
    pairs: list[tuple[float, float]] = []
    if name.startswith("own"):
        values = {(one.name, one.weights): one.value for one in ours.coefficients}
        kappa = next(v for (n, w), v in values.items() if "kappa" in n.lower() and w == "quadratic")
        pairs = [(kappa, theirs[0]), (ours.stuart_maxwell.statistic, theirs[1]), (ours.bias.estimate, theirs[2])]
    elif name.startswith("clocks"):
        pairs = list(zip(ours, theirs, strict=True))
    elif name.startswith("specialists"):
        pairs = [(getattr(ours, theirs[0]).estimate, theirs[1])]
    for a, b in pairs:
        if not math.isclose(a, b, rel_tol=1e-4, abs_tol=1e-6):
            sys.exit(f"{name}: ours {a}, theirs {b}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--ours", action="store_true", help="without the peer")
    asked = parser.parse_args()
    data = force(asked.cases)
    small = force(2_000)
    for _, ours, theirs in JOBS:  # imports and compiled parts, not measured on either side
        ours(small)
        if not asked.ours:
            theirs(small)
    print(f"{asked.cases:,} cases; seconds")
    total = [0.0, 0.0]
    for name, ours, theirs in JOBS:
        begun = time.perf_counter()
        mine = ours(data)
        took = time.perf_counter() - begun
        total[0] += took
        line = f"{name:54s} ours {took:6.2f}"
        if not asked.ours:
            begun = time.perf_counter()
            other = theirs(data)
            peer = time.perf_counter() - begun
            total[1] += peer
            agree(name, mine, other)
            line += f"   peer {peer:6.2f}   {peer / took:5.1f} times"
        print(line, flush=True)
    line = f"{'all':54s} ours {total[0]:6.2f}"
    print(line if asked.ours else f"{line}   peer {total[1]:6.2f}   {total[1] / total[0]:5.1f} times")


if __name__ == "__main__":
    main()
