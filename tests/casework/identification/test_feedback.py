"""Answers of the national database: every line has an outcome, every case concerned is told, with a clock."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from tests.casework.factories import make_allocation, make_case, make_device, make_user

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.clocks.models import Clock
from safelight.casework.devices.models import EvidenceImage, Finding, TriageRun
from safelight.casework.hashsets.models import HashSetRecord
from safelight.casework.identification import services
from safelight.casework.identification.feedback import _read, _rows, import_feedback, settle_feedback
from safelight.casework.identification.models import Feedback, FeedbackLine, Series, Victim
from safelight.casework.identification.work import items_for
from safelight.casework.notices.models import Notice
from safelight.casework.submissions.models import Grade

pytestmark = pytest.mark.django_db
MD5S = tuple(f"{number:032x}" for number in range(1, 5))
HEAD = "kind,md5,series,category,authority,note"


def found_in(case: Any, *md5s: str) -> None:
    """A run of a device of the case that found these files."""
    now, by = timezone.now(), case.opened_by
    device = make_device(case, by)
    image = EvidenceImage.objects.create(
        device=device, path=f"{device.pk}.dd", imaged_at=now, registered_by=by, registered_at=now
    )
    run = TriageRun.objects.create(device=device, image=image, state="finished", queued_by=by, queued_at=now)
    listed = HashSetRecord.objects.first() or HashSetRecord.objects.create(
        name="SYNTHETIC", kind="known", version="1", root="ab" * 32, folder="", source="x", legal_basis="x",
        file_name="x", file_sha256="x", format="x", imported_at=now, imported_by=by,
    )  # fmt: skip
    for md5 in md5s:
        Finding.objects.create(
            run=run, kind="exact", algorithm="md5", category="B", hash_set=listed, path="x", size=1, md5=md5,
            sha1="", sha256="",
        )  # fmt: skip


def csv(*lines: str) -> bytes:
    return "\r\n".join((HEAD, *lines, "")).encode("utf-8-sig")


@pytest.fixture
def examiner() -> Any:
    return make_user("examiner")


def test_every_line_has_an_outcome_and_every_case_a_task(examiner: Any) -> None:
    """The child that Scotland has identified would be looked for here for another year."""
    mine, closed, other = make_case(), make_case(), make_case(unit="SW")
    officer = make_allocation(mine).investigator
    for case, md5s in ((mine, MD5S[:2]), (closed, MD5S[:1]), (other, MD5S[1:2])):
        found_in(case, *md5s)
    type(closed).objects.filter(pk=closed.pk).update(
        status="closed", outcome="no_suspect", closed_at=timezone.now(), closed_by=closed.opened_by
    )
    done = import_feedback(examiner, name="answers.csv", content=csv(
        f"known_series,{MD5S[0]},SYNTHETIC red,A,,",
        "victim_identified,,SYNTHETIC red,,Police Scotland (synthetic),Child safe",
        f"category_changed,{MD5S[1].upper()},,a,,",
        f"known_series,{MD5S[3]},SYNTHETIC blue,,,",
        "known_series,xyz,SYNTHETIC red,,,",
        f"category_changed,{MD5S[1]},,D,,",
        "something,,,,,",
        "victim_identified,,SYNTHETIC red,,,",
        f"category_changed,{MD5S[1]}",
    ))  # fmt: skip
    lines = {line.number: line for line in done.file.lines.all()}
    assert [lines[n].outcome for n in sorted(lines)] == ["told", "told", "told", "no_case", *["quarantined"] * 5]
    reasons = [lines[n].reason for n in sorted(lines)][4:]
    for reason, words in zip(reasons, ("32 hexa", "category A, B, C", "no kind", "authority", "columns"), strict=True):
        assert words in reason
    assert done.outcomes == {"told": 3, "no_case": 1, "same": 0, "quarantined": 5} and done.tasks == 6
    told = {(row.case_id, row.kind) for row in Feedback.objects.all()}
    assert told == {
        (mine.pk, "known_series"), (closed.pk, "known_series"), (mine.pk, "victim_identified"),
        (closed.pk, "victim_identified"), (mine.pk, "category_changed"), (other.pk, "category_changed"),
    }  # fmt: skip
    assert Clock.objects.open().filter(rule="caid_feedback").count() == 6, "a closed case has its clock too"
    assert Series.objects.get(name="SYNTHETIC red").source == "national"
    assert {n.kind for n in Notice.objects.filter(user=officer)} == {
        "caid.known_series", "caid.victim_identified", "caid.category_changed"
    }  # fmt: skip
    titles = {item.title for item in items_for(officer)}
    assert len(titles) == 3 and all(item.clock is not None for item in items_for(officer))


def test_what_is_known_is_told_to_nobody_again(examiner: Any) -> None:
    """People learn to ignore what comes every week."""
    case = make_case()
    found_in(case, MD5S[0])
    first = csv(f"category_changed,{MD5S[0]},,A,,", f"known_series,{MD5S[0]},S,,,")
    assert import_feedback(examiner, name="a.csv", content=first).tasks == 2
    with pytest.raises(NotPossible, match="imported before"):
        import_feedback(examiner, name="b.csv", content=first)
    again = import_feedback(
        examiner, name="c.csv", content=first + b"\r\n" + f"category_changed,{MD5S[0]},,C,,".encode()
    )
    assert again.outcomes["same"] == 2 and again.tasks == 1, "changed once more is news"


def test_a_victim_identified_elsewhere_ends_the_search_here(examiner: Any) -> None:
    """Which of two children it is must not be guessed."""
    series = services.make_series(examiner, name="S", source="national")
    services.add_files(examiner, series, {MD5S[0]: "A"})
    one = services.record_victim(examiner, label="Child 1", age_from=5, age_to=9, series=series)
    by_file = csv(f"victim_identified,{MD5S[0]},,,Garda (synthetic),")
    done = import_feedback(examiner, name="a.csv", content=by_file)
    one.refresh_from_db()
    assert (one.state, done.outcomes["no_case"]) == ("elsewhere", 1) and "Garda" in one.how
    two, three = (
        services.record_victim(examiner, label=label, age_from=5, age_to=9, series=series) for label in ("2", "3")
    )
    import_feedback(examiner, name="b.csv", content=csv("victim_identified,,S,,Garda (synthetic),another"))
    assert set(Victim.objects.filter(pk__in=[two.pk, three.pk]).values_list("state", flat=True)) == {"unknown"}


def test_a_changed_category_is_taken_over_by_somebody_who_may_grade(examiner: Any) -> None:
    """A letter in a file would change what a court is told, and nobody looked."""
    case = make_case()
    officer = make_allocation(case, make_user(skills=[case.required_skill, "image_grading"])).investigator
    found_in(case, MD5S[0])
    import_feedback(examiner, name="a.csv", content=csv(f"category_changed,{MD5S[0]},,A,,"))
    row = Feedback.objects.get()
    with pytest.raises(NotAllowed, match="accredited"):
        settle_feedback(examiner, row, words="Taken over.", take_over=True)
    row.refresh_from_db()
    assert row.settled_at is None
    with pytest.raises(Invalid, match="What was done"):
        settle_feedback(officer, row, words=" ")
    settle_feedback(officer, row, words="Looked at it: A.", take_over=True)
    assert Grade.objects.get().category == "A" and not Clock.objects.open().filter(rule="caid_feedback").exists()
    with pytest.raises(NotPossible, match="is settled"):
        settle_feedback(officer, row, words="x")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no column 'kind'"), (b"\xff\xfe\x00", "not UTF-8"), (HEAD.encode(), "no line"),
        (b"kind,picture\nx,y\n", "not known: picture"), (b'kind,md5\n"x', "x"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_is_refused_in_one_sentence(content: bytes, words: str, examiner: Any) -> None:
    """An importer that half reads a wrong file says that all is well."""
    if words == "x":
        done = import_feedback(examiner, name="a.csv", content=content)
        assert done.outcomes["quarantined"] == 1
        return
    with pytest.raises(Invalid, match=words):
        import_feedback(examiner, name="a.csv", content=content)
    with pytest.raises(NotAllowed):
        import_feedback(make_user("investigator"), name="a.csv", content=content)


@given(
    st.binary(max_size=300) | st.text(max_size=300).map(lambda text: (HEAD + "\n" + text).encode("utf-8", "replace"))
)
def test_no_file_breaks_the_reader(content: bytes) -> None:
    """One odd byte from another country would end the import with a traceback."""
    try:
        rows = list(_rows("a.csv", content))
    except Invalid:
        return
    for _, raw, row in rows:
        answer = _read(row)
        assert len(raw) <= 1000 and (answer if isinstance(answer, str) else answer.kind in FeedbackLine.Kind.values)


def test_the_pages_of_answers(examiner: Any, sign_in: Any) -> None:
    """What the national database knows would lie in somebody's mailbox."""
    case = make_case()
    officer = make_allocation(case).investigator
    found_in(case, MD5S[0])
    browser = sign_in(examiner)
    upload = SimpleUploadedFile("answers.csv", csv(f"known_series,{MD5S[0]},S,,,", "bad,,,,,"))
    answer = browser.post(reverse("identification:feedback_import"), {"file": upload}, follow=True)
    text = answer.content.decode()
    assert "1 task for cases that you see" in text and "1 line cannot be used" in text and "There is no kind" in text
    assert "answers.csv" in browser.get(reverse("identification:feedback_files")).content.decode()
    row = Feedback.objects.get()
    mine = sign_in(officer)
    assert row.reference in mine.get(reverse("identification:feedback_list")).content.decode()
    page = reverse("identification:feedback", args=[row.reference])
    assert "belongs to the known series S" in mine.get(page).content.decode()
    assert sign_in(make_user("investigator", "SW")).get(page).status_code == 404
    assert mine.post(page, {"words": ""}).status_code == 200
    assert mine.post(page, {"words": "The series is searched."}).status_code == 302
    assert "The series is searched." in mine.get(page).content.decode()
    tab = mine.get(reverse("submissions:case_submissions", args=[case.reference])).content.decode()
    assert row.reference in tab


def test_an_import_tells_nobody_of_a_restricted_case(examiner: Any, sign_in: Any) -> None:
    """The outcome of a line would say that there is a case against a colleague."""
    hidden = make_case(restricted=True)
    found_in(hidden, MD5S[0])
    done = import_feedback(examiner, name="a.csv", content=csv(f"known_series,{MD5S[0]},S,,,"))
    assert done.tasks == 1 and Clock.objects.open().filter(rule="caid_feedback", case=hidden).exists()
    browser = sign_in(examiner)
    text = browser.get(reverse("identification:feedback_file", args=[done.file.reference])).content.decode()
    assert "no case here has it" in text and hidden.reference not in text and "may not see" not in text
    told = browser.get(reverse("identification:feedback_file", args=[done.file.reference]), {"outcome": "told"})
    assert "No line has this outcome" in told.content.decode()
    series = reverse("identification:series", args=[Series.objects.get().reference])
    assert "may not see" not in browser.get(series).content.decode().replace("that you may see", "")
