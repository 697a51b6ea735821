"""The plan's actions: owned, dated, ended with words."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import SKILL, make_allocation, make_case, make_user

from safelight.casework.allocation.conflicts import declare
from safelight.casework.allocation.moving import Move, reassign_many
from safelight.casework.allocation.services import end_allocation, reallocate
from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.cases.models import Case
from safelight.casework.supervision.actions import add_action, end_action, owners_for
from safelight.casework.supervision.models import PlanAction
from safelight.casework.supervision.services import record_review
from safelight.casework.work.queries import work_of

pytestmark = pytest.mark.django_db
WORDS = dict.fromkeys(("plan", "safeguarding", "devices", "victim"), "Synthetic.")


def today(ahead: int = 0):
    return timezone.localdate() + timedelta(days=ahead)


@pytest.fixture
def story():
    supervisor, officer = make_user("supervisor"), make_user(skills=[SKILL])
    case = make_case(actor=supervisor, days_ago=30)
    make_allocation(case, officer, supervisor)
    return supervisor, officer, case


def test_a_reviews_next_action_is_an_action_of_the_plan(story):
    """Otherwise the review says what comes next, and nobody's list does."""
    supervisor, officer, case = story
    row = record_review(supervisor, case, **WORDS, next_action="Ask for the warrant.", next_action_by=today(2))
    action = PlanAction.objects.get()
    assert (action.review, action.owner, action.text, action.due_on) == (row, officer, "Ask for the warrant.", today(2))
    assert any(task.item.title == "Ask for the warrant." for task in work_of(officer).tasks)


def test_overdue_stands_first_in_its_owners_work_and_done_ends_drift(story):
    supervisor, officer, case = story
    action = add_action(officer, case, text="Interview.", owner=officer, due_on=today())
    PlanAction.objects.update(due_on=today(-3))
    action.refresh_from_db()
    assert action.overdue
    assert list(PlanAction.objects.overdue()) == [action]
    assert any(task.item.title == "Overdue: Interview." for task in work_of(officer).tasks)
    before = Case.objects.get(pk=case.pk).last_action_at
    with pytest.raises(Invalid):
        end_action(officer, action, state="done", note=" ")
    end_action(officer, action, state="done", note="Interviewed with a solicitor, synthetic.")
    assert Case.objects.get(pk=case.pk).last_action_at > before
    with pytest.raises(NotPossible):
        end_action(supervisor, action, state="cancelled", note="Too late.")


def test_cancelling_needs_a_reason_and_ends_no_drift(story):
    supervisor, officer, case = story
    action = add_action(supervisor, case, text="Interview.", owner=officer, due_on=today())
    before = Case.objects.get(pk=case.pk).last_action_at
    end_action(officer, action, state="cancelled", note="He died.")
    assert Case.objects.get(pk=case.pk).last_action_at == before
    for state in ("open", "moved"):
        other = add_action(supervisor, case, text="Else.", owner=officer, due_on=today())
        with pytest.raises(Invalid):
            end_action(officer, other, state=state, note="x")


def test_who_may_add_end_and_be_given_one(story):
    supervisor, officer, case = story
    stranger, colleague = make_user(unit="SW"), make_user()
    for actor in (stranger, colleague, make_user("referral_desk"), make_user("supervisor", "SW")):
        with pytest.raises(NotAllowed):
            add_action(actor, case, text="x", owner=officer, due_on=today())
    for owner in (stranger, None, make_user("referral_desk")):
        with pytest.raises(Invalid) as caught:
            add_action(supervisor, case, text="x", owner=owner, due_on=today())
        assert caught.value.field == "owner"
    for bad in ({"text": " "}, {"due_on": today(-1)}, {"due_on": None}):
        with pytest.raises(Invalid):
            add_action(supervisor, case, **{"text": "x", "owner": officer, "due_on": today(), **bad})
    action = add_action(supervisor, case, text="x", owner=colleague, due_on=today())
    with pytest.raises(NotAllowed):
        end_action(make_user(), action, state="done", note="x")
    end_action(colleague, action, state="done", note="x")
    declare(colleague, user=colleague, reference=case.reference, reason="Synthetic.")
    assert colleague not in owners_for(case)


@pytest.mark.parametrize("how", ["one", "many", "back"])
def test_open_actions_go_with_the_case(story, how):
    """Otherwise the next step stays on the list of somebody who left."""
    supervisor, officer, case = story
    mine = add_action(supervisor, case, text="x", owner=officer, due_on=today())
    theirs = add_action(supervisor, case, text="y", owner=supervisor, due_on=today())
    taker = make_user(skills=[SKILL])
    if how == "many":
        reassign_many(supervisor, [Move(case.pk, taker, officer.pk)], code="left", reason="Synthetic.")
    elif how == "one":
        reallocate(supervisor, case, investigator=taker, code="left", reason="Synthetic.")
    else:
        end_allocation(supervisor, case, reason="Synthetic.")
        make_allocation(Case.objects.get(pk=case.pk), taker, supervisor)
    mine.refresh_from_db()
    theirs.refresh_from_db()
    assert (mine.owner, theirs.owner) == (taker, supervisor)


def test_the_database_wants_words_at_the_end(story):
    supervisor, officer, case = story
    action = add_action(supervisor, case, text="x", owner=officer, due_on=today())
    with pytest.raises(IntegrityError), transaction.atomic():
        PlanAction.objects.filter(pk=action.pk).update(state="done", ended_at=timezone.now())


def test_the_plan_page_adds_and_ends(story, sign_in):
    supervisor, officer, case = story
    client, address = sign_in(officer), reverse("supervision:plan", args=[case.reference])
    assert "drifts: add one" in client.get(address).content.decode()
    day = {"due_on-day": today().day, "due_on-month": today().month, "due_on-year": today().year}
    assert client.post(address, {"text": "Seize the tablet.", "owner": officer.pk, **day}).status_code == 302
    action = PlanAction.objects.get()
    assert "Seize the tablet." in client.get(address).content.decode()
    end = reverse("supervision:action_end", args=[case.reference, action.pk])
    assert client.get(end).status_code == 200
    assert client.post(end, {"state": "done"}).status_code == 200, "no words"
    assert client.post(end, {"state": "done", "note": "Seized, synthetic."}).status_code == 302
    assert "Seized, synthetic." in client.get(address).content.decode()
    assert client.get(end).status_code == 404
    reader = sign_in(make_user("chief_officer"))
    assert "Add an action" not in reader.get(address).content.decode()
    assert reader.post(address, {"text": "x"}).status_code == 403
