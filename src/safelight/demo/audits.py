"""An audit of the demo force: a plan sealed before anybody looked, units that are kind to themselves, an auditor who is
not; a second audit that runs; and a report with recommendations. Every grade and every word is invented."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from safelight.casework.clocks.models import Clock
from safelight.casework.inspection.assessing import criteria_of, link_evidence, write
from safelight.casework.inspection.evidence import records_of
from safelight.casework.inspection.following import answer, send_back, settle
from safelight.casework.inspection.models import AuditCase, AuditPlan
from safelight.casework.inspection.population import Query
from safelight.casework.inspection.services import close_plan, draw_cases, make_plan, seal_now
from safelight.casework.recommendations.models import Report
from safelight.casework.recommendations.services import (
    add_proof,
    add_recommendation,
    judge,
    record_report,
    write_plan,
)
from safelight.demo.force import Force
from safelight.demo.history import Story
from safelight.demo.sign_in import HOME_UNIT

GOOD, IMPROVE, BAD = "good", "requires_improvement", "inadequate"
SIZE, RUNNING = 36, 14
WORDS = {
    GOOD: "As it should be.",
    IMPROVE: "Done, but late, and the reason is not on record.",
    BAD: "Not done, and nobody asked why.",
}
SUMMARY = {
    GOOD: "The child came first, and it is written down (invented for the demo).",
    IMPROVE: "The child was found, but steps came late or without a reason (invented for the demo).",
    BAD: "A child may have been left at risk for longer than anybody decided (invented for the demo).",
}


def audit_story(force: Force, rng: random.Random, now: datetime) -> Story:
    """From the plan of the first audit, 30 days ago, to today."""
    first, second = force.auditors
    begin = now - timedelta(days=30)
    day = timezone.localdate(begin)
    query = Query(opened_from=day - timedelta(days=45), opened_to=day - timedelta(days=1))
    given: dict[str, Any] = {"criteria": "five_topics", "query": query, "size": SIZE, "reserve": 1}
    plan = make_plan(first, title="Online cases, first quarter", seed="the day before the draw", self_days=9, **given)
    yield begin + timedelta(hours=1)
    seal_now(first, plan)
    draw_cases(first, plan)
    make_plan(second, title="Online cases, once more", seed="another try", self_days=9, **given)
    moment = begin + timedelta(days=2)
    audits = list(plan.cases.filter(reserve=False).select_related("case", "unit", "plan"))
    truth = {audit.pk: _truth(audit, rng) for audit in audits}
    for chunk in _chunks(audits, 6):
        yield moment
        for audit in chunk:
            if rng.random() < 0.93:  # the rest are never assessed by their unit
                _assess(force.supervisors[audit.unit.code], audit, _kinder(truth[audit.pk], rng))
        moment += timedelta(hours=20)
    moment = max(moment, begin + timedelta(days=10))
    for chunk in _chunks(audits, 6):
        yield moment
        for place, audit in enumerate(chunk):
            _assess(first if place % 2 else second, audit, truth[audit.pk])
        moment += timedelta(hours=22)
    yield moment
    backs = _follow(force, first, audits)
    yield moment + timedelta(hours=30)
    for back in backs:
        answer(back.recipient, back, outcome="looked_no_harm", note="Looked at again with social care (invented).")
    yield moment + timedelta(days=2)
    close_plan(first, plan)
    yield now - timedelta(days=4)
    yield from _second_audit(force, rng, now)


def _truth(audit: AuditCase, rng: random.Random) -> str:
    """What the auditor will find: worse where a clock of the case ran out."""
    late = Clock.objects.ever_breached().filter(case=audit.case_id).count()
    score = rng.random() - 0.12 * min(late, 4)
    return GOOD if score > 0.55 else IMPROVE if score > 0.12 else BAD


def _kinder(grade: str, rng: random.Random) -> str:
    """What the unit says of itself: three times of four a grade better, where there is one."""
    better = {BAD: IMPROVE, IMPROVE: GOOD, GOOD: GOOD}[grade]
    if grade == BAD and rng.random() < 0.35:
        return GOOD
    return better if rng.random() < 0.75 else grade


def _assess(actor: Any, audit: AuditCase, grade: str, *, finish: bool = True) -> None:
    criteria = criteria_of(audit.plan)
    notes = {one.id: (grade, WORDS[grade]) for one in criteria}
    if grade != GOOD:  # one heading is always better than the whole
        notes["partnership"] = (GOOD, WORDS[GOOD])
    records = records_of(audit.case, actor)
    link_evidence(actor, audit, heading="initial_response", records=[one.code for one in records[:2]])
    write(actor, audit, grade=grade, summary=SUMMARY[grade], headings=notes, finish=finish)


def _follow(force: Force, auditor: Any, audits: list[AuditCase]) -> list[Any]:
    """Disagreements settled, and cases sent back; those of other units than the home one are answered."""
    backs = []
    for place, audit in enumerate(audits):
        grades = dict(audit.assessments.values_list("stage", "grade"))
        supervisor = force.supervisors[audit.unit.code]
        if len(grades) == 2 and grades["self"] != grades["inspector"] and place % 3:
            settle(auditor, audit, grade=grades["inspector"], unit_person=supervisor,
                   reason="Talked through with the file open; the unit accepts what was seen (invented).")  # fmt: skip
        if grades.get("inspector") == BAD and len(backs) < 3:
            note = "See the child, tell social care, and write down when (invented for the demo)."
            backs.append(send_back(auditor, audit, recipient=supervisor, reason="immediate_risk", note=note))
    return backs


def _second_audit(force: Force, rng: random.Random, now: datetime) -> Iterator[datetime]:
    """A running one: some units have assessed, one case of the home unit has been sent back and waits."""
    auditor = force.auditors[0]
    day = timezone.localdate(now)
    query = Query(opened_from=day - timedelta(days=30), opened_to=day - timedelta(days=4))
    plan = make_plan(auditor, title="Online cases, this month", criteria="force_own", query=query, size=RUNNING,
                     minimum=1, reserve=1, seed="rain in November", self_days=14)  # fmt: skip
    yield now - timedelta(days=4) + timedelta(hours=1)
    seal_now(auditor, plan)
    plan = draw_cases(auditor, plan)
    yield now - timedelta(days=1)
    home = _home_case(plan)
    for audit in plan.cases.filter(reserve=False).select_related("case", "unit", "plan")[:5]:
        if audit.unit.code == HOME_UNIT:
            continue
        supervisor = force.supervisors[audit.unit.code]
        headings = {one.id: (GOOD, "") for one in criteria_of(plan)}
        link_evidence(supervisor, audit, heading="child_first", records=[records_of(audit.case, supervisor)[0].code])
        write(supervisor, audit, grade=GOOD, summary=SUMMARY[GOOD], headings=headings, finish=True)
    if home is not None:
        note = "Social care was told late and nobody wrote down why. Ask, and record it (invented)."
        send_back(auditor, home, recipient=force.supervisors[HOME_UNIT], reason="procedure", note=note)


def _home_case(plan: AuditPlan) -> AuditCase | None:
    found: AuditCase | None = plan.cases.filter(reserve=False, unit__code=HOME_UNIT).order_by("position").first()
    return found


def _chunks(rows: list[AuditCase], size: int) -> Iterator[list[AuditCase]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


ASKED = (
    (
        "cause_of_concern",
        "immediately",
        "Tell children's social care the same day that a child at risk is found, whatever the investigation waits for.",
    ),
    (
        "recommendation",
        "3_months",
        "Give every online case to somebody with the skill in the time for its risk, and say who decided otherwise.",
    ),
    (
        "recommendation",
        "3_months",
        "Triage every device that is seized, or write down who decided otherwise and why.",
    ),
    (
        "area_for_improvement",
        "6_months",
        "Write of children in words that do not blame them, and look for others in audits.",
    ),
)


def recommendation_story(force: Force, now: datetime) -> Story:
    """A synthetic report of four months ago: one answer accepted, one not yet judged, one overdue that nobody owns."""
    chief, auditor, supervisor = force.chief, force.auditors[0], force.supervisors[HOME_UNIT]
    report: Report = record_report(
        chief,
        title="Synthetic inspection of online child protection",
        body="Inspectorate (synthetic)",
        published_on=timezone.localdate(now) - timedelta(days=125),
        source="Invented for the demo",
    )
    owners = (chief, supervisor, None, supervisor)
    rows = [
        add_recommendation(chief, report, kind=kind, text=text, term=term, owner=owner)
        for (kind, term, text), owner in zip(ASKED, owners, strict=True)
    ]
    yield now - timedelta(days=60)
    write_plan(chief, rows[0], plan="Every unit names who tells social care on each shift (invented).")
    write_plan(supervisor, rows[1], plan="Allocation within the shift; the board shows what waits (invented).")
    yield now - timedelta(days=20)
    add_proof(chief, rows[0], text="The clock of every child is met or explained, by unit.", where="Clocks in figures",
              done=True)  # fmt: skip
    add_proof(supervisor, rows[1], text="No case waited for longer than its clock in October.", done=True)
    yield now - timedelta(days=6)
    judge(auditor, rows[1], met=True, note="Seen on the board and in twelve cases (invented).")
    judge(auditor, rows[0], met=False, note="In four cases of twelve social care was told after the arrest (invented).")
