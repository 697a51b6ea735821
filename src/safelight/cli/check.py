"""``safelight check``: is this installation fit for real cases, and what has to be mended?"""

from __future__ import annotations

import json
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    @app.command()
    def check(
        as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    ) -> None:
        """Everything that is unsafe for real cases: what is wrong, where, how to mend it. Exits 1 if anything is."""
        from safelight.cli.django import setup
        from safelight.web.env import SettingsError

        try:
            setup()
        except SettingsError as error:
            from safelight.web.production.finding import Report, unsafe

            report = Report([unsafe("settings.unusable", error.what, "the environment", error.fix)], ["settings"])
        else:
            from safelight.web.production import check as look

            report = look()
        if as_json:
            typer.echo(json.dumps(report.as_json(), indent=2))
        else:
            for finding in sorted(report.findings, key=lambda f: f.level, reverse=True):
                typer.echo(f"{finding.level.upper()}  {finding.code}: {finding.what}")
                typer.echo(f"        where: {finding.where}")
                typer.echo(f"        mend:  {finding.fix}")
            bad = sum(f.level == "unsafe" for f in report.findings)
            typer.echo(
                f"{len(report.looked_at)} things looked at: {bad} unsafe, {len(report.findings) - bad} to think about. "
                + ("Not fit for real cases." if bad else "Nothing unsafe was found among them.")
            )
        if not report.safe:
            raise typer.Exit(1)
