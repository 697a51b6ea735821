"""Specialist against non-specialist outcomes: what was printed is a raw difference; this is what may stand behind it.

59 against 11 % charged is not the effect of a specialist when specialists get other cases. :func:`compare_outcomes`
shows the raw difference beside three adjusted ones, where the groups overlap at all, and how strong something
unmeasured would have to be to explain the rest away (E-value). When the adjusted figures disagree, believe none of
them yet.

No method here repairs a covariate that was not recorded. Draw first what influences what (a DAG); adjust for what was
known when the case was given out, and never for what came after.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from safelight.measures.checks import LEVEL, numbers, share, yes_no, z_of
from safelight.measures.comparison import two_means, two_proportions
from safelight.measures.errors import CountError, EmptySampleError, NotEstimableError, TooFewCasesError
from safelight.measures.intervals import Interval
from safelight.measures.models import Fit, design_matrix, linear, logistic

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

BINS = 20
EDGE = 0.05  # propensities outside 0.05 to 0.95 have next to nobody to be compared with
MANY_OUTSIDE = 0.05
BALANCED = 0.1  # a standardised difference below this counts as balance
EVENTS_FOR_EACH = 10


@dataclass(frozen=True, slots=True)
class Balance:
    """One column: standardised difference of the groups before and after weighting (0 is balance)."""

    name: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Overlap:
    """Where the two groups can be compared.

    Attributes:
        edges: of the bins of the propensity (chance of a specialist, given the covariates), one more than bins.
        specialist, other: cases in each bin.
        outside: share of cases with a propensity below 0.05 or above 0.95.
        effective_specialist, effective_other: cases that the weights leave, (sum w)^2 / sum w^2.
        balance: for each column of the model.
    """

    edges: tuple[float, ...]
    specialist: tuple[int, ...]
    other: tuple[int, ...]
    outside: float
    effective_specialist: float
    effective_other: float
    balance: tuple[Balance, ...]


@dataclass(frozen=True, slots=True)
class EValue:
    """How strong an unmeasured cause would have to be, as a risk ratio with both assignment and outcome.

    ``bound`` is for the end of the interval nearest to no effect: 1.0 when the interval holds 'no effect', None when
    no interval was given.
    """

    risk_ratio: float
    point: float
    bound: float | None


@dataclass(frozen=True, slots=True)
class EffectReport:
    """Specialist minus other, in the unit of the outcome (a share from -1 to 1 for yes/no outcomes).

    Attributes:
        raw: difference as recorded. regression, ipw, aipw: adjusted (see :func:`compare_outcomes`).
        overlap: can the groups be compared at all?
        e_value: of the AIPW risk ratio; None for outcomes that are not yes/no, or where a share is 0.
        warnings: what must stand beside the figures.
    """

    n: int
    specialists: int
    raw: Interval
    regression: Interval
    ipw: Interval
    aipw: Interval
    overlap: Overlap
    e_value: EValue | None
    warnings: tuple[str, ...]
    sentence: str


def compare_outcomes(
    outcome: Any,
    specialist: Any,
    covariates: Mapping[str, Any],
    *,
    kind: Literal["yes_no", "number"] = "yes_no",
    level: float = LEVEL,
) -> EffectReport:
    """The difference that a specialist makes, raw and adjusted in three ways, each with its interval.

    Args:
        outcome: one for each case: 1/0 for ``kind='yes_no'`` (charged or not), any number for ``'number'``. Leave out
            cases that are still open only if that does not depend on the outcome; else use
            ``safelight.measures.survival``.
        specialist: True where a specialist had the case.
        covariates: name and one value for each case, as known when the case was given out; numbers or texts.
        level: confidence level.

    The average effect over all cases (ATE):

    * regression: one outcome model (logistic, or linear) for each group, averaged over all cases (standardisation);
    * ipw: weighting by the inverse of a logistic propensity, weights normalised (Hajek);
    * aipw: both together; right when either model is (Robins, Rotnitzky and Zhao, JASA 89 (1994) 846).

    Intervals come from influence functions that take in that the models were estimated (Lunceford and Davidian,
    Statistics in Medicine 23 (2004) 2937), so they hold for AIPW when either of its models is wrong.
    Assumes: no unmeasured common cause, overlap, and that one case does not influence another.

    Raises:
        EmptySampleError: no case. TooFewCasesError: a group with fewer than two cases.
        CountError: lists of different length, missing values. NotEstimableError: perfect separation, repeated columns,
            or every outcome of a group the same.
    """
    import numpy as np

    y = yes_no(outcome, "outcome").astype(float) if kind == "yes_no" else numbers(outcome, "outcome")
    if not y.size:
        raise EmptySampleError("There is no case.", fix="Say that there is nothing to compare.")
    t = yes_no(specialist, "specialist", y.size)
    for group, name in ((t, "specialists"), (~t, "others")):
        if group.sum() < 2:
            raise TooFewCasesError(f"The {name} have {int(group.sum())} cases.", fix="There is nothing to compare yet.")
    design, names = design_matrix(covariates, y.size)
    model = logistic if kind == "yes_no" else linear
    if kind == "yes_no":
        for group, name in ((t, "specialists"), (~t, "others")):
            if y[group].min() == y[group].max():
                raise NotEstimableError(
                    f"Every outcome of the {name} is the same: a model has nothing to learn.",
                    fix="Show the counts (two_proportions), or wait for more cases.",
                )
    propensity = logistic(design, t.astype(float), "the propensity model")
    first = model(design[t], y[t], "the outcome model of the specialists")
    second = model(design[~t], y[~t], "the outcome model of the others")
    e = propensity.mean(design)
    raw = _raw(y, t, kind, level)
    regression = _interval(*_standardised(y, t, design, first, second), level, "regression, standardised")
    ipw = _interval(*_weighted(y, t.astype(float), e, design, propensity), level, "inverse probability weighting")
    mu1, influence1 = _augmented(y, t, e, design, first, propensity, 1)
    mu0, influence0 = _augmented(y, ~t, 1 - e, design, second, propensity, -1)
    aipw = _interval(mu1 - mu0, influence1 - influence0, level, "AIPW (doubly robust)")
    overlap = _overlap(t, e, design, names)
    warnings = _warnings(overlap, y, t, names, kind)
    value = None
    if kind == "yes_no" and min(mu1, mu0) > 0:
        log = math.log(mu1 / mu0)
        error = float(np.std(influence1 / mu1 - influence0 / mu0)) / math.sqrt(y.size)
        value = e_value(math.exp(log), math.exp(log - z_of(level) * error), math.exp(log + z_of(level) * error))
    return EffectReport(
        y.size,
        int(t.sum()),
        raw,
        regression,
        ipw,
        aipw,
        overlap,
        value,
        warnings,
        _sentence(raw, aipw, kind, bool(warnings)),
    )


def e_value(risk_ratio: float, low: float | None = None, high: float | None = None) -> EValue:
    """The E-value of a risk ratio, and of the end of its interval nearest to 1.

    59 against 11 % is a ratio of 5.36 and an E-value of 10.2: an unmeasured cause (such as who gets the strong cases)
    would have to make a specialist 10 times, and a charge 10 times, as likely to explain all of it.

    Source: VanderWeele and Ding, Annals of Internal Medicine 167 (2017) 268.

    Raises:
        CountError: a ratio that is not above 0, or an interval that does not hold it.
    """
    for value in (risk_ratio, low, high):
        if value is not None and not 0 < value < math.inf:
            raise CountError(f"A risk ratio of {value!r} has no E-value.", fix="Give a number above 0.")
    if (low is not None and low > risk_ratio) or (high is not None and high < risk_ratio):
        raise CountError(f"The interval does not hold the ratio {risk_ratio:g}.", fix="Give low and high of it.")

    def of(ratio: float) -> float:
        above = max(ratio, 1 / ratio)
        return above + math.sqrt(above * (above - 1))

    near = low if risk_ratio >= 1 else high
    bound = None if near is None else (1.0 if (near - 1) * (risk_ratio - 1) <= 0 else of(near))
    return EValue(risk_ratio, of(risk_ratio), bound)


def e_value_of_shares(first: float, second: float) -> EValue:
    """The E-value of two printed shares without a denominator, such as 0.59 and 0.11; so without a bound."""
    if share(second, "the second share") == 0 or share(first, "the first share") == 0:
        raise CountError("A share of 0 has no risk ratio.", fix="Show the counts instead.")
    return e_value(first / second)


def _raw(y: Floats, t: NDArray[np.bool_], kind: str, level: float) -> Interval:
    if kind == "yes_no":
        ones, others = y[t], y[~t]
        counts = (int(others.sum()), others.size, int(ones.sum()), ones.size)
        return two_proportions(*counts, level=level).difference
    return two_means(y[~t].tolist(), y[t].tolist(), level=level)[0]


def _interval(estimate: float, influence: Floats, level: float, method: str) -> Interval:
    half = z_of(level) * math.sqrt(float((influence**2).mean()) / influence.size)
    return Interval(estimate, estimate - half, estimate + half, level, method)


def _standardised(y: Floats, t: NDArray[np.bool_], design: Floats, first: Fit, second: Fit) -> tuple[float, Floats]:
    """The standardised difference and each case's influence on it, the estimation of both models included."""
    difference = first.mean(design) - second.mean(design)
    estimate = float(difference.mean())
    influence: Floats = difference - estimate
    for fit, group, sign in ((first, t, 1), (second, ~t, -1)):
        gradient = design.T @ fit.slope(design) / y.size
        influence[group] += sign * fit.influence(design[group], y[group], gradient) / group.mean()
    return estimate, influence


def _weighted(y: Floats, t: Floats, e: Floats, design: Floats, propensity: Fit) -> tuple[float, Floats]:
    """The normalised IPW difference and its influence, the estimation of the propensity included."""
    w1, w0 = t / e, (1 - t) / (1 - e)
    mu1, mu0 = float((w1 * y).sum() / w1.sum()), float((w0 * y).sum() / w0.sum())
    influence: Floats = w1 * (y - mu1) / w1.mean() - w0 * (y - mu0) / w0.mean()
    slope = -w1 * (1 - e) * (y - mu1) / w1.mean() - w0 * e * (y - mu0) / w0.mean()
    influence = influence + propensity.influence(design, t, design.T @ slope / y.size)
    return mu1 - mu0, influence


def _augmented(
    y: Floats, group: NDArray[np.bool_], e: Floats, design: Floats, fit: Fit, propensity: Fit, sign: int
) -> tuple[float, Floats]:
    """The doubly robust mean of one group, over all cases, and its influence with all models' estimation included.

    ``e`` is the chance of being in the group; ``sign`` is 1 when that is what ``propensity`` models, -1 for the rest.
    """
    weight, mean = group / e, fit.mean(design)
    values = mean + weight * (y - mean)
    estimate = float(values.mean())
    influence: Floats = values - estimate
    outcome_slope = design.T @ (fit.slope(design) * (1 - weight)) / y.size
    influence[group] += fit.influence(design[group], y[group], outcome_slope) / group.mean()
    propensity_slope = design.T @ (-sign * weight * (1 - e) * (y - mean)) / y.size
    assigned = (group if sign > 0 else ~group).astype(float)
    return estimate, influence + propensity.influence(design, assigned, propensity_slope)


def _overlap(t: NDArray[np.bool_], e: Floats, design: Floats, names: tuple[str, ...]) -> Overlap:
    import numpy as np

    edges = np.linspace(0, 1, BINS + 1)
    weights = np.where(t, 1 / e, 1 / (1 - e))
    w1, w0 = weights[t], weights[~t]
    balance = []
    for column, name in enumerate(names, 1):
        a, b = design[t, column], design[~t, column]
        spread = math.sqrt((float(a.var()) + float(b.var())) / 2)
        gaps = (a.mean() - b.mean(), np.average(a, weights=w1) - np.average(b, weights=w0))
        before, after = (float(gap) / spread if spread else 0.0 for gap in gaps)
        balance.append(Balance(name, before, after))
    return Overlap(
        tuple(edges.tolist()),
        tuple(np.histogram(e[t], edges)[0].tolist()),
        tuple(np.histogram(e[~t], edges)[0].tolist()),
        float(((e < EDGE) | (e > 1 - EDGE)).mean()),
        float(w1.sum() ** 2 / (w1**2).sum()),
        float(w0.sum() ** 2 / (w0**2).sum()),
        tuple(balance),
    )


def _warnings(overlap: Overlap, y: Floats, t: NDArray[np.bool_], names: tuple[str, ...], kind: str) -> tuple[str, ...]:
    found = []
    if not names:
        found.append("No covariate was given: the adjusted figures adjust for nothing.")
    if overlap.outside > MANY_OUTSIDE:
        found.append(
            f"{overlap.outside * 100:.0f} % of cases had next to no chance of the other group: "
            "for them nothing can be compared, and the adjusted figures lean on the model."
        )
    if unbalanced := [item.name for item in overlap.balance if abs(item.after) > BALANCED]:
        found.append(f"Weighting did not balance {', '.join(unbalanced)}.")
    for group, name in ((t, "specialists"), (~t, "others")):
        least = min(int(y[group].sum()), int((1 - y[group]).sum())) if kind == "yes_no" else int(group.sum())
        if least < EVENTS_FOR_EACH * max(1, len(names)):
            found.append(f"The {name} have {least} of the rarer outcome for {len(names)} columns: fewer than 10 each.")
    return tuple(found)


def _sentence(raw: Interval, aipw: Interval, kind: str, warned: bool) -> str:
    by, unit = (100, " points") if kind == "yes_no" else (1, "")
    shown = "a difference is shown" if 0 not in aipw else "a difference is not shown"
    return (
        f"Raw {raw.estimate * by:+.1f}{unit}; adjusted for what was recorded {aipw.estimate * by:+.1f}{unit} "
        f"({aipw.level * 100:g} % interval {aipw.low * by:+.1f} to {aipw.high * by:+.1f}): {shown}"
        f"{', with the warnings given' if warned else ''}."
    )
