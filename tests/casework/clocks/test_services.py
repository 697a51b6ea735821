"""Clocks of the case work: started once, never moved back, swept without touching what is not due."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from tests.casework.factories import make_allocation, make_case, make_child, make_referral, make_user

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.clocks.models import Clock, Hold
from safelight.casework.clocks.queries import clock_page, clocks_of_case, view_of, views_of
from safelight.casework.clocks.services import (
    lift_hold,
    place_hold,
    start_clock,
    stop_clock,
    stop_clocks_of_case,
    sweep,
)
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.safeguarding.models import ChildAtRisk

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def actor():
    return make_user("supervisor")


def child_clock(actor, case=None, **fields):
    case = case or make_case(actor=actor)
    return start_clock(actor, "police_referral_to_csc", make_child(case=case), case=case, unit=case.unit, **fields)


def told(actor, clock):
    child = ChildAtRisk.objects.get(pk=clock.subject_id)
    return stop_clock(actor, "police_referral_to_csc", child, reason="Social care told.")


class TestStarting:
    def test_a_child_counts_in_real_hours_from_when_it_was_identified(self, actor):
        """Otherwise a weekend would be a reason to leave a child with a suspect."""
        then = timezone.now() - 5 * HOUR
        clock = child_clock(actor, triggered_at=then)
        assert clock.due_at == then + 24 * HOUR
        assert clock.state() == "running"

    def test_a_child_found_after_allocation_belongs_to_the_investigator(self, actor):
        """Otherwise the clock of a child found later is on nobody's list."""
        case = make_case(actor=actor)
        investigator = make_allocation(case, actor=actor).investigator
        assert child_clock(actor, case).owner == investigator

    def test_a_trigger_that_arrives_twice_starts_one_clock(self, actor):
        """Otherwise the second report of the same child would start a fresh 24 hours."""
        case = make_case(actor=actor)
        child = make_child(case=case)
        first = start_clock(actor, "police_referral_to_csc", child, triggered_at=timezone.now() - HOUR, case=case)
        again = start_clock(actor, "police_referral_to_csc", child, case=case)
        assert again == first
        assert LedgerEntry.objects.filter(verb="clock.started", subject_id=str(first.pk)).count() == 1

    def test_the_database_itself_allows_one_open_clock_per_rule_and_subject(self, actor):
        clock = child_clock(actor)
        clock.pk = None
        with pytest.raises(IntegrityError), transaction.atomic():
            clock.save(force_insert=True)

    def test_unknown_rules_naive_times_and_the_future_are_refused(self, actor):
        case = make_case(actor=actor)
        child = make_child(case=case)
        with pytest.raises(Invalid, match="no clock"):
            start_clock(actor, "made_up", child, case=case)
        for moment in (timezone.now() + HOUR, timezone.now().replace(tzinfo=None)):
            with pytest.raises(Invalid):
                start_clock(actor, "police_referral_to_csc", child, triggered_at=moment, case=case)

    def test_what_the_force_has_not_set_shows_as_not_set_and_is_never_swept(self, actor, settings):
        """Otherwise a missing figure would read as 'no hurry' or as a breach."""
        settings.SITE_STANDARDS = None
        case = make_case(actor=actor)
        clock = start_clock(actor, "caid_upload", case, case=case, triggered_at=timezone.now() - 900 * HOUR)
        assert clock.due_at is None
        assert view_of(clock).state == "not_set"
        assert clock not in sweep()


class TestStopping:
    def test_late_is_late_for_ever(self, actor):
        """Otherwise the figures would forget every child that was referred too late."""
        clock = child_clock(actor, triggered_at=timezone.now() - 30 * HOUR)
        child = ChildAtRisk.objects.get(pk=clock.subject_id)
        stopped = stop_clock(actor, "police_referral_to_csc", child, reason="Sent.")
        assert stopped.state() == "breached"
        assert view_of(stopped).state == "met_late"
        assert Clock.objects.ever_breached().filter(pk=clock.pk).exists()

    def test_stopping_at_the_time_it_happened_counts(self, actor):
        clock = child_clock(actor, triggered_at=timezone.now() - 30 * HOUR)
        child = ChildAtRisk.objects.get(pk=clock.subject_id)
        stopped = stop_clock(actor, "police_referral_to_csc", child, reason="Sent.", at=timezone.now() - 10 * HOUR)
        assert view_of(stopped).state == "met"
        assert stop_clock(actor, "police_referral_to_csc", child, reason="Again.") is None

    def test_a_stop_before_the_start_or_in_the_future_is_refused(self, actor):
        clock = child_clock(actor, triggered_at=timezone.now() - HOUR)
        child = ChildAtRisk.objects.get(pk=clock.subject_id)
        for moment in (timezone.now() - 2 * HOUR, timezone.now() + HOUR):
            with pytest.raises(Invalid):
                stop_clock(actor, "police_referral_to_csc", child, reason="x", at=moment)
        clock.refresh_from_db()
        assert clock.stopped_at is None

    def test_closing_a_case_stops_its_clocks_but_not_the_childs_and_no_others(self, actor):
        """Otherwise a case closed within 24 hours shows 'met' for a child of whom social care never heard."""
        mine, other = child_clock(actor), child_clock(actor)
        assert stop_clocks_of_case(actor, mine.case, reason="Synthetic.") == 2
        for clock in (mine, other):
            clock.refresh_from_db()
            assert clock.stopped_at is None

    def test_an_event_that_turns_out_to_be_earlier_brings_the_clock_forward_and_never_back(self, actor):
        """Otherwise a child who was known on Monday has until Thursday, because Tuesday was written down first."""
        clock = child_clock(actor, triggered_at=timezone.now() - HOUR)
        child, due = ChildAtRisk.objects.get(pk=clock.subject_id), clock.due_at
        earlier = timezone.now() - 30 * HOUR
        again = start_clock(actor, "police_referral_to_csc", child, triggered_at=earlier, case=clock.case)
        assert (again.pk, again.triggered_at, again.due_at) == (clock.pk, earlier, earlier + 24 * HOUR)
        assert again.state() == "breached"
        later = start_clock(actor, "police_referral_to_csc", child, triggered_at=timezone.now(), case=clock.case)
        assert later.due_at == earlier + 24 * HOUR < due
        assert LedgerEntry.objects.filter(verb="clock.due_earlier", subject_id=str(clock.pk)).count() == 1

    def test_a_desk_whose_watch_is_fast_starts_no_clock_in_the_future(self, actor):
        """Otherwise social care, told a minute later, is 'told before the clock started' and the form refuses it."""
        clock = child_clock(actor, triggered_at=timezone.now() + timedelta(minutes=4))
        assert clock.triggered_at <= timezone.now()
        child = ChildAtRisk.objects.get(pk=clock.subject_id)
        assert stop_clock(actor, "police_referral_to_csc", child, reason="Sent.").stopped_at is not None


class TestHolds:
    def test_a_hold_never_stops_the_clock_or_moves_its_time(self, actor):
        """Otherwise the investigation would again come before the child."""
        clock = child_clock(actor, triggered_at=timezone.now() - 23 * HOUR)
        due = clock.due_at
        place_hold(actor, clock, reason="Synthetic arrest tonight.", hours=24)
        clock.refresh_from_db()
        assert (clock.due_at, clock.stopped_at) == (due, None)
        assert views_of([clock])[0].state == "held"
        later = views_of([clock], timezone.now() + 2 * HOUR)[0]
        assert later.state == "breached"
        assert later.hold is not None

    @given(st.integers(-5, 60))
    def test_only_one_to_twenty_four_hours(self, hours):
        """Otherwise a hold of a month would be a decision to do nothing."""
        actor = make_user("supervisor")
        clock = child_clock(actor)
        if 1 <= hours <= 24:
            hold = place_hold(actor, clock, reason="Synthetic.", hours=hours)
            assert hold.expires_at - hold.placed_at == hours * HOUR
        else:
            with pytest.raises(Invalid):
                place_hold(actor, clock, reason="Synthetic.", hours=hours)

    def test_only_a_supervisor_of_the_unit_with_a_reason(self, actor):
        clock = child_clock(actor)
        for other in (make_user(), make_user("referral_desk"), make_user("supervisor", "SW")):
            with pytest.raises(NotAllowed):
                place_hold(other, clock, reason="x", hours=1)
        with pytest.raises(Invalid):
            place_hold(actor, clock, reason="  ", hours=1)

    def test_one_at_a_time_and_after_it_expired_another(self, actor):
        clock = child_clock(actor)
        hold = place_hold(actor, clock, reason="Synthetic.", hours=1)
        with pytest.raises(NotPossible, match="held until"):
            place_hold(actor, clock, reason="Synthetic.", hours=1)
        lift_hold(actor, hold)
        with pytest.raises(NotPossible):
            lift_hold(actor, hold)
        second = place_hold(actor, clock, reason="Synthetic.", hours=1)
        type(second).objects.filter(pk=second.pk).update(
            placed_at=timezone.now() - 2 * HOUR, expires_at=timezone.now() - HOUR
        )
        place_hold(actor, clock, reason="Synthetic.", hours=1)
        assert clock.holds.count() == 3

    def test_a_clock_that_may_not_be_held_or_has_ended_is_not(self, actor):
        case = make_case(actor=actor)
        clock = Clock.objects.get(case=case, rule="supervisor_review")
        with pytest.raises(NotPossible, match="may not be held"):
            place_hold(actor, clock, reason="x", hours=1)
        held = child_clock(actor, case)
        told(actor, held)
        with pytest.raises(NotPossible, match="ended"):
            place_hold(actor, held, reason="x", hours=1)


class TestSweep:
    def test_each_breach_is_found_once_and_what_is_not_due_is_untouched(self, actor):
        """Otherwise people are alarmed twice, or never."""
        late = child_clock(actor, triggered_at=timezone.now() - 30 * HOUR)
        child_clock(actor)
        assert [clock.pk for clock in sweep()] == [late.pk]
        assert sweep() == []
        entry = LedgerEntry.objects.get(verb="clock.breached")
        assert (entry.category, entry.case_key) == ("system", late.case_id)

    def test_a_stopped_clock_is_not_alarmed(self, actor):
        clock = child_clock(actor, triggered_at=timezone.now() - 30 * HOUR)
        told(actor, clock)
        assert clock.pk not in [one.pk for one in sweep()]


class TestPages:
    def test_pages_follow_due_times_without_gap_or_repeat(self, actor):
        case = make_case(actor=actor)
        for hours in (30, 20, 10):
            child_clock(actor, case, triggered_at=timezone.now() - hours * HOUR)
        first = clock_page(actor, size=2)
        second = clock_page(actor, size=2, after=first.after)
        third = clock_page(actor, size=2, after=second.after)
        keys = [view.clock.pk for page in (first, second, third) for view in page.rows]
        assert len(keys) == len(set(keys)) == 5
        assert third.after == ""
        dues = [view.due_at for page in (first, second, third) for view in page.rows]
        assert dues == sorted(dues)
        assert [view.state for view in clock_page(actor, state="breached").rows] == ["breached"]
        assert len(clock_page(actor, after="nonsense~x").rows) == 5
        assert clock_page(make_user("administrator")).rows == []

    def test_due_soon_shows_before_it_is_too_late(self, actor):
        clock = child_clock(actor, triggered_at=timezone.now() - 19 * HOUR)
        assert view_of(clock).state == "due_soon"

    def test_a_cases_clocks_put_open_ones_first(self, actor):
        case = make_case(actor=actor)
        child_clock(actor, case)
        stop_clock(actor, "supervisor_review", case, reason="Synthetic.")
        assert [view.clock.rule for view in clocks_of_case(case)] == [
            "allocation_to_investigator",
            "police_referral_to_csc",
            "supervisor_review",
        ]

    def test_a_referrals_clock_is_seen_by_the_desk_before_there_is_a_case(self, actor):
        referral = make_referral()
        start_clock(actor, "police_referral_to_csc", make_child(referral=referral), referral=referral)
        assert len(clock_page(make_user("referral_desk")).rows) == 1
        assert clock_page(make_user()).rows == []


class TestTheDatabaseItself:
    """A hold that no service wrote is held to the same rules."""

    @pytest.mark.parametrize(
        "wrong",
        [
            {"supervisor": None},
            {"reason": ""},
            {"hours": 25},
            {"hours": 0},
            {"expires_at": None},
            {"expires_at": timedelta(hours=25)},
            {"expires_at": timedelta(0)},
        ],
    )
    def test_no_row_is_a_hold_without_name_reason_and_an_expiry_within_its_hours(self, actor, wrong):
        clock, now = child_clock(actor), timezone.now()
        fields = {"clock": clock, "supervisor": actor, "reason": "Synthetic.", "placed_at": now, "hours": 24}
        fields |= {"expires_at": now + timedelta(hours=24), **wrong}
        if isinstance(fields["expires_at"], timedelta):
            fields["expires_at"] = now + fields["expires_at"]
        with pytest.raises(IntegrityError), transaction.atomic():
            Hold.objects.create(**fields)

    def test_no_update_makes_a_hold_longer(self, actor):
        hold = place_hold(actor, child_clock(actor), reason="Synthetic.", hours=2)
        with pytest.raises(IntegrityError), transaction.atomic():
            Hold.objects.filter(pk=hold.pk).update(expires_at=timezone.now() + timedelta(days=9))
