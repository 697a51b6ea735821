"""The figures of the chief officer's page, as data: what each is, exactly, and the question to the extract behind it.

Three kinds. A *time* is a clock of the standards: the share kept within its limit and the median, open clocks counted
as open (Kaplan-Meier). A *share* is so many of so many. A *count* is so many. Periods are half open: from ``$since`` up
to and not including ``$until``; what stands at a moment stands at ``$until``.
"""

# ruff: noqa: S608 - the names in the queries are of our own tables

from __future__ import annotations

from dataclasses import dataclass

TIME, SHARE, COUNT = "time", "share", "count"

OPEN_CASES = "cases WHERE opened_at < $until AND (closed_at IS NULL OR closed_at >= $until)"


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        id: its name in addresses, files and the ledger.
        title, group: what it is called, and under which heading it stands.
        kind: TIME, SHARE or COUNT.
        definition: what exactly is counted, for the page and the report.
        sql: rows of (unit, ...): for a time (unit, triggered_at, due_at, stopped_at), for a share (unit, k, n), for a
            count (unit, k).
        better: "low", "high" or "": which way is good.
        moment: it says how things stand at a moment (else: what happened in a period).
        back: it can be worked out for a past moment too; else its trend comes from earlier extracts.
        page, query: the list behind it, for those who may see it.
    """

    id: str
    title: str
    group: str
    kind: str
    definition: str
    sql: str
    better: str = "low"
    moment: bool = False
    back: bool = True
    page: str = ""
    query: str = ""


def _clock(rule: str) -> str:
    return (
        "SELECT unit, triggered_at, due_at, stopped_at FROM clocks "
        f"WHERE rule = '{rule}' AND triggered_at >= $since AND triggered_at < $until"
    )


def _count(of: str) -> str:
    return f"SELECT unit, count(*) FROM {of} GROUP BY unit"


HAD = "(SELECT case_key, arg_max(specialist, started_at) AS specialist FROM allocations GROUP BY case_key)"
CHARGED = (
    "SELECT c.unit, count(*) FILTER (WHERE c.outcome = 'charged'), count(*) FROM cases c "
    f"JOIN {HAD} a USING (case_key) "
    "WHERE c.closed_at >= $since AND c.closed_at < $until AND {who} GROUP BY c.unit"
)

NIGHTS = (
    "SELECT unnest(generate_series(date_trunc('day', timezone('Europe/London', d.arrived_at)), "
    "timezone('Europe/London', coalesce(d.released_at, $until)), INTERVAL 1 DAY)) AS night"
)
OVERNIGHT = (
    f"EXISTS (SELECT 1 FROM ({NIGHTS}) WHERE "
    "least(coalesce(d.released_at, $until), timezone('Europe/London', night + INTERVAL 8 HOUR)) "
    "- greatest(d.arrived_at, timezone('Europe/London', night)) >= INTERVAL 4 HOUR)"
)
OFFENDERS = (
    "SELECT unit, count(*) FILTER (WHERE {due} <= CAST($until AS DATE)), count(*) FROM offenders "
    "WHERE ended_on IS NULL AND away = '' AND management = 'active' GROUP BY unit"
)
GRADES = (
    "SELECT unit, count(*) FILTER (WHERE grade = 'good'), count(*) FROM audits "
    "WHERE stage = '{stage}' AND finished_at >= $since AND finished_at < $until GROUP BY unit"
)

FIGURES: tuple[Figure, ...] = (
    Figure(
        "children_found", "Children at risk found", "Children", COUNT,
        "Children recorded as at risk whose risk was identified in the period, one for each child and case.",
        _count("children WHERE identified_at >= $since AND identified_at < $until"), better="",
    ),
    Figure(
        "child_told", "Children's social care told in time", "Children", TIME,
        "From the moment a child at risk is identified to the referral to children's social care, in elapsed hours; "
        "children not yet referred count as waiting.",
        _clock("police_referral_to_csc"), better="high", page="clocks:index", query="area=safeguarding",
    ),
    Figure(
        "children_waiting", "Children at risk not yet referred", "Children", COUNT,
        "Children at risk whose referral to children's social care had not been sent at that moment.",
        _count("clocks WHERE rule = 'police_referral_to_csc' AND triggered_at < $until "
               "AND (stopped_at IS NULL OR stopped_at >= $until)"),
        moment=True, page="clocks:index", query="area=safeguarding",
    ),
    Figure(
        "children_held", "Of them delayed by a hold", "Children", COUNT,
        "Referrals to children's social care not yet sent that a named supervisor has at some time held with a reason. "
        "A hold never stops the clock.",
        _count("clocks WHERE rule = 'police_referral_to_csc' AND stopped_at IS NULL AND held"),
        moment=True, back=False, page="clocks:index", query="area=safeguarding",
    ),
    Figure(
        "live_contact", "Suspects still in contact with a child", "Children", COUNT,
        "Open cases in which a suspect is recorded as still in contact with a child.",
        _count("cases WHERE closed_at IS NULL AND live_contact"), moment=True, back=False, page="cases:index",
        query="live=1",
    ),
    Figure(
        "allocated", "Allocated to a qualified investigator in time", "Cases", TIME,
        "From the opening of the case to its first allocation, against the time that its risk allows; cases nobody has "
        "count as waiting.",
        _clock("allocation_to_investigator"), better="high", page="clocks:index",
    ),
    Figure(
        "unallocated", "Cases that nobody has", "Cases", COUNT,
        "Open cases without an allocation at that moment.",
        f"SELECT unit, count(*) FROM {OPEN_CASES} AND NOT EXISTS (SELECT 1 FROM allocations a "
        "WHERE a.case_key = cases.case_key AND a.started_at < $until AND (a.ended_at IS NULL OR a.ended_at >= $until)) "
        "GROUP BY unit",
        moment=True, page="allocation:unallocated",
    ),
    Figure(
        "skills_gap", "Cases with an investigator without the skill", "Cases", SHARE,
        "Of the allocations live at that moment, those to an investigator who does not hold the skill that the case "
        "needs on that day (it ran out, or the case needs another now).",
        "SELECT c.unit, count(*) FILTER (WHERE NOT EXISTS (SELECT 1 FROM accreditations s WHERE s.officer = a.officer "
        "AND s.skill = c.skill AND s.valid_from <= CAST($until AS DATE) "
        "AND (s.valid_until IS NULL OR s.valid_until >= CAST($until AS DATE)))), count(*) "
        "FROM allocations a JOIN cases c USING (case_key) "
        "WHERE a.started_at < $until AND (a.ended_at IS NULL OR a.ended_at >= $until) GROUP BY c.unit",
        moment=True, page="workforce:index",
    ),
    Figure(
        "reviewed", "Supervision reviews in time", "Cases", TIME,
        "From the event that a review was due after (the opening or the last review) to the review.",
        _clock("supervisor_review"), better="high", page="clocks:index",
    ),
    Figure(
        "drifting", "Open cases that drift", "Cases", SHARE,
        "Of the open cases, those without a meaningful action for longer than policy allows for their risk.",
        "SELECT unit, count(*) FILTER (WHERE last_action_at < $until - to_days({drift})), count(*) "
        f"FROM {OPEN_CASES} GROUP BY unit",
        moment=True, back=False, page="cases:index", query="drifting=1",
    ),
    Figure(
        "devices_waiting", "Devices that wait for triage", "Devices", COUNT,
        "Devices seized by that moment, to be triaged or undecided, of which no triage run had ended.",
        "SELECT unit, count(*) FROM devices d WHERE seized_at < $until AND decision <> 'not_triaged' AND NOT EXISTS "
        "(SELECT 1 FROM runs r WHERE r.device = d.device AND r.state IN ('finished', 'unread_parts') "
        "AND r.finished_at < $until) GROUP BY unit",
        moment=True, page="fleet:index",
    ),
    Figure(
        "devices_triaged", "Devices triaged in time", "Devices", TIME,
        "From booking in to the end of the first triage, against the time that the case's risk allows; devices that "
        "wait count as waiting.",
        _clock("device_triage"), better="high", page="fleet:index",
    ),
    Figure(
        "devices_left", "Devices that nobody will triage", "Devices", SHARE,
        "Of the devices seized in the period, those with the reasoned decision not to triage them.",
        "SELECT unit, count(*) FILTER (WHERE decision = 'not_triaged'), count(*) FROM devices "
        "WHERE seized_at >= $since AND seized_at < $until GROUP BY unit",
        page="fleet:index",
    ),
    Figure(
        "national_database", "Sent to the national database in time", "Devices", TIME,
        "From the finding of listed or newly graded files to the submission to the Child Abuse Image Database.",
        _clock("caid_upload"), better="high", page="submissions:index",
    ),
    Figure(
        "charged_specialist", "Charged, cases of specialists", "Outcomes", SHARE,
        "Of the cases closed in the period whose last investigator was a specialist (held the skill for online child "
        "sexual abuse and exploitation when the case was allocated): those with a suspect charged or summonsed.",
        CHARGED.format(who="a.specialist"), better="", page="cases:index", query="status=closed",
    ),
    Figure(
        "charged_others", "Charged, cases of others", "Outcomes", SHARE,
        "The same for cases whose last investigator was no specialist.",
        CHARGED.format(who="NOT a.specialist"), better="", page="cases:index", query="status=closed",
    ),
    Figure(
        "custody_cells", "Detained children kept in a cell", "Children in custody", SHARE,
        "Of the children who came into police detention in the period, those placed in a cell. Inspectors found 39 of "
        "40 in 2016.",
        "SELECT unit, count(*) FILTER (WHERE placed = 'cell'), count(*) FROM detentions "
        "WHERE arrived_at >= $since AND arrived_at < $until GROUP BY unit",
        page="custody:index",
    ),
    Figure(
        "custody_overnight", "Detained children held overnight", "Children in custody", SHARE,
        "Of the same children, those who spent four hours or more of one night between midnight and eight in "
        "detention.",
        f"SELECT unit, count(*) FILTER (WHERE {OVERNIGHT}), count(*) FROM detentions d "
        "WHERE arrived_at >= $since AND arrived_at < $until GROUP BY unit",
        page="custody:index",
    ),
    Figure(
        "custody_now", "Children in detention at that moment", "Children in custody", COUNT,
        "Children who had come into police detention and not left it.",
        _count("detentions WHERE arrived_at < $until AND (released_at IS NULL OR released_at >= $until)"),
        moment=True, page="custody:index",
    ),
    Figure(
        "rso_not_seen", "Registered sex offenders not seen as their plan says", "Registered sex offenders", SHARE,
        "Of the offenders on the register, those without a successful visit within the interval of their own plan: "
        "what inspectors count.",
        OFFENDERS.format(due="visit_due_on"), moment=True, back=False, page="offenders:index",
    ),
    Figure(
        "rso_not_tried", "Registered sex offenders whose next visit is overdue", "Registered sex offenders", SHARE,
        "The same counted from the last visit that was tried, whether it succeeded or not: what forces count.",
        OFFENDERS.format(due="attempt_due_on"), moment=True, back=False, page="offenders:index",
    ),
    Figure(
        "rso_load", "Offender managers over the policy's red line", "Registered sex offenders", SHARE,
        "Of the officers who manage offenders, those with as many as the red line of policy or more.",
        "SELECT unit, count(*) FILTER (WHERE k >= {red}), count(*) FROM (SELECT officer, any_value(unit) AS unit, "
        "count(*) AS k FROM offenders WHERE officer IS NOT NULL AND ended_on IS NULL GROUP BY officer) GROUP BY unit",
        moment=True, back=False, page="offenders:officers",
    ),
    Figure(
        "grades_good", "Audited cases graded good by independent auditors", "Grades", SHARE,
        "Of the audited cases of closed audits whose independent assessment was finished in the period: those graded "
        "good. Not weighted: the page of each audit has the shares weighted by stratum.",
        GRADES.format(stage="inspector"), better="high", page="inspection:index",
    ),
    Figure(
        "grades_self", "The same cases graded good by their own units", "Grades", SHARE,
        "The units' own assessments, finished in the period, on whatever scale they used. Kinder than the auditors is "
        "what inspectors found in 2016.",
        GRADES.format(stage="self"), better="", page="inspection:index",
    ),
)  # fmt: skip


def figure(name: str) -> Figure | None:
    """The figure of this name, or None."""
    return next((one for one in FIGURES if one.id == name), None)


def groups() -> list[tuple[str, list[Figure]]]:
    """The figures by heading, in order."""
    found: dict[str, list[Figure]] = {}
    for one in FIGURES:
        found.setdefault(one.group, []).append(one)
    return list(found.items())
