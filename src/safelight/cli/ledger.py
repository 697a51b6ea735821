"""``safelight ledger``: verify the whole ledger, or prove one entry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

ledger = typer.Typer(help="Verify the ledger, or prove one entry of it.", no_args_is_help=True, rich_markup_mode=None)


@ledger.command("verify")
def verify_command(as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False) -> None:
    """Re-read every entry and check it against the sealed roots. Exits 1 when anything does not follow."""
    from safelight.cli.django import setup

    setup()
    from rich.console import Console
    from rich.progress import Progress

    from safelight.casework.ledger.services import seal
    from safelight.casework.ledger.tasks import record_verification
    from safelight.casework.ledger.verify import verify

    while seal():
        pass
    console = Console(stderr=True)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("Checking entries", total=None)
        result = verify(lambda done, total: bar.update(task, completed=done, total=total))
    # The ledger page shows the newest result, from wherever it was asked for.
    record_verification(None, result)
    if as_json:
        typer.echo(json.dumps({**vars(result), "proven": result.proven}))
    else:
        typer.echo(
            f"{result.entries} entries, {result.sealed} sealed under {result.seals} roots, {result.waiting} waiting."
        )
        typer.echo(f"Root: {result.root}")
        for fault in result.faults:
            typer.echo(f"FAULT: {fault}")
        typer.echo("Every entry follows from the sealed roots." if result.proven else "The ledger does NOT verify.")
    if not result.proven:
        raise typer.Exit(1)


@ledger.command("prove")
def prove_command(
    entry: Annotated[int, typer.Argument(help="The number of the entry.")],
    output: Annotated[
        Path | None, typer.Option("--output", help="Write the proof here instead of printing it.")
    ] = None,
) -> None:
    """Write an inclusion proof for one entry (RFC 9162), to be checked without this program."""
    from safelight.cli.django import setup

    setup()
    from safelight.casework.ledger.models import LedgerEntry
    from safelight.casework.ledger.services import seal
    from safelight.casework.ledger.verify import prove
    from safelight.errors import SafelightError

    seal()
    row = LedgerEntry.objects.filter(pk=entry).first()
    if row is None:
        raise SafelightError(f"There is no ledger entry {entry}.", fix="The ledger page shows the numbers.")
    text = json.dumps(prove(row), indent=2)
    if output:
        output.write_text(text + "\n", encoding="utf-8")
        typer.echo(f"Proof of entry {entry} written to {output}.")
    else:
        typer.echo(text)


def register(app: typer.Typer) -> None:
    app.add_typer(ledger, name="ledger")
