"""The list of all unallocated cases with who should take which, as a supervisor meets it."""

from __future__ import annotations

import pytest
from django.urls import reverse
from tests.casework.factories import SKILL, make_allocation, make_case, make_user

from safelight.casework.allocation.models import Allocation
from safelight.casework.allocation.together import propose
from safelight.casework.ledger.models import LedgerEntry

pytestmark = pytest.mark.django_db
PAGE = "allocation:unallocated"


def test_cases_are_spread_most_urgent_first_with_a_reason(sign_in) -> None:
    """Otherwise each case alone is offered to the same least loaded person."""
    supervisor = make_user("supervisor")
    people = [make_user(skills=[SKILL]) for _ in range(2)]
    make_user(skills=[])
    cases = [make_case(actor=supervisor, risk=risk) for risk in ("low", "very_high", "high", "medium")]
    make_case(unit="SW", actor=make_user("supervisor", "SW"))
    found, more = propose(supervisor)
    assert [one.case.risk for one in found] == ["very_high", "high", "medium", "low"] and not more
    assert {one.case for one in found} == set(cases)
    assert {one.investigator for one in found} == set(people)
    assert "holds" in found[0].reason and "points" in found[0].reason
    text = sign_in(supervisor).get(reverse(PAGE)).content.decode()
    for one in found:
        assert one.reason in text and one.case.title in text
    assert LedgerEntry.objects.filter(verb="list.viewed", actor=supervisor).exists()


def test_one_click_allocates_and_a_second_supervisor_is_too_late(sign_in) -> None:
    """Two supervisors with the same list open would give one child's case to two people, or move it unawares."""
    supervisor, second = make_user("supervisor"), make_user("supervisor")
    people = [make_user(skills=[SKILL]) for _ in range(2)]
    case = make_case(actor=supervisor)
    where = reverse("allocation:accept", args=[case.reference])
    first = sign_in(supervisor).post(where, {"investigator": people[0].pk, "back": "unallocated"})
    assert first.status_code == 302 and first.url == reverse(PAGE)
    late = sign_in(second).post(where, {"investigator": people[1].pk, "back": "unallocated"}, follow=True)
    assert "already has this case" in late.content.decode()
    live = Allocation.objects.get(case=case, ended_at=None)
    assert live.investigator == people[0] and live.suggested
    assert Allocation.objects.filter(case=case).count() == 1


def test_a_case_that_nobody_can_take_is_listed_with_the_reason(sign_in) -> None:
    supervisor = make_user("supervisor")
    case = make_case(actor=supervisor)
    text = sign_in(supervisor).get(reverse(PAGE)).content.decode()
    assert case.title in text and "Nobody can take it within policy" in text and "Nobody holds" in text


def test_full_people_get_nothing_more() -> None:
    supervisor, person = make_user("supervisor"), make_user(skills=[SKILL])
    for _ in range(60):
        found, _ = propose(supervisor)
        if found and found[0].investigator is None:
            break
        make_allocation(make_case(actor=supervisor, risk="very_high"), person, supervisor)
        if not found:
            make_case(actor=supervisor, risk="very_high")
    assert found[0].investigator is None
    assert "nobody has more than" in found[0].reason


def test_an_investigator_may_not_open_it(sign_in) -> None:
    assert sign_in(make_user("investigator")).get(reverse(PAGE)).status_code == 403
