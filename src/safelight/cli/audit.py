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
    from safelight.measures import MeasuresError, published_figures
    from safelight.measures.figures import STATUSES
    from safelight.measures.figures.words import bound_of, years_of

    if status and status not in STATUSES:
        raise MeasuresError(f"--status {status} is unknown.", fix=f"Use one of {', '.join(STATUSES)}.")
    published = published_figures()
    rows = [row for row in published.figures if not status or row.status == status]
    bound, years = bound_of(published), years_of(published)
    if as_json:
        typer.echo(json.dumps(_as_data(published, rows, years, bound, exact=exact), indent=2, ensure_ascii=False))
    else:
        _show(published, rows, years, bound, exact=exact)


def register(app: typer.Typer) -> None:
    """Adds the command to the ``safelight`` application."""
    app.add_typer(audit, name="audit")


def _as_data(
    published: PublishedFigures, rows: list[Figure], years: tuple[Year, ...], bound: MarginBound, *, exact: bool
) -> dict[str, Any]:
    from safelight.measures.figures.words import bound_sentence, charge_sentence, first_to_last

    def plain(interval: Interval | None) -> dict[str, Any] | None:
        return None if interval is None else dataclasses.asdict(interval)

    return {
        "version": published.version,
        "figures": [{**dataclasses.asdict(row), "interval": plain(row.interval(exact=exact))} for row in rows],
        "inspections": [
            {**dataclasses.asdict(row), "good_share": plain(row.interval("good"))} for row in published.inspections
        ],
        "years": [dataclasses.asdict(year) for year in years],
        "comparison": first_to_last(published),
        "charged": charge_sentence(published),
        "bound_from_margins": {**dataclasses.asdict(bound), "sentence": bound_sentence(bound)},
        "inconsistencies": [dataclasses.asdict(row) for row in published.inconsistencies],
    }


def _show(
    published: PublishedFigures, rows: list[Figure], years: tuple[Year, ...], bound: MarginBound, *, exact: bool
) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from safelight.measures.figures import STATUSES
    from safelight.measures.figures.words import (
        bound_sentence,
        charge_sentence,
        counts_text,
        first_to_last,
        range_text,
        value_text,
    )

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
        table.add_row(claim, counts_text(row), value_text(row), range_text(row, exact=exact), who)
    console.print(table)
    console.print(_inspection_table(published.inspections))
    console.print(Text("What the years show", style="bold"))
    for year in years:
        if year.change is not None:
            console.print(Text(f"  Good, {year.change.sentence}"))
    console.print(Text(f"  {first_to_last(published)}"))
    console.print(Text(f"  {bound_sentence(bound)}"))
    console.print(Text(f"  {charge_sentence(published)}"))
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
