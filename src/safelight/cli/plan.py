"""``safelight plan``: what it would take: children waiting, clocks breached and age of devices under other staffing."""

from __future__ import annotations

import dataclasses
import json
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from safelight.planning.parameters import Parameter
    from safelight.planning.scenario import Answer, Plan


def plan_command(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Scenarios in TOML.")] = None,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", help="A change to compare with, such as teams=1 or staff.specialists=-40."),
    ] = None,
    rule: Annotated[str, typer.Option(help="Order of work: fifo, risk, deadline, c-mu or growing.")] = "",
    years: Annotated[float | None, typer.Option(help="How long a time is answered about.", min=0.1, max=20)] = None,
    replications: Annotated[int | None, typer.Option(help="Independent runs of each scenario.", min=2)] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same answer.")] = None,
    processes: Annotated[int, typer.Option(help="Processes to use.", min=1, max=64)] = 2,
    parameters: Annotated[bool, typer.Option("--parameters", help="List every parameter, and stop.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer, or the parameters, as JSON.")] = False,
) -> None:
    """Simulate the force, from a referral to the outcome, as it is and as it could be."""
    from safelight.planning.parameters import load_parameters
    from safelight.planning.scenario import plan, read_plan

    if parameters:
        _list(list(load_parameters().rows.values()), as_json)
        return
    if file is None:
        entries: list[dict[str, Any]] = [{"name": "Changed", "changes": _changes(change)}] if change else []
        asked = plan("The force as shipped", {}, entries, rule or "growing")
    else:
        if change or rule:
            raise typer.BadParameter("--set and --rule go without a file; write them into the file instead.")
        asked = read_plan(file)
    given = {"years": years, "replications": replications, "seed": seed}
    asked = dataclasses.replace(asked, **{name: value for name, value in given.items() if value is not None})
    found = _run(asked, processes)
    if as_json:
        typer.echo(json.dumps(_data(asked, found), indent=2, ensure_ascii=False))
    else:
        _show(asked, found)


def register(app: typer.Typer) -> None:
    """Adds the command to the ``safelight`` application."""
    app.command("plan")(plan_command)


def _changes(pairs: Sequence[str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise typer.BadParameter(f"{pair!r} is not PARAMETER=VALUE.")
        try:
            found[name.strip()] = value.strip() if value.strip()[:1] in "+-" else float(value)
        except ValueError as error:
            raise typer.BadParameter(f"{pair!r}: {value!r} is not a number.") from error
    return found


def _run(asked: Plan, processes: int) -> list[tuple[list[Answer], list[str]]]:
    """Every scenario, with a bar that shows the first clock with its interval as it narrows."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from safelight.planning.run import Progress as Done
    from safelight.planning.run import simulate
    from safelight.planning.scenario import answers, warnings

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[now]}"), TimeRemainingColumn())
    found = []
    networks = [scenario.network(asked.years, asked.warmup_days) for scenario in asked.scenarios]
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        for scenario, network in zip(asked.scenarios, networks, strict=True):
            task = bar.add_task(scenario.name, total=asked.replications, now="")

            def seen(done: Done, task: Any = task) -> None:
                now = done.tally.breached("investigator", "case.very_high").text(".1f", 100.0)
                bar.update(task, completed=done.done, now=f"very high risk without an investigator in time: {now} %")

            result = simulate(
                network, replications=asked.replications, seed=asked.seed, processes=processes, on_progress=seen
            )
            found.append((answers(result.tally, scenario.parameters), warnings(result.tally)))
    return found


def _show(asked: Plan, found: list[tuple[list[Answer], list[str]]]) -> None:
    from safelight.planning.result import difference
    from safelight.planning.rules import RULES
    from safelight.planning.scenario import LIMITS

    typer.echo(f"{asked.title}: {asked.years:g} years, {asked.replications} runs of each scenario, seed {asked.seed}.")
    typer.echo("Every number is a mean with its 95 % interval; shares are in per cent.")
    base, _ = found[0]
    for scenario, (answers, warned) in zip(asked.scenarios, found, strict=True):
        typer.echo(f"\n{scenario.name}. Order of work: {RULES[scenario.rule].title}.")
        for answer, before in zip(answers, base, strict=True):
            line = f"  {answer.title:<58} {answer.text}"
            if (
                answers is not base
                and answer.values
                and before.values
                and not (answer.found.words or before.found.words)
            ):
                line += f"   change {difference(answer.values, before.values).text('+' + answer.form, answer.scale)}"
            typer.echo(line)
        for sentence in warned:
            typer.echo(textwrap.fill(sentence, 110, initial_indent="  ! ", subsequent_indent="    "))
    typer.echo("\nWhat this does not say:")
    for sentence in LIMITS:
        typer.echo(textwrap.fill(sentence, 110, initial_indent="  - ", subsequent_indent="    "))
    assumed = sum(row.assumed for row in asked.scenarios[0].parameters.rows.values())
    total = len(asked.scenarios[0].parameters.rows)
    typer.echo(f"\n{assumed} of {total} parameters are assumptions: `safelight plan --parameters` lists them.")


def _list(rows: list[Parameter], as_json: bool) -> None:
    if as_json:
        data = [{**dataclasses.asdict(_bare(row)), "value": _plain(row.value)} for row in rows]
        typer.echo(json.dumps(data, indent=2, ensure_ascii=False))
        return
    for row in rows:
        value = _plain(row.value)
        if isinstance(value, dict):
            shown = " / ".join(f"{one:g}" for one in value.values())
        elif isinstance(value, list):
            shown = " ".join(f"{one:g}" for one in value)
        else:
            shown = f"{value:g}"
        typer.echo(f"{row.id:<32} {shown} {row.unit}  [{row.low:g} to {row.high:g}]  {row.source}")
        typer.echo(f"    {row.title}{'. ' + row.note if row.note else ''}")


def _bare(row: Parameter) -> Parameter:
    """Without its value: a read-only mapping cannot be copied deeply."""
    return dataclasses.replace(row, value=0.0)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value
    return list(value) if isinstance(value, tuple) else dict(value)


def _data(asked: Plan, found: list[tuple[list[Answer], list[str]]]) -> dict[str, Any]:
    from safelight.planning.scenario import LIMITS

    return {
        "title": asked.title,
        "years": asked.years,
        "replications": asked.replications,
        "seed": asked.seed,
        "scenarios": [
            {
                "name": scenario.name,
                "rule": scenario.rule,
                "warnings": warned,
                "answers": [{"title": one.title, **dataclasses.asdict(one.found)} for one in answers],
            }
            for scenario, (answers, warned) in zip(asked.scenarios, found, strict=True)
        ],
        "does_not_say": list(LIMITS),
    }
