"""``safelight rounds``: visits to registered sex offenders as rounds for pairs of officers, for a day or a week."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from safelight.planning.rounds import Place


def rounds_command(
    visits: Annotated[Path, typer.Argument(help="Visits, CSV or JSON: key, latitude, longitude, risk, minutes, ...")],
    crews: Annotated[Path, typer.Option("--crews", help="Crews, CSV or JSON: name, officers, begins, ends.")],
    base: Annotated[str, typer.Option("--base", help="Where crews start: LATITUDE,LONGITUDE.")],
    first: Annotated[str, typer.Option("--from", help="The first day, such as 2026-12-01; today when left out.")] = "",
    days: Annotated[int, typer.Option("--days", help="Working days to plan.", min=1, max=20)] = 1,
    travel: Annotated[
        Path | None, typer.Option("--travel", help="Travel times, CSV: from, to, minutes. Else straight lines.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="How long to search.", min=0.5, max=3600)] = 10.0,
    seed: Annotated[
        int | None, typer.Option(help="For a repeatable plan. Left out it is a fresh secret that nobody foresees.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="A folder for list.txt, rounds.csv, rounds.json and map.svg.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Plan rounds of visits: pairs, time windows, what must be done first, unannounced and hard to foresee."""
    from safelight.planning import rounds_files as files
    from safelight.planning.rounds import plan_rounds, working_days

    asked = files.read_visits(visits)
    plan = plan_rounds(
        asked,
        files.read_crews(crews),
        _place(base),
        days=working_days(_day(first), days),
        travel=files.read_travel(travel, asked) if travel else None,
        seconds=seconds,
        seed=secrets.randbits(63) if seed is None else seed,
    )
    data = json.dumps(files.as_data(plan), indent=2, ensure_ascii=False)
    if out is not None:
        try:
            out.mkdir(parents=True, exist_ok=True)
            for name, text in (
                ("list.txt", files.officers_list(plan)),
                ("rounds.csv", files.as_csv(plan)),
                ("rounds.json", data),
                ("map.svg", files.map_svg(plan)),
            ):
                (out / name).write_text(text, encoding="utf-8")
        except OSError as error:
            raise typer.BadParameter(f"{out} cannot be written: {error.strerror}.") from error
    typer.echo(data if as_json else files.officers_list(plan), nl=as_json)
    if any(one.visit.must for one in plan.left):
        typer.echo("A visit that must be made is in no round: see the end of the list.", err=True)
        raise typer.Exit(3)


def register(app: typer.Typer) -> None:
    """Adds the command to the ``safelight`` application."""
    app.command("rounds")(rounds_command)


def _place(text: str) -> Place:
    from safelight.planning import rounds

    try:
        latitude, longitude = (float(part) for part in text.split(","))
    except ValueError as error:
        raise typer.BadParameter(f"--base {text!r} is not LATITUDE,LONGITUDE.") from error
    return rounds.Place(latitude, longitude)


def _day(text: str) -> date:
    if not text:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"--from {text!r} is not a day such as 2026-12-01.") from error
