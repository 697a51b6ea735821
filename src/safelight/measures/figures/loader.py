"""Reads the published figures: all or nothing, and with every fault named."""

from __future__ import annotations

import functools
import hashlib
import tomllib
from collections.abc import Callable, Iterable, Mapping
from importlib import resources
from typing import Any, TypeVar

from safelight.measures.errors import FiguresFileError
from safelight.measures.figures.model import (
    INCONSISTENCY_KINDS,
    QUALIFIERS,
    REPORTS,
    SAMPLING,
    STATUSES,
    Figure,
    Inconsistency,
    Inspection,
    PublishedFigures,
)

FILES = ("figures", "inspections", "inconsistencies")
T = TypeVar("T")


@functools.cache
def published_figures() -> PublishedFigures:
    """The published figures that ship with the product, read once.

    Raises:
        FiguresFileError: a file is malformed or contradicts itself; every fault on its own line.
    """
    folder = resources.files("safelight.measures.figures") / "data"
    return read_figures({name: (folder / f"{name}.toml").read_text(encoding="utf-8") for name in FILES})


def read_figures(texts: Mapping[str, str]) -> PublishedFigures:
    """Reads figures from TOML.

    Args:
        texts: the text of ``figures``, ``inspections`` and ``inconsistencies``.

    Raises:
        FiguresFileError: as for :func:`published_figures`.
    """
    faults: list[str] = []
    figures = _rows(texts, "figures", "figure", _figure, faults)
    inspections = _rows(texts, "inspections", "inspection", _inspection, faults)
    inconsistencies = _rows(texts, "inconsistencies", "inconsistency", _inconsistency, faults)
    _unique("figures.toml", (row.id for row in figures), faults)
    _unique("inspections.toml", (row.id for row in inspections), faults)
    _unique("inconsistencies.toml", (str(row.number) for row in inconsistencies), faults)
    known = {row.id for row in figures}
    for row in inconsistencies:
        faults += [
            f"inconsistencies.toml: number {row.number}: there is no figure {name!r}. Name one of figures.toml."
            for name in row.figures
            if name not in known
        ]
    wholes = {row.id: row for row in inspections}
    for part in inspections:
        if part.part_of and (part.part_of not in wholes or wholes[part.part_of].cases < part.cases):
            faults.append(f"inspections.toml: {part.id}: cannot be part of {part.part_of!r}. Name a larger inspection.")
    if faults:
        raise FiguresFileError(faults)
    version = hashlib.sha256("\0".join(texts[name] for name in FILES).encode()).hexdigest()
    return PublishedFigures(tuple(figures), tuple(inspections), tuple(inconsistencies), version)


class _Reader:
    """Takes one row apart; everything wrong becomes a fault and a harmless value stands in."""

    def __init__(self, where: str, data: Mapping[str, Any], faults: list[str]) -> None:
        self.where, self.data, self.faults, self.seen = where, data, faults, set[str]()

    def fault(self, reason: str, fix: str) -> None:
        self.faults.append(f"{self.where}: {reason}. {fix}")

    def _get(self, key: str, kinds: tuple[type, ...], what: str, default: T) -> Any | T:
        self.seen.add(key)
        value = self.data.get(key, default)
        if key in self.data and (not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds)):
            self.fault(f"{key} = {value!r} is not {what}", f"Give {key} as {what}.")
            return default
        return value

    def text(self, key: str, *, default: str | None = None, choices: Iterable[str] | None = None) -> str:
        value = str(self._get(key, (str,), "a text", default or ""))
        if not value.strip() and default is None:
            self.fault(f"{key} is missing", f'Add {key} = "...".')
        elif choices is not None and value not in (known := tuple(choices)):
            self.fault(f"{key} = {value!r} is unknown", f"Use one of {', '.join(known)}.")
        return value

    def count(self, key: str) -> int | None:
        value: int | None = self._get(key, (int,), "a whole number", None)
        if value is not None and value < 0:
            self.fault(f"{key} = {value} is negative", "Give a count from 0.")
            return 0
        return value

    def number(self, key: str) -> float | None:
        value: float | None = self._get(key, (int, float), "a number", None)
        return value

    def flag(self, key: str) -> bool:
        return bool(self._get(key, (bool,), "true or false", False))

    def texts(self, key: str, choices: Iterable[str] | None = None) -> tuple[str, ...]:
        values: list[object] = self._get(key, (list,), "a list of texts", [])
        known = None if choices is None else set(choices)
        for value in values:
            if not isinstance(value, str) or (known is not None and value not in known):
                self.fault(f"{key} names {value!r}, which is unknown", f"Use {', '.join(sorted(known or {'texts'}))}.")
        return tuple(map(str, values))

    def done(self) -> None:
        for key in sorted(set(self.data) - self.seen):
            self.fault(f"unknown key {key!r}", "Remove it or correct its name.")


def _rows(texts: Mapping[str, str], file: str, table: str, read: Callable[[_Reader], T], faults: list[str]) -> list[T]:
    try:
        data = tomllib.loads(texts[file])
    except tomllib.TOMLDecodeError as error:
        faults.append(f"{file}.toml: not valid TOML: {error}. Correct that line.")
        return []
    rows = data.pop(table, [])
    if data or not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        faults.append(f"{file}.toml: must hold [[{table}]] rows and nothing else. Correct the headers.")
        return []
    found = []
    for position, row in enumerate(rows, 1):
        reader = _Reader(f"{file}.toml: {row.get('id', row.get('number', f'row {position}'))}", row, faults)
        found.append(read(reader))
        reader.done()
    return found


def _figure(row: _Reader) -> Figure:
    figure = Figure(
        id=row.text("id"),
        claim=row.text("claim"),
        area=row.text("area", default="Metropolitan Police"),
        period=row.text("period"),
        k=row.count("k"),
        n=row.count("n"),
        percent=row.number("percent"),
        value=row.number("value"),
        unit=row.text("unit", default=""),
        qualifier=row.text("qualifier", default="exact", choices=QUALIFIERS) or "exact",
        back_computed=row.flag("back_computed"),
        census=row.flag("census"),
        said_by=row.text("said_by"),
        reports=row.texts("reports", REPORTS),
        source=row.text("source"),
        status=row.text("status", choices=STATUSES),
        note=row.text("note", default=""),
    )
    if (figure.k is None) != (figure.n is None):
        row.fault("k and n go together", "Give both, or neither.")
    elif figure.k is not None and figure.n is not None:
        if figure.n == 0 or figure.k > figure.n:
            row.fault(f"{figure.k} of {figure.n} cannot be", "Check which is the numerator.")
        elif figure.percent is not None:
            allowed = 3.0 if figure.qualifier == "about" else 0.5
            if abs(100 * figure.k / figure.n - figure.percent) > allowed:
                row.fault(f"{figure.k} of {figure.n} is not {figure.percent:g} %", "Correct one of them.")
    elif (figure.percent is None) == (figure.value is None):
        row.fault("there must be counts, a percentage or a value", "Give k and n, percent, or value and unit.")
    if figure.value is not None and not figure.unit:
        row.fault("the value has no unit", "Add unit.")
    if figure.percent is not None and not 0 <= figure.percent <= 100:
        row.fault(f"percent = {figure.percent:g} cannot be", "Give 0 to 100.")
    return figure


def _inspection(row: _Reader) -> Inspection:
    improve, inadequate, below = row.count("requires_improvement"), row.count("inadequate"), row.count("below_good")
    found = Inspection(
        id=row.text("id"),
        title=row.text("title"),
        area=row.text("area", default="Metropolitan Police"),
        period=row.text("period"),
        when=row.text("when"),
        cases=row.count("cases") or 0,
        good=row.count("good"),
        requires_improvement=improve,
        inadequate=inadequate,
        below_good=below if improve is None or inadequate is None else improve + inadequate,
        referred_back=row.count("referred_back"),
        derived=row.texts("derived", ("good", "below_good", "requires_improvement", "inadequate")),
        part_of=row.text("part_of", default=""),
        by=row.text("by"),
        sampling=row.text("sampling", choices=SAMPLING),
        scale=row.text("scale"),
        source=row.text("source"),
        status=row.text("status", choices=STATUSES),
        note=row.text("note", default=""),
    )
    if not found.cases:
        row.fault("cases is missing", "Say how many cases were audited.")
    if improve is not None and inadequate is not None and below not in (None, improve + inadequate):
        row.fault(f"below_good is {below}, but {improve} + {inadequate} = {improve + inadequate}", "Correct one.")
    if found.good is not None and found.below_good is not None and found.good + found.below_good != found.cases:
        row.fault(f"{found.good} + {found.below_good} is not {found.cases} cases", "Correct one of them.")
    for name in ("good", "below_good", "referred_back"):
        if (getattr(found, name) or 0) > found.cases:
            row.fault(f"{name} is more than {found.cases} cases", "Correct one of them.")
    return found


def _inconsistency(row: _Reader) -> Inconsistency:
    return Inconsistency(
        number=row.count("number") or 0,
        kind=row.text("kind", choices=INCONSISTENCY_KINDS),
        title=row.text("title"),
        what=row.text("what"),
        so=row.text("so"),
        reports=row.texts("reports", REPORTS),
        figures=row.texts("figures"),
    )


def _unique(file: str, names: Iterable[str], faults: list[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            faults.append(f"{file}: {name} stands there twice. Give each row its own.")
        seen.add(name)
