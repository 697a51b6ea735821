"""The skills audit: held, ending, missing against what the open cases need."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import SKILL, make_accreditation, make_allocation, make_case, make_user

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.workforce.audit import audit, takers
from safelight.casework.workforce.models import Accreditation
from safelight.casework.workforce.services import accredit, end_accreditation
from safelight.casework.workforce.time_and_place import record_absence

pytestmark = pytest.mark.django_db


def later(days: int) -> date:
    return timezone.localdate() + timedelta(days=days)


def cell(user, skill=SKILL):
    return next(one for one in audit(user).cells if one.skill == skill)


def test_need_is_held_against_what_holders_can_carry():
    """Otherwise a unit has one specialist for sixty cases, and the list of skills says 'covered'."""
    supervisor, holder = make_user("supervisor"), make_user(skills=[SKILL])
    for _ in range(9):
        make_case(actor=supervisor, risk="very_high")
    found = cell(supervisor)
    assert (found.holders, found.cases, found.points, found.available, found.gap) == (1, 9, 72, 60, 12)
    record_absence(supervisor, user=holder, kind="long", from_day=later(0))
    assert cell(supervisor).gap == 72


def test_what_ends_within_90_days_is_named_unless_it_was_renewed():
    """Otherwise an accreditation runs out between two cases, unnoticed."""
    supervisor = make_user("supervisor")
    ends, renewed, far = make_user(), make_user(), make_user()
    for person, days in ((ends, 90), (renewed, 20), (far, 91)):
        make_accreditation(person, valid_until=later(days))
    make_accreditation(renewed, valid_from=later(-5), valid_until=later(400))
    found = audit(supervisor)
    assert [row.user for row in found.ending] == [ends]
    assert cell(supervisor).ending == 1


def test_a_case_whose_investigator_no_longer_holds_its_skill_is_named():
    """Otherwise the case is worked by somebody whom nobody would give it today."""
    supervisor, person = make_user("supervisor"), make_user(skills=[SKILL])
    case = make_case(actor=supervisor)
    make_allocation(case, person, supervisor)
    assert audit(supervisor).unfit == []
    end_accreditation(supervisor, person.accreditations.get(), last_day=later(-1), reason="Withdrawn by the college.")
    assert [row.case for row in audit(supervisor).unfit] == [case]


def test_each_sees_their_own_part(sign_in):
    """Otherwise a restricted case shows as one more case that needs the skill."""
    make_case(actor=make_user("supervisor"), restricted=True)
    make_case(unit="SW", actor=make_user("supervisor", "SW"))
    make_user(unit="SW", skills=[SKILL])
    assert audit(make_user("supervisor")).cells == []
    assert [(one.unit.code, one.cases) for one in audit(make_user("chief_officer", None)).cells] == [("SW", 1)]
    admin = make_user("administrator")
    assert [(one.holders, one.cases) for one in audit(admin).cells] == [(1, 0)]
    assert "administrators see none" in sign_in(admin).get(reverse("workforce:audit")).content.decode()


def test_who_may_take_lists_holders_in_force_least_loaded_first(sign_in):
    supervisor = make_user("supervisor")
    busy, free, away = (make_user(skills=[SKILL]) for _ in range(3))
    make_accreditation(make_user(), valid_until=later(-1))
    make_allocation(make_case(actor=supervisor), busy, supervisor)
    record_absence(supervisor, user=away, kind="leave", from_day=later(0))
    assert [one.user for one in takers(supervisor, SKILL)] == [free, busy, away]
    text = sign_in(supervisor).get(reverse("workforce:takers", args=[SKILL])).content.decode()
    assert "nobody knows until when" in text
    assert sign_in(supervisor).get(reverse("workforce:takers", args=["magic"])).status_code == 404


def test_the_number_of_queries_does_not_grow(django_assert_max_num_queries):
    supervisor = make_user("supervisor")
    for risk in ("low", "high", "medium", "very_high"):
        make_allocation(make_case(actor=supervisor, risk=risk), make_user(skills=[SKILL]), supervisor)
    with django_assert_max_num_queries(9):
        audit(supervisor)


class TestEnding:
    def test_it_ends_with_a_reason_within_its_days_by_who_answers_for_the_person(self):
        supervisor, person = make_user("supervisor"), make_user()
        row = accredit(supervisor, user=person, skill=SKILL, valid_from=later(-30), evidence="SYN-COURSE-17")
        assert row.evidence == "SYN-COURSE-17"
        for bad in ({"last_day": later(-31)}, {"last_day": None}, {"reason": " "}):
            with pytest.raises(Invalid):
                end_accreditation(supervisor, row, **{"last_day": later(0), "reason": "x", **bad})
        with pytest.raises(NotAllowed):
            end_accreditation(make_user("supervisor", "SW"), row, last_day=later(0), reason="x")
        end_accreditation(supervisor, row, last_day=later(0), reason="Changed duty.")
        assert Accreditation.objects.in_force().filter(pk=row.pk).exists(), "the last day still counts"
        with pytest.raises(Invalid):
            end_accreditation(supervisor, row, last_day=later(9), reason="It cannot grow.")
        end_accreditation(supervisor, row, last_day=later(-1), reason="Yesterday already.")
        with pytest.raises(NotPossible):
            end_accreditation(supervisor, row, last_day=later(-2), reason="x")

    def test_the_page_ends_it(self, sign_in):
        supervisor, person = make_user("supervisor"), make_user(skills=[SKILL])
        row, day = person.accreditations.get(), later(0)
        address = reverse("workforce:end_skill", args=[row.pk])
        client = sign_in(supervisor)
        assert client.get(address).status_code == 200
        data = {"last_day-day": day.day, "last_day-month": day.month, "last_day-year": day.year, "reason": "Left."}
        assert client.post(address, data).status_code == 302
        row.refresh_from_db()
        assert (row.valid_until, row.end_reason) == (day, "Left.")
        assert sign_in(make_user("supervisor", "SW")).get(address).status_code == 404
