"""``safelight audit``: the published figures with intervals, and where they contradict each other."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from safelight.measures import Interval
    from safelight.measures.agreement import MarginBound
    from safelight.measures.comparison import Year
    from safelight.measures.figures import Figure, Inspection, PublishedFigures

audit = typer.Typer(help="Audit statistics: what was published.", no_args_is_help=True, rich_markup_mode=None)

STYLES = {"verified": "green", "copy": "cyan", "reported": "cyan", "derived": "cyan", "unconfirmed": "yellow"}
BEFORE = {"exact": "", "about": "about ", "more_than": "more than ", "at_least": "at least "}


@audit.callback()
def audit_group() -> None:
    """Keeps ``figures`` a subcommand although it is the only one."""


@audit.command("figures")
def figures_command(
    exact: Annotated[
        bool, typer.Option("--exact", help="Clopper-Pearson intervals instead of Wilson, for public or legal claims.")
    ] = False,
    status: Annotated[str, typer.Option(help="Only figures of this status, such as verified or unconfirmed.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Show every published figure with its interval, what the years show, and the inconsistencies."""
    from safelight.measures import MeasuresError, bound_from_margins, published_figures
    from safelight.measures.figures import STATUSES

    if status and status not in STATUSES:
        raise MeasuresError(f"--status {status} is unknown.", fix=f"Use one of {', '.join(STATUSES)}.")
    published = published_figures()
    rows = [row for row in published.figures if not status or row.status == status]
    kind, critical = published.figure("met_2016_subset_self"), published.figure("met_2016_subset_inspector")
    assert kind.k is not None and critical.k is not None and critical.n is not None
    bound = bound_from_margins(kind.k, critical.k, critical.n)
    years = _years(published)
    if as_json:
        typer.echo(json.dumps(_as_data(published, rows, years, bound, exact=exact), indent=2, ensure_ascii=False))
    else:
        _show(published, rows, years, bound, exact=exact)


def register(app: typer.Typer) -> None:
    """Adds the command to the ``safelight`` application."""
    app.add_typer(audit, name="audit")


def _years(published: PublishedFigures) -> tuple[Year, ...]:
    from safelight.measures import Sample, years_table

    return years_table(
        [
            Sample(row.period, row.good, row.cases, row.sampling == "targeted")
            for row in published.inspections
            if row.good is not None and not row.part_of and row.area == "Metropolitan Police"
        ]
    )


def _first_to_last(published: PublishedFigures) -> str:
    """The one comparison that the founding reports make: 2016 against 2018/19."""
    from safelight.measures import two_proportions

    before, after = published.figure("met_2016_below_good"), published.figure("met_2018_below_good")
    assert before.k is not None and before.n is not None and after.k is not None and after.n is not None
    found = two_proportions(before.k, before.n, after.k, after.n, names=("2016", "2018/19"))
    return f"Below good, {found.sentence}"


def _bound_sentence(bound: MarginBound) -> str:
    return (
        f"In 2016, whatever the case-level grades were, at least {bound.at_least} of {bound.n} cases "
        f"({bound.share_at_least * 100:.0f} %) were good or adequate to the force and below good to the inspector; "
        f"kappa cannot exceed {bound.kappa_high:.3f}. The two scales may not share a cut point."
    )


def _charge_sentence(published: PublishedFigures) -> str:
    """What can be said about 59 against 11 %, and what cannot."""
    from safelight.measures import e_value_of_shares

    first, second = published.figure("charged_specialist"), published.figure("charged_non_specialist")
    assert first.percent is not None and second.percent is not None
    value = e_value_of_shares(first.percent / 100, second.percent / 100)
    return (
        f"Charged, {first.percent:g} against {second.percent:g} %: no n was printed, so there is no interval and no "
        f"test. Only something unrecorded with risk ratios of {value.point:.1f} (E-value) could explain all of it; "
        "who was given which case could explain a part."
    )


def _as_data(
    published: PublishedFigures, rows: list[Figure], years: tuple[Year, ...], bound: MarginBound, *, exact: bool
) -> dict[str, Any]:
    def plain(interval: Interval | None) -> dict[str, Any] | None:
        return None if interval is None else dataclasses.asdict(interval)

    return {
        "version": published.version,
        "figures": [{**dataclasses.asdict(row), "interval": plain(row.interval(exact=exact))} for row in rows],
        "inspections": [
            {**dataclasses.asdict(row), "good_share": plain(row.interval("good"))} for row in published.inspections
        ],
        "years": [dataclasses.asdict(year) for year in years],
        "comparison": _first_to_last(published),
        "charged": _charge_sentence(published),
        "bound_from_margins": {**dataclasses.asdict(bound), "sentence": _bound_sentence(bound)},
        "inconsistencies": [dataclasses.asdict(row) for row in published.inconsistencies],
    }


def _counts(row: Figure) -> str:
    if row.k is not None:
        return f"{'~' if row.back_computed else ''}{row.k}/{row.n}"
    return "?/?" if row.percent is not None else ""


def _value(row: Figure) -> str:
    if row.share is not None:
        return f"{row.share * 100:.1f} %"
    if row.percent is not None:
        return f"{row.percent:g} %"
    return f"{BEFORE[row.qualifier]}{row.value:,.0f} {row.unit}"


def _range(row: Figure, *, exact: bool) -> str:
    interval = row.interval(exact=exact)
    if interval is None:
        return "no n given" if row.percent is not None else ""
    if row.census:
        return "full count"
    return f"{interval.low * 100:.1f} to {interval.high * 100:.1f}"


def _show(
    published: PublishedFigures, rows: list[Figure], years: tuple[Year, ...], bound: MarginBound, *, exact: bool
) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from safelight.measures.figures import STATUSES

    console = Console(width=None if Console().is_terminal else 100)
    method = "exact" if exact else "Wilson"
    table = Table(title=f"Published figures ({len(rows)})", title_justify="left", title_style="bold", expand=True)
    table.add_column("claim", ratio=34, overflow="fold")
    table.add_column("k/n", no_wrap=True)
    table.add_column("figure", ratio=14, overflow="fold")
    table.add_column(f"{method} 95 %", no_wrap=True)
    table.add_column("who, source", ratio=22, overflow="fold")
    for row in rows:
        who = Text(row.said_by)
        reports = f"report {', '.join(row.reports)}" if row.reports else row.source
        who.append(f"\n{reports}; ").append(row.status, style=STYLES[row.status])
        claim = Text(f"{row.period}  ", style="bold").append(row.claim, style="not bold")
        if row.note:
            claim.append(f"\n{row.note}", style="italic not bold")
        table.add_row(claim, _counts(row), _value(row), _range(row, exact=exact), who)
    console.print(table)
    console.print(_inspection_table(published.inspections))
    console.print(Text("What the years show", style="bold"))
    for year in years:
        if year.change is not None:
            console.print(Text(f"  Good, {year.change.sentence}"))
    console.print(Text(f"  {_first_to_last(published)}"))
    console.print(Text(f"  {_bound_sentence(bound)}"))
    console.print(Text(f"  {_charge_sentence(published)}"))
    table = Table(title="Inconsistencies", title_justify="left", title_style="bold", expand=True)
    table.add_column("", min_width=2, no_wrap=True)
    for heading, ratio in (("what the reports say", 55), ("so", 42)):
        table.add_column(heading, ratio=ratio, overflow="fold")
    for item in published.inconsistencies:
        said = Text(item.title, style="bold").append(f"\n{item.what}", style="not bold")
        table.add_row(str(item.number), said, item.so)
    console.print(table)
    console.print(
        Text("~ computed back from a printed percentage. " + "; ".join(f"{k}: {v}" for k, v in STATUSES.items()))
    )


def _inspection_table(inspections: tuple[Inspection, ...]) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(title="Audited cases", title_justify="left", title_style="bold", expand=True)
    table.add_column("audit", ratio=1, overflow="fold")
    for heading in ("cases", "good", "RI", "inadequate", "good, 95 % Wilson", "sampling"):
        table.add_column(heading, no_wrap=True)
    for row in inspections:
        counts = ["?" if n is None else str(n) for n in (row.good, row.requires_improvement, row.inadequate)]
        if row.grades is None and row.below_good is not None:
            counts[1], counts[2] = f"{row.below_good}", "(with RI)"
        interval = row.interval("good")
        text = ""
        if interval is not None:
            text = f"{interval.estimate * 100:.1f} ({interval.low * 100:.1f} to {interval.high * 100:.1f})"
        title = Text(row.title).append(f"\n{row.by}", style="italic")
        sampling = Text(row.sampling, style="yellow" if row.sampling == "targeted" else "")
        table.add_row(title, str(row.cases), *counts, text, sampling)
    return table
