"""What waits for a person in submissions."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef

from safelight.casework.base.links import address
from safelight.casework.base.prepared import prepared
from safelight.casework.base.work import WorkItem
from safelight.casework.cases.models import Case, carried_by
from safelight.casework.clocks.models import Clock
from safelight.casework.devices.models import Finding
from safelight.casework.submissions.grading import SKILL
from safelight.casework.submissions.models import Grade, GradeVote, Submission, SubmissionItem
from safelight.casework.submissions.queries import waiting_in

GROUP = "National database"
MOST = 50


def items_for(user: Any) -> list[WorkItem]:
    """Rejected items of the person; for investigators and examiners, what waits to be graded, sent or receipted."""
    made = _rejected(user) + _disputes(user)
    if user.role == "investigator":
        found = _with_findings(user)
        made += (_files(found) if found else []) + _submissions(_to_send(user))
    elif user.role == "examiner":
        made += _submissions(_to_send(user))
    return made


@prepared
def _with_findings(user: Any) -> Any:
    # Most cases have found nothing yet: only those with a finding are read further.
    found = Finding.objects.filter(run__device__case=OuterRef("pk"), known_good=False)
    return Case.objects.open().filter(Exists(found), carried_by(user, "pk")).order_by("pk")[:MOST]


@prepared
def _to_send(user: Any) -> Any:
    if user.role == "investigator":
        rows = Submission.objects.filter(carried_by(user, "case"), case__status="open")
    else:
        rows = Submission.objects.visible_to(user).filter(written_by=user)
    return rows.filter(state__in=list(_STEPS)).select_related("case", "device").order_by("pk")[:MOST]


def _disputes(user: Any) -> list[WorkItem]:
    """Files about which graders disagree, for those who may settle it: accredited, and no vote of their own."""
    if (
        user.role not in ("investigator", "examiner")
        or not _any_dispute(None)
        or not user.accreditations.in_force().filter(skill=SKILL).exists()
    ):
        return []
    mine = GradeVote.objects.filter(grader=user, case=OuterRef("case"), md5=OuterRef("md5"))
    found = Grade.objects.filter(~Exists(mine), Case.objects.visible_to(user).open().holding("case"), disputed=True)
    if user.role == "investigator":
        found = found.filter(carried_by(user, "case"))
    counts: dict[int, int] = {}
    for key in found.order_by("graded_at").values_list("case", flat=True)[:500]:
        counts[key] = counts.get(key, 0) + 1
    cases = Case.objects.in_bulk(list(counts)[:MOST])
    return [
        WorkItem(
            title=f"Settle what graders disagree about: {counts[key]} {'file' if counts[key] == 1 else 'files'}",
            url=address("submissions:case_submissions", case.reference),
            subject=f"{case.reference} {case.title}",
            risk=case.risk,
            group=GROUP,
        )
        for key, case in cases.items()
    ]


def _rejected(user: Any) -> list[WorkItem]:
    if not _any_rejected(user):
        return []
    mine = SubmissionItem.objects.filter(owner=user, state=SubmissionItem.State.REJECTED)
    found = mine.filter(Submission.objects.visible_to(user).holding("submission")).select_related("submission__case")
    counts: dict[int, tuple[Submission, int]] = {}
    for item in found[:500]:
        counts[item.submission_id] = (item.submission, counts.get(item.submission_id, (None, 0))[1] + 1)
    return [
        WorkItem(
            title=f"Settle or resubmit {number} rejected {'item' if number == 1 else 'items'}",
            url=address("submissions:detail", submission.reference),
            subject=f"{submission.reference} · {submission.case.reference} {submission.case.title}",
            risk=submission.case.risk,
            group=GROUP,
        )
        for submission, number in counts.values()
    ]


@prepared
def _any_rejected(user: Any) -> Any:
    return SubmissionItem.objects.filter(owner=user, state=SubmissionItem.State.REJECTED).values_list("pk")[:1]


@prepared
def _any_dispute(nobody: None) -> Any:
    return Grade.objects.filter(disputed=True).values_list("pk")[:1]


def _files(cases: Any) -> list[WorkItem]:
    made = []
    waits = waiting_in(list(cases))
    clocks = _clocks([waiting.device.pk for _, waiting in waits])
    for case, waiting in waits:
        clock = clocks.get(waiting.device.pk)
        common: dict[str, Any] = {
            "url": address("submissions:case_submissions", case.reference),
            "subject": f"{waiting.device.exhibit} · {case.reference} {case.title}",
            "due_at": clock.due_at if clock else None,
            "clock": clock,
            "risk": case.risk,
            "group": GROUP,
        }
        if waiting.to_grade:
            made.append(WorkItem(title=f"Have {_number(waiting.to_grade)} graded", **common))
        if waiting.to_submit:
            made.append(WorkItem(title=f"Submit {_number(waiting.to_submit)} to the national database", **common))
    return made


_STEPS = {Submission.State.WRITTEN: "Send the submission", Submission.State.SENT: "Record the receipt"}


def _submissions(rows: list[Submission]) -> list[WorkItem]:
    made = []
    clocks = _clocks([row.device_id for row in rows if row.state == Submission.State.WRITTEN])
    for submission in rows:
        clock = clocks.get(submission.device_id) if submission.state == Submission.State.WRITTEN else None
        made.append(
            WorkItem(
                title=_STEPS[Submission.State(submission.state)],
                url=address("submissions:detail", submission.reference),
                subject=f"{submission.reference} · {submission.case.reference} {submission.case.title}",
                due_at=clock.due_at if clock else None,
                clock=clock,
                risk=submission.case.risk,
                group=GROUP,
            )
        )
    return made


def _clocks(devices: list[int]) -> dict[int, Clock]:
    """The open submission clocks of devices, by the device's key."""
    rows = Clock.objects.open().filter(rule="caid_upload", subject_type="devices.device", subject_id__in=devices)
    return {clock.subject_id: clock for clock in rows.order_by("-pk")} if devices else {}


def _number(files: list[Any]) -> str:
    return "1 file" if len(files) == 1 else f"{len(files)} files"
