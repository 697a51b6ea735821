"""After the grades: a missing file, a disagreement settled, a case sent back and answered."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import make_allocation, make_assessment, make_audit, make_case, make_user

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.inspection import following
from safelight.casework.inspection.models import ReferredBack
from safelight.casework.inspection.work import items_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def story():
    cases = [make_case() for _ in range(4)]
    auditor = make_user("auditor", None)
    plan = make_audit(auditor, size=2, reserve=1)
    return plan, plan.cases.filter(reserve=False).order_by("position").first(), auditor, make_user("supervisor"), cases


def test_a_file_that_cannot_be_had_is_replaced_by_the_next_in_the_sealed_order(story) -> None:
    """Lost: a case replaced by one that somebody likes."""
    plan, audit, auditor, *_ = story
    spare = plan.cases.get(reserve=True)
    stand_in = following.file_missing(auditor, audit, reason="Lost in a move.")
    assert (stand_in.pk, stand_in.weight, stand_in.stands_in_for_id) == (spare.pk, audit.weight, audit.pk)
    other = plan.cases.filter(reserve=False, missing_at=None).exclude(pk=spare.pk).get()
    assert following.file_missing(auditor, other, reason="Lost too.") is None
    with pytest.raises(NotPossible, match="already"):
        following.file_missing(auditor, audit, reason="Again.")


def test_a_case_that_was_looked_at_is_never_replaced(story) -> None:
    """Lost: the bad file that 'could not be found' after somebody read it."""
    from safelight.casework.inspection.assessing import write

    _, audit, auditor, *_ = story
    write(auditor, audit, grade="", summary="", headings={})
    with pytest.raises(NotPossible, match="looked at"):
        following.file_missing(auditor, audit, reason="Lost.")


def test_a_disagreement_is_settled_beside_both_grades(story) -> None:
    """Lost: the auditor's grade overwritten after a talk."""
    _, audit, auditor, supervisor, _ = story
    make_assessment(supervisor, audit, "good")
    with pytest.raises(NotPossible, match="no disagreement"):
        following.settle(auditor, audit, grade="good", unit_person=supervisor, reason="x")
    make_assessment(auditor, audit, "inadequate")
    with pytest.raises(Invalid, match="no supervisor of the unit"):
        following.settle(auditor, audit, grade="good", unit_person=make_user("supervisor", "SW"), reason="x")
    with pytest.raises(NotAllowed):
        following.settle(supervisor, audit, grade="good", unit_person=supervisor, reason="x")
    made = following.settle(
        auditor, audit, grade="requires_improvement", unit_person=supervisor, reason="A call was missed."
    )
    assert made.grade == "requires_improvement"
    assert {one.stage: one.grade for one in audit.assessments.all()} == {"self": "good", "inspector": "inadequate"}
    with pytest.raises(NotPossible, match="settled already"):
        following.settle(auditor, audit, grade="good", unit_person=supervisor, reason="x")


def test_a_case_sent_back_has_recipient_reason_time_and_outcome(story, sign_in) -> None:
    """Lost: 38 cases sent back for continuing risk, and nobody able to say what came of them."""
    _, audit, auditor, supervisor, _ = story
    with pytest.raises(Invalid, match="supervisor of its unit or to who has it"):
        following.send_back(auditor, audit, recipient=make_user("supervisor", "SW"), reason="immediate_risk", note="x")
    with pytest.raises(Invalid, match="no such reason"):
        following.send_back(auditor, audit, recipient=supervisor, reason="because", note="x")
    back = following.send_back(
        auditor, audit, recipient=supervisor, reason="immediate_risk", note="See the child today."
    )
    assert back.due_at - back.made_at == timedelta(hours=4)
    with pytest.raises(NotPossible, match="not yet answered"):
        following.send_back(auditor, audit, recipient=supervisor, reason="immediate_risk", note="Again.")
    first = items_for(supervisor)[0]
    assert (first.urgent, first.due_at) == (True, back.due_at)
    with pytest.raises(NotAllowed):
        following.answer(auditor, back, outcome="safeguarded", note="x")
    page = reverse("inspection:answer", args=[back.reference])
    assert sign_in(make_user("supervisor", "SW")).get(page).status_code == 404
    assert sign_in(make_user("supervisor")).post(page, {"outcome": "safeguarded", "note": "x"}).status_code == 403
    client = sign_in(supervisor)
    assert "See the child today." in client.get(page).content.decode()
    client.post(page, {"outcome": "safeguarded", "note": "The child was seen at 14:00."})
    row = ReferredBack.objects.get(pk=back.pk)
    assert (row.outcome, row.outcome_by_id, bool(row.outcome_at)) == ("safeguarded", supervisor.pk, True)
    with pytest.raises(NotPossible, match="answered"):
        following.answer(supervisor, row, outcome="reopened", note="x")
    assert "The child was seen" in sign_in(auditor).get(page).content.decode()


def test_an_investigator_who_has_the_case_can_be_the_recipient(story, sign_in) -> None:
    _, audit, auditor, *_ = story
    supervisor = make_user("supervisor")
    has = make_allocation(audit.case, actor=supervisor).investigator
    back = following.send_back(auditor, audit, recipient=has, reason="procedure", note="Tell social care.")
    ReferredBack.objects.filter(pk=back.pk).update(
        made_at=timezone.now() - timedelta(days=4), due_at=timezone.now() - timedelta(days=2)
    )
    assert items_for(has)[0].urgent
    text = sign_in(has).get(reverse("inspection:sent_back")).content.decode()
    assert back.reference in text and "Overdue" in text
