"""What the pages of submissions read, and what keeps a case open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from safelight.casework.clocks.models import Clock
from safelight.casework.devices.models import Device
from safelight.casework.devices.runs import is_triaged
from safelight.casework.submissions.grading import votes_of
from safelight.casework.submissions.material import (
    File,
    files_of,
    files_of_cases,
    submitted,
    submitted_of,
    to_grade,
    to_settle,
    to_submit,
)
from safelight.casework.submissions.models import Grade, GradeVote, Submission, SubmissionItem

PAGE = 50


@dataclass(frozen=True)
class Rows:
    """One keyset page: the rows, and the key after which the next page begins ("" on the last)."""

    rows: list[Any]
    after: str = ""


def _key(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) <= 15 else 0


def listed(user: Any, *, state: str = "", before: str = "") -> Rows:
    """Submissions of the cases that ``user`` sees, newest first."""
    found = Submission.objects.visible_to(user).select_related("case", "device", "written_by")
    if state in Submission.State.values:
        found = found.filter(state=state)
    if _key(before):
        found = found.filter(pk__lt=_key(before))
    rows = list(found.order_by("-pk")[: PAGE + 1])
    return Rows(rows[:PAGE], str(rows[PAGE - 1].pk) if len(rows) > PAGE else "")


def items_of(submission: Submission, *, after: str = "") -> Rows:
    """The items of a submission in the order of its file."""
    found = submission.items.select_related("finding__run__device", "owner").filter(pk__gt=_key(after))
    rows = list(found.order_by("pk")[: PAGE + 1])
    return Rows(rows[:PAGE], str(rows[PAGE - 1].pk) if len(rows) > PAGE else "")


def rejected_of(submission: Submission) -> list[SubmissionItem]:
    """Rejected items that wait for their person (at most 200)."""
    return list(submission.items.filter(state=SubmissionItem.State.REJECTED).select_related("owner")[:200])


@dataclass(frozen=True)
class Waiting:
    """What one device still has for the national database."""

    device: Any
    to_submit: list[File]
    to_grade: list[File]


@dataclass(frozen=True)
class Standing:
    """Where the submissions of a case stand."""

    submissions: list[Submission]
    waiting: list[Waiting]
    to_grade: list[File]
    grades: list[Grade]
    disputes: list[tuple[File, list[GradeVote]]]


def standing(case: Any) -> Standing:
    """What was submitted, what waits for submission, and what waits for a grade."""
    files = files_of(case)
    return Standing(
        list(case.submissions.select_related("device", "written_by")[:200]),
        _waiting(files, submitted(case)),
        to_grade(files),
        list(case.grades.select_related("graded_by", "settled_by").order_by("-graded_at", "-pk")[:200]),
        _disputes(case, files),
    )


def waiting_in(cases: list[Any]) -> list[tuple[Any, Waiting]]:
    """What waits in several cases, device by device, each with its case. A fixed number of queries."""
    files, items = files_of_cases(cases), submitted_of(cases)
    return [(case, waiting) for case in cases for waiting in _waiting(files[case.pk], items[case.pk])]


def _waiting(files: Mapping[str, File], items: Mapping[str, SubmissionItem]) -> list[Waiting]:
    devices: dict[int, Waiting] = {}
    for ungraded, those in ((False, to_submit(files, items)), (True, to_grade(files))):
        for file in those:
            for device in {found.run.device for found in file.findings}:
                waiting = devices.setdefault(device.pk, Waiting(device, [], []))
                (waiting.to_grade if ungraded else waiting.to_submit).append(file)
    return sorted(devices.values(), key=lambda row: row.device.exhibit)


def _disputes(case: Any, files: Mapping[str, File]) -> list[tuple[File, list[GradeVote]]]:
    found = sorted(to_settle(files), key=lambda file: file.first.pk)[:200]
    votes = votes_of(case, [file.md5 for file in found])
    return [(file, votes[file.md5]) for file in found]


def outstanding(case: Any) -> list[str]:
    """What is unsettled about the submissions of a case, one sentence each. Empty when all is settled."""
    files = files_of(case)
    said: list[str] = []
    waiting, ungraded = to_submit(files, submitted(case)), to_grade(files)
    if ungraded:
        said.append(f"{_files(ungraded)} for a grade.")
    if disputed := to_settle(files):
        said.append(f"{_files(disputed)} for somebody to settle what graders disagree about.")
    if waiting:
        said.append(f"{_files(waiting)} to be submitted to the national database.")
    for submission in case.submissions.filter(state=Submission.State.WRITTEN):
        said.append(f"Submission {submission.reference} is written and has not been sent.")
    for submission in case.submissions.filter(state=Submission.State.SENT):
        said.append(f"Submission {submission.reference} was sent and has no receipt.")
    rejected = SubmissionItem.objects.filter(submission__case=case, state=SubmissionItem.State.REJECTED)
    for item in rejected.select_related("submission", "owner")[:200]:
        said.append(f"An item rejected from {item.submission.reference} waits for {item.owner}.")
    return said


def _files(files: list[File]) -> str:
    return "1 file waits" if len(files) == 1 else f"{len(files)} files wait"


def nothing_waits(case: Any) -> list[Any]:
    """Triaged devices whose submission clock runs although nothing of them waits to be graded or submitted."""
    running = Clock.objects.open().filter(case=case, rule="caid_upload", subject_type="devices.device")
    keys = list(running.values_list("subject_id", flat=True))
    files = files_of(case)
    busy = {
        found.run.device_id
        for file in (*to_submit(files, submitted(case)), *to_grade(files), *to_settle(files))
        for found in file.findings
    } | set(case.submissions.filter(state=Submission.State.WRITTEN).values_list("device_id", flat=True))
    return [
        device
        for device in Device.objects.filter(pk__in=keys, case=case)
        if device.pk not in busy and is_triaged(device)
    ]
