"""``safelight keys``: the keys of encrypted fields."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    keys = typer.Typer(help="The keys of encrypted fields.", no_args_is_help=True)
    app.add_typer(keys, name="keys")

    @keys.command("list")
    def list_() -> None:
        """Which keys there are, and how many values each encrypts."""
        from safelight.cli.django import setup

        setup()
        from safelight.casework.ciphers.keys import place, ring
        from safelight.casework.ciphers.rows import keys_in_use

        held, used = ring(), keys_in_use()
        typer.echo(f"{place()}")
        for one in reversed(held.keys):
            what = "encrypts and decrypts" if one == held.newest else "decrypts only"
            typer.echo(f"{one.id}  made {one.made_at}  {what}  {sum(used.get(one.id, {}).values()):,} values")
            for where, count in sorted(used.get(one.id, {}).items()):
                typer.echo(f"            {where}  {count:,}")
        for name in sorted(set(used) - {one.id for one in held.keys}):
            where = ", ".join(sorted(used[name]))
            typer.echo(f"{name}  IS MISSING, and encrypts {sum(used[name].values()):,} values in {where}")
        if len(held.keys) > 1:
            typer.echo("A rotation was begun and has not ended: go on with `safelight keys rotate`.")
        if set(used) - {one.id for one in held.keys}:
            raise typer.Exit(1)

    @keys.command("sign-in")
    def sign_in() -> None:
        """Encrypt the secrets of authenticator apps with the present SAFELIGHT_SECRET_KEY."""
        from safelight.cli.django import setup

        setup()
        from safelight.web.adapter import seal_anew

        done, lost = seal_anew()
        typer.echo(f"{done:,} secrets of authenticator apps are encrypted with the present key.")
        if lost:
            typer.echo(
                f"{lost:,} could not be read: they were made with a key that is neither SAFELIGHT_SECRET_KEY nor in "
                "SAFELIGHT_SECRET_KEY_OLD. Name that key there, or these people set up a new app (Accounts, Recover)."
            )
            raise typer.Exit(3)
        typer.echo("SAFELIGHT_SECRET_KEY_OLD is needed no longer: unset it, and start Safelight anew.")

    @keys.command()
    def sweep() -> None:
        """After an update that encrypted more: take what was plain out of the database's free pages. Others wait."""
        from safelight.cli.django import setup

        setup()
        from safelight.casework.ciphers.rows import sweep_plain

        sweep_plain()
        typer.echo("Swept. Backups and the database's log of before still hold what was plain, until they go.")

    @keys.command()
    def rotate(
        settle: Annotated[
            float,
            typer.Option("--settle", min=0, help="Least seconds from the new key to the end of the old one."),
        ] = 15.0,
    ) -> None:
        """Encrypt everything with a new key, in steps; others go on working. Cut off, it goes on when called again."""
        from safelight.cli.django import setup

        setup()
        from safelight.casework.ciphers.rows import rotate as go

        done = go(settle=settle, tell=lambda table, count: typer.echo(f"  {table}: {count:,} rows", err=True))
        begun = "Gone on with a rotation that was cut off. " if done.resumed else ""
        typer.echo(f"{begun}The key {done.new} encrypts now; {sum(done.rows.values()):,} rows were written anew.")
        for fault in done.faults[:20]:
            typer.echo(f"NOT READ  {fault}")
        if done.removed:
            typer.echo(f"Taken out of the key file, because no row names them: {', '.join(done.old)}.")
            typer.echo("Make a backup now (safelight backup): older ones have the old key file in them.")
        else:
            typer.echo(
                f"Kept, because {len(done.faults) or 'some'} rows still name them: {', '.join(done.old)}. Mend those, "
                "then call this again."
            )
            raise typer.Exit(3)
