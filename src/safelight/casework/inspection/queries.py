"""What the pages of inspection read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.utils import timezone

from safelight.casework.cases.models import Case
from safelight.casework.inspection.assessing import INSPECTOR, SELF
from safelight.casework.inspection.models import Assessment, AuditCase, AuditPlan, PopulationCase, ReferredBack
from safelight.casework.inspection.services import plan_digest, worked_out
from safelight.errors import SafelightError

PAGE = 50


@dataclass(frozen=True)
class Overlap:
    """Another plan that holds cases of the same population."""

    plan: AuditPlan
    shared: int
    same: bool


def key_in(text: str) -> int | None:
    """A page key in an address; None for anything that is no key."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None


def plans_page(user: Any, before: str = "") -> tuple[list[AuditPlan], str]:
    """Plans that ``user`` sees, newest first, and the key before which the next page begins ("" on the last)."""
    found = AuditPlan.objects.visible_to(user).select_related("made_by").order_by("-pk")
    key = key_in(before)
    if key is not None:
        found = found.filter(pk__lt=key)
    rows = list(found[: PAGE + 1])
    return rows[:PAGE], str(rows[PAGE - 1].pk) if len(rows) > PAGE else ""


def overlapping(plan: AuditPlan) -> list[Overlap]:
    """Every other plan whose population shares cases with this one's, whichever came first: both show it."""
    mine = PopulationCase.objects.filter(plan=plan).values("case")
    counts = dict(
        PopulationCase.objects.filter(case__in=mine)
        .exclude(plan=plan)
        .values_list("plan")
        .annotate(shared=Count("pk"))
        .order_by()
    )
    plans = AuditPlan.objects.filter(pk__in=counts).select_related("made_by").order_by("pk")
    return [Overlap(one, counts[one.pk], one.population_digest == plan.population_digest) for one in plans]


def check_of(plan: AuditPlan) -> str:
    """Works the draw out again from the frozen list, the plan and the seed. Empty when all is as it was drawn."""
    if plan.entry is None or not plan_digest(plan) == plan.digest == plan.entry.payload.get("digest"):
        return "The plan is not what was sealed in the ledger."
    if not plan.drawn_at:
        return ""
    try:
        again = {(Case.key_of(one.case), one.stratum, one.position, one.key) for one in worked_out(plan)}
    except SafelightError as error:
        return str(error)
    kept = set(plan.cases.values_list("case", "stratum", "position", "key"))
    return "" if again == kept else "The drawn cases are not those that the plan and its seed give."


@dataclass(frozen=True)
class CaseLine:
    """A drawn case in a list: how far each side is, and nothing of what either found."""

    audit: AuditCase
    own: str
    auditor: str
    sent_back: int
    open_back: int


SAID = {None: "Not begun", False: "Begun", True: "Done"}


def case_lines(user: Any, plan: AuditPlan, after: str = "") -> tuple[list[CaseLine], str]:
    """The drawn cases of a plan that ``user`` sees, in the order of the draw, by pages."""
    found = AuditCase.objects.visible_to(user).filter(plan=plan).select_related("case", "unit").order_by("pk")
    key = key_in(after)
    if key is not None:
        found = found.filter(pk__gt=key)
    rows = list(found[: PAGE + 1])
    shown = rows[:PAGE]
    state: dict[tuple[int, str], bool] = {
        (audit, stage): finished is not None
        for audit, stage, finished in Assessment.objects.filter(audit__in=shown).values_list(
            "audit", "stage", "finished_at"
        )
    }
    back: dict[int, list[bool]] = {}
    for audit, outcome in ReferredBack.objects.filter(audit__in=shown).values_list("audit", "outcome"):
        back.setdefault(audit, []).append(not outcome)
    lines = [
        CaseLine(
            row,
            SAID[state.get((row.pk, SELF))],
            "File missing" if row.missing_at else SAID[state.get((row.pk, INSPECTOR))],
            len(back.get(row.pk, [])),
            sum(back.get(row.pk, [])),
        )
        for row in shown
    ]
    return lines, str(shown[-1].pk) if len(rows) > PAGE else ""


def progress_of(plan: AuditPlan) -> dict[str, int]:
    """How many cases are drawn, assessed by their unit, audited, and missing."""
    cases = plan.cases.filter(reserve=False)
    done = Assessment.objects.filter(audit__in=cases.values("pk"), finished_at__isnull=False)
    return {
        "drawn": cases.count(),
        "own": done.filter(stage=SELF).count(),
        "audited": done.filter(stage=INSPECTOR).count(),
        "missing": cases.filter(missing_at__isnull=False).count(),
    }


def sent_back_page(user: Any, state: str, before: str = "") -> tuple[list[ReferredBack], str]:
    """Cases sent back that ``user`` sees: open ones by when an answer is due, or all, newest first."""
    found = ReferredBack.objects.visible_to(user).select_related("audit__case", "audit__unit", "recipient")
    if state == "open":
        rows = list(found.filter(outcome_at=None).order_by("due_at", "pk")[:200])
        return rows, ""
    key = key_in(before)
    if key is not None:
        found = found.filter(pk__lt=key)
    rows = list(found.order_by("-pk")[: PAGE + 1])
    return rows[:PAGE], str(rows[PAGE - 1].pk) if len(rows) > PAGE else ""


def is_late(row: ReferredBack) -> bool:
    """Answered after its time, or not answered and past it."""
    return (row.outcome_at or timezone.now()) > row.due_at
