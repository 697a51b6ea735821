"""``safelight worker``: does the queued work (triage runs, submission files)."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    @app.command()
    def worker(
        batch: Annotated[bool, typer.Option("--batch", help="Stop when the queue is empty.")] = False,
        interval: Annotated[float, typer.Option(help="Seconds between looks at the queue.", min=0.1)] = 1.0,
    ) -> None:
        """Take queued jobs one by one until stopped. Any number of workers may run."""
        from safelight.cli.django import setup

        setup()
        from django.core.management import call_command

        call_command("db_worker", interval=interval, batch=batch, reload=False)
