"""Loads the standards: all or nothing, and with every fault named."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from safelight.standards import audit_rows, rows, site
from safelight.standards.clock_rows import Names, read_clock
from safelight.standards.collection import Standards
from safelight.standards.escalation import EscalationStep, read_step
from safelight.standards.faults import Fault, RowReader, Source, StandardsFileError
from safelight.standards.model import Outcome, PolicySetting, Row, Skill, Unit

FILES = (
    "risk",
    "roles",
    "sign_in",
    "skills",
    "sharing_bases",
    "units",
    "grades",
    "categories",
    "outcomes",
    "policy",
    "clocks",
    "escalation",
    "audit",
)
DEMO_SITE = "demo_site.toml"
MOST_SITE = 1 << 20  # bytes; the product's own files together are a tenth of that
R = TypeVar("R", bound=Row)
V = TypeVar("V")


def load_standards(site: Path | str | None = None) -> Standards:
    """The standards of the product, with a force's own file laid over them.

    Loaded once for each (site file, time of its last change), so that calling it again is cheap.

    Args:
        site: path of the force's file, or None for the product alone. The caller reads SAFELIGHT_SITE_STANDARDS.

    Raises:
        StandardsError: a file cannot be read, is malformed or contradicts itself; every fault stands on its own line.
    """
    if site is None:
        return _load(None, 0, 0)
    try:
        state = os.stat(site)  # asked hundreds of times for a page: a Path would take longer than the rest
    except OSError as error:
        raise _unreadable(Path(site), error) from error
    if state.st_size > MOST_SITE:
        reason = f"is {state.st_size:,} bytes long, and {MOST_SITE:,} are read at most"
        raise StandardsFileError([Fault(str(site), "", reason, "Is it the right file?")])
    return _load(os.fspath(site), state.st_mtime_ns, state.st_size)


def demo_site_path() -> Path:
    """The site file of the demonstration, with a visibly labelled demo value for every required row."""
    return Path(str(resources.files("safelight.standards") / "data" / DEMO_SITE))


def _unreadable(path: Path, error: Exception) -> StandardsFileError:
    reason = getattr(error, "strerror", None) or str(error)
    return StandardsFileError([Fault(str(path), "", f"cannot be read: {reason}", "Check the path of the site file.")])


@functools.lru_cache(maxsize=8)
def _load(site: str | None, _mtime: int, _size: int) -> Standards:
    folder = resources.files("safelight.standards") / "data"
    texts = {f"{name}.toml": (folder / f"{name}.toml").read_text(encoding="utf-8") for name in FILES}
    if site is None:
        return read_standards(texts)
    try:
        own = Path(site).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(Path(site), error) from error
    return read_standards(texts, site=(site, own))


@dataclass
class _Reading:
    """One load in the making: the sources and the raw rows of each table."""

    sources: dict[str, Source]
    raw: dict[str, dict[str, Mapping[str, Any]]]

    def table(
        self, file: str, name: str, read: Callable[[RowReader, str], R], *, others: Iterable[str] = ()
    ) -> dict[str, R]:
        """Reads every ``[[name]]`` row of a file; ``others`` are top-level keys that somebody else reads."""
        source = self.sources[file]
        data = source.data
        found: dict[str, R] = {}
        kept = self.raw.setdefault(name, {})
        items = data.get(name, [])
        if not isinstance(items, list) or not items:
            source.faults.append(Fault(file, "", f"has no [[{name}]] rows", f"Add at least one [[{name}]]."))
            items = []
        for position, item in enumerate(items):
            line = source.line_of_table(name, position)
            row_id = item.get("id") if isinstance(item, dict) else None
            known = isinstance(row_id, str) and bool(row_id)
            reader = RowReader(
                source, f"row {row_id!r}" if known else f"[[{name}]] number {position + 1}", item, line=line
            )
            if not known:
                reader.text("id")
                continue
            assert isinstance(row_id, str)
            if row_id in found:
                reader.fault(f"the id {row_id!r} is used twice", "Give each row its own id.")
                continue
            found[row_id] = read(reader, row_id)
            reader.done()
            kept[row_id] = item
        for key in data:
            if key != name and key not in others:
                source.faults.append(Fault(file, f"[{key}]", "unknown table", f"This file holds [[{name}]] rows."))
        return found


def _frozen(table: dict[str, V]) -> Mapping[str, V]:
    return MappingProxyType(table)


def read_standards(texts: Mapping[str, str], site: tuple[str, str] | None = None) -> Standards:
    """Reads standards from the text of the files (name to text), with (name, text) of a site file laid over.

    Raises:
        StandardsFileError: with every fault of every file.
    """
    sources = {name: Source(name, text) for name, text in texts.items()}
    for source in sources.values():
        source.data = source.parse()
    own = Source(*site) if site else None
    over = own.parse() if own else {}
    standards = _read(_Reading(sources, {}), own, over)
    faults = [fault for source in (*sources.values(), *([own] if own else [])) for fault in source.faults]
    if faults:
        raise StandardsFileError(dict.fromkeys(faults))
    digest = hashlib.sha256()
    for name, text in [*sorted(texts.items()), *([("site", site[1])] if site else [])]:
        digest.update(f"{name}\0{len(text.encode())}\0{text}".encode())
    return replace(standards, version=digest.hexdigest()[:12], site=site[0] if site else None)


def _read(reading: _Reading, own: Source | None, over: Mapping[str, Any]) -> Standards:
    def layered(table: str, shipped: dict[str, R], read: Callable[[RowReader, str], R], name: str) -> dict[str, R]:
        if own is None or table not in over:
            return shipped
        return {**shipped, **site.overlay_rows(own, table, over[table], reading.raw[name], read)}

    risks = reading.table("risk.toml", "risk", rows.read_risk)
    roles = reading.table("roles.toml", "role", rows.read_role)
    sign_in = reading.table("sign_in.toml", "sign_in", rows.read_sign_in)
    sign_in = layered("sign_in", sign_in, rows.read_sign_in, "sign_in")
    for role in set(roles) ^ set(sign_in):
        reading.sources["sign_in.toml"].faults.append(
            Fault("sign_in.toml", f"row {role!r}", "roles and sign-in rules do not match", "Give each role one row.")
        )

    def read_skill(row: RowReader, row_id: str) -> Skill:
        return rows.read_skill(row, row_id, roles)

    skills = layered("skills", reading.table("skills.toml", "skill", read_skill), read_skill, "skill")
    bases = reading.table("sharing_bases.toml", "basis", rows.read_sharing_basis)
    bases = layered("sharing_bases", bases, rows.read_sharing_basis, "basis")
    units = layered("units", reading.table("units.toml", "unit", rows.read_unit), rows.read_unit, "unit")
    _check_units(own if own and "units" in over else reading.sources["units.toml"], units)
    grades = reading.table("grades.toml", "scale", rows.read_scale)
    audit = _read_audit(reading, layered, tuple(grades))
    categories = reading.table("categories.toml", "category", rows.read_category, others=["vics"])
    for needed in ("A", "B", "C", "uncategorised", "not_pertinent"):
        if needed not in categories:
            reading.sources["categories.toml"].faults.append(
                Fault("categories.toml", "", f"the category {needed!r} is missing", "Add it.")
            )
    vics = reading.table(
        "categories.toml", "vics", lambda row, row_id: rows.read_vics(row, row_id, categories), others=["category"]
    )
    outcome_file = reading.sources["outcomes.toml"]
    raw_groups = outcome_file.data.get("groups")
    groups = {k: str(v) for k, v in raw_groups.items()} if isinstance(raw_groups, dict) else {}

    def read_outcome(row: RowReader, row_id: str) -> Outcome:
        return rows.read_outcome(row, row_id, groups)

    outcomes = reading.table("outcomes.toml", "outcome", read_outcome, others=["groups"])
    outcomes = layered("outcomes", outcomes, read_outcome, "outcome")
    _unique(own if own and "outcomes" in over else outcome_file, "outcome", {k: v.number for k, v in outcomes.items()})
    levels = tuple(risks)
    policy = reading.table("policy.toml", "setting", lambda row, row_id: rows.read_setting(row, row_id, levels))
    names = Names(levels, tuple(roles), tuple(b for unit in units.values() for b in unit.boroughs))
    clocks = reading.table("clocks.toml", "clock", lambda row, row_id: read_clock(row, row_id, names))
    areas = tuple(dict.fromkeys(rule.area for rule in clocks.values()))

    def read_one_step(row: RowReader, row_id: str) -> EscalationStep:
        return read_step(row, row_id, roles, areas)

    steps = reading.table("escalation.toml", "step", read_one_step)
    steps = layered("escalation", steps, read_one_step, "step")
    if own is not None:
        site.overlay_clocks(own, over.get("clocks"), clocks, names)
        site.overlay_policy(own, over.get("policy"), policy, levels)
        vics = site.overlay_vics(own, over.get("categories"), vics, categories)
        for key in over:
            if key not in ("clocks", "policy", "categories", *site.LAYERED):
                own.faults.append(Fault(own.file, f"[{key}]", "unknown table", "See demo_site.toml for what there is."))
    hours = _check_policy(own if own and "policy" in over else reading.sources["policy.toml"], policy)
    clocks = {name: replace(rule, working_hours=hours) for name, rule in clocks.items()}
    return Standards(
        clocks=_frozen(clocks),
        policy=_frozen(policy),
        risks=_frozen(dict(sorted(risks.items(), key=lambda item: item[1].order))),
        grades=_frozen(grades),
        categories=_frozen(dict(sorted(categories.items(), key=lambda item: item[1].order))),
        vics_maps=_frozen(vics),
        outcomes=_frozen(outcomes),
        roles=_frozen(roles),
        sign_in=_frozen(sign_in),
        skills=_frozen(skills),
        sharing_bases=_frozen(bases),
        units=_frozen(units),
        escalation=_frozen(steps),
        criteria=_frozen(audit["criteria"]),
        refer_back_reasons=_frozen(audit["refer_back_reasons"]),
        refer_back_outcomes=_frozen(audit["refer_back_outcomes"]),
        wording=_frozen(audit["wording"]),
        version="",
    )


def _read_audit(reading: _Reading, layered: Any, scales: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """The four tables of audit.toml; a force's own file may change or add rows of each."""

    def read_criteria(row: RowReader, row_id: str) -> audit_rows.CriteriaSet:
        return audit_rows.read_criteria(row, row_id, scales)

    readers: dict[str, Callable[[RowReader, str], Any]] = {
        "criteria": read_criteria,
        "refer_back_reasons": audit_rows.read_reason,
        "refer_back_outcomes": audit_rows.read_answer,
        "wording": audit_rows.read_phrase,
    }
    found = {}
    for table, name in audit_rows.AUDIT_TABLES.items():
        others = [other for other in audit_rows.AUDIT_TABLES.values() if other != name]
        shipped = reading.table("audit.toml", name, readers[table], others=others)
        found[table] = layered(table, shipped, readers[table], name)
    return found


def _unique(source: Source, what: str, values: Mapping[str, object]) -> None:
    seen: dict[object, str] = {}
    for row_id, value in values.items():
        if value in seen:
            fix = f"The rows {seen[value]!r} and {row_id!r} need different ones."
            source.faults.append(Fault(source.file, f"row {row_id!r}", f"{what} number {value} is used twice", fix))
        seen[value] = row_id


def _check_units(source: Source, units: Mapping[str, Unit]) -> None:
    owner: dict[str, str] = {}
    for unit in units.values():
        for borough in unit.boroughs:
            if borough in owner:
                reason = f"the borough {borough!r} belongs to {owner[borough]!r} as well"
                source.faults.append(Fault(source.file, f"row {unit.id!r}", reason, "A borough has one unit."))
            owner[borough] = unit.id


def _check_policy(source: Source, policy: Mapping[str, PolicySetting]) -> Any:
    hours = None
    setting = policy.get("working_hours")
    for value in setting.values if setting else ():
        try:
            hours = site.working_hours(str(value.value))
        except ValueError:
            reason = f"{value.value!r} is no span of hours"
            source.faults.append(Fault(source.file, "working_hours", reason, "Write 'any' or '09:00-17:00'."))
    amber, red = policy.get("rso_caseload_amber"), policy.get("rso_caseload_red")
    if amber and red and amber.is_set and red.is_set and not _below(amber, red):
        reason = "amber is not below red"
        source.faults.append(Fault(source.file, "rso_caseload_amber", reason, "Lower amber or raise red."))
    return hours


def _below(low: PolicySetting, high: PolicySetting) -> bool:
    a, b = low.values[-1].value, high.values[-1].value
    return not isinstance(a, str) and not isinstance(b, str) and a < b
