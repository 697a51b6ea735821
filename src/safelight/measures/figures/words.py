"""What the published figures say, in words: for the command, and for the page that shows the same."""

from __future__ import annotations

from safelight.measures.agreement import MarginBound, bound_from_margins
from safelight.measures.comparison import Sample, Year, two_proportions, years_table
from safelight.measures.effects import e_value_of_shares
from safelight.measures.figures.model import Figure, PublishedFigures

BEFORE = {"exact": "", "about": "about ", "more_than": "more than ", "at_least": "at least "}


def years_of(published: PublishedFigures) -> tuple[Year, ...]:
    """The Met's inspections in order, each with the change from the one before."""
    return years_table(
        [
            Sample(row.period, row.good, row.cases, row.sampling == "targeted")
            for row in published.inspections
            if row.good is not None and not row.part_of and row.area == "Metropolitan Police"
        ]
    )


def first_to_last(published: PublishedFigures) -> str:
    """The one comparison that the founding reports make: 2016 against 2018/19."""
    before, after = published.figure("met_2016_below_good"), published.figure("met_2018_below_good")
    assert before.k is not None and before.n is not None and after.k is not None and after.n is not None
    found = two_proportions(before.k, before.n, after.k, after.n, names=("2016", "2018/19"))
    return f"Below good, {found.sentence}"


def bound_sentence(bound: MarginBound) -> str:
    """The bound of 2016 with its warning."""
    return (
        f"In 2016, whatever the case-level grades were, at least {bound.at_least} of {bound.n} cases "
        f"({bound.share_at_least * 100:.0f} %) were good or adequate to the force and below good to the inspector; "
        f"kappa cannot exceed {bound.kappa_high:.3f}. The two scales may not share a cut point."
    )


def charge_sentence(published: PublishedFigures) -> str:
    """What can be said about 59 against 11 %, and what cannot."""
    first, second = published.figure("charged_specialist"), published.figure("charged_non_specialist")
    assert first.percent is not None and second.percent is not None
    value = e_value_of_shares(first.percent / 100, second.percent / 100)
    return (
        f"Charged, {first.percent:g} against {second.percent:g} %: no n was printed, so there is no interval and no "
        f"test. Only something unrecorded with risk ratios of {value.point:.1f} (E-value) could explain all of it; "
        "who was given which case could explain a part."
    )


def bound_of(published: PublishedFigures) -> MarginBound:
    """What the margins of the self-assessed cases of 2016 force."""
    kind, critical = published.figure("met_2016_subset_self"), published.figure("met_2016_subset_inspector")
    assert kind.k is not None and critical.k is not None and critical.n is not None
    return bound_from_margins(kind.k, critical.k, critical.n)


def counts_text(row: Figure) -> str:
    """k of n; ~ where k was computed back, ? where nothing was printed."""
    if row.k is not None:
        return f"{'~' if row.back_computed else ''}{row.k}/{row.n}"
    return "?/?" if row.percent is not None else ""


def value_text(row: Figure) -> str:
    """The share or the number as printed."""
    if row.share is not None:
        return f"{row.share * 100:.1f} %"
    if row.percent is not None:
        return f"{row.percent:g} %"
    return f"{BEFORE[row.qualifier]}{row.value:,.0f} {row.unit}"


def range_text(row: Figure, *, exact: bool = False) -> str:
    """The interval, or why there is none."""
    interval = row.interval(exact=exact)
    if interval is None:
        return "no n given" if row.percent is not None else ""
    if row.census:
        return "full count"
    return f"{interval.low * 100:.1f} to {interval.high * 100:.1f}"
