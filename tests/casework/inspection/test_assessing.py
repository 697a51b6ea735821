"""Two stages, each blind to the other until the independent audit is done: in the services and on every page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import make_assessment, make_audit, make_case, make_user

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.cases.models import Case
from safelight.casework.inspection.assessing import link_evidence, shown_to, write
from safelight.casework.inspection.models import AuditCase, AuditPlan
from safelight.casework.ledger.models import LedgerEntry

pytestmark = pytest.mark.django_db
SECRET = "Nobody told social care for nine days."  # noqa: S105


@pytest.fixture
def story():
    """A drawn case of CN, its supervisor, an auditor of no unit, and an auditor who is posted to CN."""
    case = make_case()
    make_case(unit="SW")
    auditor = make_user("auditor", None)
    plan = make_audit(auditor)
    return plan.cases.get(case=case), make_user("supervisor"), auditor, make_user("auditor", "CN")


def say(actor, audit, grade="inadequate", **more):
    return write(actor, audit, grade=grade, summary=SECRET, headings={"child_first": (grade, SECRET)}, **more)


PAGES = ("inspection:case", "inspection:assess", "inspection:evidence")


def test_an_auditor_reads_nothing_of_the_units_own_assessment_until_done(story, sign_in) -> None:
    """Lost: independence. An auditor who has read 'good' finds good."""
    audit, supervisor, auditor, _ = story
    make_assessment(supervisor, audit, "good")
    audit.assessments.filter(stage="self").update(summary=SECRET)
    assert shown_to(auditor, audit) == {}
    client = sign_in(auditor)
    places = [reverse(page, args=[audit.reference]) for page in PAGES]
    places += [
        reverse("inspection:plan", args=[audit.plan.reference]),
        reverse("inspection:result", args=[audit.plan.reference]),
        reverse("cases:detail", args=[audit.case.reference]), reverse("cases:ledger", args=[audit.case.reference]),
        reverse("cases:chronology", args=[audit.case.reference]), reverse("work:home"),
    ]  # fmt: skip
    for address in places:
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert SECRET not in answer.content.decode(), address
    make_assessment(auditor, audit, "inadequate")
    assert set(shown_to(auditor, audit)) == {"self", "inspector"}
    assert SECRET in client.get(places[0]).content.decode()


def test_the_unit_reads_nothing_of_the_audit_until_done_and_then_changes_nothing(story, sign_in) -> None:
    """Lost: a self-assessment written with the answer in hand."""
    audit, supervisor, auditor, _ = story
    say(auditor, audit)
    client = sign_in(supervisor)
    for page in PAGES:
        assert SECRET not in client.get(reverse(page, args=[audit.reference])).content.decode(), page
    AuditPlan.objects.update(self_due_at=timezone.now() - timedelta(hours=1))
    make_assessment(auditor, AuditCase.objects.get(pk=audit.pk), "inadequate")
    with pytest.raises(NotPossible, match="comes before"):
        say(supervisor, audit, "good")
    text = client.get(reverse("inspection:case", args=[audit.reference])).content.decode()
    assert "Synthetic summary." in text


def test_swapped_references_open_nothing_to_the_other_side(story, sign_in) -> None:
    """Lost: a grade read by changing a number in the address."""
    audit, supervisor, auditor, posted = story
    other = AuditCase.objects.exclude(pk=audit.pk).get(reserve=False)
    make_assessment(make_user("supervisor", "SW"), other, "good")
    for user, reference, status in (
        (supervisor, other.reference, 404),
        (posted, audit.reference, 404),
        (posted, other.reference, 200),
        (make_user("chief_officer", None), audit.reference, 403),
        (make_user("investigator"), audit.reference, 403),
        (make_user("administrator"), audit.reference, 403),
    ):
        client = sign_in(user)
        for page in PAGES:
            assert client.get(reverse(page, args=[reference])).status_code == status, (user.role, page)
            if status != 200 and page != "inspection:case":
                assert client.post(reverse(page, args=[reference]), {"action": "finish"}).status_code == status


def test_nobody_audits_the_own_unit_and_nobody_assesses_anothers(story) -> None:
    """Lost: a force that grades itself, as in 2016."""
    audit, _, auditor, posted = story
    with pytest.raises(NotAllowed):
        say(posted, audit)
    for user in (make_user("supervisor", "SW"), make_user("investigator"), make_user("chief_officer", None)):
        with pytest.raises(NotAllowed):
            say(user, audit)
    say(auditor, audit)
    with pytest.raises(NotAllowed, match="has begun"):
        say(make_user("auditor", None), audit)


def test_an_auditor_sees_drawn_cases_only_to_read_and_only_while_the_audit_runs(story, sign_in) -> None:
    """Lost: an auditor's account that opens every child's file for ever."""
    audit, _, auditor, posted = story
    undrawn = make_case()
    seen = set(Case.objects.visible_to(auditor).values_list("pk", flat=True))
    assert audit.case_id in seen and undrawn.pk not in seen
    assert audit.case_id not in set(Case.objects.visible_to(posted).values_list("pk", flat=True))
    client = sign_in(auditor)
    assert client.get(reverse("cases:detail", args=[audit.case.reference])).status_code == 200
    for page in ("cases:risk", "cases:close", "cases:access", "safeguarding:case_child_add", "devices:book_in"):
        assert client.get(reverse(page, args=[audit.case.reference])).status_code == 403, page
        assert client.post(reverse(page, args=[audit.case.reference]), {}).status_code == 403, page
    written = audit.case.chronology.count()
    client.post(reverse("cases:chronology", args=[audit.case.reference]), {"kind": "note", "text": "x"})
    assert audit.case.chronology.count() == written
    Case.objects.filter(pk=audit.case_id).update(restricted=True)
    assert client.get(reverse("cases:detail", args=[audit.case.reference])).status_code == 404
    assert client.get(reverse("inspection:case", args=[audit.reference])).status_code == 404
    Case.objects.filter(pk=audit.case_id).update(restricted=False)
    AuditPlan.objects.update(closed_at=timezone.now(), closed_by=auditor)
    assert not Case.objects.visible_to(auditor).exists()


def test_the_auditor_waits_for_the_unit_or_for_its_time_to_run_out(story) -> None:
    """Lost: a unit that can say it was never asked; or one that stops an audit by doing nothing."""
    audit, _, auditor, _ = story
    with pytest.raises(NotPossible, match="The unit has until"):
        make_assessment(auditor, audit)
    AuditPlan.objects.update(self_due_at=timezone.now() - timedelta(minutes=1))
    assert make_assessment(auditor, AuditCase.objects.get(pk=audit.pk)).finished_at


def test_an_assessment_is_finished_once_and_only_when_it_says_why(story) -> None:
    """Lost: a grade without a reason, or one that changes after the talk."""
    audit, supervisor, *_ = story
    names = ("child_first", "social_care", "risk", "skill", "devices", "national_database", "supervision", "voice")
    headings = dict.fromkeys(names, ("good", ""))
    given = {"grade": "good", "summary": "s", "headings": headings, "finish": True}
    for change, said in (
        ({"headings": {"child_first": ("good", "")}}, "nothing is said"),
        ({"headings": {**headings, "risk": ("inadequate", "")}}, "why it is not good"),
        ({"headings": dict.fromkeys(names, ("", ""))}, "No heading is graded"),
        ({"grade": ""}, "no grade"),
        ({"summary": " "}, "summary is missing"),
        ({}, "No record of the case"),
        ({"grade": "adequate"}, "not a grade of this scale"),
        ({"headings": {"colour": ("good", "")}}, "no heading of these"),
    ):
        with pytest.raises(Invalid, match=said):
            write(supervisor, audit, **{**given, **change})
    with pytest.raises(Invalid, match="no record of this case"):
        link_evidence(supervisor, audit, heading="risk", records=["device:99999"])
    make_assessment(supervisor, audit)
    with pytest.raises(NotPossible, match="stays as it is"):
        say(supervisor, audit)


def test_the_ledger_binds_an_assessment_without_telling_it(story) -> None:
    """Lost: both: a grade changed in the database without a trace, or read in the ledger by the other side."""
    audit, supervisor, *_ = story
    make_assessment(supervisor, audit, "requires_improvement")
    entries = LedgerEntry.objects.filter(verb__startswith="audit_case.", case_key=audit.case_id)
    assert {entry.verb for entry in entries} == {
        "audit_case.drafted", "audit_case.evidence_linked", "audit_case.assessed",
    }  # fmt: skip
    for entry in entries:
        assert "requires_improvement" not in str(entry.payload) and "Synthetic" not in str(entry.payload)


def test_wording_that_blames_a_child_is_pointed_at_and_nothing_is_rewritten(story, sign_in) -> None:
    """Lost: 'puts herself at risk' read over for the hundredth time."""
    from safelight.casework.cases.services import note

    audit, supervisor, auditor, _ = story
    text = "She is streetwise and puts herself at risk."
    note(supervisor, audit.case, kind="note", text=text)
    page = sign_in(auditor).get(reverse("inspection:assess", args=[audit.reference])).content.decode()
    assert "<mark>streetwise</mark>" in page and "<mark>puts herself at risk</mark>" in page
    assert audit.case.chronology.filter(text=text).exists()
    answer = sign_in(supervisor).post(
        reverse("inspection:assess", args=[audit.reference]),
        {"summary": "A lifestyle choice.", "grade": "", "action": "draft"},
        follow=True,
    )
    assert "You wrote “lifestyle choice”" in answer.content.decode().replace("Lifestyle", "lifestyle")
    assert audit.assessments.get(stage="self").summary == "A lifestyle choice."
