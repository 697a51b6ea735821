"""``safelight report``: the quarterly public report in one command."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds the command to the ``safelight`` application."""

    @app.command()
    def report(
        quarter: Annotated[str, typer.Option(help="Such as 2026Q3; left out: the last one that is over.")] = "",
        policy: Annotated[str, typer.Option(help="Disclosure policy; left out: the one in force.")] = "",
        fresh: Annotated[bool, typer.Option("--fresh", help="Read the records anew first.")] = False,
        publish: Annotated[
            bool, typer.Option("--publish", help="Publish it: write HTML, PDF, CSV and metadata. Cannot be taken back.")
        ] = False,
    ) -> None:
        """Draft the public report of a quarter, attack it, and with --publish write its files."""
        from safelight.cli.django import setup

        setup()
        from safelight.casework.oversight import reporting
        from safelight.casework.oversight.extracting import make_extract
        from safelight.casework.oversight.models import Extract

        if fresh or not Extract.objects.exists():
            made = make_extract()
            typer.echo(f"{made.reference}: {sum(made.rows.values()):,} rows read in {made.seconds:.1f} s.", err=True)
        row = reporting.draft(None, quarter or reporting.last_quarter(), policy_id=policy)
        typer.echo(
            f"{row.reference}, {row.quarter}: {row.proof['targets']} small counts attacked with "
            f"{row.proof['programmes']} linear programmes, none known to within two; "
            f"{100 * row.proof['hidden_share']:.1f} % of the cells hidden. SHA-256 of the tables {row.digest}"
        )
        if not publish:
            typer.echo("A draft. Read it on the page of public reports, or publish it with --publish.")
            return
        row = reporting.publish(None, row)
        for path in row.files():
            typer.echo(str(path))
