"""Recommendations: due when the inspector said, answered by an owner, closed by an inspector."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import make_user

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.recommendations import services
from safelight.casework.recommendations.models import Recommendation
from safelight.casework.recommendations.queries import counts, page_of, plan_clock
from safelight.casework.recommendations.work import items_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def report():
    chief = make_user("chief_officer", None)
    return services.record_report(chief, title="Synthetic", body="HMICFRS", published_on=date(2026, 3, 31)), chief


def add(chief, report, **fields):
    given = {"kind": "recommendation", "text": "Tell social care the same day.", "term": "3_months"}
    return services.add_recommendation(chief, report, **{**given, **fields})


@pytest.mark.parametrize(
    ("published", "term", "due"),
    [
        (date(2016, 11, 25), "immediately", date(2016, 11, 25)),
        (date(2016, 11, 25), "3_months", date(2017, 2, 25)),
        (date(2016, 11, 25), "6_months", date(2017, 5, 25)),
        (date(2026, 8, 31), "6_months", date(2027, 2, 28)),
        (date(2026, 3, 31), "3_months", date(2026, 6, 30)),
    ],
)
def test_when_it_is_due(published, term, due) -> None:
    assert services.due_day(published, term) == due


def test_the_action_plan_is_due_six_weeks_after_publication_or_at_once(report) -> None:
    """Lost: a plan that nobody asked for until the next inspection."""
    row, chief = report
    later, now = add(chief, row), add(chief, row, term="immediately", kind="cause_of_concern")
    clock = plan_clock(later)
    assert (clock.rule, timezone.localdate(clock.due_at)) == ("hmicfrs_action_plan", date(2026, 5, 12))
    assert plan_clock(now).rule == "hmicfrs_action_plan_immediate"
    services.write_plan(chief, later, plan="Synthetic plan.")
    assert plan_clock(later).stopped_at
    assert (later.number, now.number, counts()["unplanned"]) == (1, 2, 0 if plan_clock(now).due_at is None else 1)


def test_an_owner_cannot_close_and_neither_can_the_database_for_one(report) -> None:
    """Lost: a force that marks its own recommendations as met."""
    row, chief = report
    owner, auditor = make_user("supervisor"), make_user("auditor", None)
    one = add(chief, row, owner=owner)
    for user in (owner, chief, make_user("administrator")):
        with pytest.raises(NotAllowed):
            services.judge(user, one, met=True, note="x")
    with pytest.raises(NotPossible, match="no evidence"):
        services.judge(auditor, one, met=True, note="x")
    with pytest.raises(NotAllowed):
        services.add_proof(make_user("supervisor"), one, text="x")
    services.add_proof(owner, one, text="A procedure of 3 May.", done=True)
    assert [item.title for item in items_for(auditor)] == ["Judge: its owner says that it is met"]
    assert services.judge(auditor, one, met=False, note="Nobody follows it.").done_at is None
    services.add_proof(owner, one, text="An audit.", done=True)
    assert services.judge(auditor, one, met=True, note="Seen in 20 cases.").state == "closed"
    with pytest.raises(NotPossible, match="closed"):
        services.write_plan(owner, one, plan="x")
    with pytest.raises(IntegrityError), transaction.atomic():
        Recommendation.objects.filter(pk=one.pk).update(closed_by=owner)


def test_what_is_overdue_stands_first_with_the_chief_officer_until_an_inspector_closes_it(report, sign_in) -> None:
    """Lost: a cause of concern that was due in June, seen by nobody in November."""
    row, chief = report
    owner = make_user("supervisor")
    one = add(chief, row, owner=owner, kind="cause_of_concern")
    ahead = add(chief, row, owner=owner, term="6_months")
    Recommendation.objects.filter(pk=ahead.pk).update(due_on=timezone.localdate() + timedelta(days=9))
    items = items_for(chief)
    assert [(item.urgent, item.subject[:9]) for item in items] == [(True, one.reference)]
    assert f"overdue with {owner}" in items[0].title
    services.add_proof(owner, one, text="We say so.", done=True)
    assert counts()["overdue"] == 1
    page = sign_in(chief).get(reverse("recommendations:index") + "?state=overdue").content.decode()
    assert one.reference in page and ahead.reference not in page
    assert one.reference in sign_in(chief).get(reverse("work:home")).content.decode() or one.done_at is None


def test_bad_reports_and_recommendations_are_refused_in_words(report) -> None:
    row, chief = report
    with pytest.raises(Invalid, match="future"):
        services.record_report(chief, title="x", body="y", published_on=timezone.localdate() + timedelta(days=1))
    with pytest.raises(Invalid, match="recorded already"):
        services.record_report(chief, title="Synthetic", body="HMICFRS", published_on=date(2026, 3, 31))
    for fields in (
        {"kind": "wish"},
        {"term": "soon"},
        {"text": " "},
        {"owner": make_user("investigator")},
        {"number": 0},
    ):
        with pytest.raises(Invalid):
            add(chief, row, **fields)
    with pytest.raises(NotAllowed):
        add(make_user("supervisor"), row)


def test_pages_follow_each_other_by_the_day_they_are_due(report, monkeypatch) -> None:
    from safelight.casework.recommendations import queries

    row, chief = report
    made = [add(chief, row, term=term) for term in ("6_months", "immediately", "3_months")]
    monkeypatch.setattr(queries, "PAGE", 2)
    first, after = page_of("all")
    second, end = page_of("all", after=after)
    assert [one.pk for one in (*first, *second)] == [made[1].pk, made[2].pk, made[0].pk] and end == ""
    assert page_of("all", after="²~x")[0] == first


def test_every_step_has_a_page_that_works(report, sign_in) -> None:
    row, chief = report
    owner, auditor = make_user("supervisor"), make_user("auditor", None)
    client = sign_in(chief)
    client.post(
        reverse("recommendations:new", args=[row.reference]),
        {"kind": "area_for_improvement", "text": "Find every child.", "term": "6_months", "owner": owner.pk},
    )
    one = Recommendation.objects.get(text="Find every child.")
    mine = sign_in(owner)
    mine.post(reverse("recommendations:plan", args=[one.reference]), {"plan": "Train everybody by June."})
    mine.post(reverse("recommendations:proof", args=[one.reference]), {"text": "All trained.", "done": "on"})
    sign_in(auditor).post(reverse("recommendations:judge", args=[one.reference]), {"met": "yes", "note": "Seen."})
    one.refresh_from_db()
    assert (one.plan, one.closed_by_id, one.closed_note) == ("Train everybody by June.", auditor.pk, "Seen.")
    page = mine.get(reverse("recommendations:detail", args=[one.reference])).content.decode()
    assert "Closed by an inspector" in page and "All trained." in page
