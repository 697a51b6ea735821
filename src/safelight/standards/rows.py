"""Reads the small tables: risks, grades, categories, outcomes, roles, skills, units and policy settings."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, TypedDict

from safelight.standards.faults import RowReader
from safelight.standards.model import (
    KINDS,
    MARKS,
    PRODUCT,
    STATUSES,
    Category,
    Grade,
    GradeScale,
    Outcome,
    PolicyScalar,
    PolicySetting,
    PolicyValue,
    RiskLevel,
    Role,
    SharingBasis,
    SignInRule,
    Skill,
    Unit,
    VicsMap,
)


class Common(TypedDict):
    """The keys that every row has."""

    id: str
    title: str
    kind: str
    status: str
    source: str
    mark: str
    note: str
    effective_from: Any
    set_by: str
    origin: tuple[tuple[str, str], ...]


def read_common(row: RowReader, row_id: str) -> Common:
    """Reads and checks what every row has: title, kind, status, mark, source, note, effective_from."""
    row.seen.add("id")
    common = Common(
        id=row_id,
        title=row.text("title"),
        kind=row.text("kind", choices=KINDS),
        status=row.text("status", choices=STATUSES),
        source=row.text("source"),
        mark=row.text("mark", choices=MARKS),
        note=row.text("note", needed=False),
        effective_from=row.day("effective_from"),
        set_by=PRODUCT,
        origin=(),
    )
    if common["status"] == "verified" and common["mark"] in ("M", "P"):
        row.fault(
            f"status is verified, but mark {common['mark']!r} says that no source was read",
            "Use status draft, or name the source and its mark.",
        )
    if common["kind"] == "product_default" and common["status"] == "verified":
        row.fault("a product default cannot be verified", "Use status draft.")
    return common


def read_risk(row: RowReader, row_id: str) -> RiskLevel:
    """One risk level."""
    return RiskLevel(**read_common(row, row_id), short=row.text("short"), order=row.whole("order"))


def read_scale(row: RowReader, row_id: str) -> GradeScale:
    """One grade scale with its grades, best first."""
    common = read_common(row, row_id)
    grades: list[Grade] = []
    raw = row.raw("grades", needed=True)
    for position, item in enumerate(raw if isinstance(raw, list) else [], 1):
        one = RowReader(row.source, f"{row.where}, grade {position}", item)
        grade = Grade(id=one.text("id"), title=one.text("title"), order=position, scale=row_id)
        one.done()
        if any(grade.id == other.id for other in grades):
            one.fault(f"grade {grade.id!r} stands there twice", "Name it once.")
        grades.append(grade)
    if len(grades) < 2:
        row.fault("a scale needs at least two grades", "List them, best first.")
    return GradeScale(**common, applies_to=row.text("applies_to"), grades=tuple(grades))


def read_category(row: RowReader, row_id: str) -> Category:
    """One category of material."""
    return Category(
        **read_common(row, row_id),
        order=row.whole("order"),
        known=row.flag("known"),
        needs_grading=row.flag("needs_grading"),
    )


def read_numbers(
    row: RowReader, data: Mapping[str, object], categories: Iterable[str], *, needs_letters: bool
) -> tuple[tuple[int, str], ...]:
    """Category numbers of a VICS map: '1' = 'A' and so on."""
    known = list(categories)
    numbers: list[tuple[int, str]] = []
    for key, code in data.items():
        if not key.isascii() or not key.isdigit() or len(key) > 3 or str(int(key)) != key:
            row.fault(f"{key!r} is not a category number", "Use whole numbers from 0 to 999 as keys.")
        elif not isinstance(code, str) or code not in known:
            row.fault(f"number {key} means {code!r}, which is no category", f"Use one of {', '.join(known)}.")
        else:
            numbers.append((int(key), code))
    missing = {"A", "B", "C"} - {code for _, code in numbers}
    if needs_letters and numbers and missing:
        row.fault(f"no number means {', '.join(sorted(missing))}", "Give a number for each of A, B and C.")
    return tuple(sorted(numbers))


def read_vics(row: RowReader, row_id: str, categories: Iterable[str]) -> VicsMap:
    """One map of VICS category numbers."""
    common = read_common(row, row_id)
    needs_letters = row.flag("needs_letters", False)
    raw = row.raw("numbers")
    if raw is not None and not isinstance(raw, dict):
        row.fault(f"numbers = {raw!r} is not a table", 'Write numbers = { 1 = "A" }.')
        raw = None
    numbers = read_numbers(row, raw or {}, categories, needs_letters=needs_letters)
    if common["status"] == "required" and numbers:
        row.fault(
            "status is required, yet numbers are given", "Leave the numbers to the site file, or use status draft."
        )
    if common["status"] != "required" and raw is None:
        row.fault("numbers is missing", "Add the numbers, or use status required.")
    return VicsMap(**common, pattern=row.text("pattern"), numbers=numbers, needs_letters=needs_letters)


def read_outcome(row: RowReader, row_id: str, groups: Mapping[str, str]) -> Outcome:
    """One crime outcome."""
    group = row.text("group", choices=groups)
    return Outcome(
        **read_common(row, row_id),
        number=row.whole("number"),
        number_status=row.text("number_status", choices=("verified", "draft")),
        group=group,
        group_title=groups.get(group, ""),
    )


def read_role(row: RowReader, row_id: str) -> Role:
    """One role. The administrator never sees case content."""
    role = Role(
        **read_common(row, row_id),
        does=row.text("does"),
        sees=row.text("sees"),
        case_content=row.flag("case_content"),
        available=row.flag("available"),
        from_release=row.text("from_release", needed=False),
    )
    if role.available == bool(role.from_release):
        row.fault(
            "available and from_release contradict each other", "Name from_release only while it is not available."
        )
    if row_id == "administrator" and role.case_content:
        row.fault("the administrator sees case content", "Set case_content = false.")
    return role


_SIGN_IN_BOUNDS = {"idle_minutes": (5, 60), "longest_hours": (1, 12), "sessions": (1, 10)}


def read_sign_in(row: RowReader, row_id: str) -> SignInRule:
    """What one role owes when it signs in."""
    figures = {name: row.whole(name) for name in _SIGN_IN_BOUNDS}
    for name, (low, high) in _SIGN_IN_BOUNDS.items():
        if name in row.data and not low <= figures[name] <= high:
            row.fault(f"{name} = {figures[name]} is outside {low} to {high}", f"Give {low} to {high}.")
    return SignInRule(**read_common(row, row_id), second_factor=row.flag("second_factor"), **figures)


def read_skill(row: RowReader, row_id: str, roles: Iterable[str]) -> Skill:
    """One skill."""
    return Skill(**read_common(row, row_id), applies_to=row.names("applies_to", needed=True, choices=roles))


def read_sharing_basis(row: RowReader, row_id: str) -> SharingBasis:
    """One basis for sharing."""
    return SharingBasis(**read_common(row, row_id))


def read_unit(row: RowReader, row_id: str) -> Unit:
    """One unit: a BCU has boroughs, the central unit has none."""
    unit = Unit(
        **read_common(row, row_id),
        type=row.text("type", choices=("bcu", "central")),
        number=row.whole("number"),
        boroughs=row.names("boroughs", needed=True),
    )
    if "boroughs" in row.data and unit.type in ("bcu", "central") and bool(unit.boroughs) != (unit.type == "bcu"):
        row.fault(
            f"type is {unit.type}, with {len(unit.boroughs)} boroughs", "A BCU has boroughs, the central unit none."
        )
    return unit


def _scalar(row: RowReader, key: str, value: object, low: float | None, high: float | None) -> PolicyScalar | None:
    if not isinstance(value, bool | int | float | str) or (isinstance(value, float) and not math.isfinite(value)):
        row.fault(f"{key} = {value!r} is neither a number, a text nor true or false", "Give one plain value.")
        return None
    if low is not None or high is not None:
        if isinstance(value, bool | str):
            row.fault(f"{key} = {value!r} is not a number", "Give a number.")
            return None
        if (low is not None and value < low) or (high is not None and value > high):
            span = (
                f"from {low:g} up" if high is None else f"at most {high:g}" if low is None else f"{low:g} to {high:g}"
            )
            row.fault(f"{key} = {value} is outside what is allowed", f"Give a number, {span}.")
            return None
    return value


def read_values(
    row: RowReader,
    risks: Iterable[str],
    low: float | None,
    high: float | None,
    *,
    start: date | None = None,
    set_by: str = PRODUCT,
) -> tuple[PolicyValue, ...]:
    """The value of a setting: ``value = ...`` for all, or ``risk = { very_high = ..., ... }`` with every level."""
    single, table = row.raw("value"), row.raw("risk")
    if single is not None and table is not None:
        row.fault("both value and risk are given", "Give one of them.")
        return ()
    if single is not None:
        value = _scalar(row, "value", single, low, high)
        return () if value is None else (PolicyValue(value=value, effective_from=start, set_by=set_by),)
    if table is None:
        return ()
    per_risk = RowReader(row.source, f"{row.where}, risk", table)
    values: list[PolicyValue] = []
    for level in risks:
        value = per_risk.raw(level, needed=True)
        if value is not None and (kept := _scalar(row, f"risk.{level}", value, low, high)) is not None:
            values.append(PolicyValue(value=kept, risk=level, effective_from=start, set_by=set_by))
    per_risk.done()
    return tuple(values)


def read_setting(row: RowReader, row_id: str, risks: Iterable[str]) -> PolicySetting:
    """One policy setting of the product."""
    common = read_common(row, row_id)
    low, high = row.number("minimum"), row.number("maximum")
    values = read_values(row, risks, low, high)
    given = "value" in row.data or "risk" in row.data
    if common["status"] == "required" and given:
        row.fault("status is required, yet a value is given", "Leave it to the site file, or use status draft.")
    if common["status"] != "required" and not given:
        row.fault("value is missing", "Add value or risk, or use status required.")
    return PolicySetting(**common, unit=row.text("unit"), values=values, minimum=low, maximum=high)
