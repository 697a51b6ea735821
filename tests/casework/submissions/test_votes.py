"""Votes of several graders, what becomes of a disagreement, and the time to the national database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import make_allocation, make_case, make_device, make_user

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.clocks.models import Clock
from safelight.casework.devices.models import Device, EvidenceImage, Finding, TriageRun
from safelight.casework.hashsets.models import HashSetRecord
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.submissions import queries, services
from safelight.casework.submissions.agreement import agreement_of
from safelight.casework.submissions.material import files_of, to_grade, to_settle, to_submit
from safelight.casework.submissions.models import Grade, GradeVote
from safelight.casework.submissions.timeliness import longest_open, times
from safelight.casework.submissions.work import items_for

pytestmark = pytest.mark.django_db
TOOL = "Example grader 4.2"
MD5S = tuple(f"{number:032x}" for number in range(1, 5))


@pytest.fixture
def device() -> Device:
    """A device with four files that are like listed ones; its investigator and two examiners may grade."""
    case = make_case()
    officer = make_allocation(case, make_user(skills=[case.required_skill, "image_grading"])).investigator
    made = make_device(case, officer, decision="triage")
    now = timezone.now()
    image = EvidenceImage.objects.create(
        device=made, path="synthetic.dd", imaged_at=now, registered_by=officer, registered_at=now
    )
    run = TriageRun.objects.create(device=made, image=image, state="finished", queued_by=officer, queued_at=now)
    listed = HashSetRecord.objects.create(
        name="SYNTHETIC", kind="known", version="1", root="ab" * 32, folder="", source="x", legal_basis="x",
        file_name="x", file_sha256="x", format="x", imported_at=now, imported_by=officer,
    )  # fmt: skip
    for md5 in MD5S:
        Finding.objects.create(
            run=run, kind="perceptual", algorithm="pdq", hash_set=listed, path=f"{md5}.jpg", size=1, md5=md5,
            sha1="", sha256="", distance=9,
        )  # fmt: skip
    return made


def grader() -> Any:
    return make_user("examiner", skills=["image_grading"])


def test_two_who_agree_are_one_grade_with_two_votes(device: Device) -> None:
    """A court would hear of one grader where two looked."""
    case, first, second = device.case, grader(), grader()
    services.record_grades(first, case, grades={MD5S[0]: "B"}, graded_in=TOOL)
    done = services.record_grades(second, case, grades={MD5S[0]: "B"}, graded_in=TOOL)
    assert (done.new, done.changed, done.same, done.disputed) == (0, 0, 1, 0)
    assert GradeVote.objects.count() == 2 and not to_settle(files_of(case))
    again = services.record_grades(second, case, grades={MD5S[0]: "C"}, graded_in=TOOL)
    assert again.disputed == 1
    back = services.record_grades(second, case, grades={MD5S[0]: "B"}, graded_in=TOOL)
    assert back.disputed == 0 and Grade.objects.get().disputed is False, "who corrects the own vote ends the dispute"
    assert GradeVote.objects.count() == 2


def test_a_disagreement_goes_nowhere_until_a_third_settles_it(device: Device, sign_in: Any) -> None:
    """The last click would decide what the court and the national database are told."""
    case, first, second, third = device.case, grader(), grader(), grader()
    services.record_grades(first, case, grades={MD5S[0]: "C"}, graded_in=TOOL)
    assert [file.md5 for file in to_submit(files_of(case), {})] == [MD5S[0]]
    done = services.record_grades(second, case, grades={MD5S[0]: "A"}, graded_in=TOOL)
    assert done.disputed == 1
    (file,) = to_settle(files_of(case))
    assert file.category == "A", "meanwhile the gravest stands"
    assert to_submit(files_of(case), {}) == [] and MD5S[0] not in {f.md5 for f in to_grade(files_of(case))}
    assert any("graders disagree" in line for line in queries.outstanding(case))
    assert any("disagree about: 1 file" in item.title for item in items_for(third))
    assert not any("disagree" in item.title for item in items_for(first))
    with pytest.raises(NotAllowed, match="graded this file yourself"):
        services.settle_grade(first, case, MD5S[0], category="C", reason="x")
    with pytest.raises(NotAllowed, match="accredited"):
        services.settle_grade(make_user("examiner"), case, MD5S[0], category="C", reason="x")
    with pytest.raises(Invalid, match="reason"):
        services.settle_grade(third, case, MD5S[0], category="C", reason=" ")
    with pytest.raises(NotPossible, match="Nobody disagrees"):
        services.settle_grade(third, case, MD5S[1], category="C", reason="x")
    page = sign_in(third).get(reverse("submissions:case_submissions", args=[case.reference])).content.decode()
    assert "Graders disagree" in page and first.name in page
    answer = sign_in(third).post(
        reverse("submissions:settle_grade", args=[case.reference, MD5S[0]]),
        {"category": "B", "reason": "Looked again."},
    )
    assert answer.status_code == 302
    assert not any("disagree" in item.title for item in items_for(third))
    grade = Grade.objects.get()
    assert (grade.category, grade.settled_by, grade.disputed) == ("B", third, False)
    assert [f.category for f in to_submit(files_of(case), {})] == ["B"] and GradeVote.objects.count() == 2
    entry = LedgerEntry.objects.get(verb="submission.grade_settled")
    assert [vote["category"] for vote in entry.payload["votes"]] == ["C", "A"]
    with pytest.raises(IntegrityError), transaction.atomic():
        Grade.objects.update(settled_reason="")
    # A fourth who votes otherwise opens it again; one who agrees with what was settled does not.
    assert services.record_grades(grader(), case, grades={MD5S[0]: "B"}, graded_in=TOOL).disputed == 0
    assert services.record_grades(grader(), case, grades={MD5S[0]: "C"}, graded_in=TOOL).disputed == 1


def test_a_force_that_asks_for_two_graders_waits_for_two(device: Device, settings: Any, tmp_path: Any) -> None:
    """The policy would be a line in a file that nothing obeys."""
    from tests.casework.conftest import DEMO_SITE

    site = tmp_path / "site.toml"
    site.write_text(DEMO_SITE.read_text() + '\n[policy.grading_votes]\nvalue = 2\nlabel = "Synthetic"\n')
    settings.SITE_STANDARDS = site
    case, first, second = device.case, grader(), grader()
    services.record_grades(first, case, grades={MD5S[0]: "B"}, graded_in=TOOL)
    assert to_submit(files_of(case), {}) == [] and MD5S[0] in {f.md5 for f in to_grade(files_of(case))}
    services.record_grades(second, case, grades={MD5S[0]: "B"}, graded_in=TOOL)
    assert [f.md5 for f in to_submit(files_of(case), {})] == [MD5S[0]]


def test_agreement_is_told_with_what_it_rests_on(device: Device, sign_in: Any) -> None:
    """'The graders agree' would be said of files that one of them has seen."""
    case, first, second = device.case, grader(), grader()
    assert "nothing can be said" in sign_in(first).get(reverse("submissions:agreement")).content.decode()
    services.record_grades(first, case, grades=dict(zip(MD5S, "AABC", strict=True)), graded_in=TOOL)
    services.record_grades(second, case, grades=dict(zip(MD5S[:3], "AAC", strict=True)), graded_in=TOOL)
    found = agreement_of(first)
    assert found.files == 3 and found.agreed is not None and (found.agreed.k, found.agreed.n) == (2, 3)
    assert found.pairs == [("A", "A", 2), ("B", "C", 1)] and found.open == 1
    # By hand: 6 values, AAAA B C; of 2 x 3 pairs within files 2 differ; expected 1 - (4x3)/(6x5) = 0.6 differ.
    assert found.alpha is not None and found.alpha.value == pytest.approx(1 - (1 / 3) / 0.6)
    text = sign_in(first).get(reverse("submissions:agreement")).content.decode()
    assert "66.7 %" in text and "no estimate for all grades" in text
    assert agreement_of(make_user("supervisor", "SW")).files == 0


def clock(case: Any, number: int, *, began: float, ended: float | None = None, reason: str = "N-1 sent") -> None:
    now = timezone.now()
    Clock.objects.create(
        rule="caid_upload", subject_type="devices.device", subject_id=900_000 + number, subject_label=f"D-{number}",
        case=case, unit=case.unit, owner_role="examiner", triggered_at=now - timedelta(days=began),
        stopped_at=None if ended is None else now - timedelta(days=ended), standards_version="x",
        stop_reason="" if ended is None else reason,
    )  # fmt: skip


def test_the_time_to_submission_counts_what_is_still_open(sign_in: Any) -> None:
    """The unit that sends nothing would have the shortest time of all."""
    case = make_case()
    for number in range(4):
        clock(case, number, began=10, ended=10 - 1 - number)  # sent after 1, 2, 3 and 4 days
    for number in range(4, 10):
        clock(case, number, began=50)  # never sent
    clock(case, 10, began=30, ended=20, reason="Nothing to submit: none")
    clock(case, 11, began=30, ended=0, reason="Case closed: charged")
    clock(make_case(unit="SW"), 12, began=3)
    user = make_user("supervisor")
    found = times(user)
    (unit,) = found.units
    assert (unit.summary.n, unit.summary.ended, unit.summary.still_open) == (11, 4, 7) and found.nothing == 1
    assert unit.summary.median is None and unit.summary.finished_median == pytest.approx(2.5, abs=0.01)
    assert found.limit == 3 and found.limit_is_set and unit.summary.met is not None
    assert unit.summary.met.estimate == pytest.approx(3 / 11, abs=0.001)
    assert unit.longest_open == pytest.approx(50, abs=0.01)
    assert times(user, days="90").units and times(user, days="90").units[0].summary.n == 11
    text = sign_in(user).get(reverse("submissions:timeliness"), {"days": "nonsense", "after": "x~y"}).content.decode()
    assert "not reached" in text and "<svg" in text and "left out" in text and "Hackney" not in text
    assert len(longest_open(user)[0]) == 6


def test_pages_of_open_clocks_leave_none_out(monkeypatch: Any) -> None:
    """The oldest delay would be on no page."""
    from safelight.casework.submissions import timeliness

    monkeypatch.setattr(timeliness, "PAGE", 2)
    case = make_case()
    for number in range(5):
        clock(case, number, began=20 - number // 2)
    user, seen, after = make_user("supervisor"), [], ""
    while True:
        rows, after = longest_open(user, after=after)
        seen += [view.clock.pk for view, _ in rows]
        if not after:
            break
    assert len(seen) == len(set(seen)) == 5
