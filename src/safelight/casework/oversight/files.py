"""The files of a public report: an accessible HTML page, the same as tagged PDF, and CSV with its metadata (CSVW)."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from django.template.loader import get_template

import safelight
from safelight.casework.oversight.models import PublicReport
from safelight.measures.disclosure import policy
from safelight.triage.exports.paper import on_paper


def write_files(report: PublicReport) -> list[str]:
    """Write all files of a report into its folder. Returns their names."""
    folder = report.folder
    folder.mkdir(parents=True, exist_ok=True)
    made: dict[str, bytes] = {f"{one['name']}.csv": table_csv(one).encode() for one in report.tables}
    made["metadata.json"] = (json.dumps(metadata(report), indent=2, ensure_ascii=False) + "\n").encode()
    page = html(report)
    made["report.html"] = page.encode()
    made["report.pdf"] = on_paper(page)
    for name, content in made.items():
        (folder / name).write_bytes(content)
    return sorted(made)


def html(report: PublicReport) -> str:
    """The report as one page that needs nothing else."""
    return get_template("oversight/public.html").render(context(report))


def context(report: PublicReport) -> dict[str, Any]:
    """What the page of a report shows."""
    from safelight.casework.oversight.reporting import title_of

    rule = policy(report.policy)
    tables = [{"title": title_of(one["name"]), "name": one["name"], **_grid(one)} for one in report.tables]
    return {
        "report": report, "content": report.content, "tables": tables, "rule": rule,
        "hidden": round(100 * report.proof["hidden_share"], 1), "version": safelight.__version__,
    }  # fmt: skip


def table_csv(one: dict[str, Any]) -> str:
    """One table, one row a cell; totals are rows with ``all``."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([name for name, _, _ in one["dimensions"]] + ["number"])
    for key, text in one["shown"]:
        writer.writerow(["all" if level is None else level for level in key] + [text])
    return out.getvalue()


def metadata(report: PublicReport) -> dict[str, Any]:
    """What a machine needs to know of the CSV files (W3C CSV on the Web), and how the figures were made."""
    from safelight.casework.oversight.reporting import TABLES, title_of

    rule = policy(report.policy)
    queries = {one.name: one.sql for one in TABLES}
    tables = [
        {
            "url": f"{one['name']}.csv", "dc:title": title_of(one["name"]),
            "dc:description": f"Counts of {one['population']}",
            "safelight:query": queries.get(one["name"], ""),
            "tableSchema": {"columns": [
                *({"name": name, "datatype": "string"} for name, _, _ in one["dimensions"]),
                {"name": "number", "datatype": {"base": "integer"}, "null": rule.mark},
            ]},
        }
        for one in report.tables
    ]  # fmt: skip
    return {
        "@context": "http://www.w3.org/ns/csvw", "dc:title": f"Public report {report.quarter}",
        "dc:created": report.made_at.isoformat(), "safelight:version": safelight.__version__,
        "safelight:extract": report.extract.digest, "safelight:tables": report.digest,
        "safelight:disclosure": {"policy": rule.id, "title": rule.title, "source": rule.source, **report.proof},
        "tables": tables,
    }  # fmt: skip


def _grid(one: dict[str, Any]) -> dict[str, Any]:
    """Heads and rows: units down and levels across, or one column where the table has one dimension."""
    shown = {tuple(key): text for key, text in one["shown"]}
    names = _names()
    if not one["dimensions"]:
        return {"head": ["", "Number"], "rows": [["The whole force", shown[()]]]}
    (first, levels, _), *more = one["dimensions"]
    head = [first.capitalize()]
    if not more:
        rows = [[names.get(level, _words(level)), shown[(level,)]] for level in (*levels, None)]
        return {"head": [*head, "Number"], "rows": rows}
    across = (*more[0][1], None)
    rows = [[names.get(unit, _words(unit)), *(shown[(unit, level)] for level in across)] for unit in (*levels, None)]
    return {"head": [*head, *(_words(level) for level in across)], "rows": rows}


def _names() -> dict[str, str]:
    from safelight.casework.oversight.queries import unit_names

    return {**unit_names(), "no unit yet": "No unit yet"}


def _words(level: str | None) -> str:
    return "All" if level is None else level[:1].upper() + level[1:]
