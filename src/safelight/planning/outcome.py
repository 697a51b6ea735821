"""A plan that is run: every scenario with its answers, as data that a page, a file or a program can read."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from safelight.cells import safe_cell
from safelight.planning.estimate import Estimate
from safelight.planning.result import Tally
from safelight.planning.rules import RULES
from safelight.planning.run import Progress, simulate
from safelight.planning.scenario import LIMITS, Answer, Plan, Scenario, answers, change, waiting_over_time, warnings

COLUMNS = (
    "scenario",
    "rule",
    "question",
    "mean",
    "low",
    "high",
    "words",
    "change",
    "change_low",
    "change_high",
    "runs",
)


@dataclass(frozen=True)
class Found:
    """One scenario that was run, or ran in part."""

    scenario: Scenario
    tally: Tally
    answers: tuple[Answer, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """A plan and what was found; with ``stopped`` some scenarios have fewer runs or are missing."""

    plan: Plan
    found: tuple[Found, ...]
    stopped: bool


def run_plan(
    plan: Plan,
    *,
    processes: int = 2,
    cluster: str = "",
    on_progress: Callable[[Scenario, Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Outcome:
    """Run the scenarios one after the other. What is done when ``stop`` says so is kept.

    Raises:
        PlanningError: a scenario cannot be run; nothing is run then.
    """
    networks = [scenario.network(plan.years, plan.warmup_days) for scenario in plan.scenarios]
    found: list[Found] = []
    stopped = False
    for scenario, network in zip(plan.scenarios, networks, strict=True):
        if stop is not None and stop():
            stopped = True
            break

        def seen(progress: Progress, scenario: Scenario = scenario) -> None:
            if on_progress is not None:
                on_progress(scenario, progress)

        result = simulate(
            network,
            replications=plan.replications,
            seed=plan.seed,
            processes=processes,
            cluster=cluster,
            on_progress=seen,
            stop=stop,
        )
        stopped = stopped or result.stopped
        tally = result.tally
        found.append(Found(scenario, tally, tuple(answers(tally, scenario.parameters)), tuple(warnings(tally))))
    return Outcome(plan, tuple(found), stopped)


def as_data(outcome: Outcome) -> dict[str, Any]:
    """Everything a reader sees, as JSON can hold it. Shares are in per cent and costs in thousand pounds, as shown."""
    plan = outcome.plan
    rows = plan.scenarios[0].parameters.rows
    base = outcome.found[0].answers if outcome.found else ()
    return {
        "title": plan.title,
        "years": plan.years,
        "warmup_days": plan.warmup_days,
        "replications": plan.replications,
        "seed": plan.seed,
        "stopped": outcome.stopped,
        "scenarios": [
            {
                "name": one.scenario.name,
                "rule": one.scenario.rule,
                "rule_title": RULES[one.scenario.rule].title,
                "changes": {name: _plain(value) for name, value in one.scenario.changes.items()},
                "runs": len(one.tally.runs),
                "warnings": list(one.warnings),
                "answers": [
                    _answer(answer, before if number else None)
                    for answer, before in zip(one.answers, base, strict=True)
                ],
                "series": waiting_over_time(one.tally),
            }
            for number, one in enumerate(outcome.found)
        ],
        "not_run": [scenario.name for scenario in plan.scenarios[len(outcome.found) :]],
        "does_not_say": list(LIMITS),
        "assumed": sum(row.assumed for row in rows.values()),
        "parameters": len(rows),
    }


def as_csv(data: dict[str, Any]) -> str:
    """The answers of `as_data` as a table: one row for each scenario and question."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in data["scenarios"]:
        for answer in one["answers"]:
            differs = answer["change"] or {}
            writer.writerow(
                [
                    safe_cell(one["name"]), one["rule"], answer["title"], answer["mean"], answer["low"], answer["high"],
                    answer["words"], differs.get("mean"), differs.get("low"), differs.get("high"), one["runs"],
                ]
            )  # fmt: skip
    return text.getvalue()


def _answer(answer: Answer, before: Answer | None) -> dict[str, Any]:
    differs = change(answer, before) if before is not None else None
    signed = "+" + answer.form
    return {
        "title": answer.title,
        "text": answer.text,
        "words": answer.found.words,
        **_numbers(answer.found, answer.scale),
        "change": None
        if differs is None
        else {"text": differs.text(signed, answer.scale), **_numbers(differs, answer.scale)},
    }


def _numbers(found: Estimate, scale: float) -> dict[str, float | None]:
    def number(value: float | None) -> float | None:
        return None if value is None or not math.isfinite(value) else value * scale

    return {"mean": number(found.mean), "low": number(found.low), "high": number(found.high)}


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if isinstance(value, int | float | str) else str(value)
