"""Cases of people who go: shown at once, moved by supervisors only, and never given back in silence."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from tests.casework.factories import SKILL, make_allocation, make_case, make_unit, make_user

from safelight.casework.allocation.conflicts import declare
from safelight.casework.allocation.handing_over import handing_over, handing_over_count, returned
from safelight.casework.allocation.moving import Move, reassign_many
from safelight.casework.allocation.services import allocate
from safelight.casework.allocation.telling import tell_of_handing_over, tell_of_returns
from safelight.casework.base.errors import Invalid
from safelight.casework.cases.models import Case
from safelight.casework.notices.models import Notice
from safelight.casework.workforce.models import Absence
from safelight.casework.workforce.time_and_place import (
    cancel_period,
    record_absence,
    record_posting,
    settle_postings,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def story():
    supervisor, person = make_user("supervisor"), make_user(skills=[SKILL])
    cases = {risk: make_case(actor=supervisor, risk=risk) for risk in ("low", "very_high")}
    for case in cases.values():
        make_allocation(case, person, supervisor)
    return supervisor, person, cases


def waiting(supervisor):
    return [(one.case, one.code) for leaver in handing_over(supervisor) for one in leaver.waiting]


def day(ahead: int):
    return timezone.localdate() + timedelta(days=ahead)


def test_nobody_waits_while_everybody_is_there(story):
    assert handing_over(story[0]) == []


def test_an_absence_shows_its_cases_at_once_the_riskiest_first(story):
    """Otherwise a very high risk case lies on an empty desk for a fortnight."""
    supervisor, person, cases = story
    record_absence(supervisor, user=person, kind="long", from_day=day(0))
    assert waiting(supervisor) == [(cases["very_high"], "absent"), (cases["low"], "absent")]
    assert "nobody knows until when" in handing_over(supervisor)[0].why


@pytest.mark.parametrize(("days", "risks"), [(1, ["very_high"]), (14, ["very_high", "low"])])
def test_how_long_an_absence_matters_goes_by_risk(story, days, risks):
    supervisor, person, cases = story
    record_absence(supervisor, user=person, kind="leave", from_day=day(0), until_day=day(days - 1))
    assert [case for case, _ in waiting(supervisor)] == [cases[risk] for risk in risks]


def test_a_coming_absence_shows_a_week_ahead_and_a_cancelled_one_does_not(story):
    supervisor, person, _ = story
    row = record_absence(supervisor, user=person, kind="leave", from_day=day(7), until_day=day(30))
    assert len(waiting(supervisor)) == 2
    assert handing_over(supervisor)[0].why.startswith("from ")
    cancel_period(supervisor, row, reason="Synthetic.")
    assert waiting(supervisor) == []
    record_absence(supervisor, user=person, kind="leave", from_day=day(8), until_day=day(30))
    assert waiting(supervisor) == []


def test_leavers_closed_accounts_postings_and_conflicts_show_with_their_own_code(story):
    supervisor, person, cases = story
    declare(supervisor, user=person, reference=cases["low"].reference, reason="Synthetic.")
    assert waiting(supervisor) == [(cases["low"], "conflict")]
    record_posting(supervisor, user=person, unit=make_unit("SW"), from_day=day(0), until_day=day(20))
    assert waiting(supervisor) == [(cases["very_high"], "posted"), (cases["low"], "conflict")]
    record_absence(make_user("administrator"), user=person, kind="left", from_day=day(0))
    settle_postings()
    person.refresh_from_db()
    assert not person.is_active, "who left no longer signs in"
    assert dict(waiting(supervisor))[cases["very_high"]] == "left"
    Absence.objects.all().update(cancelled_at=timezone.now())
    assert dict(waiting(supervisor))[cases["very_high"]] == "left"


def test_only_the_own_unit_and_what_one_sees(story):
    supervisor, person, _ = story
    record_absence(supervisor, user=person, kind="long", from_day=day(0))
    hidden = make_case(actor=make_user("supervisor"), restricted=True)
    make_allocation(hidden, make_user(skills=[SKILL]), hidden.opened_by)
    assert handing_over(make_user("supervisor", "SW")) == []
    assert handing_over_count(supervisor) == 2


def test_nobody_is_given_a_case_while_away(story):
    supervisor, person, _ = story
    record_absence(supervisor, user=person, kind="leave", from_day=day(0), until_day=day(2))
    with pytest.raises(Invalid, match="on leave until"):
        allocate(supervisor, make_case(actor=supervisor), investigator=person, reason="Synthetic.")


def test_coming_back_gives_nothing_back_and_shows_what_was_moved(story):
    """Otherwise a case changes hands twice and neither officer knows whose it is today."""
    supervisor, person, cases = story
    row = record_absence(supervisor, user=person, kind="leave", from_day=day(-20), until_day=day(3))
    taker = make_user(skills=[SKILL])
    reassign_many(supervisor, [Move(cases["low"].pk, taker, person.pk)], code="absent", reason="Synthetic.")
    assert returned(supervisor) == []
    Absence.objects.filter(pk=row.pk).update(until_day=day(-1))
    assert Case.objects.get(pk=cases["low"].pk).investigator == taker
    (one,) = returned(supervisor)
    assert (one.investigator, one.cases) == (person, [cases["low"]])
    reassign_many(supervisor, [Move(cases["low"].pk, person, taker.pk)], code="returned", reason="Synthetic.")
    assert returned(supervisor) == []


def test_the_number_of_queries_does_not_grow(story, django_assert_max_num_queries):
    supervisor, person, _ = story
    for _ in range(4):
        make_allocation(make_case(actor=supervisor), person, supervisor)
        other = make_user(skills=[SKILL])
        make_allocation(make_case(actor=supervisor), other, supervisor)
        record_absence(supervisor, user=other, kind="long", from_day=day(0))
    record_absence(supervisor, user=person, kind="long", from_day=day(0))
    with django_assert_max_num_queries(8):
        assert len(handing_over(supervisor)) == 5


class TestTelling:
    def told(self, kind="handing_over.waiting"):
        return list(Notice.objects.filter(kind=kind).order_by("pk").values_list("user", flat=True))

    def test_supervisors_are_told_at_once_of_an_absence_and_only_once(self, story):
        """Otherwise the cases wait until somebody happens to look."""
        supervisor, person, _ = story
        record_absence(supervisor, user=person, kind="long", from_day=day(0))
        assert self.told() == [supervisor.pk]
        assert tell_of_handing_over() == 0
        assert self.told() == [supervisor.pk]

    def test_a_planned_absence_is_told_when_it_comes_near(self, story):
        supervisor, person, _ = story
        record_absence(supervisor, user=person, kind="leave", from_day=day(20), until_day=day(40))
        assert self.told() == []
        tell_of_handing_over(today=day(13))
        assert self.told() == [supervisor.pk]

    def test_postings_and_conflicts_are_told_and_people_without_a_case_are_not(self, story):
        supervisor, person, cases = story
        idle = make_user(skills=[SKILL])
        record_absence(supervisor, user=idle, kind="long", from_day=day(0))
        declare(idle, user=idle, reference=cases["low"].reference, reason="Synthetic.")
        assert self.told() == []
        declare(person, user=person, reference=cases["low"].reference, reason="Synthetic.")
        record_posting(supervisor, user=person, unit=make_unit("SW"), from_day=day(0))
        assert self.told() == [supervisor.pk] * 2

    def test_a_return_is_told_where_cases_were_moved(self, story):
        supervisor, person, cases = story
        row = record_absence(supervisor, user=person, kind="leave", from_day=day(-20), until_day=day(3))
        taker = make_user(skills=[SKILL])
        reassign_many(supervisor, [Move(cases["low"].pk, taker, person.pk)], code="absent", reason="Synthetic.")
        assert tell_of_returns() == 0
        Absence.objects.filter(pk=row.pk).update(until_day=day(-1))
        assert tell_of_returns() == 1
        assert tell_of_returns() == 0
        assert self.told("handing_over.returned") == [supervisor.pk]
