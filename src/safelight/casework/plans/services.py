"""Making, running and stopping plans. Services are the only writers; the run itself is in ``tasks``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import must
from safelight.casework.base.values import required_text
from safelight.casework.ledger.services import record
from safelight.casework.plans.models import WhatIf
from safelight.planning.errors import PlanningError
from safelight.planning.scenario import Plan, plan
from safelight.planning.smallest import Goal

MOST_SCENARIOS = 6
WARMUP_DAYS = 365.0
SEARCH_WARMUP_DAYS = 180.0


def as_plan(row: WhatIf) -> Plan:
    """The plan as the engine takes it.

    Raises:
        PlanningError: a name or number that the engine of today does not accept.
    """
    warmup = SEARCH_WARMUP_DAYS if row.goal else WARMUP_DAYS
    numbers = {"years": row.years, "warmup_days": warmup, "replications": row.replications, "seed": row.seed}
    made = plan(row.title, row.base, list(row.scenarios), row.rule, numbers)
    for scenario in made.scenarios:
        scenario.network(made.years, made.warmup_days)
    return made


def as_goal(row: WhatIf) -> tuple[Goal, tuple[str, ...]]:
    """The goal of a search, and the posts that it may vary."""
    return Goal(row.goal["clock"], row.goal["risk"], row.goal["share"]), tuple(row.goal.get("levers", ()))


@transaction.atomic
def make_plan(
    actor: Any,
    *,
    title: str,
    scenario: Mapping[str, Any],
    rule: str,
    years: float,
    replications: int,
    base: Mapping[str, Any] | None = None,
    base_source: str = "",
    more: Sequence[Mapping[str, Any]] = (),
) -> WhatIf:
    """A comparison of the force as it is with one scenario or several; it is run at once.

    Args:
        scenario: name, changes, rule. more: further ones.
        base: changes that make the shipped force this one; base_source says where they come from.

    Raises:
        NotAllowed; Invalid: a parameter, value or name that cannot be used.
    """
    must(actor, "plans.make", what="make a plan")
    row = WhatIf(
        title=required_text(title, field="title", what="The title")[:120],
        base=dict(base or {}),
        base_source=base_source[:200],
        scenarios=[_entry(one) for one in (scenario, *more)],
        rule=rule,
        years=years,
        replications=replications,
        made_by=actor,
        made_at=timezone.now(),
    )
    return _keep(actor, row, "whatif.made")


@transaction.atomic
def add_scenario(actor: Any, whatif: WhatIf, scenario: Mapping[str, Any]) -> WhatIf:
    """Another scenario beside the others; the plan is run again.

    Raises:
        NotAllowed; NotPossible: it is running, or has as many as can be read; Invalid: as :func:`make_plan`.
    """
    must(actor, "plans.make", what="change a plan")
    row = _lock(whatif)
    if row.goal:
        raise NotPossible("A search has no scenarios.", fix="Make a new plan to compare.")
    if len(row.scenarios) >= MOST_SCENARIOS:
        raise NotPossible(f"{MOST_SCENARIOS} scenarios are as many as can be compared.", fix="Make a new plan.")
    row.scenarios = [*row.scenarios, _entry(scenario)]
    return _again(actor, row, "whatif.scenario_added")


@transaction.atomic
def search_smallest(
    actor: Any,
    *,
    clock: str,
    risk: str,
    share: float,
    levers: Sequence[str] = (),
    rule: str = "growing",
    years: float = 1.0,
    replications: int = 12,
    base: Mapping[str, Any] | None = None,
    base_source: str = "",
) -> WhatIf:
    """Search the smallest staffing that keeps a share of clocks; it is run at once.

    Raises:
        NotAllowed; Invalid: a clock, risk, share or post that cannot be used.
    """
    must(actor, "plans.make", what="make a plan")
    goal = Goal(clock, risk, share)
    try:
        goal.check()
    except PlanningError as error:
        raise Invalid(error.reason, fix=error.fix, field=error.field) from error
    row = WhatIf(
        title=f"Smallest staffing: {goal.text}"[:120],
        base=dict(base or {}),
        base_source=base_source[:200],
        goal={"clock": clock, "risk": risk, "share": share, "levers": list(levers)},
        rule=rule,
        years=years,
        replications=replications,
        made_by=actor,
        made_at=timezone.now(),
    )
    return _keep(actor, row, "whatif.made")


@transaction.atomic
def run_again(actor: Any, whatif: WhatIf) -> WhatIf:
    """Run a plan that ended, or whose worker died.

    Raises:
        NotAllowed; NotPossible: it is waiting or running.
    """
    must(actor, "plans.make", what="run a plan")
    return _again(actor, _lock(whatif), "whatif.run_again")


@transaction.atomic
def stop(actor: Any, whatif: WhatIf) -> WhatIf:
    """Stop a plan at its next step; what is done is kept.

    Raises:
        NotAllowed; NotPossible: it does not run.
    """
    must(actor, "plans.make", what="stop a plan")
    row = WhatIf.objects.select_for_update().get(pk=whatif.pk)
    if not row.open:
        raise NotPossible(f"{row.reference} does not run.")
    row.stop_asked = True
    if row.state == WhatIf.State.QUEUED or row.silent:
        row.state, row.ended_at, row.lease = WhatIf.State.STOPPED, timezone.now(), ""
    row.save(update_fields=["stop_asked", "state", "ended_at", "lease"])
    record(actor, "whatif.stop_asked", row)
    return row


def _lock(whatif: WhatIf) -> WhatIf:
    row = WhatIf.objects.select_for_update().get(pk=whatif.pk)
    if row.open and not row.silent:
        raise NotPossible(f"{row.reference} is running.", fix="Wait until it is done, or stop it.")
    return row


def _again(actor: Any, row: WhatIf, verb: str) -> WhatIf:
    row.state, row.ended_at, row.lease, row.heartbeat_at = WhatIf.State.QUEUED, None, "", None
    row.stop_asked, row.done, row.now, row.failure = False, 0, "", ""
    return _keep(actor, row, verb)


def _keep(actor: Any, row: WhatIf, verb: str) -> WhatIf:
    """Check with the engine, write, and hand to the queue once committed."""
    from safelight.casework.plans.tasks import whatif_job

    try:
        as_plan(row)
    except PlanningError as error:
        raise Invalid(str(error), field=error.field) from error
    row.save()
    record(actor, verb, row, payload={"scenarios": len(row.scenarios), "search": bool(row.goal)})
    transaction.on_commit(lambda: whatif_job.enqueue(row.pk))
    return row


def _entry(scenario: Mapping[str, Any]) -> dict[str, Any]:
    name = required_text(str(scenario.get("name", "")), field="name", what="The name of the scenario")[:80]
    return {"name": name, "changes": dict(scenario.get("changes", {})), "rule": scenario["rule"]}
