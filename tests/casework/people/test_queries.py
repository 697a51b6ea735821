"""Finding a person who is on record already, only among those one may see."""

from __future__ import annotations

from datetime import date

import pytest
from tests.casework.factories import make_case, make_child, make_person, make_referral, make_user

from safelight.casework.people.models import Person
from safelight.casework.people.queries import appearances, candidates

pytestmark = pytest.mark.django_db


def test_the_same_child_of_an_earlier_report_is_offered_first_with_reasons() -> None:
    """Two records of one child hide that two suspects have reached the same child."""
    desk = make_user("referral_desk")
    born = date(2016, 5, 4)
    child = make_person(family_name="Synthetichild", given_names="Ada", born=born)
    make_child(referral=make_referral(), person=child)
    make_child(referral=make_referral(), person=make_person(family_name="Synthetichild", given_names="Bob"))
    found = candidates(desk, family_name="synthetichild", given_names="ada", born=born)
    assert found[0].person == child
    assert found[0].reasons == ("same date of birth", "same family name", "same given names")
    assert len(found) == 2


def test_a_person_of_a_restricted_case_is_not_offered() -> None:
    """Who is in a covert case would be known to the whole desk."""
    supervisor = make_user("supervisor")
    case = make_case(actor=supervisor, restricted=True)
    child = make_child(case=case)
    assert not candidates(make_user("referral_desk"), family_name=child.person.family_name)
    assert candidates(supervisor, family_name=child.person.family_name)


def test_an_administrator_sees_nobody() -> None:
    make_child(referral=make_referral())
    assert not Person.objects.visible_to(make_user("administrator")).exists()


def test_a_person_page_lists_only_what_the_reader_may_see() -> None:
    """A colleague of another unit would read there which cases a person is in."""
    person = make_person()
    case = make_case(unit="CN")
    make_child(case=case, person=person)
    make_child(referral=make_referral(unit="NW"), person=person)
    parts = {(one.kind, one.record.reference) for one in appearances(person, make_user("investigator", "CN"))}
    assert parts == {("case", case.reference)}


def test_nothing_asked_finds_nobody() -> None:
    make_child(referral=make_referral())
    assert candidates(make_user("referral_desk")) == []
