"""The submission pages and what they put on work lists."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from tests.casework.bench import Bench
from tests.casework.factories import make_allocation, make_case, make_user

from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.submissions.material import files_of, to_grade
from safelight.casework.submissions.models import Submission
from safelight.casework.submissions.work import items_for

pytestmark = pytest.mark.django_db


def titles(user: Any) -> list[str]:
    return [item.title for item in items_for(user)]


def test_the_whole_story_of_a_submission_by_its_pages(bench: Bench, sign_in: Any) -> None:
    """Grade, write, download, send, receipt, settle: the way to the national database, click by click."""
    bench.import_sets()
    case = make_case()
    user = make_user("investigator", "CN", skills=[case.required_skill, "image_grading"])
    make_allocation(case, user)
    device = bench.device(case=case)
    bench.triage(device)
    browser = sign_in(user)
    tab = reverse("submissions:case_submissions", args=[case.reference])
    page = browser.get(tab).content.decode()
    assert "2 files wait for a grade" in page and "Write the submission" in page
    assert titles(user) == ["Have 2 files graded", "Submit 2 files to the national database"]
    near = to_grade(files_of(case))
    grade = reverse("submissions:grade", args=[case.reference])
    form = browser.get(grade).content.decode()
    assert near[0].md5 in form and "256 bits differ" in form and "<img" not in form
    refused = browser.post(grade, {f"grade-{near[0].md5}": "A", "graded_in": ""}).content.decode()
    assert "There is a problem" in refused
    browser.post(grade, {f"grade-{near[0].md5}": "A", "graded_in": "Example grader"})
    export = SimpleUploadedFile("export.csv", f"md5,category\n{near[1].md5},not_pertinent\n{near[1].md5},C\n".encode())
    answer = browser.post(
        reverse("submissions:import_grades", args=[case.reference]),
        {"file": export, "graded_in": "Example grader"},
        follow=True,
    ).content.decode()
    assert "1 files graded" in answer and "Not used, row 2" in answer
    written = browser.post(reverse("submissions:write", args=[case.reference, device.reference]), follow=True)
    submission = Submission.objects.get()
    assert submission.items.count() == 4
    assert "is written and checked" in written.content.decode()
    assert "Send the submission" in titles(user)
    file = browser.get(reverse("submissions:download", args=[submission.reference]))
    assert b"odata.context" in b"".join(file.streaming_content)
    assert LedgerEntry.objects.filter(verb="submission.downloaded", category="disclosure").exists()
    page = reverse("submissions:detail", args=[submission.reference])
    browser.post(reverse("submissions:sent", args=[submission.reference]))
    submission.refresh_from_db()
    assert submission.state == "sent" and "Record the receipt" in titles(user)
    receipt = reverse("submissions:receipt", args=[submission.reference])
    items = list(submission.items.all())
    assert "Line 1" in browser.post(receipt, {"receipt": "R-1", "rejected": "abc wrong"}).content.decode()
    lines = f"{items[0].md5} Poor metadata\n{items[1].md5},Duplicate\n"
    browser.post(receipt, {"receipt": "R-1", "rejected": lines})
    assert "Settle or resubmit 2 rejected items" in titles(user)
    shown = browser.get(page).content.decode()
    assert "Rejected items that wait" in shown and "Poor metadata" in shown
    browser.post(
        reverse("submissions:settle", args=[submission.reference, items[1].pk]), {"settled_note": "Held already."}
    )
    assert (
        "Choose the items"
        in browser.post(reverse("submissions:resubmit", args=[submission.reference]), follow=True).content.decode()
    )
    browser.post(reverse("submissions:resubmit", args=[submission.reference]), {"item": items[0].pk})
    assert Submission.objects.count() == 2
    assert "Settle" not in " ".join(titles(user))
    listed = browser.get(reverse("submissions:index")).content.decode()
    assert submission.reference in listed
    assert "No submission fits" in browser.get(reverse("submissions:index"), {"state": "sent"}).content.decode()
    assert sign_in(make_user("investigator", "NE")).get(page).status_code == 404
    assert sign_in(make_user("referral_desk")).get(page).status_code == 403


def test_a_missing_number_is_told_on_the_page(bench: Bench, sign_in: Any, settings: Any) -> None:
    """The person who meets it must learn what to set, and where."""
    bench.import_sets()
    device = bench.device()
    bench.triage(device)
    settings.SITE_STANDARDS = None
    answer = sign_in(bench.examiner).post(
        reverse("submissions:write", args=[device.case.reference, device.reference]), follow=True
    )
    assert "VICS category numbers" in answer.content.decode()


def test_nothing_to_submit_by_its_page(bench: Bench, sign_in: Any) -> None:
    """The clock of a device without listed files is ended by a person, with a reason."""
    bench.import_sets()
    device = bench.device("iso9660.raw")
    bench.triage(device)
    browser = sign_in(bench.examiner)
    tab = reverse("submissions:case_submissions", args=[device.case.reference])
    assert "there is nothing to submit from" in browser.get(tab).content.decode()
    address = reverse("submissions:nothing", args=[device.case.reference, device.reference])
    assert browser.post(address, {"reason": "Nothing listed in what was read."}).status_code == 302
    assert "there is nothing to submit from" not in browser.get(tab).content.decode().replace("Recorded: ", "")
