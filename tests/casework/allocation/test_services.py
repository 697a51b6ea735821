"""Giving cases to investigators."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from tests.casework.factories import (
    SKILL,
    make_accreditation,
    make_allocation,
    make_case,
    make_child,
    make_unit,
    make_user,
)

from safelight.casework.allocation.models import Allocation
from safelight.casework.allocation.queries import caseloads, may_take, points_of, suggest
from safelight.casework.allocation.services import allocate, end_allocation, reallocate
from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.cases.models import Case
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.services import start_clock
from safelight.casework.ledger.models import LedgerEntry

pytestmark = pytest.mark.django_db


class TestSuggestion:
    def test_qualified_then_own_unit_then_least_loaded(self):
        """Otherwise the case goes to whoever is nearest, not to who can do it."""
        supervisor = make_user("supervisor")
        make_user(name="Unqualified (synthetic)")
        ended = make_user(name="Lapsed (synthetic)")
        make_accreditation(ended, valid_until=timezone.localdate() - timedelta(days=1))
        make_user("supervisor", skills=[SKILL], name="Supervisor (synthetic)")
        make_user(unit="SW", skills=[SKILL], name="Elsewhere (synthetic)")
        central = make_user(unit="OCSAE", skills=[SKILL], name="Central (synthetic)")
        busy = make_user(skills=[SKILL], name="Busy (synthetic)")
        free = make_user(skills=[SKILL], name="Free (synthetic)")
        for _ in range(2):
            make_allocation(make_case(actor=supervisor), busy, supervisor)
        found = suggest(make_case(actor=supervisor))
        assert [one.investigator for one in found] == [free, busy, central]

    def test_the_reason_is_one_sentence_that_can_be_checked(self):
        """Otherwise nobody can tell whether the choice was fair."""
        supervisor = make_user("supervisor")
        person = make_user(name="Asha (synthetic)")
        make_accreditation(person, valid_until=date(2027, 6, 30)) if timezone.localdate() <= date(2027, 6, 30) else None
        make_accreditation(person, valid_from=date(2025, 1, 1), valid_until=date(2031, 6, 30))
        make_user(skills=[SKILL])
        make_allocation(make_case(actor=supervisor, risk="low"), person, supervisor)
        by_name = {one.investigator.name: one for one in suggest(make_case(actor=supervisor))}
        assert by_name["Asha (synthetic)"].reason == (
            "Asha (synthetic) holds Online child sexual abuse and exploitation investigator to 2031, is in "
            f"{person.unit.name}, and carries 2.0 points, 3% of what they can, number 2 of 2 qualified there, "
            "least first."
        )

    def test_caseload_counts_live_cases_by_todays_risk_and_the_unassessed_as_heaviest(self):
        person, supervisor = make_user(skills=[SKILL]), make_user("supervisor")
        for risk in ("very_high", "low"):
            make_allocation(make_case(actor=supervisor, risk=risk), person, supervisor)
        make_allocation(make_case(actor=supervisor, risk="", risk_source=""), person, supervisor)
        over = make_case(actor=supervisor)
        make_allocation(over, person, supervisor)
        end_allocation(supervisor, over, reason="Synthetic.")
        assert caseloads([person]) == {person.pk: 8 + 2 + 8}
        assert points_of("") == points_of("very_high")

    def test_nobody_qualified_gives_an_empty_list_not_an_unqualified_person(self):
        make_user()
        assert suggest(make_case()) == []

    def test_the_number_of_queries_does_not_grow_with_the_force(self, django_assert_max_num_queries):
        case = make_case()
        for _ in range(12):
            make_user(skills=[SKILL])
        case = Case.objects.get(pk=case.pk)
        with django_assert_max_num_queries(11):
            assert len(suggest(case)) == 5


class TestAllocating:
    def test_it_stops_the_clock_and_hands_over_the_childs(self):
        """Otherwise nobody is answerable for the child's clock after the case has an investigator."""
        case, supervisor = make_case(), make_user("supervisor")
        child = make_child(case=case)
        clock = start_clock(supervisor, "police_referral_to_csc", child, case=case, unit=case.unit)
        person = make_user(skills=[SKILL])
        allocate(supervisor, case, investigator=person, reason="Knows the platform.")
        clock.refresh_from_db()
        assert clock.owner == person
        assert Clock.objects.get(case=case, rule="allocation_to_investigator").stopped_at
        assert case.investigator == person
        assert LedgerEntry.objects.filter(verb="allocation.made", case_key=case.pk).count() == 1

    def test_without_the_skill_the_missing_skill_is_named(self):
        """Otherwise a person without training investigates the abuse of a child."""
        case, person = make_case(), make_user(name="Untrained (synthetic)")
        with pytest.raises(Invalid, match="Online child sexual abuse") as caught:
            allocate(make_user("supervisor"), case, investigator=person, reason="x")
        assert caught.value.field == "investigator"
        assert not Allocation.objects.exists()

    def test_a_second_allocation_names_who_has_the_case(self):
        case, supervisor = make_case(), make_user("supervisor")
        first = make_allocation(case, actor=supervisor).investigator
        with pytest.raises(NotPossible, match=f"{first.name.split('(')[0]}.*already has this case"):
            make_allocation(case, actor=supervisor)

    def test_only_a_supervisor_of_the_unit_allocates_to_an_active_investigator(self):
        case, person = make_case(), make_user(skills=[SKILL])
        for actor in (person, make_user("supervisor", "SW"), make_user("referral_desk"), make_user("administrator")):
            with pytest.raises(NotAllowed):
                allocate(actor, case, investigator=person, reason="x")
        supervisor = make_user("supervisor")
        person.is_active = False
        person.save()
        for unfit in (person, make_user("examiner", skills=[SKILL])):
            with pytest.raises(Invalid):
                allocate(supervisor, case, investigator=unfit, reason="x")
        with pytest.raises(Invalid):
            allocate(supervisor, case, investigator=make_user(skills=[SKILL]), reason="  ")

    def test_somebody_of_another_unit_may_be_chosen_and_then_sees_the_case(self):
        case = make_case()
        person = make_user(unit="SW", skills=[SKILL])
        assert may_take(case) == [person]
        make_allocation(case, person)
        assert Case.objects.visible_to(person).filter(pk=case.pk).exists()

    def test_the_database_itself_allows_one_live_allocation(self):
        """Otherwise a fault in the program could give one case to two people."""
        case = make_case()
        row = make_allocation(case)
        with pytest.raises(IntegrityError), transaction.atomic():
            Allocation.objects.create(
                case=case,
                investigator=make_user(),
                allocated_by=row.allocated_by,
                reason="x",
                points=1,
                started_at=row.started_at,
            )


class TestMoving:
    def test_a_move_is_one_step_with_a_coded_reason(self):
        """Otherwise the case lies with nobody between the two, and moves cannot be counted."""
        case, supervisor = make_case(), make_user("supervisor")
        first = make_allocation(case, actor=supervisor)
        second = make_user(skills=[SKILL])
        moved = reallocate(supervisor, case, investigator=second, code="conflict", reason="Synthetic.")
        first.refresh_from_db()
        assert first.end_reason == "Conflict of interest"
        assert case.investigator == moved.investigator == second
        assert LedgerEntry.objects.get(verb="allocation.ended").payload["code"] == "conflict"
        for code, person in (("nonsense", make_user(skills=[SKILL])), ("absent", make_user())):
            with pytest.raises(Invalid):
                reallocate(supervisor, case, investigator=person, code=code, reason="x")
        assert Case.objects.get(pk=case.pk).investigator == second, "a refused move leaves the case where it was"
        with pytest.raises(NotPossible):
            reallocate(supervisor, case, investigator=second, code="absent", reason="x")

    def test_taking_a_case_back_starts_the_clock_to_allocate_again(self):
        """Otherwise an abandoned case would have no clock at all."""
        case, supervisor = make_case(), make_user("supervisor")
        make_allocation(case, actor=supervisor)
        end_allocation(supervisor, case, reason="Synthetic.")
        assert case.investigator is None
        clock = Clock.objects.open().get(case=case, rule="allocation_to_investigator")
        assert clock.triggered_at > timezone.now() - timedelta(minutes=1)
        with pytest.raises(NotPossible):
            end_allocation(supervisor, case, reason="Synthetic.")
        with pytest.raises(NotPossible):
            reallocate(supervisor, case, investigator=make_user(skills=[SKILL]), code="absent", reason="x")


@pytest.mark.django_db(transaction=True)
def test_two_supervisors_at_once_make_one_allocation(site_standards):
    """Otherwise two investigators visit the same suspect, or neither does."""
    make_unit("CN")
    case = make_case()
    people = [make_user(skills=[SKILL]) for _ in range(2)]
    supervisors = [make_user("supervisor") for _ in range(2)]
    start = threading.Barrier(2, timeout=30)
    results: list[object] = []

    def give(supervisor, person) -> None:
        try:
            start.wait()
            results.append(allocate(supervisor, case, investigator=person, reason="Synthetic race."))
        except NotPossible as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=give, args=pair) for pair in zip(supervisors, people, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    refused = [one for one in results if isinstance(one, NotPossible)]
    made = [one for one in results if isinstance(one, Allocation)]
    assert (len(made), len(refused)) == (1, 1), results
    assert f"{made[0].investigator} already has this case" in str(refused[0])
    assert Allocation.objects.filter(case=case, ended_at=None).count() == 1
