"""``safelight import-report``: the report of a field bench into the case, checked and not run again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the `safelight` command line."""

    @app.command("import-report")
    def import_report_command(
        folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The report folder of one device.")],
        device: Annotated[str, typer.Option("--device", metavar="D-000001", help="The device that it is about.")],
        seal: Annotated[str, typer.Option("--seal", help="What the bench printed at the end.")] = "",
        by: Annotated[str, typer.Option(help="Your Safelight user name; the name on this machine when left out.")] = "",
    ) -> None:
        """Import the report of a bench that works without this database. The same report twice is one run."""
        from safelight.cli.django import setup

        setup()
        from django.http import Http404

        from safelight.casework.devices.models import Device
        from safelight.casework.fleet.importing import import_report
        from safelight.cli.hashset import account_named
        from safelight.errors import SafelightError

        user = account_named(by)
        try:
            found = Device.objects.select_related("case").get_visible(user, device)
        except Http404 as error:
            raise SafelightError(str(error), fix="Check the reference of the device.") from None
        row, new = import_report(user, found, folder, seal=seal)
        said = "imported" if new else "was imported before; nothing was changed"
        typer.echo(f"{folder}: {said}, as {row.reference} of {found.reference}. {row.verdict}")
