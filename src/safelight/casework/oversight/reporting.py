"""The quarterly public report: its tables, attacked with all earlier ones before they may be published.

Counts come out of the extract by the queries of :data:`TABLES`, which stand in the report; the extract's digest stands
in the ledger. The same extract, quarter, policy and earlier reports give the same tables and the same digest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import must
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.casework.oversight.computing import LONDON
from safelight.casework.oversight.models import Extract, PublicReport
from safelight.casework.oversight.safe import policy_in_force
from safelight.casework.oversight.store import opened
from safelight.casework.oversight.telling import told
from safelight.casework.workforce.models import Unit
from safelight.measures.disclosure import CountTable, Dimension, Policy, Release, ReleasedTable, make_release, policy
from safelight.measures.disclosure.release import Audit
from safelight.measures.errors import MeasuresError

QUARTER = re.compile(r"(20\d\d)Q([1-4])")
NO_UNIT = "no unit yet"
MOST_HIDDEN = 0.15
"""The share of cells that may be hidden before a table is published in less detail."""


@dataclass(frozen=True)
class Asked:
    """One table of the report: whom it counts, and the query for (unit, level, number)."""

    name: str
    population: str
    title: str
    split: str
    levels: tuple[str, ...]
    sql: str


RISKS = ("very high", "high", "medium", "low", "not assessed")
TABLES = (
    Asked("children", "children at risk", "Children at risk found in the quarter, and when social care was told",
          "told",
          ("in time", "late", "not yet, still in time", "not yet, late", "no clock"),
          "SELECT k.unit, CASE WHEN c.triggered_at IS NULL THEN 'no clock' "
          "WHEN c.stopped_at <= c.due_at THEN 'in time' "
          "WHEN c.stopped_at IS NOT NULL THEN 'late' WHEN c.due_at >= $seen THEN 'not yet, still in time' "
          "ELSE 'not yet, late' END, count(*) FROM children k LEFT JOIN (SELECT DISTINCT ON (child) * FROM clocks "
          "WHERE rule = 'police_referral_to_csc' ORDER BY child, triggered_at) c ON c.child = k.child "
          "WHERE k.identified_at >= $since AND k.identified_at < $until GROUP BY ALL"),
    Asked("cases", "cases opened", "Cases opened in the quarter, by the risk that they have now", "risk", RISKS,
          "SELECT unit, CASE WHEN risk = '' OR risk IS NULL THEN 'not assessed' ELSE replace(risk, '_', ' ') END, "
          "count(*) FROM cases WHERE opened_at >= $since AND opened_at < $until GROUP BY ALL"),
    Asked("outcomes", "cases closed", "Cases closed in the quarter, by outcome and skill of the last investigator",
          "outcome",
          ("charged, specialist", "charged, other", "another outcome, specialist", "another outcome, other"),
          "SELECT c.unit, concat(CASE WHEN c.outcome = 'charged' THEN 'charged' ELSE 'another outcome' END, ', ', "
          "CASE WHEN a.specialist THEN 'specialist' ELSE 'other' END), count(*) FROM cases c LEFT JOIN "
          "(SELECT case_key, arg_max(specialist, started_at) AS specialist FROM allocations GROUP BY case_key) a "
          "USING (case_key) WHERE c.closed_at >= $since AND c.closed_at < $until GROUP BY ALL"),
    Asked("devices", "devices seized", "Devices seized in the quarter, and what became of them", "triage",
          ("triaged", "waiting", "not to be triaged"),
          "SELECT d.unit, CASE WHEN d.decision = 'not_triaged' THEN 'not to be triaged' "
          "WHEN EXISTS (SELECT 1 FROM runs r WHERE r.device = d.device "
          "AND r.state IN ('finished', 'unread_parts')) THEN 'triaged' ELSE 'waiting' END, "
          "count(*) FROM devices d WHERE d.seized_at >= $since AND d.seized_at < $until GROUP BY ALL"),
)  # fmt: skip


def bounds(quarter: str) -> tuple[datetime, datetime]:
    """The first moment of a quarter such as ``2026Q3`` and the first after it, London time. Raises Invalid."""
    match = QUARTER.fullmatch(quarter)
    if match is None:
        raise Invalid(f"{quarter!r} is not a quarter.", fix="Write it as 2026Q3.", field="quarter")
    year, number = int(match[1]), int(match[2])
    after = (year + 1, 1) if number == 4 else (year, 3 * number + 1)
    return datetime(year, 3 * number - 2, 1, tzinfo=LONDON), datetime(*after, 1, tzinfo=LONDON)


def last_quarter(now: datetime | None = None) -> str:
    """The latest quarter that is over."""
    local = timezone.localtime(now, LONDON)
    number = local.year * 4 + (local.month - 1) // 3 - 1
    return f"{number // 4}Q{number % 4 + 1}"


def draft(actor: Any, quarter: str, *, policy_id: str = "", extract: Extract | None = None) -> PublicReport:
    """Make the report of a quarter, safe to publish together with all published before it.

    Args:
        actor: who asked for it; None for the command of an administrator of the machine.
        quarter: ``2026Q3``; it must be over.
        policy_id: of the disclosure policy; "" for the one in force.
        extract: which one; None for the newest.

    A refusal for want of safety is in the ledger.

    Raises:
        NotAllowed; Invalid (no quarter, not over, no such policy); NotPossible (no extract, published already, or no
        way was found to make it safe: then nothing may be published, and the refusal is in the ledger).
    """
    if actor is not None:
        must(actor, "oversight.report", what="draft a public report")
    since, until = bounds(quarter)
    if until > timezone.now():
        raise Invalid(f"{quarter} is not over yet.", fix=f"Wait until {until:%d %B %Y}.", field="quarter")
    if PublicReport.objects.filter(quarter=quarter, state=PublicReport.State.PUBLISHED).exists():
        raise NotPossible(f"The report of {quarter} is published; a published report is not replaced.")
    source = extract or Extract.objects.first()
    if source is None:
        raise NotPossible("There is no extract yet.", fix="Have the figures worked out first.")
    try:
        rule = policy(policy_id) if policy_id else policy_in_force()
    except MeasuresError as error:
        raise Invalid(str(error), fix="", field="policy") from None
    tables = [_counted(one, source, quarter, since, until) for one in TABLES]
    try:
        release = make_release(quarter, tables, rule, earlier=published(), most_hidden=MOST_HIDDEN)
    except MeasuresError as error:
        with transaction.atomic():
            payload = {"quarter": quarter, "policy": rule.id, "extract": source.digest}
            record(actor, "report.refused", source, category=Category.SYSTEM, payload=payload)
        raise NotPossible(f"The report of {quarter} cannot be made safe. {error}") from None
    with transaction.atomic():
        return _keep(actor, quarter, rule, source, release, told(source, quarter, since, until))


def _keep(
    actor: Any, quarter: str, rule: Policy, source: Extract, release: Release, content: dict[str, Any]
) -> PublicReport:
    PublicReport.objects.filter(quarter=quarter, state=PublicReport.State.DRAFT).delete()
    made = PublicReport.objects.create(
        quarter=quarter, policy=rule.id, extract=source, content=content,
        tables=[_kept(one) for one in release.tables],
        proof={"targets": release.audit.targets, "programmes": release.audit.programmes, "disclosed": 0,
               "hidden_share": release.hidden_share, "earlier": [one.name for one in published()],
               "coarser": list(release.coarser)},
        digest=release.digest(), made_by=actor, made_at=timezone.now(),
    )  # fmt: skip
    payload = {"quarter": quarter, "policy": rule.id, "extract": source.digest, "digest": made.digest, **made.proof}
    payload["hidden_share"] = f"{release.hidden_share:.4f}"
    record(actor, "report.drafted", made, category=Category.ALTERATION if actor else Category.SYSTEM, payload=payload)
    return made


@transaction.atomic
def publish(actor: Any, report: PublicReport) -> PublicReport:
    """Publish a draft: it is attacked once more, together with what was published since it was drafted.

    Raises:
        NotAllowed; NotPossible (published already, or the attack finds a small count).
    """
    from safelight.casework.oversight.files import write_files

    if actor is not None:
        must(actor, "oversight.report", what="publish a public report")
    row = PublicReport.objects.select_for_update().get(pk=report.pk)
    if row.state != PublicReport.State.DRAFT:
        raise NotPossible(f"{row.reference} is published already.")
    from safelight.measures.disclosure import audit

    mine = [_released(one) for one in row.tables]
    found = audit(mine, published())
    if not found.safe:
        target, known = found.disclosed[0]
        raise NotPossible(
            f"{row.reference} may not be published: '{target.what}' could be worked out to {known.low} to "
            f"{known.high}, with what was published since.", fix="Draft it anew.",
        )  # fmt: skip
    row.state, row.published_at, row.published_by = PublicReport.State.PUBLISHED, timezone.now(), actor
    row.save(update_fields=["state", "published_at", "published_by"])
    write_files(row)
    payload = {"quarter": row.quarter, "digest": row.digest, "targets": found.targets, "programmes": found.programmes}
    record(actor, "report.published", row, category=Category.DISCLOSURE, recipient="the public", payload=payload)
    return row


def published() -> list[Release]:
    """Everything published so far, for the attack, oldest first."""
    rows = PublicReport.objects.filter(state=PublicReport.State.PUBLISHED).order_by("published_at")
    return [Release(row.quarter, tuple(_released(one) for one in row.tables), Audit(0, (), 0)) for row in rows]


def title_of(name: str) -> str:
    """The title of a table of the report."""
    return next((one.title for one in TABLES if one.name == name), name)


def _counted(one: Asked, extract: Extract, quarter: str, since: datetime, until: datetime) -> CountTable:
    units = (*Unit.objects.order_by("code").values_list("code", flat=True), NO_UNIT)
    counts = np.zeros((len(units), len(one.levels)), dtype=np.int64)
    parameters: dict[str, Any] = {"since": since, "until": until}
    if "$seen" in one.sql:
        parameters["seen"] = extract.made_at
    with opened(extract.path) as base:
        for unit, level, number in base.execute(one.sql, parameters).fetchall():
            place = units.index(unit) if unit in units else len(units) - 1
            counts[place, one.levels.index(level)] += number
    dimensions = (Dimension("unit", units), Dimension(one.split, one.levels))
    return CountTable(one.name, one.population, dimensions, counts, {"quarter": quarter})


def _kept(one: ReleasedTable) -> dict[str, Any]:
    return {
        "name": one.table.name, "population": one.table.population, "scope": dict(one.table.scope),
        "dimensions": [[d.name, list(d.levels), d.exhaustive] for d in one.table.dimensions],
        "counts": one.table.counts.tolist(), "hidden": sorted([list(key) for key in one.hidden], key=str),
        "mixed": one.mixed, "policy": one.policy.id,
        "shown": [[list(key), shown.text] for key, shown in one.shown.items()],
    }  # fmt: skip


def _released(data: dict[str, Any]) -> ReleasedTable:
    dimensions = tuple(Dimension(name, tuple(levels), exhaustive) for name, levels, exhaustive in data["dimensions"])
    table = CountTable(data["name"], data["population"], dimensions, np.asarray(data["counts"]), data["scope"])
    return ReleasedTable(table, policy(data["policy"]), {tuple(key) for key in data["hidden"]}, data["mixed"])
