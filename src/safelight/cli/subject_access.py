"""``safelight subject-access``: what is held about a person, decided item by item, and given out (DPA 2018 s.45)."""

from __future__ import annotations

import csv
import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from safelight.errors import SafelightError

HEADINGS = ("item", "kind", "may tell of others", "given (yes/no)", "ground (a-e)", "reason", "what it says")
As = Annotated[str, typer.Option("--as", help="User name of the person who decides; a chief officer.")]


def _who(name: str) -> Any:
    from safelight.casework.accounts.models import User

    user = User.objects.filter(username=name, is_active=True).first()
    if user is None:
        raise SafelightError(f"There is no user {name}.", fix="Give the user name that they sign in with.")
    return user


def _request(reference: str) -> Any:
    from safelight.casework.retention.models import AccessRequest

    rows = AccessRequest.objects.select_related("person")
    row = rows.filter(pk=AccessRequest.key_of(reference)).first()
    if row is None:
        raise SafelightError(f"There is no request {reference}.", fix="`safelight subject-access record` makes one.")
    return row


def register(app: typer.Typer) -> None:
    access = typer.Typer(help="What is held about a person, for that person.", no_args_is_help=True)
    app.add_typer(access, name="subject-access")

    @access.callback()
    def root() -> None:
        """What is held about a person, for that person."""
        from safelight.cli.django import setup

        setup()

    @access.command()
    def record(
        person: Annotated[str, typer.Argument(help="Reference of the person (P-000123).")],
        received: Annotated[datetime, typer.Option("--received", help="Day on which it came (2026-11-30).")],
        identity: Annotated[str, typer.Option("--identity", help="How it was established who asks.")],
        by: As,
    ) -> None:
        """Record a request and gather what is held."""
        from safelight.casework.people.models import Person
        from safelight.casework.retention.access import record_request

        row = Person.objects.filter(pk=Person.key_of(person)).first()
        if row is None:
            raise SafelightError(f"There is no person {person}.", fix="The page People shows the references.")
        made = record_request(_who(by), row, received_on=received.date(), identity=identity)
        typer.echo(f"{made.reference}: {made.items.count()} items, to be answered by {made.due_on:%d %B %Y}.")

    @access.command()
    def sheet(
        reference: Annotated[str, typer.Argument(help="The request (SA-000001).")],
        output: Annotated[Path, typer.Option("--output", help="The sheet to be filled in (CSV).")],
        by: As,
    ) -> None:
        """Write a sheet with every item that is not decided, to be read and filled in."""
        from django.db import transaction

        from safelight.casework.base.rights import must
        from safelight.casework.ledger.models import Category
        from safelight.casework.ledger.services import record as note
        from safelight.casework.retention.access import content_of
        from safelight.cells import safe_cell

        row, actor = _request(reference), _who(by)
        must(actor, "retention.access", what="answer requests for subject access")
        items = list(row.items.filter(given=None).order_by("model", "row"))
        with transaction.atomic(), output.open("x", encoding="utf-8", newline="") as file:
            output.chmod(0o600)
            out = csv.writer(file)
            out.writerow(HEADINGS)
            for item in items:
                words = json.dumps(content_of(item), default=str, ensure_ascii=False)
                about = "yes" if item.about_others else ""
                out.writerow([item.pk, item.model, about, "", "", "", safe_cell(words)])
            note(actor, "access.viewed", row.person, category=Category.CONSULTATION,
                 payload={"request": row.reference, "items": len(items)})  # fmt: skip
        typer.echo(f"{len(items)} items in {output}. Fill in 'given', and for a no the ground and the reason.")

    @access.command()
    def decide(
        reference: Annotated[str, typer.Argument(help="The request (SA-000001).")],
        filled: Annotated[Path, typer.Argument(help="The sheet, filled in.")],
        by: As,
    ) -> None:
        """Take in the decisions of a filled-in sheet, all or none."""
        from django.db import transaction

        from safelight.casework.retention.access import decide as settle

        row, actor, done = _request(reference), _who(by), 0
        try:
            with filled.open(encoding="utf-8-sig", newline="") as file:
                lines = list(csv.DictReader(file))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise SafelightError(f"{filled} cannot be read.", fix="Save the sheet as CSV in UTF-8.") from error
        with transaction.atomic():
            for number, line in enumerate(lines, start=2):
                said = (line.get(HEADINGS[3]) or "").strip().lower()
                if not said:
                    continue
                if said not in ("yes", "no") or not (line.get("item") or "").isdecimal():
                    raise SafelightError(f"{filled}, line {number}: 'given' is neither yes nor no.", fix="Correct it.")
                ground, reason = (line.get(HEADINGS[4]) or "").strip().lower(), line.get(HEADINGS[5]) or ""
                settle(actor, row, [int(line["item"])], given=said == "yes", ground=ground, reason=reason)
                done += 1
        typer.echo(f"{done} decided, {row.items.filter(given=None).count()} left.")

    @access.command()
    def answer(
        reference: Annotated[str, typer.Argument(help="The request (SA-000001).")],
        to: Annotated[str, typer.Option("--to", help="Whom it is given to, and how.")],
        output: Annotated[Path, typer.Option("--output", help="The file for them (ZIP).")],
        by: As,
    ) -> None:
        """Write the file for the person, once everything is decided. It stands in the ledger as a disclosure."""
        from django.db import transaction

        from safelight.casework.retention.access import answer as give

        with transaction.atomic(), output.open("xb") as file:
            output.chmod(0o600)
            file.write(give(_who(by), _request(reference), recipient=to))
        typer.echo(f"Written to {output}.")
