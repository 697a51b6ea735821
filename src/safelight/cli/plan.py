"""``safelight plan``: what it would take: children waiting, clocks breached and age of devices under other staffing."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import signal
import textwrap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from safelight.planning.outcome import Outcome
    from safelight.planning.parameters import Parameter
    from safelight.planning.scenario import Plan
    from safelight.planning.smallest import Goal


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
    as_table: Annotated[bool, typer.Option("--csv", help="Print the answer as CSV.")] = False,
    cluster: Annotated[
        str, typer.Option(envvar="SAFELIGHT_CLUSTER", help="Run on a Dask cluster: tcp://scheduler:8786.")
    ] = "",
    least: Annotated[bool, typer.Option("--smallest", help="Search the smallest staffing that keeps a clock.")] = False,
    clock: Annotated[
        str, typer.Option(help="With --smallest: safeguarding, investigator, triage or file.")
    ] = "safeguarding",
    risk: Annotated[str, typer.Option(help="With --smallest: very_high, high, medium or low.")] = "very_high",
    share: Annotated[float, typer.Option(help="With --smallest: the share to keep.")] = 0.95,
    lever: Annotated[
        list[str] | None, typer.Option(help="With --smallest: posts to vary, such as staff.desk; several may be given.")
    ] = None,
) -> None:
    """Simulate the force, from a referral to the outcome, as it is and as it could be."""
    from safelight.planning.parameters import load_parameters
    from safelight.planning.scenario import plan, read_plan

    if parameters:
        _list(list(load_parameters().rows.values()), as_json)
        return
    if file is None:
        changes = _changes(change or [])
        if least:  # the search begins at the force with these changes
            asked = plan("The force with your changes", changes, [], rule or "growing")
        else:
            entries: list[dict[str, Any]] = [{"name": "Changed", "changes": changes}] if changes else []
            asked = plan("The force as shipped", {}, entries, rule or "growing")
    else:
        if change or rule:
            raise typer.BadParameter("--set and --rule go without a file; write them into the file instead.")
        asked = read_plan(file)
    given = {"years": years, "replications": replications, "seed": seed}
    asked = dataclasses.replace(asked, **{name: value for name, value in given.items() if value is not None})
    if least:
        from safelight.planning.smallest import Goal

        _search(asked, Goal(clock, risk, share), tuple(lever or ()), processes, cluster, as_json)
        return
    outcome = _run(asked, processes, cluster)
    if as_json or as_table:
        from safelight.planning.outcome import as_csv, as_data

        data = as_data(outcome)
        typer.echo(json.dumps(data, indent=2, ensure_ascii=False) if as_json else as_csv(data), nl=as_json)
    else:
        _show(outcome)


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


def _run(asked: Plan, processes: int, cluster: str) -> Outcome:
    """Every scenario, with a bar that shows a clock with its interval as it narrows. Ctrl-C keeps what is done."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from safelight.planning.outcome import run_plan

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[now]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar, _stoppable() as stop:
        tasks: dict[str, Any] = {}

        def seen(scenario: Any, done: Any) -> None:
            if scenario.name not in tasks:
                tasks[scenario.name] = bar.add_task(scenario.name, total=asked.replications, now="")
            now = done.tally.breached("investigator", "case.very_high").text(".1f", 100.0)
            words = f"very high risk without an investigator in time: {now} %"
            bar.update(tasks[scenario.name], completed=done.done, now=words)

        return run_plan(asked, processes=processes, cluster=cluster, on_progress=seen, stop=stop)


@contextlib.contextmanager
def _stoppable() -> Iterator[Callable[[], bool]]:
    """Ctrl-C asks the run to stop at its next step instead of ending the program; a second one ends it."""
    asked: list[int] = []

    def note(number: int, frame: object) -> None:
        asked.append(number)
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, before)


def _search(base: Plan, goal: Goal, levers: tuple[str, ...], processes: int, cluster: str, as_json: bool) -> None:
    """The smallest staffing that keeps a clock, with every trial on the way."""
    from safelight.planning.smallest import Trial, smallest

    def shown(trial: Trial) -> str:
        posts = ", ".join(f"{number} in {lever.removeprefix('staff.')}" for lever, number in trial.posts.items())
        words = trial.breached.words
        share = f"the work {words}" if words else f"{trial.breached.text('.1f', 100.0)} % breached"
        return f"{posts}: {share}, {'kept' if trial.keeps else 'not kept'}"

    scenario = base.scenarios[0]
    with _stoppable() as stop:
        found = smallest(
            scenario.parameters,
            goal,
            levers,
            years=base.years,
            warmup_days=base.warmup_days,
            rule=scenario.rule,
            replications=base.replications,
            seed=base.seed,
            processes=processes,
            cluster=cluster,
            on_trial=lambda trial: typer.echo(f"  {shown(trial)}", err=True),
            stop=stop,
        )
    if as_json:
        data = {
            "goal": goal.text,
            "posts": dict(found.posts),
            "breached": dataclasses.asdict(found.found.breached),
            "one_fewer": {lever: dataclasses.asdict(trial.breached) for lever, trial in found.fewer.items()},
            "cost": found.cost,
            "cost_today": found.before,
            "trials": len(found.trials),
        }
        typer.echo(json.dumps(data, indent=2))
        return
    typer.echo(f"The smallest staffing that keeps {goal.text}:")
    for lever, number in found.posts.items():
        today = scenario.parameters.number(lever)
        typer.echo(f"  {lever:<28} {number:>5} posts, {number - today:+g} against today's {today:g}")
    typer.echo(f"  {shown(found.found)}")
    for trial in found.fewer.values():
        typer.echo(f"  One fewer, {shown(trial)}")
    typer.echo(f"  Cost of all posts in a year: {found.cost:,.0f} pounds, {found.cost - found.before:+,.0f}.")
    typer.echo(f"{len(found.trials)} trials over {base.years:g} years, {base.replications} runs or more each.")
    _not_said()


def _show(outcome: Outcome) -> None:
    from safelight.planning.outcome import as_data

    data = as_data(outcome)
    typer.echo(f"{data['title']}: {data['years']:g} years, {data['replications']} runs of each, seed {data['seed']}.")
    typer.echo("Every number is a mean with its 95 % interval; shares are in per cent.")
    if data["stopped"]:
        typer.echo("Stopped before the end: what follows rests on the runs that were done.")
    for one in data["scenarios"]:
        runs = "" if one["runs"] == data["replications"] else f" ({one['runs']} runs)"
        typer.echo(f"\n{one['name']}{runs}. Order of work: {one['rule_title']}.")
        for answer in one["answers"]:
            line = f"  {answer['title']:<58} {answer['text']}"
            if answer["change"]:
                line += f"   change {answer['change']['text']}"
            typer.echo(line)
        for sentence in one["warnings"]:
            typer.echo(textwrap.fill(sentence, 110, initial_indent="  ! ", subsequent_indent="    "))
    for name in data["not_run"]:
        typer.echo(f"\n{name}: not run.")
    _not_said()
    assumed = f"{data['assumed']} of {data['parameters']} parameters are assumptions"
    typer.echo(f"\n{assumed}: `safelight plan --parameters` lists them.")


def _not_said() -> None:
    from safelight.planning.scenario import LIMITS

    typer.echo("\nWhat this does not say:")
    for sentence in LIMITS:
        typer.echo(textwrap.fill(sentence, 110, initial_indent="  - ", subsequent_indent="    "))


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
