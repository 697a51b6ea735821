"""Making, sealing, drawing and closing an audit plan. Assessments are in :mod:`.assessing`, what follows in
:mod:`.following`. These three are the only writers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.accounts.models import User
from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import must
from safelight.casework.base.standards import standards
from safelight.casework.base.values import required_text
from safelight.casework.cases.models import Case
from safelight.casework.inspection.models import Assessment, AuditCase, AuditPlan, PopulationCase
from safelight.casework.inspection.population import Query, list_digest, listed, reference_of
from safelight.casework.ledger.models import Category, LedgerSeal
from safelight.casework.ledger.services import record, seal
from safelight.casework.notices.services import tell
from safelight.measures import MeasuresError, Stratum, allocate, sample_size
from safelight.measures.sampling import Drawn, draw

LEAST_OF_EACH = 2  # with fewer, no interval can be computed for the stratum
MOST_STRATA = 200
CHUNK = 2_000


@transaction.atomic
def make_plan(
    actor: Any,
    *,
    title: str,
    criteria: str,
    query: Query,
    strata_by: Sequence[str] = ("unit",),
    margin: float = 0.1,
    size: int | None = None,
    minimum: int = LEAST_OF_EACH,
    reserve: int = 2,
    seed: str,
    self_days: int = 14,
) -> AuditPlan:
    """Freeze the population and write down how it will be drawn, before anybody looks at a case.

    Args:
        query: which cases make the population. strata_by: keys of ``population.DIMENSIONS``.
        margin: half width wanted for the whole population, as a share; ``size`` overrides what follows from it. Either
            is raised where the minimum of each stratum needs more.
        minimum: at least so many of each stratum. reserve: so many more of each, to stand in for lost files.
        seed: words that are sealed with the plan; the root of the seal is added to them for the draw.
        self_days: days from now until which the units assess their own cases.

    Raises:
        NotAllowed; Invalid: nothing to draw from, a number or code that cannot be used.
    """
    must(actor, "inspection.plan", what="plan an audit")
    chosen = standards().criteria.get(criteria)
    if chosen is None:
        raise Invalid("There is no such criteria set.", fix="Choose from the list.", field="criteria")
    if not 1 <= self_days <= 90:
        raise Invalid("The units get 1 to 90 days.", fix="Give another number.", field="self_days")
    if not 0 <= reserve <= 20:
        raise Invalid("0 to 20 cases of each stratum can be in reserve.", field="reserve")
    rows = list(listed(query, strata_by))
    sizes: dict[str, int] = {}
    for _, stratum in rows:
        sizes[stratum] = sizes.get(stratum, 0) + 1
    if not rows:
        raise Invalid("No case fits: the population is empty.", fix="Widen the filter.", field="opened_from")
    if len(sizes) > MOST_STRATA:
        raise Invalid(f"That makes {len(sizes)} strata.", fix="Divide by fewer things.", field="strata_by")
    strata = _allocated(sizes, len(rows), margin, size, minimum)
    now = timezone.now()
    plan = AuditPlan(
        title=required_text(title, field="title", what="The title")[:120],
        criteria=chosen.id,
        criteria_version=chosen.version,
        scale=chosen.scale,
        query=query.as_json(),
        strata_by=list(strata_by),
        strata=[{"name": one.name, "population": one.population, "sampled": one.sampled} for one in strata],
        population=len(rows),
        population_digest=list_digest(rows),
        margin=margin,
        minimum=minimum,
        reserve=reserve,
        size=sum(one.sampled for one in strata),
        seed=required_text(seed, field="seed", what="The seed")[:120],
        self_due_at=now + timedelta(days=self_days),
        made_by=actor,
        made_at=now,
    )
    plan.digest = plan_digest(plan)
    plan.save()
    for chunk in batched_rows(rows):
        PopulationCase.objects.bulk_create(PopulationCase(plan=plan, case_id=k, stratum=s) for k, s in chunk)
    plan.entry = record(
        actor,
        "audit_plan.made",
        plan,
        payload={"digest": plan.digest, "list": plan.population_digest, "population": plan.population,
                 "size": plan.size, "seed": plan.seed},
    )  # fmt: skip
    plan.save(update_fields=["entry"])
    return plan


def batched_rows(rows: Sequence[Any]) -> Iterable[Sequence[Any]]:
    """Pieces small enough for one statement."""
    return (rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK))


def _allocated(
    sizes: Mapping[str, int], population: int, margin: float, size: int | None, minimum: int
) -> tuple[Stratum, ...]:
    try:
        wanted = sample_size(population, margin) if size is None else size
        least = sum(min(minimum, one) for one in sizes.values())
        return allocate(dict(sorted(sizes.items())), min(population, max(wanted, least)), minimum=minimum)
    except MeasuresError as error:
        raise Invalid(str(error), field="margin" if size is None else "size") from error


def plan_digest(plan: AuditPlan) -> str:
    """The SHA-256 of everything that decides the draw; it stands in the ledger before the draw."""
    said = {
        "query": plan.query, "strata_by": plan.strata_by, "strata": plan.strata, "list": plan.population_digest,
        "population": plan.population, "minimum": plan.minimum, "reserve": plan.reserve, "seed": plan.seed,
        "criteria": plan.criteria, "criteria_version": plan.criteria_version, "scale": plan.scale,
    }  # fmt: skip
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def seal_of(plan: AuditPlan) -> LedgerSeal | None:
    """The first seal of the ledger that covers the plan; None while there is none."""
    leaf = getattr(plan.entry, "leaf", None) if plan.entry_id else None
    if leaf is None:
        return None
    return LedgerSeal.objects.filter(tree_size__gt=leaf.index).order_by("tree_size").first()


def seal_now(actor: Any, plan: AuditPlan) -> LedgerSeal:
    """Seal the ledger so far, the plan with it. (The tick does it too, every few seconds.)

    Raises:
        NotAllowed; NotPossible: another process is sealing just now.
    """
    must(actor, "inspection.plan", what="seal an audit plan")
    if plan.entry is None:
        raise NotPossible(f"{plan.reference} has no entry in the ledger.", fix="Tell the administrator.")
    while seal_of(plan) is None:
        if seal() is None:
            raise NotPossible("The ledger is being sealed just now.", fix="Try again in some seconds.")
        plan.entry.refresh_from_db()
    found = seal_of(plan)
    assert found is not None
    return found


@transaction.atomic
def draw_cases(actor: Any, plan: AuditPlan) -> AuditPlan:
    """Draw the cases, once. Everything that decides the draw was sealed before; this only works it out.

    Raises:
        NotAllowed; NotPossible: drawn already, not sealed yet, or the plan or its list are not what was sealed.
    """
    must(actor, "inspection.plan", what="draw an audit")
    row = AuditPlan.objects.select_for_update(of=("self",)).select_related("entry").get(pk=plan.pk)
    if row.drawn_at:
        raise NotPossible(
            f"{row.reference} was drawn on {timezone.localtime(row.drawn_at):%d %B %Y}, and a plan is drawn once.",
            fix="A new plan over the same cases will show on both.",
        )
    root = seal_of(row)
    if root is None:
        raise NotPossible("The plan is not sealed yet.", fix="Seal it, then draw.")
    if row.entry is None or not plan_digest(row) == row.digest == row.entry.payload.get("digest"):
        raise NotPossible(f"{row.reference} is not what was sealed.", fix="Tell the administrator: it was changed.")
    row.draw_seed = f"{row.seed}/{root.root}"
    cases = {reference_of(key): key for key in row.listed.values_list("case", flat=True)}
    units = dict(Case.objects.filter(pk__in=row.listed.values("case")).values_list("pk", "unit"))
    drawn = worked_out(row)
    for chunk in batched_rows(drawn):
        AuditCase.objects.bulk_create(
            AuditCase(
                plan=row,
                case_id=cases[one.case],
                unit_id=units[cases[one.case]],
                stratum=one.stratum,
                weight=one.weight,
                position=one.position,
                key=one.key,
                reserve=one.reserve,
            )
            for one in chunk
        )
    row.drawn_by, row.drawn_at = actor, timezone.now()
    row.save(update_fields=["draw_seed", "drawn_by", "drawn_at"])
    record(
        actor,
        "audit_plan.drawn",
        row,
        payload={"digest": row.digest, "seed": row.draw_seed, "drawn": [one.case for one in drawn if not one.reserve]},
    )
    asked = {units[cases[one.case]] for one in drawn if not one.reserve}
    tell(User.objects.filter(is_active=True, role="supervisor", unit__in=asked), "audit.drawn", row)
    return row


def worked_out(plan: AuditPlan) -> tuple[Drawn, ...]:
    """The draw as it follows from the frozen list, the sealed plan and the seed.

    Raises:
        NotPossible: the list is not the one that was sealed.
    """
    rows = list(plan.listed.order_by("case").values_list("case", "stratum"))
    if list_digest(rows) != plan.population_digest:
        raise NotPossible(
            f"The list of {plan.reference} is not the one that was sealed.", fix="Tell the administrator."
        )
    strata = [Stratum(one["name"], one["population"], one["sampled"]) for one in plan.strata]
    return draw([(reference_of(k), s) for k, s in rows], strata, plan.draw_seed, reserve=plan.reserve)


@transaction.atomic
def close_plan(actor: Any, plan: AuditPlan) -> AuditPlan:
    """End an audit whose cases are all audited: nothing is added after that, and its cases close to auditors.

    Raises:
        NotAllowed; NotPossible: not drawn, closed already, or cases are left.
    """
    must(actor, "inspection.plan", what="close an audit")
    row = AuditPlan.objects.select_for_update(of=("self",)).get(pk=plan.pk)
    if not row.drawn_at or row.closed_at:
        raise NotPossible(f"{row.reference} is not running.")
    left = waiting(row)
    if left:
        raise NotPossible(
            f"{left} of the drawn cases have not been audited.", fix="Audit them, or record that a file cannot be had."
        )
    row.closed_by, row.closed_at = actor, timezone.now()
    row.save(update_fields=["closed_by", "closed_at"])
    record(actor, "audit_plan.closed", row, payload={"cases": row.cases.filter(reserve=False).count()})
    return row


def waiting(plan: AuditPlan) -> int:
    """Drawn cases that nobody has audited and whose file is not missing."""
    done = Assessment.objects.filter(stage="inspector", finished_at__isnull=False, audit__plan=plan)
    left = plan.cases.filter(reserve=False, missing_at=None)
    return left.exclude(pk__in=done.values("audit")).count()


@transaction.atomic
def take_list(actor: Any, plan: AuditPlan) -> str:
    """The frozen list as text, a line for each case, for whoever repeats the draw by hand. Recorded as a disclosure."""
    must(actor, "inspection.plan", what="take the list of an audit")
    rows = plan.listed.order_by("case").values_list("case", "stratum")
    text = "".join(f"{reference_of(key)}\t{stratum}\n" for key, stratum in rows)
    record(
        actor,
        "audit_plan.list_taken",
        plan,
        category=Category.DISCLOSURE,
        recipient=str(actor),
        payload={"list": plan.population_digest, "cases": plan.population},
    )
    return text
