"""What an audit is measured by, as data: criteria sets with their headings, codes for a case that is sent back, and
wording that blames a child. Rows and their readers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from safelight.standards.faults import RowReader
from safelight.standards.model import Row
from safelight.standards.rows import read_common


@dataclass(frozen=True, kw_only=True)
class Heading:
    """One heading of a criteria set, and what is asked under it."""

    id: str
    title: str
    asks: str


@dataclass(frozen=True, kw_only=True)
class CriteriaSet(Row):
    """One version of the criteria that cases are audited by.

    Attributes:
        version: what is written beside every grade given by it ("2014-2023").
        scale: id of the grade scale of a case.
        headings: in the order of the form; the overall grade of the case comes last and is not one of them.
    """

    version: str
    scale: str
    headings: tuple[Heading, ...]

    def __getitem__(self, heading: str) -> Heading:
        for one in self.headings:
            if one.id == heading:
                return one
        raise KeyError(heading)

    def __iter__(self) -> Iterator[Heading]:
        return iter(self.headings)


@dataclass(frozen=True, kw_only=True)
class ReferBackReason(Row):
    """Why an auditor sends a case back; ``hours`` (real ones) is within when an answer is due."""

    hours: int


@dataclass(frozen=True, kw_only=True)
class ReferBackOutcome(Row):
    """What came of a case that was sent back."""


@dataclass(frozen=True, kw_only=True)
class Phrase(Row):
    """Wording that blames a child or hides an offence: ``forms`` as written, ``why``, and what to ``consider``."""

    forms: tuple[str, ...]
    why: str
    consider: str


@dataclass(frozen=True, slots=True)
class Wording:
    """One place in a text: characters ``start`` to ``end`` are a form of ``phrase``."""

    start: int
    end: int
    phrase: Phrase


def find_wording(text: str, phrases: Iterable[Phrase]) -> tuple[Wording, ...]:
    """Every place in ``text`` whose wording somebody should look at, in order. It points; it changes nothing.

    Whole words only, whatever their case; a line break counts as a space. A place is reported once, as the longest form
    that covers it. A quotation of an offender is found too: only a reader can tell.
    """
    found = [
        Wording(one.start(), one.end(), phrase) for phrase in phrases for one in _pattern(phrase.forms).finditer(text)
    ]
    found.sort(key=lambda one: (one.start, -one.end))
    kept: list[Wording] = []
    for one in found:
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return tuple(kept)


def read_criteria(row: RowReader, row_id: str, scales: Iterable[str]) -> CriteriaSet:
    """One criteria set with its headings."""
    common = read_common(row, row_id)
    headings: list[Heading] = []
    raw = row.raw("headings", needed=True)
    for position, item in enumerate(raw if isinstance(raw, list) else [], 1):
        one = RowReader(row.source, f"{row.where}, heading {position}", item)
        heading = Heading(id=one.text("id"), title=one.text("title"), asks=one.text("asks"))
        one.done()
        if not re.fullmatch(r"[a-z0-9_]{1,40}", heading.id):
            one.fault(f"the id {heading.id!r} cannot be used", "Use up to 40 small letters, digits and _.")
        if any(heading.id == other.id for other in headings):
            one.fault(f"heading {heading.id!r} stands there twice", "Name it once.")
        headings.append(heading)
    if not headings:
        row.fault("a criteria set needs headings", "List at least one.")
    scale = row.text("scale", choices=scales)
    return CriteriaSet(**common, version=row.text("version"), scale=scale, headings=tuple(headings))


def read_reason(row: RowReader, row_id: str) -> ReferBackReason:
    """One reason for sending a case back."""
    reason = ReferBackReason(**read_common(row, row_id), hours=row.whole("hours"))
    if "hours" in row.data and not 1 <= reason.hours <= 24 * 90:
        row.fault(f"hours = {reason.hours}", "An answer is due within 1 hour to 90 days.")
    return reason


def read_answer(row: RowReader, row_id: str) -> ReferBackOutcome:
    """One outcome of a case that was sent back."""
    return ReferBackOutcome(**read_common(row, row_id))


def read_phrase(row: RowReader, row_id: str) -> Phrase:
    """One phrase with its forms."""
    common = read_common(row, row_id)
    forms = row.names("forms", needed=True)
    if not forms and "forms" in row.data:
        row.fault("forms is empty", "Give at least one form.")
    return Phrase(**common, forms=forms, why=row.text("why"), consider=row.text("consider"))


@lru_cache(maxsize=256)
def _pattern(forms: tuple[str, ...]) -> re.Pattern[str]:
    longest = sorted(forms, key=len, reverse=True)
    said = "|".join(r"\s+".join(re.escape(word) for word in form.split()) for form in longest)
    return re.compile(rf"(?<!\w)(?:{said})(?!\w)", re.IGNORECASE)


AUDIT_TABLES: Mapping[str, str] = {
    "criteria": "criteria",
    "refer_back_reasons": "reason",
    "refer_back_outcomes": "answer",
    "wording": "phrase",
}
"""Table of the standards, and what a row is called in audit.toml."""
