"""The planning job: runs a plan in the background with progress, stops when asked, keeps what is done."""

from __future__ import annotations

import logging
import secrets
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import OperationalError, transaction
from django.utils import timezone
from django_tasks import task

from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.casework.plans.charts import charts_of
from safelight.casework.plans.models import WhatIf
from safelight.casework.plans.services import as_goal, as_plan
from safelight.planning.errors import PlanningError

log = logging.getLogger(__name__)
WRITE_EVERY = 1.0  # seconds between two writes of progress


@task()
def whatif_job(pk: int) -> str:
    """The queued form of :func:`run_whatif`."""
    return run_whatif(pk)


@dataclass
class Heartbeat:
    """Writes how far a plan is, at most once a second, and learns whether it should stop."""

    pk: int
    lease: str
    stop: bool = False
    done: int = 0
    now: str = ""
    _last: float = field(default=float("-inf"))

    def should_stop(self) -> bool:
        if time.monotonic() - self._last >= WRITE_EVERY:
            self._last = time.monotonic()
            mine = WhatIf.objects.filter(pk=self.pk, lease=self.lease, state=WhatIf.State.RUNNING)
            try:
                kept = mine.update(heartbeat_at=timezone.now(), done=self.done, now=self.now[:200])
                self.stop = self.stop or not kept or mine.filter(stop_asked=True).exists()
            except OperationalError:
                # A busy database costs a line of progress, not the run.
                log.warning("Progress of plan %s could not be written.", self.pk)
        return self.stop


def run_whatif(pk: int) -> str:
    """Run one plan to its end. Returns what became of it, in a word, for the job's own record."""
    lease = secrets.token_hex(16)
    claimed = WhatIf.objects.filter(pk=pk, state=WhatIf.State.QUEUED).update(
        state=WhatIf.State.RUNNING, lease=lease, heartbeat_at=timezone.now(), stop_asked=False
    )
    if not claimed:
        return "nothing to do"
    row = WhatIf.objects.get(pk=pk)
    heart = Heartbeat(pk, lease)
    try:
        result = _search(row, heart) if row.goal else _compare(row, heart)
        state = WhatIf.State.STOPPED if heart.stop else WhatIf.State.DONE
        return _end(row, lease, state, result)
    except PlanningError as error:
        if heart.stop:
            return _end(row, lease, WhatIf.State.STOPPED, {})
        return _end(row, lease, WhatIf.State.FAILED, {}, str(error))
    finally:
        # A fault of ours goes on to the worker, which keeps its trace; the page must not go on saying 'running'.
        if isinstance(sys.exception(), Exception):
            fault = "Safelight met a fault of its own; the worker's log has the details."
            _end(row, lease, WhatIf.State.FAILED, {}, fault)


def _compare(row: WhatIf, heart: Heartbeat) -> dict[str, Any]:
    from safelight.planning.outcome import as_data, run_plan

    plan = as_plan(row)
    before = {scenario.name: number * plan.replications for number, scenario in enumerate(plan.scenarios)}

    def seen(scenario: Any, progress: Any) -> None:
        heart.done = before[scenario.name] + progress.done
        if progress.done >= 2:
            found = progress.tally.breached("investigator", "case.very_high").text(".1f", 100.0)
            heart.now = f"{scenario.name}: very high risk without an investigator in time so far {found} %"

    outcome = run_plan(
        plan,
        processes=settings.PLANNING_PROCESSES,
        cluster=settings.PLANNING_CLUSTER,
        on_progress=seen,
        stop=heart.should_stop,
    )
    data = as_data(outcome)
    return {**data, "charts": charts_of(data)}


def _search(row: WhatIf, heart: Heartbeat) -> dict[str, Any]:
    from safelight.planning.smallest import Trial, smallest

    plan = as_plan(row)
    parameters = plan.scenarios[0].parameters
    goal, levers = as_goal(row)

    def seen(trial: Trial) -> None:
        heart.done += 1
        heart.now = f"{_posts(trial)}: {_breached(trial)}"

    found = smallest(
        parameters,
        goal,
        levers,
        years=plan.years,
        warmup_days=plan.warmup_days,
        rule=row.rule,
        replications=plan.replications,
        seed=plan.seed,
        processes=settings.PLANNING_PROCESSES,
        cluster=settings.PLANNING_CLUSTER,
        on_trial=seen,
        stop=heart.should_stop,
    )
    from safelight.planning.scenario import LIMITS

    return {
        "goal": goal.text,
        "posts": [[lever, parameters.number(lever), number] for lever, number in found.posts.items()],
        "breached": _breached(found.found),
        "fewer": [[_posts(trial), _breached(trial)] for trial in found.fewer.values()],
        "cost": found.cost,
        "cost_before": found.before,
        "trials": [[_posts(trial), _breached(trial), trial.keeps] for trial in found.trials],
        "does_not_say": list(LIMITS),
    }


def _posts(trial: Any) -> str:
    return ", ".join(
        f"{number} in {lever.removeprefix('staff.').replace('_', ' ')}" for lever, number in trial.posts.items()
    )


def _breached(trial: Any) -> str:
    return trial.breached.words or f"{trial.breached.text('.1f', 100.0)} % breached"


@transaction.atomic
def _end(row: WhatIf, lease: str, state: str, result: dict[str, Any], failure: str = "") -> str:
    mine = WhatIf.objects.select_for_update().filter(pk=row.pk, lease=lease, state=WhatIf.State.RUNNING).first()
    if mine is None:
        return "stopped meanwhile"
    mine.state, mine.ended_at, mine.lease = state, timezone.now(), ""
    mine.failure = failure
    if result or state == WhatIf.State.FAILED:
        mine.result = result
    mine.save(update_fields=["state", "ended_at", "lease", "failure", "result"])
    record(None, "whatif.ended", mine, category=Category.SYSTEM, payload={"state": state})
    return state
