"""Recording the categories that qualified people gave in their grading tool. Safelight shows no pictures."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.standards import standards
from safelight.casework.base.values import not_in_future, required_text
from safelight.casework.cases.services import note
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.services import start_clock
from safelight.casework.devices.models import Device, Finding
from safelight.casework.devices.words import ensure_open
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.submissions.material import LETTERS, files_of, gradeable
from safelight.casework.submissions.models import Grade, GradeVote
from safelight.casework.workforce.exposure import count_graded
from safelight.errors import MatchingError

SKILL = "image_grading"


@dataclass(frozen=True)
class Recorded:
    """What became of a batch of grades.

    Args:
        new, changed, same: how many files were graded for the first time, graded otherwise than before, or as before.
        disputed: how many of them graders now disagree about.
        not_here: MD5s that are no finding of this case.
        problems: rows of the file that could not be used, as (where, reason).
    """

    new: int = 0
    changed: int = 0
    same: int = 0
    disputed: int = 0
    not_here: tuple[str, ...] = ()
    problems: tuple[tuple[str, str], ...] = ()


def record_grade(
    actor: Any, finding: Finding, *, category: str, graded_in: str, graded_at: datetime | None = None
) -> Grade:
    """Record one file's category. See :func:`record_grades`."""
    case = finding.run.device.case
    record_grades(actor, case, grades={finding.md5: category}, graded_in=graded_in, graded_at=graded_at)
    return Grade.objects.get(case=case, md5=finding.md5)


@transaction.atomic
def record_grades(
    actor: Any, case: Any, *, grades: Mapping[str, str], graded_in: str, graded_at: datetime | None = None
) -> Recorded:
    """Record the categories that ``actor`` gave to files of the case.

    Args:
        grades: MD5 (hex) to A, B, C or not_pertinent.
        graded_in: the grading tool and its version.
        graded_at: when (aware); now when left out.

    Raises:
        NotAllowed: not the investigator or an examiner, or not accredited to grade.
        NotPossible: the case is closed.
        Invalid: no tool named, an unknown category, or no grade at all.
    """
    need(actor, "submissions.grade", case, what="Only examiners and the investigator of the case record grades.")
    ensure_open(case)
    _need_skill(actor)
    tool = required_text(graded_in, field="graded_in", what="The grading tool")[:120]
    moment = not_in_future(graded_at, field="graded_at", what="The time of grading")
    if not grades:
        raise Invalid("No file was graded.", fix="Give at least one file a category.")
    for md5, category in grades.items():
        if category not in gradeable():
            raise Invalid(
                f"{category!r} is no category that a person gives ({md5}).", fix="Use A, B, C or not pertinent."
            )
    wanted = {md5.lower(): category for md5, category in grades.items()}
    files = files_of(case)
    found = list(Grade.objects.select_for_update().filter(case=case, md5__in=list(wanted)))
    before = {row.md5: row for row in found}
    mine = _cast(actor, case, {md5: c for md5, c in wanted.items() if md5 in files}, moment, tool)
    votes = votes_of(case, wanted)
    new, changed, same, disputed = 0, 0, 0, 0
    devices: set[int] = set()
    written: dict[str, str] = {}
    for md5, category in wanted.items():
        if md5 not in files:
            continue
        old = before.get(md5)
        if old is not None and md5 not in mine:
            same += 1
            continue
        row = old or Grade(case=case, md5=md5)
        was = (old.category, old.disputed) if old is not None else None
        cast = {vote.category for vote in votes[md5]}
        if row.settled_by_id is None or category != row.category:
            # A vote against a settlement opens the question again.
            row.category, row.disputed = gravest(cast), len(cast) > 1
            row.settled_by, row.settled_at, row.settled_reason = None, None, ""
        row.graded_by, row.graded_at, row.graded_in = actor, moment, tool
        row.save()
        disputed += row.disputed
        if was == (row.category, row.disputed):
            same += 1
            written[md5] = f"{category}, as before"
        else:
            new, changed = new + (old is None), changed + (old is not None)
            written[md5] = category if was is None else f"{was[0]} to {category}"
        if row.category in LETTERS:
            devices.update(found.run.device_id for found in files[md5].findings)
    if written:
        record(
            actor,
            "submission.graded",
            case,
            payload={
                "tool": tool,
                "graded_at": moment,
                "new": new,
                "changed": changed,
                "disputed": disputed,
                "grades": written,
            },
        )
        note(
            actor,
            case,
            "graded",
            f"{len(written)} files graded in {tool}" + (f"; graders disagree about {disputed}." if disputed else "."),
        )
        count_graded(actor, len(written))
        _restart_clocks(actor, case, devices, moment)
    return Recorded(new, changed, same, disputed, tuple(md5 for md5 in wanted if md5 not in files))


def _cast(actor: Any, case: Any, grades: Mapping[str, str], moment: datetime, tool: str) -> set[str]:
    """Keep the person's votes; returns the MD5s of those that are new or otherwise than the person's before."""
    before = dict(
        GradeVote.objects.filter(case=case, grader=actor, md5__in=list(grades)).values_list("md5", "category")
    )
    changed = {md5: category for md5, category in grades.items() if before.get(md5) != category}
    for md5, category in changed.items():
        GradeVote.objects.update_or_create(
            case=case, md5=md5, grader=actor,
            defaults={"category": category, "graded_at": moment, "graded_in": tool},
        )  # fmt: skip
    return set(changed)


def votes_of(case: Any, md5s: Iterable[str]) -> dict[str, list[GradeVote]]:
    """The votes about files of a case, by MD5, first one first."""
    made: dict[str, list[GradeVote]] = {}
    for vote in GradeVote.objects.filter(case=case, md5__in=list(md5s)).select_related("grader"):
        made.setdefault(vote.md5, []).append(vote)
    return made


def gravest(categories: Iterable[str]) -> str:
    """The gravest of some categories."""
    return min(categories, key=lambda code: standards().categories[code].order)


@transaction.atomic
def settle_grade(actor: Any, case: Any, md5: str, *, category: str, reason: str) -> Grade:
    """Settle what graders disagree about: a third accredited person decides, with a reason. The votes stay on record.

    Raises:
        NotAllowed: not accredited, or one of those who voted.
        NotPossible: the case is closed, or nobody disagrees about the file.
        Invalid: an unknown category, or no reason.
    """
    need(actor, "submissions.grade", case, what="Only examiners and the investigator of the case settle grades.")
    ensure_open(case)
    _need_skill(actor)
    row = Grade.objects.select_for_update(of=("self",)).filter(case=case, md5=md5.lower(), disputed=True).first()
    if row is None:
        raise NotPossible("Nobody disagrees about this file.")
    votes = votes_of(case, [row.md5])[row.md5]
    if any(vote.grader_id == actor.pk for vote in votes):
        raise NotAllowed("You have graded this file yourself.", fix="Somebody who has not graded it settles it.")
    if category not in gradeable():
        raise Invalid(f"{category!r} is no category.", fix="Use A, B, C or not pertinent.", field="category")
    text = required_text(reason, field="reason", what="The reason")
    row.category, row.disputed = category, False
    row.settled_by, row.settled_at, row.settled_reason = actor, timezone.now(), text
    row.save()
    cast = [{"grader": vote.grader_id, "category": vote.category} for vote in votes]
    what = {"md5": row.md5, "category": category, "votes": cast, "reason": fingerprint(text)}
    record(actor, "submission.grade_settled", case, payload=what)
    note(actor, case, "graded", f"Disagreement of {len(votes)} graders about {row.md5} settled: {category}. {text}")
    count_graded(actor, 1)
    if category in LETTERS:
        _restart_clocks(actor, case, {f.run.device_id for f in files_of(case)[row.md5].findings}, row.settled_at)
    return row


def _need_skill(actor: Any) -> None:
    if not actor.accreditations.in_force().filter(skill=SKILL).exists():
        raise NotAllowed(
            "You are not accredited to grade images.", fix="Someone with the skill 'Grading of images' must record it."
        )


def _restart_clocks(actor: Any, case: Any, devices: set[int], moment: datetime) -> None:
    """What is graded after its device was submitted has to be submitted too, counted from its grading."""
    for device in Device.objects.filter(pk__in=devices):
        running = Clock.objects.open().filter(rule="caid_upload", subject_type="devices.device", subject_id=device.pk)
        if not running.exists():
            start_clock(actor, "caid_upload", device, triggered_at=moment, case=case, unit=case.unit, risk=case.risk)


def import_grades(
    actor: Any, case: Any, *, name: str, content: bytes, graded_in: str, graded_at: datetime | None = None
) -> Recorded:
    """Record the grades in a file that the grading tool wrote: CSV (md5, category) or VICS JSON.

    Rows without a usable category and files that are no finding of this case are told, never dropped in silence.

    Raises:
        NotAllowed, NotPossible: as :func:`record_grades`.
        Invalid: the file is no such list, or holds no grade.
    """
    from safelight.casework.hashsets.services import read_list

    with tempfile.TemporaryDirectory(prefix="safelight-grades-") as folder:
        path = Path(folder) / "grades"
        path.write_bytes(content)
        try:
            read, _ = read_list(path, name="grades", kind="known")
        except MatchingError as error:
            raise Invalid(error.what.replace(str(path), name), fix=error.fix, field="file") from error
    grades: dict[str, str] = {}
    problems = [(row.where, row.reason) for row in read.rejected]
    for entry in read.hash_set:
        where = f"row {entry.source_row}"
        if entry.md5 is None:
            problems.append((where, "no MD5"))
            continue
        md5 = entry.md5.hex()
        if entry.category not in gradeable():
            if entry.category is not None:
                problems.append((where, f"{entry.category} is no grade"))
            elif not entry.source_category:
                problems.append((where, "no category"))
            continue
        if grades.setdefault(md5, entry.category) != entry.category:
            raise Invalid(
                f"{name} gives {md5} two categories, {grades[md5]} and {entry.category}.",
                fix="Settle it in the grading tool, and export again.",
                field="file",
            )
    if not grades:
        first = f" {problems[0][0]}: {problems[0][1]}." if problems else ""
        raise Invalid(f"{name} holds no grade that can be used.{first}", fix="Check the export.", field="file")
    done = record_grades(actor, case, grades=grades, graded_in=graded_in, graded_at=graded_at)
    return replace(done, problems=tuple(problems))
