"""``safelight search``: the index of the search."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    search = typer.Typer(help="The index of the search.", no_args_is_help=True)
    app.add_typer(search, name="search")

    @search.callback()
    def root() -> None:
        """The index of the search."""

    @search.command()
    def rebuild(
        alone: Annotated[
            bool, typer.Option("--alone", help="Nobody else works with the database: several times as fast.")
        ] = False,
    ) -> None:
        """Build the index anew: after data came in by other means than Safelight itself."""
        from safelight.cli.django import setup

        setup()
        from safelight.casework.search.index import rebuild as build

        typer.echo(f"{build(alone=alone):,} entries.")
