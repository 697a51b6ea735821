"""Which files of a case are known, which need a grade, and which still have to go to the national database.

A file is its MD5: the national database counts files, not places. What a qualified person decided counts before what a
list says; a list's letter counts only for an exact match that no other digest contradicts.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count

from safelight.casework.base.standards import standards
from safelight.casework.devices.models import Finding, TriageRun
from safelight.casework.submissions.models import Grade, GradeVote, SubmissionItem

LETTERS = ("A", "B", "C")
NOT_PERTINENT = "not_pertinent"
KNOWN, GRADED, TO_GRADE, DROPPED = "known", "graded", "to_grade", "not_pertinent"
#: Graders disagree, and nobody has settled it: it goes nowhere until somebody does.
DISPUTED = "disputed"
_ENDED = (TriageRun.State.FINISHED, TriageRun.State.UNREAD_PARTS, TriageRun.State.CANCELLED)


@dataclass
class File:
    """One distinct file among the findings of a case: what it counts as, and where it was found."""

    md5: str
    category: str
    basis: str
    findings: list[Finding] = field(default_factory=list)

    @property
    def first(self) -> Finding:
        return self.findings[0]


def gradeable() -> tuple[str, ...]:
    """The categories that a person may give: the letters, and 'not pertinent'."""
    return (*LETTERS, NOT_PERTINENT)


def votes_wanted() -> int:
    """How many graders who agree make a grade (policy grading_votes)."""
    return int(standards().policy["grading_votes"].value)


def sort_files(
    findings: Iterable[Finding],
    grades: Mapping[str, str],
    *,
    disputed: Container[str] = (),
    few: Container[str] = (),
) -> dict[str, File]:
    """Group findings by MD5 and say what each file counts as.

    Args:
        grades: MD5 to the category that people recorded in this case.
        disputed: MD5s about which graders disagree.
        few: MD5s that fewer graders have looked at than the policy asks for.
    """
    order = {code: row.order for code, row in standards().categories.items()}
    by_file: dict[str, list[Finding]] = {}
    for finding in findings:
        by_file.setdefault(finding.md5, []).append(finding)
    made = {}
    for md5, found in by_file.items():
        listed = [f.category for f in found if f.kind == "exact" and not f.doubtful and f.category in LETTERS]
        if md5 in disputed:
            made[md5] = File(md5, grades[md5], DISPUTED, found)
        elif md5 in grades and md5 in few:
            made[md5] = File(md5, "", TO_GRADE, found)
        elif md5 in grades:
            basis = DROPPED if grades[md5] == NOT_PERTINENT else GRADED
            made[md5] = File(md5, grades[md5], basis, found)
        elif listed:
            # Lists that disagree: the gravest letter goes forward, and a person may grade it otherwise.
            made[md5] = File(md5, min(listed, key=lambda code: order[code]), KNOWN, found)
        elif all(f.kind == "exact" and not f.doubtful and f.category == NOT_PERTINENT for f in found):
            made[md5] = File(md5, NOT_PERTINENT, DROPPED, found)
        else:
            made[md5] = File(md5, "", TO_GRADE, found)
    return made


def answered(device: Any) -> bool:
    """Whether some run of the device came to an end with an answer (or was stopped after it had begun to read)."""
    return TriageRun.objects.filter(device=device, state__in=_ENDED).exists()


def files_of(case: Any, *, device: Any = None, run: Any = None) -> dict[str, File]:
    """The files of a case, of one of its devices, or of one run, by MD5. Known-good ones are left out.

    Every run that ended counts, not only the newest: what an earlier run found with another hash set stays found.
    """
    found = Finding.objects.filter(known_good=False).select_related("run__device", "hash_set")
    if run is not None:
        found = found.filter(run=run)
    elif device is not None:
        found = found.filter(run__device=device)
    else:
        found = found.filter(run__device__case=case)
    return _with_grades({case.pk: list(found.order_by("pk"))})[case.pk]


def files_of_cases(cases: Iterable[Any]) -> dict[int, dict[str, File]]:
    """:func:`files_of` of several cases, by the key of the case. Three queries, whatever their number; of each finding
    only what sorting it needs is read."""
    found: dict[int, list[Finding]] = {case.pk: [] for case in cases}
    rows = Finding.objects.filter(known_good=False, run__device__case__in=list(found)).select_related("run__device")
    for finding in rows.only(
        "md5", "kind", "category", "doubtful", "run__device__exhibit", "run__device__case", "run__device__kind"
    ).order_by("pk"):
        found[finding.run.device.case_id].append(finding)
    return _with_grades(found)


def _with_grades(found: Mapping[int, list[Finding]]) -> dict[int, dict[str, File]]:
    """The findings of cases as files, with what people said of each."""
    wanted = votes_wanted()
    grades: dict[int, dict[str, str]] = {key: {} for key in found}
    disputed: dict[int, set[str]] = {key: set() for key in found}
    few: dict[int, set[str]] = {key: set() for key in found}
    rows = Grade.objects.filter(case__in=list(found))
    votes = GradeVote.objects.filter(case__in=list(found)).values_list("case", "md5").annotate(Count("pk")).order_by()
    numbers: dict[tuple[int, str], int] | None = None
    for case, md5, category, is_disputed, settled in rows.values_list(
        "case", "md5", "category", "disputed", "settled_by"
    ):
        grades[case][md5] = category
        if is_disputed:
            disputed[case].add(md5)
        if wanted > 1 and settled is None:
            if numbers is None:
                numbers = {(of, digest): number for of, digest, number in votes}
            if numbers.get((case, md5), 0) < wanted:
                few[case].add(md5)
    return {
        key: sort_files(findings, grades[key], disputed=disputed[key], few=few[key]) for key, findings in found.items()
    }


def submitted(case: Any) -> dict[str, SubmissionItem]:
    """The newest item of each file that is in a submission of the case, by MD5."""
    return submitted_of([case])[case.pk]


def submitted_of(cases: Iterable[Any]) -> dict[int, dict[str, SubmissionItem]]:
    """:func:`submitted` of several cases, by the key of the case."""
    made: dict[int, dict[str, SubmissionItem]] = {case.pk: {} for case in cases}
    items = SubmissionItem.objects.filter(submission__case__in=list(made)).select_related("submission", "owner")
    for item in items.order_by("pk"):
        made[item.submission.case_id][item.md5] = item
    return made


def to_submit(files: Mapping[str, File], items: Mapping[str, SubmissionItem]) -> list[File]:
    """Known and graded files that no submission holds with the category that they now have.

    A file that the database rejected is in its person's hands: it goes again only when they say so.
    """
    return [
        file
        for md5, file in files.items()
        if file.basis in (KNOWN, GRADED) and (md5 not in items or _graded_otherwise(file, items[md5]))
    ]


def _graded_otherwise(file: File, item: SubmissionItem) -> bool:
    """A person has since given another category than the one that was submitted."""
    return file.basis == GRADED and item.category != file.category and item.state != SubmissionItem.State.REJECTED


def to_settle(files: Mapping[str, File]) -> list[File]:
    """Files about which graders disagree."""
    return [file for file in files.values() if file.basis == DISPUTED]


def to_grade(files: Mapping[str, File]) -> list[File]:
    """Files that a qualified person must still grade."""
    return [file for file in files.values() if file.basis == TO_GRADE]
