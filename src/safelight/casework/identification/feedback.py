"""Answers of the national database, read line by line and told to the cases that they concern.

The file is CSV with a heading. ``kind`` is known_series, victim_identified or category_changed; the other columns are
md5, series, category, authority and note, in any order (docs/victim-identification.md). A line that cannot be used is
kept with its reason; the same file twice is refused, and what is known already is told to nobody again.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from safelight.casework.accounts.models import User
from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.tables import table_of
from safelight.casework.base.values import required_text
from safelight.casework.cases.models import Case
from safelight.casework.cases.services import note
from safelight.casework.cases.writing import write_entry
from safelight.casework.clocks.services import start_clock, stop_clock
from safelight.casework.devices.models import Finding
from safelight.casework.identification.models import (
    Feedback,
    FeedbackFile,
    FeedbackLine,
    Series,
    SeriesFile,
    Victim,
)
from safelight.casework.identification.services import MD5, put_files
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.notices.services import tell
from safelight.casework.submissions.material import LETTERS, NOT_PERTINENT
from safelight.casework.submissions.models import SubmissionItem

CLOCK = "caid_feedback"
LARGEST = 8 * 1024 * 1024
COLUMNS = ("kind", "md5", "series", "category", "authority", "note")
Kind, Outcome = FeedbackLine.Kind, FeedbackLine.Outcome
_NOTICES = {
    Kind.SERIES: "caid.known_series",
    Kind.VICTIM: "caid.victim_identified",
    Kind.CATEGORY: "caid.category_changed",
}
_LONGEST = {"series": 120, "authority": 120, "note": 200}


@dataclass
class _Answer:
    """A line that was understood."""

    kind: str
    md5: str = ""
    series: str = ""
    category: str = ""
    authority: str = ""
    note: str = ""


@dataclass
class Imported:
    """What became of a file: how many lines of each outcome, and how many tasks were made for cases."""

    file: FeedbackFile
    outcomes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(Outcome.values, 0))
    tasks: int = 0


@transaction.atomic
def import_feedback(actor: Any, *, name: str, content: bytes) -> Imported:
    """Take in a file of answers: each line has its outcome, and each case concerned a task with a clock and a notice.

    Raises:
        NotAllowed: not an examiner or a supervisor.
        NotPossible: the same file was imported before.
        Invalid: it is no such file: too large, not UTF-8, no heading that can be used, no line.
    """
    need(actor, "identification.import", None, what="Only examiners and supervisors import answers.")
    if len(content) > LARGEST:
        raise Invalid(f"{name} is larger than 8 MB.", fix="Split it.", field="file")
    digest = hashlib.sha256(content).hexdigest()
    before = FeedbackFile.objects.filter(sha256=digest).first()
    if before is not None:
        raise NotPossible(f"This file was imported before, as {before.reference}.", fix="Nothing needs to be done.")
    rows = list(_rows(name, content))
    if not rows:
        raise Invalid(f"{name} has a heading and no line.", fix="Check the export.", field="file")
    file = FeedbackFile.objects.create(
        name=PurePath(name).name[:200] or "no name", sha256=digest, imported_at=timezone.now(), imported_by=actor
    )
    done = Imported(file)
    for number, raw, row in rows:
        outcome, cases = _take(actor, file, number, raw, row)
        done.outcomes[outcome] += 1
        done.tasks += cases
    record(
        actor,
        "feedback_file.imported",
        file,
        category=Category.COLLECTION,
        payload={"sha256": digest, "outcomes": done.outcomes, "tasks": done.tasks},
    )
    return done


def _rows(name: str, content: bytes) -> Iterator[tuple[int, str, Mapping[str, str] | None]]:
    """(line, as it stands, values or None where the line has more or fewer columns than the heading)."""
    try:
        text = table_of(name, content).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(
            f"{name} is not UTF-8 text (byte {error.start}).", fix="Export it as UTF-8.", field="file"
        ) from error
    reader = csv.reader(io.StringIO(text.replace("\0", "\\x00"), newline=""))
    try:
        head = [cell.strip().lower() for cell in next(reader, [])]
        if "kind" not in head or set(head) - set(COLUMNS):
            wrong = ", ".join(sorted(set(head) - set(COLUMNS)))[:80]
            said = f"has columns that are not known: {wrong}" if wrong else "has no column 'kind'"
            raise Invalid(f"{name} {said}.", fix=f"The columns are {', '.join(COLUMNS)}.", field="file")
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            raw = ",".join(cells)[:1000]
            yield reader.line_num, raw, dict(zip(head, cells, strict=True)) if len(cells) == len(head) else None
    except csv.Error as error:
        raise Invalid(
            f"{name} is no CSV file (line {reader.line_num}): {error}.", fix="Export again.", field="file"
        ) from error


def _read(row: Mapping[str, str] | None) -> _Answer | str:
    """The answer of a line, or why it cannot be used."""
    if row is None:
        return "It has more or fewer columns than the heading."
    values = {name: " ".join(row.get(name, "").split()) for name in COLUMNS}
    for name, longest in _LONGEST.items():
        if len(values[name]) > longest:
            return f"{name} is longer than {longest} characters."
    answer = _Answer(**{**values, "md5": values["md5"].lower(), "kind": values["kind"].lower()})
    if answer.kind not in _NOTICES:
        return f"There is no kind {answer.kind[:40]!r}."
    if answer.md5 and not MD5.fullmatch(answer.md5):
        return "md5 is not 32 hexadecimal digits."
    if answer.kind == Kind.SERIES and not (answer.md5 and answer.series):
        return "A known series needs md5 and series."
    if answer.kind == Kind.VICTIM and not (answer.md5 or answer.series):
        return "An identified victim needs md5 or series."
    if answer.kind == Kind.VICTIM and not answer.authority:
        return "Who identified the victim (authority) is missing."
    if answer.kind == Kind.CATEGORY:
        answer.category = NOT_PERTINENT if answer.category.lower() == NOT_PERTINENT else answer.category.upper()
        if not answer.md5 or answer.category not in (*LETTERS, NOT_PERTINENT):
            return "A changed category needs md5 and the category A, B, C or not_pertinent."
    return answer


def _take(actor: Any, file: FeedbackFile, number: int, raw: str, row: Mapping[str, str] | None) -> tuple[str, int]:
    answer = _read(row)
    line = FeedbackLine(file=file, number=number, raw=raw, kind="")
    if isinstance(answer, str):
        named = (row or {}).get("kind", "").strip().lower()
        line.kind = named if named in _NOTICES else ""
        line.outcome, line.reason = Outcome.QUARANTINED, answer[:300]
        line.save()
        return line.outcome, 0
    line.kind = answer.kind
    series = _series(actor, answer)
    md5s = _md5s(answer, series)
    cases = _cases(md5s)
    fresh = [case for case in cases if not _told_before(case, answer, series)]
    changed = _elsewhere(actor, answer, series) if answer.kind == Kind.VICTIM else False
    line.cases = len(fresh)
    line.outcome = Outcome.TOLD if fresh else Outcome.SAME if cases else Outcome.NO_CASE
    if line.outcome == Outcome.NO_CASE and changed:
        line.reason = "The record of an unidentified child was changed."
    line.save()
    for case in fresh:
        _tell(actor, line, case, answer, series, md5s)
    return line.outcome, len(fresh)


def _series(actor: Any, answer: _Answer) -> Series | None:
    """The series that the answer names; made where it is not known here, with the file that the line names."""
    if not answer.series:
        return None
    series = Series.objects.filter(name__iexact=answer.series).first()
    if series is None:
        series = Series.objects.create(
            name=answer.series, source=Series.Source.NATIONAL, made_at=timezone.now(), made_by=actor
        )
        record(actor, "series.made", series, category=Category.COLLECTION, payload={"source": series.source})
    if answer.md5:
        put_files(actor, series, {answer.md5: answer.category if answer.category in LETTERS else ""})
    return series


def _md5s(answer: _Answer, series: Series | None) -> list[str]:
    if answer.md5:
        return [answer.md5]
    assert series is not None
    return list(SeriesFile.objects.filter(series=series).values_list("md5", flat=True))


def _cases(md5s: list[str]) -> list[Case]:
    """Every case in which one of the files was found or submitted, closed ones too, whoever may see them."""
    keys: set[int] = set()
    for start in range(0, len(md5s), 500):
        some = md5s[start : start + 500]
        keys.update(
            Finding.objects.filter(md5__in=some, known_good=False)
            .order_by()
            .values_list("run__device__case", flat=True)
        )
        keys.update(SubmissionItem.objects.filter(md5__in=some).order_by().values_list("submission__case", flat=True))
    return list(Case.objects.filter(pk__in=keys).select_related("unit").order_by("pk"))


def _told_before(case: Case, answer: _Answer, series: Series | None) -> bool:
    same = Feedback.objects.filter(case=case, kind=answer.kind)
    if answer.kind == Kind.CATEGORY:
        newest = [row for row in same.order_by("-pk") if answer.md5 in row.md5s][:1]
        return bool(newest) and newest[0].category == answer.category
    if series is not None:
        return same.filter(series=series).exists()
    return any(answer.md5 in row.md5s for row in same)


def _elsewhere(actor: Any, answer: _Answer, series: Series | None) -> bool:
    """Unidentified children of the series, or in the series of the file, are identified elsewhere. Never of a whole
    case: a case may show more children than one."""
    which = Q(series=series) if series is not None else Q(series__files__md5=answer.md5)
    found = Victim.objects.select_for_update(of=("self",)).filter(
        pk__in=Victim.objects.filter(which, state=Victim.State.UNKNOWN).values("pk")
    )
    victims = list(found)
    if len(victims) != 1:
        return False  # which of several children it is, a person has to say
    victim = victims[0]
    victim.state, victim.identified_at = Victim.State.ELSEWHERE, timezone.now()
    victim.how = f"Identified by {answer.authority}, as the national database answers. {answer.note}".strip()
    victim.save(update_fields=["state", "identified_at", "how"])
    record(
        actor, "unidentified.identified_elsewhere", victim, case=victim.case, payload={"authority": answer.authority}
    )
    return True


def _text(answer: _Answer, series: Series | None, number: int) -> str:
    files = "1 file" if number == 1 else f"{number} files"
    which = f"series {series.name}" if series is not None else f"file {answer.md5}"
    if answer.kind == Kind.SERIES:
        said = f"A file of this case belongs to the known {which}."
    elif answer.kind == Kind.VICTIM:
        said = f"A child shown in {which} ({files}) was identified by {answer.authority}."
    else:
        said = f"The national database has changed the category of {answer.md5} to {answer.category}."
    return f"{said} {answer.note}".strip()[:400]


def _tell(actor: Any, line: FeedbackLine, case: Case, answer: _Answer, series: Series | None, md5s: list[str]) -> None:
    row = Feedback.objects.create(
        line=line, case=case, kind=answer.kind, text=_text(answer, series, len(md5s)), md5s=md5s[:1000],
        category=answer.category, series=series, told_at=timezone.now(),
    )  # fmt: skip
    officer = case.investigator
    start_clock(actor, CLOCK, row, triggered_at=row.told_at, case=case, unit=case.unit, risk=case.risk, owner=officer)
    record(
        actor, "feedback.told", row, case=case, payload={"kind": answer.kind, "line": line.number, "files": len(md5s)}
    )
    # Whoever imports need not see the case, and learns nothing of it: the line in its chronology is the system's.
    write_entry(None, case, "feedback_told", f"{row.reference}: {row.text}", row.told_at)
    people = list(User.objects.filter(role="supervisor", unit=case.unit_id, is_active=True))
    people = [officer, *people] if officer and answer.kind == Kind.VICTIM else [officer] if officer else people
    tell(people, _NOTICES[Kind(answer.kind)], row, case=case, key=f"feedback-{row.pk}")


@transaction.atomic
def settle_feedback(actor: Any, feedback: Feedback, *, words: str, take_over: bool = False) -> Feedback:
    """Settle an answer: what was done about it. Ends its clock.

    Args:
        take_over: of a changed category: record it as the actor's own vote (who must be accredited to grade, and has
            looked at the file in the grading tool).

    Raises:
        NotAllowed, NotPossible (settled already), Invalid (no words; nothing to take over).
    """
    need(actor, "identification.settle", feedback, what="Only those who work the case settle this.")
    row = Feedback.objects.select_for_update(of=("self",)).select_related("case").get(pk=feedback.pk)
    if row.settled_at is not None:
        raise NotPossible(f"{row.reference} is settled.")
    text = required_text(words, field="words", what="What was done about it")
    if take_over:
        if row.kind != Kind.CATEGORY:
            raise Invalid("Only a changed category can be taken over.", fix="Say what was done.", field="take_over")
        from safelight.casework.submissions.services import record_grades

        record_grades(
            actor,
            row.case,
            grades=dict.fromkeys(row.md5s, row.category),
            graded_in="National database's answer, looked at",
        )
    row.settled_at, row.settled_by, row.note = timezone.now(), actor, text
    row.save(update_fields=["settled_at", "settled_by", "note"])
    stop_clock(actor, CLOCK, row, reason="Settled")
    record(actor, "feedback.settled", row, case=row.case, payload={"taken_over": take_over, "note": fingerprint(text)})
    note(actor, row.case, "feedback_settled", f"{row.reference} settled: {text}")
    return row
