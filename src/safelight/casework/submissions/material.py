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
    rows = list(Grade.objects.filter(case=case).values_list("md5", "category", "disputed", "settled_by"))
    wanted = votes_wanted()
    few: set[str] = set()
    if wanted > 1 and rows:
        votes = GradeVote.objects.filter(case=case).values_list("md5").annotate(Count("pk")).order_by()
        numbers = dict(votes)
        few = {md5 for md5, _, _, settled in rows if settled is None and numbers.get(md5, 0) < wanted}
    return sort_files(
        found.order_by("pk"),
        {md5: category for md5, category, *_ in rows},
        disputed={md5 for md5, _, is_disputed, _ in rows if is_disputed},
        few=few,
    )


def submitted(case: Any) -> dict[str, SubmissionItem]:
    """The newest item of each file that is in a submission of the case, by MD5."""
    items = SubmissionItem.objects.filter(submission__case=case).select_related("submission", "owner")
    return {item.md5: item for item in items.order_by("pk")}


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
