"""My work: every app's items in one order."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from tests.casework.factories import SKILL, make_allocation, make_case, make_child, make_user

from safelight.casework.base.work import WorkItem
from safelight.casework.cases.services import record_live_contact
from safelight.casework.clocks.services import start_clock
from safelight.casework.work import queries
from safelight.casework.work.queries import pressing, work_of

NOW = timezone.now()


def test_urgent_first_then_what_runs_out_first_then_the_riskiest():
    """Otherwise the child in danger stands below a form that is due tomorrow."""
    items = [
        WorkItem("no clock", "/", "a"),
        WorkItem("tomorrow, low", "/", "b", due_at=NOW + timedelta(days=1), risk="low"),
        WorkItem("tomorrow, very high", "/", "c", due_at=NOW + timedelta(days=1), risk="very_high"),
        WorkItem("breached", "/", "d", due_at=NOW - timedelta(days=1)),
        WorkItem("nobody has it, no clock", "/", "g", urgent=True, risk="very_high", group="Allocation"),
        WorkItem("in danger", "/", "h", urgent=True, due_at=NOW + timedelta(hours=1), group="Children"),
        WorkItem("live contact", "/", "e", urgent=True, risk="low", group="Live contact"),
        WorkItem("unallocated, breached", "/", "f", urgent=True, due_at=NOW - timedelta(days=9)),
    ]
    assert [item.title for item in sorted(items, key=pressing)] == [
        "live contact",
        "in danger",
        "nobody has it, no clock",
        "unallocated, breached",
        "breached",
        "tomorrow, very high",
        "tomorrow, low",
        "no clock",
    ]


@pytest.mark.django_db
class TestCollecting:
    def test_an_unallocated_case_and_live_contact_are_urgent_for_the_units_supervisor_only(self):
        """Otherwise a case can wait 17 days because it is on nobody's list."""
        supervisor = make_user("supervisor")
        waiting, live = make_case(actor=supervisor), make_case(actor=supervisor)
        investigator = make_user(skills=[SKILL])
        make_allocation(live, investigator, supervisor)
        record_live_contact(supervisor, live, contact=True, how_known="Synthetic.")
        urgent = {task.item.subject.split()[0] for task in work_of(supervisor).urgent}
        assert urgent == {waiting.reference, live.reference}
        assert {task.item.subject.split()[0] for task in work_of(investigator).urgent} == {live.reference}
        assert work_of(make_user("supervisor", "SW")).urgent == ()
        assert work_of(make_user("administrator")).tasks == ()

    def test_a_childs_clock_reaches_the_investigator_with_its_badge(self):
        supervisor = make_user("supervisor")
        case, investigator = make_case(actor=supervisor), make_user(skills=[SKILL])
        child = make_child(case=case)
        start_clock(supervisor, "police_referral_to_csc", child, case=case, unit=case.unit)
        make_allocation(case, investigator, supervisor)
        clocks = [task.clock.clock.rule for task in work_of(investigator).tasks if task.clock]
        assert "police_referral_to_csc" in clocks

    def test_a_review_that_falls_due_is_on_the_supervisors_list(self):
        supervisor = make_user("supervisor")
        case = make_case(actor=supervisor, risk="very_high")
        titles = [task.item.title for group in work_of(supervisor).groups for task in group.tasks]
        assert "Review the case" in titles
        assert case.reference in str(work_of(supervisor).tasks)

    def test_every_app_that_offers_work_is_asked(self):
        """Otherwise one app's waiting things are nowhere to be seen."""
        modules = {offer.__module__ for offer in queries._sources()}
        assert {"safelight.casework.cases.work", "safelight.casework.supervision.work"} <= modules


@pytest.mark.django_db
def test_many_cases_cost_no_more_queries_than_few():
    """An investigator with fifty cases would wait seconds for the first page of every morning."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    from tests.casework.factories import SKILL, make_allocation, make_case, make_user

    supervisor, counts = make_user("supervisor"), []
    for number in (1, 6):
        investigator = make_user(skills=[SKILL])
        for _ in range(number):
            make_allocation(make_case(actor=supervisor), investigator, supervisor)
        with CaptureQueriesContext(connection) as run:
            work_of(investigator)
        counts.append(len(run.captured_queries))
    assert counts[0] == counts[1] < 30


@pytest.mark.django_db
def test_more_than_a_screen_of_one_kind_is_one_page_further_and_nothing_is_lost(sign_in):
    """A list that stops without saying so is a child that nobody sees."""
    supervisor = make_user("supervisor")
    cases = [make_case(actor=supervisor, risk="very_high") for _ in range(27)]
    client = sign_in(supervisor)
    page = client.get("/work/").content.decode()
    shown = {case.reference for case in cases if case.reference in page.split(">Supervision</h2>")[0]}
    assert len(shown) == 25 and "Show 27" in page
    whole = client.get("/work/?group=Before+everything+else").content.decode()
    assert all(case.reference in whole for case in cases)
    assert "Nothing waits for you under this heading" in client.get("/work/?group=Nonsense").content.decode()
