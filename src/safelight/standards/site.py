"""The force's own file, laid over the product's standards.

It may set what is required, change or confirm what is a draft, give a borough its own duration, name the numbers of
VICS lists, and change units, outcomes, skills, bases for sharing and the steps of escalation. Every table carries a
``label`` that says on whose authority; every changed row keeps what the product said. It cannot loosen a statute, nor
move a bound that the product sets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import time
from typing import Any, TypeVar

from safelight.standards.audit_rows import AUDIT_TABLES
from safelight.standards.clock_rows import Given, Names, read_durations
from safelight.standards.clocks import ClockCase, ClockRule
from safelight.standards.faults import RowReader, Source
from safelight.standards.model import PRODUCT, Category, PolicyScalar, PolicySetting, Row, VicsMap
from safelight.standards.rows import read_numbers, read_values

R = TypeVar("R", bound=Row)
LAYERED = ("sign_in", "units", "outcomes", "skills", "sharing_bases", "escalation", *AUDIT_TABLES)


def site_label(row: RowReader, inherited: str = "") -> str:
    """'site: <label>'; the label is needed unless the table above has one."""
    label = row.text("label", needed=not inherited)
    return f"site: {label}" if label else inherited


def _tables(source: Source, path: tuple[str, ...], raw: object) -> list[RowReader]:
    """One reader for a table, or one for each of a list of tables that differ in effective_from."""
    line = source.line_of_header(*path)
    where = ".".join(path)
    if isinstance(raw, list):
        return [RowReader(source, f"[[{where}]] number {n}", item, line=line) for n, item in enumerate(raw, 1)]
    return [RowReader(source, f"[{where}]", raw, line=line)]


def _section(source: Source, name: str, raw: object) -> Mapping[str, Any]:
    reader = RowReader(source, f"[{name}]", {} if raw is None else raw)
    return reader.data


def _confirm(row: RowReader, rule: Row) -> tuple[str, str]:
    """(status, the site's own source) after the site: a draft becomes verified when the site names its source."""
    status = row.text("status", needed=False, choices=("verified",)) if "status" in row.data else ""
    source = row.text("source", needed=bool(status))
    if status and rule.kind == "product_default":
        row.fault("a product default cannot be verified", "Leave status out: the label says that it is your own value.")
    return status or rule.status, source


def _loosened(rule: ClockRule, case: ClockCase) -> str:
    """Why a site's duration loosens a statute; empty when it does not."""
    for stage in ("first", "next") if case.stage == "any" else (case.stage,):
        shipped = replace(rule, cases=tuple(c for c in rule.cases if c.set_by == PRODUCT and c.borough is None))
        law = shipped.duration_for(risk=case.risk, stage=stage)
        if law is None:
            continue
        if case.duration.unit != law.unit:
            return f"{case.duration} cannot be compared with the statute's {law}"
        if rule.sense in ("not_before", "threshold") and case.duration != law:
            return f"the statute says {law}, and the site file {case.duration}"
        looser = case.duration.count > law.count if rule.sense == "deadline" else case.duration.count < law.count
        if looser:
            return f"{case.duration} loosens the statute's {law}"
    return ""


def overlay_clocks(source: Source, raw: object, clocks: dict[str, ClockRule], names: Names) -> None:
    """Applies ``[clocks.<id>]`` and ``[clocks.<id>.borough.<name>]``; changes ``clocks`` in place."""
    for clock_id, given in _section(source, "clocks", raw).items():
        rule = clocks.get(clock_id)
        for row in _tables(source, ("clocks", clock_id), given):
            if rule is None:
                row.fault(f"there is no clock {clock_id!r}", "Use an id that `safelight standards` shows.")
                continue
            clocks[clock_id] = rule = _overlay_clock(row, rule, names)


def _overlay_clock(row: RowReader, rule: ClockRule, names: Names) -> ClockRule:
    boroughs = row.raw("borough")
    only_boroughs = set(row.data) == {"borough"}
    set_by = "" if only_boroughs else site_label(row)
    start = row.day("effective_from")
    status, ground = _confirm(row, rule)
    note = row.text("note", needed=False)
    active = row.flag("active", rule.active)
    general = Given(effective_from=start, set_by=set_by, status=status, source=ground)
    cases = list(read_durations(row, rule.calendar, names.risks, general))
    table = RowReader(row.source, f"{row.where}, borough", {} if boroughs is None else boroughs)
    for borough, item in table.data.items():
        if borough not in names.boroughs:
            table.fault(f"unknown borough {borough!r}", "Use a name of units.toml.")
        part = RowReader(row.source, f"{row.where}, borough {borough}", item)
        local = Given(
            borough=borough,
            set_by=site_label(part, set_by),
            effective_from=part.day("effective_from") or start,
            status=status,
            source=part.text("source", needed=False) or ground,
        )
        found = read_durations(part, rule.calendar, names.risks, local)
        if not found:
            part.fault("no duration", "Add duration or risk.")
        part.done()
        cases += found
    row.done()
    if cases and rule.basis != "fixed":
        row.fault(f"the basis of this clock is {rule.basis}, it takes no duration", "Remove the duration.")
        cases = []
    for case in cases:
        if rule.kind == "statute" and (why := _loosened(rule, case)):
            row.fault(
                why, "A statute can only be tightened: remove this, or give a stricter duration in the same unit."
            )
        if any(_same_place(case, other) for other in rule.cases):
            row.fault("the same duration is given twice for the same date", "Keep one, or give another effective_from.")
    if not (cases or status != rule.status or active != rule.active or note):
        row.fault("sets nothing", "Add duration or risk, status with source, active, or note.")
    if active and not rule.active and rule.effective_to:
        row.fault(f"the clock ended on {rule.effective_to.isoformat()}", "Remove active = true.")
    changes = {"duration": rule.duration_text} if any(c.borough is None for c in cases) else {}
    if status != rule.status:
        changes["status"] = rule.status
    if active != rule.active:
        changes["active"] = str(rule.active).lower()
    return replace(
        rule,
        status=status,
        source=ground or rule.source,
        note=note or rule.note,
        active=active,
        cases=(*rule.cases, *cases),
        set_by=set_by or rule.set_by,
        origin=rule.origin + tuple((k, v) for k, v in changes.items() if k not in dict(rule.origin)),
    )


def _same_place(a: ClockCase, b: ClockCase) -> bool:
    stages = a.stage == b.stage or "any" in (a.stage, b.stage)
    return (
        b.set_by != PRODUCT
        and stages
        and (a.risk == b.risk or None in (a.risk, b.risk))
        and (a.borough, a.effective_from) == (b.borough, b.effective_from)
    )


def _alike(a: PolicyScalar, b: PolicyScalar) -> bool:
    number = (int, float)
    if isinstance(a, bool) or isinstance(b, bool) or isinstance(a, str) or isinstance(b, str):
        return type(a) is type(b)
    return isinstance(a, number) and isinstance(b, number)


def overlay_policy(source: Source, raw: object, policy: dict[str, PolicySetting], risks: tuple[str, ...]) -> None:
    """Applies ``[policy.<id>]``; changes ``policy`` in place."""
    for setting_id, given in _section(source, "policy", raw).items():
        for row in _tables(source, ("policy", setting_id), given):
            setting = policy.get(setting_id)
            if setting is None:
                row.fault(f"there is no setting {setting_id!r}", "Use an id that `safelight standards` shows.")
                continue
            set_by = site_label(row)
            start = row.day("effective_from")
            status, ground = _confirm(row, setting)
            values = read_values(row, risks, setting.minimum, setting.maximum, start=start, set_by=set_by)
            row.done()
            if not values and status == setting.status and "value" not in row.data and "risk" not in row.data:
                row.fault("sets nothing", "Add value or risk.")
            shipped = [v for v in setting.values if v.set_by == PRODUCT]
            if shipped and any(not _alike(v.value, shipped[0].value) for v in values):
                row.fault(f"the value is of another type than {shipped[0].value!r}", "Give the same kind of value.")
            if shipped and not setting.by_risk and any(v.risk for v in values):
                row.fault("this setting has one value for all risk levels", "Use value = ....")
            if any(
                (v.risk, v.effective_from) == (o.risk, start) for v in values for o in setting.values[len(shipped) :]
            ):
                row.fault("the same value is given twice for the same date", "Give another effective_from.")
            text = ", ".join(f"{v.risk.replace('_', ' ')} {v.value}" if v.risk else str(v.value) for v in shipped)
            policy[setting_id] = replace(
                setting,
                status=status,
                source=ground or setting.source,
                values=(*setting.values, *values),
                set_by=set_by,
                origin=(("value", text or "not set"),),
            )


def overlay_vics(
    source: Source, raw: object, maps: dict[str, VicsMap], categories: Mapping[str, Category]
) -> dict[str, VicsMap]:
    """Applies ``[categories.vics."<map id or context>"]``: numbers for a known map, or a new one, tried first."""
    section = RowReader(source, "[categories]", {} if raw is None else raw)
    vics = section.raw("vics")
    section.done()
    added: dict[str, VicsMap] = {}
    changed = dict(maps)
    for context, given in _section(source, "categories.vics", vics).items():
        row = RowReader(
            source, f'[categories.vics."{context}"]', given, line=source.line_of_header("categories", "vics", context)
        )
        numbers = {k: v for k, v in row.data.items() if k.isdigit()}
        row.seen.update(numbers)
        set_by = site_label(row)
        ground = row.text("source", needed=False)
        row.done()
        known = changed.get(context) or next((m for m in changed.values() if m.matches(context)), None)
        read = read_numbers(row, numbers, categories, needs_letters=known is not None and known.needs_letters)
        if not numbers:
            row.fault("gives no category number", 'Write for example 1 = "A".')
        if known is not None and known.set_by != PRODUCT:
            row.fault(f"the map {known.id!r} is set twice", "Keep one of the two tables.")
        if known is not None:
            was = ", ".join(f"{n} {code}" for n, code in known.numbers) or "not set"
            changed[known.id] = replace(
                known, numbers=read, set_by=set_by, source=ground or known.source, origin=(("numbers", was),)
            )
        else:
            added[context] = VicsMap(
                id=context,
                title="Set by the site",
                kind="local",
                status="draft",
                source=ground or set_by,
                mark="P",
                set_by=set_by,
                pattern=context,
                numbers=read,
            )
    return {**added, **changed}


def overlay_rows(
    source: Source,
    table: str,
    raw: object,
    shipped: Mapping[str, Mapping[str, Any]],
    read: Callable[[RowReader, str], R],
) -> dict[str, R]:
    """Reads ``[units.<id>]`` and so on (:data:`LAYERED`): keys over the product's row, or a new row."""
    found: dict[str, R] = {}
    for row_id, given in _section(source, table, raw).items():
        line = source.line_of_header(table, row_id)
        mine = RowReader(source, f"[{table}.{row_id}]", given, line=line)
        set_by = site_label(mine)
        changes = {k: v for k, v in mine.data.items() if k not in ("label", "id")}
        if "id" in mine.data or not changes:
            mine.fault("sets nothing" if not changes else "id cannot be changed", "Give the keys to change.")
        base = dict(shipped.get(row_id, {"kind": "local", "status": "draft", "mark": "P", "source": set_by}))
        if changes.get("status") == "verified" and "mark" not in changes:
            changes["mark"] = "V"
            if "source" not in changes:
                mine.fault("status is verified, without a source", "Name the source it was confirmed from.")
        merged = RowReader(source, f"[{table}.{row_id}]", {**base, **changes}, line=line)
        row = read(merged, row_id)
        merged.done()
        was = tuple((k, str(base[k])) for k in changes if k in base and row_id in shipped and base[k] != changes[k])
        found[row_id] = replace(row, set_by=set_by, origin=was)
    return found


def working_hours(text: str) -> tuple[time, time] | None:
    """'any' gives None, '09:00-17:00' the two times. Raises ValueError for anything else."""
    if text == "any":
        return None
    opening, dash, closing = text.partition("-")
    start, end = time.fromisoformat(opening.strip()), time.fromisoformat(closing.strip())
    if not dash or start >= end or start.tzinfo or end.tzinfo:
        raise ValueError(text)
    return start, end
