"""Plan an audit sample before looking, draw it so that a stranger can repeat it, and weigh what it shows.

The order is: :func:`sample_size`, :func:`allocate`, seal the plan, :func:`draw`, and after the audit
:func:`weighted_proportion`. The draw sorts the cases of each stratum by the SHA-256 of seed and case id, so it needs
no random generator, depends on no platform or version, and anyone with the list and the seed can check it by hand::

    printf '%s\n%s' "$SEED" "$CASE" | sha256sum
"""

from __future__ import annotations

import hashlib
import heapq
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from safelight.measures.checks import LEVEL, k_of_n, share, whole, z_of
from safelight.measures.errors import CountError, EmptySampleError, TooFewCasesError
from safelight.measures.intervals import Interval, score_bounds

Method = Literal["proportional", "neyman"]


@dataclass(frozen=True, slots=True)
class Stratum:
    """One stratum of a plan: ``sampled`` of ``population`` cases, each standing for ``weight`` cases."""

    name: str
    population: int
    sampled: int

    @property
    def weight(self) -> float:
        """Cases of the population that one sampled case stands for; 0 when none is sampled."""
        return self.population / self.sampled if self.sampled else 0.0


@dataclass(frozen=True, slots=True)
class Drawn:
    """One drawn case. ``key`` is the SHA-256 it was sorted by, ``position`` its place in its stratum, from 1."""

    case: str
    stratum: str
    weight: float
    position: int
    key: str
    reserve: bool = False


@dataclass(frozen=True, slots=True)
class Audited:
    """What an audit found in one stratum: ``k`` of ``n`` audited cases, of ``population``."""

    name: str
    population: int
    n: int
    k: int


def sample_size(population: int | None, margin: float, *, expected: float = 0.5, level: float = LEVEL) -> int:
    """How many cases give an interval of plus or minus ``margin``, with the finite-population correction.

    Args:
        population: cases that could be drawn; None for a very large one.
        margin: half width wanted, 0.05 for 5 points.
        expected: share expected; 0.5 is the careful choice.
        level: confidence level.

    Assumes one simple random sample and the normal approximation. Source: Cochran, Sampling Techniques (1977) 4.3.
    """
    share(margin, "margin", open_ended=True)
    z = z_of(level)
    large = z * z * share(expected, "expected", open_ended=True) * (1 - expected) / margin**2
    if population is None:
        return math.ceil(large)
    size = whole(population, "the population")
    if size == 0:
        raise EmptySampleError("The population is empty: there is nothing to draw.", fix="Check the query.")
    return min(size, math.ceil(large / (1 + (large - 1) / size)))


def margin_of(n: int, population: int | None = None, *, expected: float = 0.5, level: float = LEVEL) -> float:
    """The half width that ``n`` cases give: the reverse of :func:`sample_size`, with the same assumptions."""
    n = whole(n, "n", least=1)
    correction = 1.0
    if population is not None:
        size = whole(population, "the population", least=1)
        if n > size:
            raise CountError(f"The sample of {n} is larger than its population of {size}.", fix="Check the population.")
        correction = math.sqrt((size - n) / (size - 1)) if size > 1 else 0.0
    return z_of(level) * math.sqrt(share(expected, "expected") * (1 - expected) / n) * correction


def allocate(
    strata: Mapping[str, int],
    total: int,
    *,
    method: Method = "proportional",
    spread: Mapping[str, float] | None = None,
    minimum: int = 2,
) -> tuple[Stratum, ...]:
    """Divides a sample among strata, exactly: the whole numbers that minimise the variance, not rounded fractions.

    Args:
        strata: name of each stratum and how many cases it holds; empty strata stay in the plan with nothing to draw.
        total: cases to draw in all.
        method: ``proportional`` to size, or ``neyman``: to size times ``spread``.
        spread: for Neyman, the expected standard deviation of each stratum, such as sqrt(p (1 - p)) of the last audit.
        minimum: at least this many from each stratum (all of it where it is smaller). With fewer than two, no interval
            can be computed later.

    Assumes simple random sampling within strata. The priority values N_h S_h / sqrt(n (n + 1)) give the optimum in
    whole numbers: Wright, Statistics and Probability Letters 82 (2012) 1830.

    Raises:
        EmptySampleError: no stratum holds a case.
        CountError: more cases are wanted than there are, or the minimums alone need more than ``total``.
    """
    sizes = {name: whole(size, f"stratum {name!r}") for name, size in strata.items()}
    total, minimum = whole(total, "the sample", least=1), whole(minimum, "the minimum")
    available = sum(sizes.values())
    if not available:
        raise EmptySampleError("No stratum holds a case.", fix="Check the query of the population.")
    if total > available:
        raise CountError(f"{total} cases are to be drawn of {available}.", fix=f"Draw at most {available}.")
    spreads = _spreads(sizes, method, spread)
    given = {name: min(minimum, size) for name, size in sizes.items()}
    if sum(given.values()) > total:
        raise CountError(
            f"At least {minimum} from each of {len(sizes)} strata needs {sum(given.values())} cases, not {total}.",
            fix="Draw more, join strata, or lower the minimum.",
        )
    mass = {name: sizes[name] * spreads[name] for name in sizes}
    queue = [(-_priority(mass[name], given[name]), name) for name in sizes if given[name] < sizes[name]]
    heapq.heapify(queue)
    for _ in range(total - sum(given.values())):
        _, name = heapq.heappop(queue)
        given[name] += 1
        if given[name] < sizes[name]:
            heapq.heappush(queue, (-_priority(mass[name], given[name]), name))
    return tuple(Stratum(name, sizes[name], given[name]) for name in sizes)


def _priority(mass: float, n: int) -> float:
    return math.inf if n == 0 else mass / math.sqrt(n * (n + 1))


def _spreads(sizes: Mapping[str, int], method: str, spread: Mapping[str, float] | None) -> dict[str, float]:
    if method == "proportional":
        return dict.fromkeys(sizes, 1.0)
    if method != "neyman":
        raise CountError(f"The method {method!r} is unknown.", fix="Use 'proportional' or 'neyman'.")
    missing = sorted(set(sizes) - set(spread or {}))
    if spread is None or missing:
        raise CountError(
            f"Neyman allocation needs the spread of every stratum; {', '.join(missing)} have none.",
            fix="Give sqrt(p (1 - p)) from an earlier audit, or allocate in proportion.",
        )
    for name in sizes:
        if not 0 < spread[name] < math.inf:
            raise CountError(f"The spread of {name!r} is {spread[name]!r}.", fix="Give a number above 0.")
    return {name: float(spread[name]) for name in sizes}


def draw_key(seed: str, case: str) -> str:
    """The SHA-256, in hexadecimal, of seed, line feed and case id as UTF-8: what a draw is sorted by."""
    return hashlib.sha256(f"{seed}\n{case}".encode()).hexdigest()


def draw(
    cases: Iterable[tuple[str, str]], plan: Sequence[Stratum], seed: str, *, reserve: int = 0
) -> tuple[Drawn, ...]:
    """Draws the planned number from each stratum; the same list, plan and seed give the same cases everywhere.

    Args:
        cases: (case id, name of its stratum), in any order.
        plan: from :func:`allocate`; its population counts must be those of ``cases``.
        seed: any text, sealed before the draw.
        reserve: this many more per stratum, in order, to stand in for files that cannot be had (and never for files
            that look bad). They carry ``reserve=True`` and weight 0 until one is used.

    Raises:
        CountError: a case twice, a stratum that the plan does not know, or a count that is not the plan's; no seed.
    """
    if not seed.strip():
        raise CountError("The draw has no seed.", fix="Seal a seed with the plan first.")
    by_stratum: dict[str, list[tuple[str, str]]] = {stratum.name: [] for stratum in plan}
    seen: set[str] = set()
    twice: Counter[str] = Counter()
    begun = hashlib.sha256(f"{seed}\n".encode())  # as draw_key, with the seed hashed once
    for case, name in cases:
        if name not in by_stratum:
            raise CountError(f"Case {case} is in stratum {name!r}, which the plan does not know.", fix="Plan again.")
        if case in seen:
            twice[case] += 1
        seen.add(case)
        digest = begun.copy()
        digest.update(case.encode())
        by_stratum[name].append((digest.hexdigest(), case))
    if twice:
        case, more = next(iter(twice.items()))
        raise CountError(f"Case {case} is listed {more + 1} times.", fix="List every case once.")
    drawn: list[Drawn] = []
    for stratum in plan:
        keyed = by_stratum[stratum.name]
        if len(keyed) != stratum.population:
            raise CountError(
                f"Stratum {stratum.name!r} holds {len(keyed)} cases; the plan says {stratum.population}.",
                fix="The population changed after the plan was sealed: plan again.",
            )
        for position, (key, case) in enumerate(heapq.nsmallest(stratum.sampled + whole(reserve, "reserve"), keyed), 1):
            extra = position > stratum.sampled
            drawn.append(Drawn(case, stratum.name, 0.0 if extra else stratum.weight, position, key, extra))
    return tuple(drawn)


def weighted_proportion(strata: Iterable[Audited], *, level: float = LEVEL) -> Interval:
    """The share in the whole population from a stratified sample, each stratum counting with its size.

    Args:
        strata: what was found in each; every stratum of the population must be here, those without cases may be.

    The variance is the stratified one with finite-population correction; the interval is Wilson's with the effective
    sample size p (1 - p) / variance, never Wald. Where every stratum is all or nothing (variance 0), the effective size
    is that of a simple sample of equal weights, reduced by Kish's design effect.
    Source: Cochran (1977) 5.4; Franco, Little, Louis and Slud, J. Survey Statistics and Methodology 7 (2019) 334.

    Raises:
        EmptySampleError: nothing at all, or a stratum that holds cases of which none was audited.
        TooFewCasesError: one case of a larger stratum: its spread, and so any interval, cannot be known.
    """
    rows = [row for row in strata if whole(row.population, f"stratum {row.name!r}")]
    if not rows:
        raise EmptySampleError("No stratum holds a case.", fix="Say that there was nothing to audit.")
    population = sum(row.population for row in rows)
    estimate = variance = kish = 0.0
    for row in rows:
        k, n = k_of_n(row.k, row.n, f"stratum {row.name!r}")
        if n > row.population:
            raise CountError(f"{n} were audited of {row.population} in {row.name!r}.", fix="Check the population.")
        if n == 1 and row.population > 1:
            raise TooFewCasesError(
                f"Stratum {row.name!r} has one audited case of {row.population}: its spread cannot be known.",
                fix="Audit at least two, or join it to a like stratum in the plan and say so.",
            )
        weight, p = row.population / population, k / n
        estimate += weight * p
        if n < row.population:
            variance += weight**2 * (1 - n / row.population) * p * (1 - p) / (n - 1)
            kish += weight**2 * (1 - n / row.population) / n
    estimate = min(1.0, estimate)
    if kish == 0:
        return Interval(estimate, estimate, estimate, level, "census: every case was looked at")
    effective = estimate * (1 - estimate) / variance if variance > 0 else 1 / kish
    low, high = score_bounds(estimate, effective, z_of(level))
    return Interval(estimate, low, high, level, "stratified, Wilson score with the effective sample size")
