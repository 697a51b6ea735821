"""``safelight ledger``: verify the whole ledger, prove one entry, show the key and the newest checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

ledger = typer.Typer(
    help="Verify the ledger, prove one entry of it, show its key and newest checkpoint.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@ledger.command("verify")
def verify_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    book: Annotated[
        list[str] | None, typer.Option(help="A witness's book, as a file or an address, to compare with; needs --key.")
    ] = None,
    key: Annotated[list[str] | None, typer.Option(help="The verifier key of that witness, in the same order.")] = None,
) -> None:
    """Re-read every entry, check it against the sealed roots and those against what the witnesses saw. Exits 1 if
    anything does not follow."""
    from safelight.cli.django import setup

    setup()
    from rich.console import Console
    from rich.progress import Progress

    from safelight.casework.ledger.against import check_outside
    from safelight.casework.ledger.services import seal
    from safelight.casework.ledger.tasks import record_verification
    from safelight.casework.ledger.verify import verify
    from safelight.errors import SafelightError
    from safelight.tlog.notes import VerifierKey

    if len(book or []) != len(key or []):
        raise SafelightError("Each --book needs the --key of its witness.", fix="Give them in the same order.")
    books = [(place, VerifierKey.read(text)) for place, text in zip(book or [], key or [], strict=True)]
    while seal():
        pass
    console = Console(stderr=True)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("Checking entries", total=None)
        result = verify(lambda done, total: bar.update(task, completed=done, total=total))
    check_outside(result, books)
    # The ledger page shows the newest result, from wherever it was asked for.
    record_verification(None, result)
    if as_json:
        typer.echo(json.dumps({**vars(result), "proven": result.proven}))
    else:
        typer.echo(
            f"{result.entries} entries, {result.sealed} sealed under {result.seals} roots, {result.waiting} waiting."
        )
        typer.echo(f"Root: {result.root}")
        for name, size in result.witnessed.items():
            typer.echo(f"{name} saw the same first {size} entries.")
        if result.marks:
            typer.echo(f"{result.marks} cosignatures and time-stamps kept with the seals hold.")
        for remark in result.remarks:
            typer.echo(f"NOTE: {remark}")
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
    """Write a file that proves one entry to a stranger; scripts/check-proof.py checks it without this program."""
    from safelight.cli.django import setup

    setup()
    from safelight.casework.ledger.models import LedgerEntry
    from safelight.casework.ledger.proving import prove
    from safelight.casework.ledger.services import seal
    from safelight.errors import SafelightError

    while seal():
        pass
    row = LedgerEntry.objects.filter(pk=entry).first()
    if row is None:
        raise SafelightError(f"There is no ledger entry {entry}.", fix="The ledger page shows the numbers.")
    text = json.dumps(prove(row), indent=2)
    if output:
        output.write_text(text + "\n", encoding="utf-8")
        typer.echo(f"Proof of entry {entry} written to {output}.")
    else:
        typer.echo(text)


@ledger.command("key")
def key_command() -> None:
    """Print the ledger's verifier key, for its witnesses (`safelight witness trust`)."""
    from safelight.cli.django import setup

    setup()
    from safelight.casework.ledger.outside import log_signer

    typer.echo(str(log_signer().verifier))


@ledger.command("checkpoint")
def checkpoint_command() -> None:
    """Print the newest signed checkpoint: to publish it, or to keep it on paper."""
    from safelight.cli.django import setup

    setup()
    from safelight.casework.ledger.models import LedgerSeal
    from safelight.casework.ledger.outside import signed
    from safelight.errors import SafelightError

    newest = LedgerSeal.objects.order_by("-tree_size").first()
    if newest is None:
        raise SafelightError("Nothing is sealed yet.", fix="`safelight tick` seals what waits.")
    typer.echo(signed(newest), nl=False)


def register(app: typer.Typer) -> None:
    app.add_typer(ledger, name="ledger")
