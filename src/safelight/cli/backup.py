"""``safelight backup``, ``restore`` and ``backup-key``: encrypted backups that are restored before they count."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from safelight import __version__
from safelight.errors import SafelightError


def what_to_back_up(folder: Path | None, *, follow: bool) -> tuple[Any, Any]:
    """The source and the aim that the settings name.

    Raises:
        BackupError: a setting is missing, or the database cannot be read.
    """
    from django.conf import settings

    from safelight.backup import Aim, BackupError
    from safelight.backup.parts import recipients_of
    from safelight.backup.postgres_source import PostgresSource
    from safelight.backup.sqlite_source import SQLiteSource

    target = folder or settings.BACKUP_FOLDER
    if target is None:
        raise BackupError(
            "No folder is named for the backups.",
            fix="Set SAFELIGHT_BACKUP_FOLDER, or give --to: a folder on another disk or machine.",
        )
    database = settings.DATABASES["default"]
    data = Path(settings.DATA)
    spool = data / "backup-spool"
    left_out = [Path(settings.EVIDENCE_ROOT), Path(settings.STATIC_ROOT), spool]
    keys = tuple(recipients_of(settings.BACKUP_RECIPIENTS))
    source: Any
    if database["ENGINE"].endswith("sqlite3"):
        path = Path(database["NAME"])
        source = SQLiteSource(path)
        left_out += [path, Path(f"{path}-wal"), Path(f"{path}-shm")]
    else:
        source = PostgresSource(database, spool if follow else None)
    return source, Aim(data, tuple(left_out), Path(target), keys, __version__)


def _proven(done: Any) -> str:
    ledger = done.manifest.ledger
    if ledger is None:
        return "it has no ledger"
    if not ledger.tree_size:
        return f"{done.entries:,} ledger entries, none of them sealed when the backup was made"
    return f"{done.entries:,} ledger entries follow from the root {ledger.root[:16]}"


def register(app: typer.Typer) -> None:
    @app.command()
    def backup(
        to: Annotated[
            Path | None, typer.Option("--to", help="Folder of the backups; default SAFELIGHT_BACKUP_FOLDER.")
        ] = None,
        every: Annotated[
            float, typer.Option("--every", help="Go on, with a step after so many seconds; 0: one backup.", min=0)
        ] = 0,
        base_every: Annotated[
            float, typer.Option("--base-every", help="With --every: hours from one whole copy to the next.", min=0.01)
        ] = 24,
        keep_chains: Annotated[
            int,
            typer.Option(
                "--keep", help="Remove backups older than so many that were restored for a check; 0: none.", min=0
            ),
        ] = 0,
    ) -> None:
        """Back up the database and the data folder, encrypted, and restore it for a check."""
        from safelight.cli.django import setup

        setup()
        from safelight.backup import Chain
        from safelight.backup.keeping import keep
        from safelight.backup.proof import prove_by_command
        from safelight.backup.pruning import prune

        source, aim = what_to_back_up(to, follow=bool(every))
        try:
            if every:
                keep(
                    source, aim, every=every, base_every=base_every * 3600, prove=prove_by_command, tell=typer.echo,
                    chains=keep_chains,
                )  # fmt: skip
                return
            chain = Chain(source, aim)
            size = sum(part.bytes for part in chain.last.parts)
            typer.echo(f"Written to {chain.folder}: {size / 1e6:,.1f} MB, encrypted for {len(aim.recipients)} key(s).")
            done = chain.verify(prove_by_command)
            typer.echo(f"Restored for a check in {done.seconds:.1f} s: {_proven(done)}.")
            for name in prune(aim.folder, keep_chains):
                typer.echo(f"Removed the old backup {name}.")
        finally:
            source.close()

    @app.command("backup-key")
    def backup_key(
        file: Annotated[
            Path, typer.Argument(help="Where to write the secret key. Not on the machine that is backed up.")
        ],
    ) -> None:
        """Make a key for backups: the secret half into a file, the public half on the screen."""
        from safelight.backup.parts import new_key

        secret, public = new_key()
        try:
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
                out.write(f"# Secret key of Safelight's backups. Public key: {public}\n{secret}\n")
        except FileExistsError as error:
            raise SafelightError(
                f"{file} is there already, and nothing is written over.", fix="Name a new file."
            ) from error
        except OSError as error:
            raise SafelightError(f"{file} cannot be written: {error.strerror}.", fix="Name another file.") from error
        typer.echo(f"Public key, for SAFELIGHT_BACKUP_RECIPIENTS:\n{public}")

    @app.command()
    def restore(
        chain: Annotated[Path, typer.Argument(help="Folder of a backup; or of all, of which the newest is taken.")],
        into: Annotated[Path, typer.Option("--into", help="The new data folder: empty, or not there yet.")],
        key: Annotated[Path, typer.Option("--key", help="File with the secret key (safelight backup-key).")],
        until: Annotated[
            datetime | None, typer.Option("--until", help="The last moment that is wanted, in UTC; default: all.")
        ] = None,
        root: Annotated[
            str, typer.Option("--root", help="A root of the ledger that a witness keeps: it must be in what comes out.")
        ] = "",
    ) -> None:
        """Restore a backup into an empty folder, and prove its ledger."""
        from datetime import UTC

        from safelight.backup import restore as bring_back
        from safelight.backup.parts import read_identity

        moment = until.replace(tzinfo=UTC) if until else None
        done = bring_back(chain, read_identity(key), into, until=moment, root=root)
        typer.echo(
            f"Restored to {into} in {done.seconds:.1f} s, as of {done.manifest.at:%Y-%m-%d %H:%M:%S} UTC: "
            f"{_proven(done)}."
        )
        if done.manifest.engine == "sqlite":
            typer.echo(f"Start with SAFELIGHT_DATA={into}.")
        else:
            typer.echo(
                f"The PostgreSQL {done.manifest.engine_version} cluster is in {into / 'postgres'}: give it to its "
                "server, then start with DATABASE_URL and SAFELIGHT_DATA."
            )
