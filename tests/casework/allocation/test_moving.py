"""Moving many cases at once."""

from __future__ import annotations

import threading

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from tests.casework.factories import SKILL, make_allocation, make_case, make_child, make_unit, make_user

from safelight.casework.allocation.conflicts import declare
from safelight.casework.allocation.models import Allocation
from safelight.casework.allocation.moving import Move, reassign_many
from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.cases.models import Case
from safelight.casework.cases.services import close_case
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.services import start_clock
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.ledger.services import seal
from safelight.casework.ledger.verify import verify
from safelight.casework.workforce.time_and_place import record_absence

pytestmark = pytest.mark.django_db


@pytest.fixture
def story():
    supervisor, holder, taker = make_user("supervisor"), make_user(skills=[SKILL]), make_user(skills=[SKILL])
    cases = [make_case(actor=supervisor) for _ in range(3)]
    for case in cases[:2]:
        make_allocation(case, holder, supervisor)
    return supervisor, holder, taker, cases


def moves(cases, taker, holder):
    return [Move(case.pk, taker, holder.pk if holder else None) for case in cases]


def move(actor, rows, **fields):
    return reassign_many(actor, rows, **{"code": "absent", "reason": "Synthetic.", **fields})


class TestMoving:
    def test_cases_clocks_chronology_and_one_ledger_entry_each_move_together(self, story):
        """Otherwise a case arrives without its child's clock, and that clock has no owner."""
        supervisor, holder, taker, cases = story
        child = make_child(case=cases[0])
        clock = start_clock(
            supervisor, "police_referral_to_csc", child, case=cases[0], unit=cases[0].unit, owner=holder
        )
        made = move(supervisor, [*moves(cases[:2], taker, holder), *moves(cases[2:], taker, None)])
        assert len(made) == 3
        for case in cases:
            assert Case.objects.get(pk=case.pk).investigator == taker
            assert case.chronology.filter(kind="allocated").first().text == f"To {taker}. Synthetic."
        clock.refresh_from_db()
        assert clock.owner == taker
        assert Clock.objects.get(case=cases[2], rule="allocation_to_investigator").stopped_at
        entries = LedgerEntry.objects.filter(verb="allocation.moved")
        assert sorted(entries.values_list("case_key", flat=True)) == sorted(case.pk for case in cases)
        assert {entry.payload["of"] for entry in entries} == {3}
        old = Allocation.objects.filter(case=cases[0]).exclude(ended_at=None).get()
        assert (old.end_code, old.end_reason) == ("absent", "The investigator is absent")
        seal()
        assert verify().proven, "entries written together are hashed as single ones are"

    def test_the_number_of_statements_does_not_grow_with_the_number_of_cases(self, story):
        """Otherwise moving 500 cases takes a quarter of an hour, as in other case tools."""
        supervisor, holder, taker, cases = story
        with CaptureQueriesContext(connection) as two:
            move(supervisor, moves(cases[:2], taker, holder))
        more = [make_case(actor=supervisor) for _ in range(6)]
        for case in more:
            make_allocation(case, holder, supervisor)
        with CaptureQueriesContext(connection) as six:
            move(supervisor, moves(more, taker, holder))
        assert len(six) == len(two)

    def test_a_sensitive_reason_stays_off_the_pages_of_the_case(self, story):
        """Otherwise the whole unit reads in the chronology why a colleague cannot go on."""
        supervisor, holder, taker, cases = story
        (row,) = move(supervisor, moves(cases[:1], taker, holder), reason="Private matter.", sensitive=True)
        assert row.reason == "Private matter."
        assert "Private" not in cases[0].chronology.filter(kind="allocated").first().text
        assert "Private" not in str(LedgerEntry.objects.get(verb="allocation.moved").payload)


class TestAllOrNothing:
    def refused(self, error, story, rows, match, actor=None, **fields):
        with pytest.raises(error, match=match):
            move(actor or story[0], rows, **fields)
        assert Allocation.objects.filter(ended_at=None, investigator=story[1]).count() == 2, "nothing moved"
        assert not LedgerEntry.objects.filter(verb="allocation.moved").exists()

    def test_what_somebody_else_moved_meanwhile_is_named(self, story):
        _, holder, taker, cases = story
        self.refused(NotPossible, story, moves(cases, taker, holder), f"Moved meanwhile.*{cases[2].reference}")

    def test_closed_cases_other_units_and_the_same_person_are_named(self, story):
        supervisor, holder, taker, cases = story
        self.refused(NotPossible, story, moves(cases[:2], holder, holder), "The same person")
        self.refused(NotAllowed, story, moves(cases[:2], taker, holder), "may not", actor=make_user("supervisor", "SW"))
        self.refused(NotAllowed, story, moves(cases[:2], taker, holder), "Only supervisors", actor=holder)
        hidden = make_case(actor=make_user("supervisor"), restricted=True)
        self.refused(NotAllowed, story, [*moves(cases[:2], taker, holder), *moves([hidden], taker, None)], "may not")
        close_case(supervisor, cases[2], outcome="no_suspect", note="Synthetic.")
        self.refused(NotPossible, story, moves(cases, taker, holder), f"Closed: {cases[2].reference}")

    def test_a_taker_without_the_skill_away_or_in_conflict_takes_none(self, story):
        """Otherwise a bulk move does what a single one refuses."""
        supervisor, holder, taker, cases = story
        rows = moves(cases[:2], taker, holder)
        self.refused(Invalid, story, moves(cases[:2], make_user(), holder), "does not hold the skill")
        self.refused(Invalid, story, moves(cases[:2], make_user("examiner"), holder), "no.*active investigator|not an")
        suspect = cases[1].people.get(role="suspect").person
        declare(supervisor, user=taker, reference=suspect.reference, reason="Synthetic cousin.")
        self.refused(Invalid, story, rows, f"conflict of interest is declared: {cases[1].reference}")
        record_absence(supervisor, user=taker, kind="leave", from_day=timezone.localdate())
        self.refused(Invalid, story, rows, "on leave")
        self.refused(Invalid, story, [], "No case was chosen")
        self.refused(Invalid, story, rows, "no reason", code="nonsense")
        self.refused(Invalid, story, rows, "missing", reason=" ")


@pytest.mark.django_db(transaction=True)
def test_two_supervisors_at_once_move_each_case_once(site_standards):
    """Otherwise two people are told that the same twenty cases are theirs."""
    make_unit("CN")
    supervisors = [make_user("supervisor") for _ in range(2)]
    holder, *takers = [make_user(skills=[SKILL]) for _ in range(3)]
    cases = [make_case(actor=supervisors[0]) for _ in range(5)]
    for case in cases:
        make_allocation(case, holder, supervisors[0])
    start = threading.Barrier(2, timeout=30)
    results: list[object] = []

    def give(place: int) -> None:
        # Each in the other's order: locks taken in the order of the list would wait for each other for ever.
        rows = moves(cases if place else cases[::-1], takers[place], holder)
        try:
            start.wait()
            results.append(move(supervisors[place], rows))
        except NotPossible as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=give, args=[place]) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    made = [one for one in results if isinstance(one, list)]
    refused = [one for one in results if isinstance(one, NotPossible)]
    assert (len(made), len(refused)) == (1, 1), results
    assert "Moved meanwhile" in str(refused[0])
    live = Allocation.objects.filter(ended_at=None)
    assert {row.investigator for row in live} == {made[0][0].investigator}
    assert live.count() == 5
    assert LedgerEntry.objects.filter(verb="allocation.moved").count() == 5
