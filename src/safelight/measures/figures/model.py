"""The rows of the published figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from safelight.measures.intervals import Interval, Proportion, proportion

STATUSES = {
    "verified": "read in the source named",
    "copy": "read in a copy, the press or a third-party page",
    "reported": "in a founding report only",
    "derived": "our arithmetic on published figures",
    "unconfirmed": "looked for in the source and not found",
}
QUALIFIERS = ("exact", "about", "more_than", "at_least")
SAMPLING = ("mixed", "targeted")
INCONSISTENCY_KINDS = ("number", "definition", "claim")
REPORTS = ("000", "001", "002", "003", "004")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One published figure.

    Attributes:
        k, n: the counts; n is None where no denominator was printed, and then there is no interval.
        percent: the percentage as printed, from 0 to 100.
        value, unit: a figure that is not a share.
        back_computed: k was computed from the percentage, not printed.
        census: everything was counted, so there is no sampling error.
        reports: the founding reports that carry it.
        status: a key of ``STATUSES``.
    """

    id: str
    claim: str
    area: str
    period: str
    k: int | None
    n: int | None
    percent: float | None
    value: float | None
    unit: str
    qualifier: str
    back_computed: bool
    census: bool
    said_by: str
    reports: tuple[str, ...]
    source: str
    status: str
    note: str

    @property
    def share(self) -> float | None:
        """k / n; None without both."""
        return None if self.k is None or not self.n else self.k / self.n

    def interval(self, *, exact: bool = False) -> Interval | None:
        """The interval of the share (Wilson, or Clopper-Pearson when exact); None where no n was printed."""
        if self.k is None or self.n is None:
            return None
        return proportion(self.k, self.n, self.n if self.census else None, exact=exact)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """One audit of cases, with the counts that were published. ``below_good`` = requires improvement + inadequate."""

    id: str
    title: str
    area: str
    period: str
    when: str
    cases: int
    good: int | None
    requires_improvement: int | None
    inadequate: int | None
    below_good: int | None
    referred_back: int | None
    derived: tuple[str, ...]
    part_of: str
    by: str
    sampling: str
    scale: str
    source: str
    status: str
    note: str

    def interval(self, what: Literal["good", "below_good", "referred_back"] = "good") -> Proportion | None:
        """The share of cases with its Wilson interval; None where the count was not published."""
        count = {"good": self.good, "below_good": self.below_good, "referred_back": self.referred_back}[what]
        return None if count is None else proportion(count, self.cases)

    @property
    def grades(self) -> tuple[int, int, int] | None:
        """(good, requires improvement, inadequate); None unless all three were published."""
        if self.good is None or self.requires_improvement is None or self.inadequate is None:
            return None
        return self.good, self.requires_improvement, self.inadequate


@dataclass(frozen=True, slots=True, kw_only=True)
class Inconsistency:
    """Where the reports contradict themselves or each other: ``what`` they say, and what follows (``so``)."""

    number: int
    kind: str
    title: str
    what: str
    so: str
    reports: tuple[str, ...]
    figures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PublishedFigures:
    """Everything that was published, with ``version``: the SHA-256 of the three files."""

    figures: tuple[Figure, ...]
    inspections: tuple[Inspection, ...]
    inconsistencies: tuple[Inconsistency, ...]
    version: str

    def figure(self, figure_id: str) -> Figure:
        """The figure of that id; KeyError if there is none."""
        for row in self.figures:
            if row.id == figure_id:
                return row
        raise KeyError(figure_id)

    def inspection(self, inspection_id: str) -> Inspection:
        """The inspection of that id; KeyError if there is none."""
        for row in self.inspections:
            if row.id == inspection_id:
                return row
        raise KeyError(inspection_id)
