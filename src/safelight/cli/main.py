"""The ``safelight`` command: each subcommand lives in its own module and is imported when the command starts.

Exit codes: 0 done, 1 a fault of ours, 2 bad input, 3 finished with unread parts.
"""

from __future__ import annotations

import sys
from importlib import import_module

import typer

from safelight import __version__
from safelight.errors import SafelightError

app = typer.Typer(
    name="safelight",
    help="From a referral to a safe child: case work, device triage and honest audit.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

COMMANDS = (
    "demo", "serve", "worker", "tick", "triage", "hashset", "match", "standards", "ledger", "audit", "link", "plan",
    "rounds", "exchange", "report", "search", "check", "backup", "witness", "subject_access", "policy", "keys",
)  # fmt: skip


@app.callback(invoke_without_command=True)
def root(version: bool = typer.Option(False, "--version", help="Print the version and stop.")) -> None:
    if version:
        typer.echo(f"safelight {__version__}")
        raise typer.Exit


for _name in COMMANDS:
    import_module(f"safelight.cli.{_name}").register(app)


def run() -> None:
    """The entry point: known errors in one line, faults of ours with their trace."""
    try:
        app()
    except SafelightError as error:
        typer.echo(f"safelight: {error}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        typer.echo("safelight: stopped.", err=True)
        sys.exit(130)


if __name__ == "__main__":
    run()
