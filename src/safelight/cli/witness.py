"""``safelight witness``: the second program, on another machine and in other hands, that remembers the ledger."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

witness = typer.Typer(
    help="Remember a ledger's roots from outside and cosign only what continues them (C2SP tlog-witness).",
    no_args_is_help=True, rich_markup_mode=None,
)  # fmt: skip
Folder = Annotated[Path, typer.Option("--folder", help="Its folder: key, logs, checkpoints. On a machine of its own.")]
Name = Annotated[str, typer.Option("--name", help="As it signs, such as witness.example.police.uk.")]


@witness.command("serve")
def serve_command(
    folder: Folder,
    name: Name,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; behind a TLS proxy.", min=0, max=65535)] = 8200,
) -> None:
    """Answer for the logs that `safelight witness trust` named."""
    from safelight.tlog.serving import server
    from safelight.tlog.witness import Witness

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    own = Witness(folder, name)
    if not own.logs:
        typer.echo("No log is trusted yet: `safelight witness trust` names one.", err=True)
    with server(own, host, port) as listening:
        typer.echo(
            f"Witness {own.signer.verifier} listens on {host}:{listening.server_port}, for {len(own.logs)} logs."
        )
        listening.serve_forever()


@witness.command("trust")
def trust_command(
    key: Annotated[str, typer.Argument(help="The ledger's verifier key, from `safelight ledger key`.")],
    folder: Folder,
    name: Name,
) -> None:
    """Serve one more log. A running witness takes it up when it is started again."""
    from safelight.tlog.notes import VerifierKey
    from safelight.tlog.witness import Witness

    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    own = Witness(folder, name)
    own.add_log(VerifierKey.read(key))
    typer.echo(
        f"Trusted: {key}\nThe witness's own key, for the line in the ledger's witness file:\n{own.signer.verifier}"
    )


def register(app: typer.Typer) -> None:
    app.add_typer(witness, name="witness")
