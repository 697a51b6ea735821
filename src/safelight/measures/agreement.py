"""Self against inspector: how two graders of the same cases differ, and by how much one is kinder.

Start with :func:`grade_table`, then :func:`compare_grades`, which gives everything side by side. **Read the bias
first**: it is in grades, and it does not depend on how many cases are good. The coefficients of agreement contradict
each other in unbalanced data, down to the sign (BMC Medical Research Methodology 2021, s12874-021-01248-3), so none of
them is shown alone. Where only the margins are known, :func:`bound_from_margins` says what they force.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safelight.measures.checks import LEVEL, k_of_n, share, whole
from safelight.measures.coefficients import Coefficient, coefficients
from safelight.measures.comparison import StatisticalTest, mcnemar
from safelight.measures.errors import CountError, EmptySampleError, ScaleMismatchError
from safelight.measures.intervals import Interval, Proportion, wilson

if TYPE_CHECKING:
    from safelight.standards import GradeScale

RESAMPLES = 10_000


@dataclass(frozen=True, slots=True)
class ScaleMapping:
    """How the grades of one scale map to another, and who declared it and why.

    Attributes:
        source, target: ids of the scales.
        grades: for every grade id of the source, a grade id of the target.
        declared_by, reason: printed beside every figure that rests on the mapping.
    """

    source: str
    target: str
    grades: Mapping[str, str]
    declared_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class GradeTable:
    """Counts of cases: ``counts[i][j]`` were graded ``grades[i]`` by the unit and ``grades[j]`` by the inspector.

    ``grades`` are grade ids, best first, of the scale ``scale``; ``mapping`` is the declared one that was used, if any.
    """

    scale: str
    grades: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    mapping: ScaleMapping | None = None

    def __post_init__(self) -> None:
        size = len(self.grades)
        if size < 2 or len(self.counts) != size or any(len(row) != size for row in self.counts):
            raise CountError(f"The table is not {size} by {size}.", fix="Give a row and a column for every grade.")
        for row in self.counts:
            for value in row:
                whole(value, "a cell of the table")
        if not self.n:
            raise EmptySampleError("No case was graded by both.", fix="Say that there is nothing to compare.")

    @property
    def n(self) -> int:
        """Cases graded by both."""
        return sum(map(sum, self.counts))

    @property
    def self_margin(self) -> tuple[int, ...]:
        """Cases for each grade of the unit itself."""
        return tuple(map(sum, self.counts))

    @property
    def inspector_margin(self) -> tuple[int, ...]:
        """Cases for each grade of the inspector."""
        return tuple(sum(column) for column in zip(*self.counts, strict=True))


@dataclass(frozen=True, slots=True)
class GradeComparison:
    """Everything about one table of grades.

    Attributes:
        bias: mean number of grades by which the unit is kinder (positive) or stricter (negative) than the inspector.
        same, kinder, stricter: share of cases graded alike, kinder and stricter by the unit.
        stuart_maxwell: are the margins the same? None with a reason in ``reasons`` where it cannot be computed.
        bowker: is the table symmetric?
        coefficients: agreement beyond chance, several side by side; a value is None where it is not defined.
    """

    table: GradeTable
    bias: Interval
    same: Proportion
    kinder: Proportion
    stricter: Proportion
    stuart_maxwell: StatisticalTest | None
    bowker: StatisticalTest | None
    coefficients: tuple[Coefficient, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MarginBound:
    """What two margins force, whatever the cases were.

    Attributes:
        at_least, at_most: cases graded favourably by the unit and critically by the inspector.
        share_at_least: ``at_least`` of all.
        kappa_low, kappa_high: Cohen's kappa (two classes) lies between; None where every case is in one class for both.
        test: exact McNemar at the table with the fewest contradictions; None where no case must differ.
    """

    n: int
    at_least: int
    at_most: int
    share_at_least: float
    kappa_low: float | None
    kappa_high: float | None
    test: StatisticalTest | None


def grade_table(
    pairs: Iterable[tuple[str, str]],
    self_scale: GradeScale,
    inspector_scale: GradeScale,
    mapping: ScaleMapping | None = None,
) -> GradeTable:
    """Counts pairs of grades, on the inspector's scale.

    Args:
        pairs: (grade id by the unit itself, grade id by the inspector) for each case graded by both.
        self_scale, inspector_scale: from ``safelight.standards``; a grade means nothing without its scale.
        mapping: needed when the two scales differ. 'Adequate' has no place on the case scale until it is declared.

    Raises:
        ScaleMismatchError: two scales without a mapping, a mapping of other scales or with gaps, an unknown grade.
        EmptySampleError: no pair.
    """
    own, theirs = [grade.id for grade in self_scale], [grade.id for grade in inspector_scale]
    translate: Mapping[str, str] = {grade: grade for grade in own}
    if self_scale.id != inspector_scale.id:
        if mapping is None:
            raise ScaleMismatchError(
                f"Grades on scale {self_scale.id!r} cannot be compared with grades on {inspector_scale.id!r}.",
                fix="Declare a mapping of every grade, with a name and a reason.",
            )
        _check_mapping(mapping, self_scale, inspector_scale)
        translate = mapping.grades
    elif mapping is not None or own != theirs:
        why = "a mapping was given" if mapping else "its grades differ"
        raise ScaleMismatchError(
            f"Both grades are on scale {self_scale.id!r}, but {why}.",
            fix="Leave the mapping out, or name the scales rightly.",
        )
    counted: Counter[tuple[str, str]] = Counter()
    for first, second in pairs:
        for grade, known, scale in ((first, own, self_scale), (second, theirs, inspector_scale)):
            if grade not in known:
                raise ScaleMismatchError(
                    f"{grade!r} is not a grade of scale {scale.id!r}.", fix=f"Its grades are {', '.join(known)}."
                )
        counted[translate[first], second] += 1
    counts = tuple(tuple(counted[a, b] for b in theirs) for a in theirs)
    return GradeTable(inspector_scale.id, tuple(theirs), counts, mapping)


def _check_mapping(mapping: ScaleMapping, source: GradeScale, target: GradeScale) -> None:
    if (mapping.source, mapping.target) != (source.id, target.id):
        raise ScaleMismatchError(
            f"The mapping goes from {mapping.source!r} to {mapping.target!r}, not {source.id!r} to {target.id!r}.",
            fix="Declare one for these two scales.",
        )
    own, theirs = {grade.id for grade in source}, {grade.id for grade in target}
    if set(mapping.grades) != own or not set(mapping.grades.values()) <= theirs:
        raise ScaleMismatchError(
            f"The mapping from {source.id!r} to {target.id!r} has a gap or an unknown grade.",
            fix=f"Map each of {', '.join(sorted(own))} to one of {', '.join(sorted(theirs))}.",
        )
    if not mapping.declared_by.strip() or not mapping.reason.strip():
        raise ScaleMismatchError("The mapping does not say who declared it and why.", fix="Add both.")
    order = [grade.id for grade in target]
    places = [order.index(mapping.grades[grade.id]) for grade in source]
    if places != sorted(places):
        raise ScaleMismatchError("The mapping turns a better grade into a worse one.", fix="Keep the order of grades.")


def compare_grades(
    table: GradeTable, *, level: float = LEVEL, seed: int = 1, resamples: int = RESAMPLES
) -> GradeComparison:
    """Bias, tests and coefficients for one table of grades.

    Args:
        table: from :func:`grade_table`.
        seed: of the bootstrap; the same seed gives the same interval.
        resamples: bootstrap samples.

    Assumes that the cases are a random sample, graded independently of each other. Where a figure cannot be computed
    (all grades equal, for one), it is None and ``reasons`` says why.
    """
    n, size = table.n, len(table.grades)
    cells = [(i, j, table.counts[i][j]) for i in range(size) for j in range(size)]
    reasons: list[str] = []
    found: dict[str, StatisticalTest | None] = {}
    for name, test in (("Stuart-Maxwell", stuart_maxwell), ("Bowker", bowker)):
        try:
            found[name] = test(table.counts)
        except EmptySampleError as error:
            found[name] = None
            reasons.append(f"{name}: {error.what}")
    values = coefficients(table.counts)
    reasons += [f"{value.name}: {value.reason}" for value in values if value.value is None]
    return GradeComparison(
        table,
        optimism_bias(table, level=level, seed=seed, resamples=resamples),
        wilson(sum(c for i, j, c in cells if i == j), n, level=level),
        wilson(sum(c for i, j, c in cells if i < j), n, level=level),
        wilson(sum(c for i, j, c in cells if i > j), n, level=level),
        found["Stuart-Maxwell"],
        found["Bowker"],
        values,
        tuple(reasons),
    )


def optimism_bias(table: GradeTable, *, level: float = LEVEL, seed: int = 1, resamples: int = RESAMPLES) -> Interval:
    """By how many grades the unit is kinder to itself than the inspector, with a percentile bootstrap interval.

    Positive is kinder. Cases are resampled as whole pairs, so the two grades of a case stay together. With all cases in
    one cell the interval has no width: that says nothing about cases that were not graded.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993) 13.3.
    """
    import numpy as np

    resamples = whole(resamples, "resamples", least=100)
    counts = np.asarray(table.counts, dtype=np.int64).ravel()
    size = len(table.grades)
    kindness = (np.arange(size)[None, :] - np.arange(size)[:, None]).ravel()
    generator = np.random.Generator(np.random.PCG64(seed))
    drawn = generator.multinomial(table.n, counts / table.n, size=resamples) @ kindness / table.n
    tail = (1 - share(level, "level", open_ended=True)) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Interval(
        float(counts @ kindness) / table.n,
        float(low),
        float(high),
        level,
        f"bootstrap, {resamples} samples, seed {seed}",
    )


def bowker(counts: Sequence[Sequence[int]]) -> StatisticalTest:
    """Bowker's test of symmetry: does each pair of grades differ as often one way as the other?

    Pairs of cells that hold nothing are left out of the degrees of freedom. Source: Bowker, JASA 43 (1948) 572.

    Raises:
        EmptySampleError: no case differs.
    """
    from scipy.special import chdtrc

    pairs = [
        (counts[i][j], counts[j][i]) for i in range(len(counts)) for j in range(i) if counts[i][j] + counts[j][i] > 0
    ]
    if not pairs:
        raise EmptySampleError("Every case was graded alike: there is no difference to test.")
    statistic = sum((a - b) ** 2 / (a + b) for a, b in pairs)
    few = sum(a + b for a, b in pairs) < 10
    return StatisticalTest(
        statistic,
        len(pairs),
        float(chdtrc(len(pairs), statistic)),
        "Bowker",
        "fewer than 10 cases differ: the p value is approximate" if few else "",
    )


def stuart_maxwell(counts: Sequence[Sequence[int]]) -> StatisticalTest:
    """Stuart-Maxwell test of the same margins: do both give each grade as often?

    Grades that neither gave, or that both gave to exactly the same cases, carry no information and lower the degrees of
    freedom. Source: Stuart, Biometrika 42 (1955) 412; Maxwell, British Journal of Psychiatry 116 (1970) 651.

    Raises:
        EmptySampleError: no case differs.
    """
    import numpy as np
    from scipy.special import chdtrc

    table = np.asarray(counts, dtype=float)
    off = table - np.diag(np.diag(table))
    difference = off.sum(axis=1) - off.sum(axis=0)
    covariance = np.diag(off.sum(axis=1) + off.sum(axis=0)) - off - off.T
    # The covariance is the Laplacian of the graph of confused grades: its rank is the degrees of freedom, and the
    # difference of margins always lies in its range, so the pseudo-inverse gives the statistic with no grade dropped.
    rank = int(np.linalg.matrix_rank(covariance)) if off.any() else 0
    if rank == 0:
        raise EmptySampleError("Every case was graded alike: there is no difference to test.")
    statistic = float(difference @ np.linalg.pinv(covariance, hermitian=True) @ difference)
    few = off.sum() < 10
    return StatisticalTest(
        statistic,
        rank,
        float(chdtrc(rank, statistic)),
        "Stuart-Maxwell",
        "fewer than 10 cases differ: the p value is approximate" if few else "",
    )


def bound_from_margins(self_favourable: int, inspector_critical: int, n: int) -> MarginBound:
    """How many cases the unit graded favourably and the inspector critically, from the two totals alone.

    In 2016 the force graded about 106 of 132 cases good or adequate and the inspector about 100 below good: at least
    74 cases were both, and kappa cannot exceed 0.146, whatever the case-level table was. Nothing is assumed, except
    that both graded the same ``n`` cases and that the two classes mean the same: see :class:`ScaleMapping`.
    Source: Frechet, Annales de l'Universite de Lyon 14 (1951) 53.

    Raises:
        EmptySampleError, CountError: as for every count.
    """
    kind, n = k_of_n(self_favourable, n, "the unit's grades")
    critical, _ = k_of_n(inspector_critical, n, "the inspector's grades")
    at_least, at_most = max(0, kind + critical - n), min(kind, critical)
    chance = (kind * (n - critical) + (n - kind) * critical) / n**2

    def kappa(both: int) -> float | None:
        # both = kind and critical; the other cell that differs follows from the margins.
        alike = n - both - (both + n - kind - critical)
        return None if chance == 1 else (alike / n - chance) / (1 - chance)

    other = at_least + n - kind - critical
    test = mcnemar(at_least, other) if at_least + other else None
    return MarginBound(n, at_least, at_most, at_least / n, kappa(at_most), kappa(at_least), test)
