"""From findings to the national database and back."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from tests.casework.bench import Bench
from tests.casework.factories import make_allocation, make_case, make_user

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.clocks.models import Clock
from safelight.casework.devices.models import Device, Finding
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.submissions import queries, services
from safelight.casework.submissions.material import files_of, sort_files, to_grade
from safelight.casework.submissions.models import Grade, Submission, SubmissionItem
from safelight.matching import UK_CONTEXT, validate_vics

pytestmark = pytest.mark.django_db


@pytest.fixture
def triaged(bench: Bench) -> Device:
    """A card with 2 known pictures and 2 similar ones, triaged; its case has an investigator who may grade."""
    bench.import_sets()
    case = make_case()
    make_allocation(case, make_user("investigator", "CN", skills=[case.required_skill, "image_grading"]))
    device = bench.device(case=case)
    bench.triage(device)
    return device


def upload_clock(device: Device) -> Clock | None:
    return Clock.objects.open().filter(rule="caid_upload", subject_id=device.pk, subject_type="devices.device").first()


def test_known_files_go_and_similar_ones_wait_for_a_grade(bench: Bench, triaged: Device) -> None:
    """A list's letter is never put on a file that merely looks alike."""
    case = triaged.case
    exact = {row.md5: row.category for row in bench.card.findable if row.match == "exact"}
    near = {row.md5 for row in bench.card.findable if row.match == "perceptual"}
    assert {file.md5 for file in to_grade(files_of(case))} == near
    submission = services.write_submission(bench.examiner, triaged)
    assert {item.md5: item.category for item in submission.items.all()} == exact
    assert {item.basis for item in submission.items.all()} == {"known"}
    said = " ".join(queries.outstanding(case))
    assert "wait for a grade" in said and "has not been sent" in said


def test_the_file_is_valid_vics_with_the_sites_own_numbers(bench: Bench, triaged: Device) -> None:
    """What the database cannot read it rejects, and a day is lost."""
    submission = services.write_submission(bench.examiner, triaged)
    path = services.submission_path(submission)
    assert path == bench.data / "submissions" / f"{submission.reference}.json"
    assert validate_vics(path) == []
    content = json.loads(path.read_text())
    assert content["@odata.context"] == UK_CONTEXT
    (case,) = content["value"]
    assert case["CaseNumber"] == triaged.case.reference
    numbers = {"A": 1, "B": 2, "C": 3}
    items = {item.md5.upper(): numbers[item.category] for item in submission.items.all()}
    assert {media["MD5"]: media["Category"] for media in case["Media"]} == items
    places = case["Media"][0]["MediaFiles"]
    assert places and places[0]["SourceID"] == triaged.exhibit
    assert services.check_file(submission) == path


def test_without_numbers_from_the_site_nothing_is_written(bench: Bench, triaged: Device, settings: Any) -> None:
    """Guessed numbers would turn category A into something else in the national database."""
    settings.SITE_STANDARDS = None
    with pytest.raises(NotPossible, match="category numbers for this context"):
        services.write_submission(bench.examiner, triaged)
    assert not Submission.objects.exists()
    assert not list((bench.data / "submissions").glob("*"))


def test_the_clock_stops_when_it_is_sent_and_not_before(bench: Bench, triaged: Device) -> None:
    """A file that lies on our disk is in no national database."""
    submission = services.write_submission(bench.examiner, triaged)
    assert upload_clock(triaged) is not None
    with pytest.raises(Invalid, match="cannot have been sent before"):
        services.mark_sent(bench.examiner, submission, at=timezone.now() - timedelta(hours=1))
    sent = services.mark_sent(bench.examiner, submission)
    assert sent.state == "sent" and upload_clock(triaged) is None
    entry = LedgerEntry.objects.get(verb="submission.sent")
    assert (entry.category, entry.recipient) == ("disclosure", "CAID")
    with pytest.raises(NotPossible, match="was sent"):
        services.mark_sent(bench.examiner, submission)


def test_a_file_that_was_changed_is_not_recorded_as_sent(bench: Bench, triaged: Device) -> None:
    """What was sent must be what was written."""
    submission = services.write_submission(bench.examiner, triaged)
    path = services.submission_path(submission)
    path.write_text(path.read_text().replace('"Category": 1', '"Category": 3'))
    with pytest.raises(NotPossible, match="was changed"):
        services.mark_sent(bench.examiner, submission)


def test_a_receipt_sends_rejected_items_back_to_a_person(bench: Bench, triaged: Device) -> None:
    """A rejected item that nobody has is lost."""
    case = triaged.case
    submission = services.mark_sent(bench.examiner, services.write_submission(bench.examiner, triaged))
    assert any("has no receipt" in line for line in queries.outstanding(case))
    first, second = submission.items.all()
    with pytest.raises(Invalid, match="not in"):
        services.record_receipt(bench.examiner, submission, receipt="R1", rejected={"f" * 32: "unknown"})
    with pytest.raises(Invalid, match="no reason"):
        services.record_receipt(bench.examiner, submission, receipt="R1", rejected={first.md5: " "})
    done = services.record_receipt(
        bench.examiner, submission, receipt="R1", rejected={first.md5.upper(): "Poor metadata"}
    )
    assert done.state == "part_rejected"
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, first.owner, second.state) == ("rejected", case.investigator, "accepted")
    assert any("rejected from" in line for line in queries.outstanding(case))
    again = services.write_submission(bench.examiner, triaged, again=[first])
    first.refresh_from_db()
    assert first.state == "settled" and again.reference in first.settled_note
    assert [item.md5 for item in again.items.all()] == [first.md5]
    with pytest.raises(IntegrityError), transaction.atomic():
        Submission.objects.filter(pk=done.pk).update(receipt="")


def test_a_rejected_item_can_be_settled_by_the_person_who_has_it(bench: Bench, triaged: Device) -> None:
    """Not every rejection means sending again; but each needs an end and a reason."""
    submission = services.mark_sent(bench.examiner, services.write_submission(bench.examiner, triaged))
    item = submission.items.first()
    assert item is not None
    services.record_receipt(bench.examiner, submission, receipt="R1", rejected={item.md5: "Duplicate"})
    item.refresh_from_db()
    with pytest.raises(NotAllowed):
        services.settle_item(make_user("investigator", "CN"), item, settled_note="x")
    with pytest.raises(Invalid, match="missing"):
        services.settle_item(item.owner, item, settled_note="")
    services.settle_item(item.owner, item, settled_note="Already held.")
    assert not any("rejected from" in line for line in queries.outstanding(triaged.case))
    with pytest.raises(NotPossible):
        services.settle_item(item.owner, item, settled_note="again")


def test_grades_make_new_items_and_start_the_clock_again(bench: Bench, triaged: Device) -> None:
    """What is graded after the first submission has to go too, within its own time."""
    case = triaged.case
    services.mark_sent(bench.examiner, services.write_submission(bench.examiner, triaged))
    assert upload_clock(triaged) is None
    near, other = (file.findings[0] for file in to_grade(files_of(case)))
    grade = services.record_grade(case.investigator, near, category="B", graded_in="Example grader 4.2")
    assert (grade.category, grade.graded_by, grade.graded_in) == ("B", case.investigator, "Example grader 4.2")
    assert upload_clock(triaged) is not None
    services.record_grade(case.investigator, other, category="not_pertinent", graded_in="Example grader 4.2")
    submission = services.write_submission(bench.examiner, triaged)
    (item,) = submission.items.all()
    assert (item.md5, item.category, item.basis) == (near.md5, "B", "graded")
    services.record_receipt(bench.examiner, services.mark_sent(bench.examiner, submission), receipt="R2")
    first = Submission.objects.order_by("pk").first()
    assert first is not None
    services.record_receipt(bench.examiner, first, receipt="R1")
    assert queries.outstanding(case) == []
    with pytest.raises(NotPossible, match="nothing new"):
        services.write_submission(bench.examiner, triaged)


def test_a_changed_grade_goes_again(bench: Bench, triaged: Device) -> None:
    """A correction must reach the database that holds the error."""
    case = triaged.case
    known = services.write_submission(bench.examiner, triaged).items.first()
    assert known is not None
    other = next(letter for letter in "ABC" if letter != known.category)
    services.record_grade(case.investigator, known.finding, category=other, graded_in="Example grader")
    submission = services.write_submission(bench.examiner, triaged)
    assert [(item.md5, item.category, item.basis) for item in submission.items.all()] == [(known.md5, other, "graded")]
    entry = LedgerEntry.objects.filter(verb="submission.graded").last()
    assert entry is not None and entry.payload["grades"] == {known.md5: other}


def test_only_an_accredited_person_records_grades(bench: Bench, triaged: Device) -> None:
    """A grade decides a charge: whoever gives it must be trained."""
    finding = Finding.objects.filter(run__device=triaged, kind="perceptual").first()
    assert finding is not None
    case = triaged.case
    for user in (make_user("examiner"), make_user("supervisor"), make_user("investigator")):
        with pytest.raises(NotAllowed):
            services.record_grade(user, finding, category="A", graded_in="Example grader")
    with pytest.raises(Invalid, match="tool"):
        services.record_grade(case.investigator, finding, category="A", graded_in="")
    with pytest.raises(Invalid, match="no category"):
        services.record_grade(case.investigator, finding, category="1", graded_in="Example grader")
    assert not Grade.objects.exists()


def test_grades_are_imported_from_the_grading_tools_file(bench: Bench, triaged: Device) -> None:
    """Typing a thousand digests by hand would be a thousand mistakes."""
    case = triaged.case
    near = [file.md5 for file in to_grade(files_of(case))]
    stranger = "f" * 32
    content = f"MD5,Category\r\n{near[0].upper()},A\r\n{stranger},B\r\nshort,A\r\n{near[1]},\r\n".encode()
    done = services.import_grades(
        case.investigator, case, name="export.csv", content=content, graded_in="Example grader"
    )
    assert (done.new, done.not_here) == (1, (stranger,))
    assert {where for where, _ in done.problems} == {"row 4", "row 5"}
    media = [{"MediaID": 1, "MD5": near[0], "Category": 2}, {"MediaID": 2, "MD5": near[1], "Category": 77}]
    vics = json.dumps({"@odata.context": UK_CONTEXT, "value": [{"CaseID": "x", "Media": media}]}).encode()
    done = services.import_grades(case.investigator, case, name="export.json", content=vics, graded_in="Example grader")
    assert (done.new, done.changed) == (0, 1)
    assert any("not mapped" in reason for _, reason in done.problems)
    assert Grade.objects.get().category == "B"
    twice = f"md5,category\n{near[0]},A\n{near[0]},C\n".encode()
    with pytest.raises(Invalid, match="two categories"):
        services.import_grades(case.investigator, case, name="x.csv", content=twice, graded_in="Example grader")
    with pytest.raises(Invalid, match="x.csv"):
        services.import_grades(case.investigator, case, name="x.csv", content=b"hello", graded_in="Example grader")


def test_nothing_to_submit_is_said_by_a_person(bench: Bench, triaged: Device) -> None:
    """A clock that nobody may end would be late for ever; one that ends by itself would hide what waits."""
    with pytest.raises(NotPossible, match="has files to submit"):
        services.nothing_to_submit(bench.examiner, triaged, reason="x")
    blank = bench.device("iso9660.raw", make_case())
    with pytest.raises(NotPossible, match="has not been triaged"):
        services.nothing_to_submit(bench.examiner, blank, reason="x")
    bench.triage(blank)
    assert queries.nothing_waits(blank.case) == [blank]
    services.nothing_to_submit(bench.examiner, blank, reason="No listed file among what was read; see the report.")
    assert upload_clock(blank) is None
    with pytest.raises(NotPossible, match="nothing new"):
        services.write_submission(bench.examiner, blank)


def test_what_an_earlier_run_found_is_not_lost_by_a_later_one(bench: Bench, triaged: Device) -> None:
    """A list that was retired in between must not make known files vanish from the case."""
    from safelight.casework.hashsets.models import HashSetRecord
    from safelight.casework.hashsets.services import retire

    before = set(files_of(triaged.case))
    for row in HashSetRecord.objects.filter(retired_at=None)[1:]:
        retire(bench.examiner, row, reason="A test.")
    bench.triage(triaged)
    assert set(files_of(triaged.case)) == before


def test_lists_that_disagree_give_the_gravest_letter_and_doubt_gives_none() -> None:
    """Two lists, two letters: the file goes forward as the graver; a contradictory digest waits for a person."""
    both = [Finding(md5="a", kind="exact", category="C"), Finding(md5="a", kind="exact", category="A")]
    assert sort_files(both, {})["a"].category == "A"
    doubtful = [Finding(md5="b", kind="exact", category="A", doubtful=True)]
    assert sort_files(doubtful, {})["b"].basis == "to_grade"
    abroad = [Finding(md5="c", kind="exact", category="known_foreign")]
    assert sort_files(abroad, {})["c"].basis == "to_grade"
    assert sort_files(abroad, {"c": "B"})["c"].category == "B"


def test_a_rejected_item_needs_its_reason_in_the_database(bench: Bench, triaged: Device) -> None:
    """The invariant holds even where a program forgets it."""
    item = services.write_submission(bench.examiner, triaged).items.first()
    assert item is not None
    with pytest.raises(IntegrityError), transaction.atomic():
        SubmissionItem.objects.filter(pk=item.pk).update(state="rejected")
