"""``safelight standards``: what law, guidance and inspectors expect, what is a default or a draft, what is missing."""

from __future__ import annotations

import dataclasses
import difflib
import json
import os
from collections.abc import Iterable
from datetime import date, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from safelight.errors import StandardsError

if TYPE_CHECKING:
    from safelight.standards import Row, Standards

TABLES = (
    "clocks", "policy", "risks", "grades", "categories", "vics", "outcomes", "roles", "sign_in", "skills",
    "sharing_bases", "units", "escalation", "criteria", "refer_back_reasons", "refer_back_outcomes", "wording",
)  # fmt: skip
STYLES = {"verified": "green", "draft": "yellow", "required": "bold red"}
MARKS = {
    "V": "read in the source",
    "V2": "read in a copy, the press or other people's code",
    "S": "in a founding news report",
    "M": "general knowledge, no source read",
    "P": "a choice of this product",
}


def standards_command(
    row_id: Annotated[str, typer.Argument(metavar="[ID]", help="Show this one row in full.")] = "",
    kind: Annotated[str, typer.Option(help="Only rows of this kind, such as statute or product_default.")] = "",
    status: Annotated[str, typer.Option(help="Only rows that are verified, draft or required.")] = "",
    table: Annotated[str, typer.Option(help=f"Only this table: {', '.join(TABLES)}.")] = "",
    required: Annotated[bool, typer.Option("--required", help="Only what the force must still set itself.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the rows as JSON.")] = False,
    site: Annotated[
        Path | None, typer.Option(help="The force's own file. Left out: SAFELIGHT_SITE_STANDARDS, if it is set.")
    ] = None,
) -> None:
    """Show every expectation with its source: statute, guidance, default or draft, and what the force must set."""
    from safelight.standards import load_standards
    from safelight.standards.model import KINDS, STATUSES

    for name, value, known in (("kind", kind, KINDS), ("status", status, STATUSES), ("table", table, TABLES)):
        if value and value not in known:
            raise StandardsError(f"--{name} {value} is unknown.", fix=f"Use one of {', '.join(known)}.")
    own = site or (Path(os.environ["SAFELIGHT_SITE_STANDARDS"]) if os.environ.get("SAFELIGHT_SITE_STANDARDS") else None)
    standards = load_standards(site=own)
    unset = {id(row) for row in standards.unset()}
    rows = [
        (name, row)
        for name, row in standards.rows()
        if (not kind or row.kind == kind)
        and (not status or row.status == status)
        and (not table or name == table)
        and (not required or id(row) in unset)
        and (not row_id or row.id == row_id)
    ]
    if row_id and not rows:
        near = difflib.get_close_matches(row_id, [row.id for _, row in standards.rows()], n=1)
        raise StandardsError(
            f"There is no row {row_id!r}{' with these options' if kind or status or table or required else ''}.",
            fix=f"Did you mean {near[0]!r}?" if near else "`safelight standards` lists them all.",
        )
    if as_json:
        found = {"version": standards.version, "site": standards.site, "rows": [as_data(n, r) for n, r in rows]}
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
    elif row_id:
        for name, row in rows:
            _show_one(name, row)
    else:
        _show_tables(standards, rows)


def register(app: typer.Typer) -> None:
    """Adds the command to the ``safelight`` application."""
    app.command("standards")(standards_command)


def as_data(table: str, row: Row) -> dict[str, Any]:
    """A row as plain data for JSON: dates and times as text, with ``table`` and ``is_set``."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [plain(item) for item in value]
        return value.isoformat() if isinstance(value, date | time) else value

    data: dict[str, Any] = plain(dataclasses.asdict(row))
    return {"table": table, **data, "is_set": row.is_set}


def gist(row: Row) -> str:
    """What a row says, in one line."""
    from safelight.standards import (
        Category,
        ClockRule,
        CriteriaSet,
        GradeScale,
        Outcome,
        Phrase,
        PolicySetting,
        ReferBackReason,
        RiskLevel,
        Role,
        Skill,
        Unit,
        VicsMap,
    )

    match row:
        case ClockRule():
            before = {"notice": "at least ", "not_before": "not before ", "threshold": "from "}.get(row.sense, "")
            after = {"notice": " before"}.get(row.sense, "")
            off = "" if row.active else " (switched off)"
            if row.calendar == "calendar_beginning_with":
                after = " beginning with that day"
            return f"{before}{row.duration_text}{after}{off}"
        case PolicySetting():
            parts = [f"{(v.risk or '').replace('_', ' ')} {_value(v.value)}".strip() for v in row.values]
            starts = [f" from {v.effective_from.isoformat()}" if v.effective_from else "" for v in row.values]
            return "; ".join(a + b for a, b in zip(parts, starts, strict=True)) or "not set"
        case VicsMap():
            return ", ".join(f"{number} {code}" for number, code in row.numbers) or "not set"
        case CriteriaSet():
            return f"version {row.version}: {', '.join(heading.title for heading in row.headings)}"
        case ReferBackReason():
            return f"answer within {row.hours} hours"
        case Phrase():
            return ", ".join(row.forms)
        case GradeScale():
            return ", ".join(grade.title for grade in row.grades)
        case Category():
            return "known" if row.known else "to be graded" if row.needs_grading else "not pertinent"
        case Outcome():
            return f"number {row.number} ({row.number_status})"
        case Role():
            return row.sees
        case Skill():
            return ", ".join(row.applies_to)
        case Unit():
            return ", ".join(row.boroughs) or "whole force"
        case RiskLevel():
            return row.short
        case _:
            return ""


def _value(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _show_tables(standards: Standards, rows: Iterable[tuple[str, Row]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if Console().is_terminal else 100)
    shown = 0
    groups: dict[str, list[Row]] = {}
    for name, row in rows:
        groups.setdefault(name, []).append(row)
    for name, group in groups.items():
        table = Table(title=f"{name} ({len(group)})", title_justify="left", title_style="bold", expand=True)
        for heading, ratio in (("id and what it is", 40), ("value", 25), ("kind", 16), ("status", 10)):
            table.add_column(heading, ratio=ratio, overflow="fold")
        for row in group:
            status = Text(row.status, style="green" if row.is_set and row.status == "required" else STYLES[row.status])
            if row.set_by != "product":
                status.append(f"\n{row.set_by}", style="cyan")
            what = Text(row.id, style="bold")
            what.append(f"\n{row.title}", style="not bold")
            table.add_row(what, Text(gist(row)), Text(row.kind.replace("_", " ")), status)
            shown += 1
        console.print(table)
    missing, drafts = len(standards.unset()), len(standards.unconfirmed())
    site = f", with {standards.site}" if standards.site else ", without a site file"
    console.print(Text(f"{shown} rows; version {standards.version}{site}."))
    console.print(Text(f"{missing} rows must still be set by the force; {drafts} drafts wait for a person to confirm."))


def _show_one(table: str, row: Row) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if Console().is_terminal else 100)
    grid = Table(title=f"{row.id} ({table})", title_justify="left", title_style="bold", show_header=False, expand=True)
    grid.add_column(ratio=1)
    grid.add_column(ratio=4, overflow="fold")
    for field in dataclasses.fields(row):
        value = getattr(row, field.name)
        if field.name in ("id", "origin", "cases", "values", "numbers", "grades") or value in (None, "", ()):
            continue
        if field.name == "mark":
            value = f"{value}: {MARKS[value]}"
        elif isinstance(value, tuple):
            value = ", ".join(map(str, value))
        elif isinstance(value, str) and field.name in ("kind", "sense", "calendar", "owner", "subject"):
            value = value.replace("_", " ")
        text = Text(_value(value), style=STYLES.get(row.status, "") if field.name == "status" else "")
        grid.add_row(Text(field.name.replace("_", " ")), text)
    grid.add_row(Text("value"), Text(gist(row)))
    for case in getattr(row, "cases", ()):
        who = " ".join(filter(None, ((case.risk or "").replace("_", " "), case.borough, case.stage)))
        since = f", from {case.effective_from.isoformat()}" if case.effective_from else ""
        ground = "; ".join(filter(None, (case.set_by, "" if case.source == row.source else case.source)))
        grid.add_row(Text(f"  {who}"), Text(f"{case.duration}{since} ({ground})"))
    for name, text in row.origin:
        grid.add_row(Text(f"product's own {name}"), Text(text))
    console.print(grid)
