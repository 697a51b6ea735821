"""Pausing, resuming and re-basing: only where the rule says so, the same however it is told, and the old time stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from tests.casework.factories import make_case, make_child, make_person, make_user

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.standards import standards
from safelight.casework.clocks.models import Clock, ClockPause
from safelight.casework.clocks.pauses import may_be_paused
from safelight.casework.clocks.queries import clock_page, view_of
from safelight.casework.clocks.services import (
    mark_not_applicable,
    pause_clock,
    pause_clocks_of,
    place_hold,
    rebase_clock,
    resume_clock,
    resume_clocks_of,
    start_clock,
    stop_clock,
    sweep,
    tighten_for_risk,
)
from safelight.casework.ledger.models import LedgerEntry
from safelight.standards import LONDON, Duration

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def at(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=LONDON).astimezone(UTC)


def day(moment: datetime | None) -> str:
    return f"{moment.astimezone(LONDON):%Y-%m-%d %H:%M:%S}" if moment else ""


@pytest.fixture
def actor() -> Any:
    return make_user("supervisor")


@pytest.fixture
def person() -> Any:
    """Stands for the offender: any row can be what a clock hangs on."""
    return make_person()


def begin(
    actor: Any, person: Any, rule: str = "rso_initial_notify", when: str = "2026-11-02 14:00", **more: Any
) -> Any:
    return start_clock(actor, rule, person, triggered_at=at(when), unit=actor.unit, **more)


class TestPausing:
    def test_time_in_custody_does_not_count_and_the_old_time_stays_visible(self, actor, person):
        """He would be arrested on release for not having walked to a station from a cell."""
        clock = begin(actor, person)
        assert day(clock.due_at) == "2026-11-04 23:59:59"
        pause = pause_clock(actor, clock, reason="custody", at=at("2026-11-02 15:00"), note="Synthetic call.")
        clock.refresh_from_db()
        assert (clock.due_at, clock.next_step_at, view_of(clock).state) == (None, None, "paused")
        assert day(pause.due_before) == day(clock.base_due_at) == "2026-11-04 23:59:59"
        assert clock.pk not in [one.pk for one in sweep()], "nobody is alarmed about a clock that does not count"
        clock = resume_clock(actor, clock, at=at("2026-11-05 10:00"))
        assert day(clock.due_at) == "2026-11-07 23:59:59"
        assert clock.next_step_at is not None
        entries = LedgerEntry.objects.filter(subject_type="clocks.clock", subject_id=str(clock.pk))
        assert [entry.verb for entry in entries.order_by("pk")] == [
            "clock.started", "clock.paused", "clock.pause_ended",
        ]  # fmt: skip
        assert "Synthetic call" not in str([entry.payload for entry in entries])

    def test_the_yearly_notification_runs_on_and_waits_three_days(self, actor, person):
        clock = begin(actor, person, "rso_annual", "2025-11-20 10:00")
        pause_clock(actor, clock, reason="custody", at=at("2025-12-01 09:00"))
        assert day(resume_clock(actor, clock, at=at("2026-03-01 09:00")).due_at) == "2026-11-20 23:59:59"
        pause_clock(actor, clock, reason="hospital", at=at("2026-11-15 09:00"))
        assert day(resume_clock(actor, clock, at=at("2026-11-25 09:00")).due_at) == "2026-11-27 23:59:59"

    def test_told_in_any_order_late_or_twice_the_due_time_is_the_same(self, actor):
        """Three systems tell of custody, and none of them in time."""
        spells = [
            ("custody", "2026-11-02 20:00", "2026-11-03 12:00"),
            ("hospital", "2026-11-03 10:00", "2026-11-06 09:00"),
            ("abroad", "2026-11-07 09:00", "2026-11-09 09:00"),
        ]
        dues = set()
        for order in permutations(spells):
            clock = begin(actor, make_person())
            for reason, start, end in (*order, order[0]):
                pause_clock(actor, clock, reason=reason, at=at(start), until=at(end))
            clock.refresh_from_db()
            dues.add(day(clock.due_at))
            assert clock.pauses.count() == 3
        clock = begin(actor, make_person())
        for reason, start, end in spells:
            pause_clock(actor, clock, reason=reason, at=at(start))
            clock = resume_clock(actor, clock, reason=reason, at=at(end))
        assert dues == {day(clock.due_at)} == {"2026-11-10 23:59:59"}

    def test_a_pause_that_turns_out_to_have_begun_earlier_is_one_pause(self, actor, person):
        clock = begin(actor, person)
        first = pause_clock(actor, clock, reason="custody", at=at("2026-11-03 15:00"))
        assert pause_clock(actor, clock, reason="custody", at=at("2026-11-03 18:00")) == first
        again = pause_clock(actor, clock, reason="custody", at=at("2026-11-02 15:00"))
        assert (again.pk, again.started_at) == (first.pk, at("2026-11-02 15:00"))
        assert clock.pauses.count() == 1

    def test_what_ran_out_before_the_pause_stays_late(self, actor, person):
        """An arrest for the breach would wipe out the breach."""
        clock = begin(actor, person)
        pause_clock(actor, clock, reason="custody", at=at("2026-11-06 10:00"))
        clock.refresh_from_db()
        assert (clock.paused_at, view_of(clock).state) == (None, "breached")
        assert day(resume_clock(actor, clock, at=at("2026-11-08 10:00")).due_at) == "2026-11-04 23:59:59"

    def test_two_reasons_end_one_by_one(self, actor, person):
        clock = begin(actor, person)
        pause_clock(actor, clock, reason="custody", at=at("2026-11-03 10:00"))
        pause_clock(actor, clock, reason="hospital", at=at("2026-11-04 10:00"))
        clock = resume_clock(actor, clock, reason="custody", at=at("2026-11-05 10:00"))
        assert view_of(clock).state == "paused"
        clock = resume_clock(actor, clock, at=at("2026-11-06 10:00"))
        assert day(clock.due_at) == "2026-11-07 23:59:59"
        assert resume_clock(actor, clock, at=at("2026-11-07 10:00")).due_at == clock.due_at, "told twice"

    def test_all_clocks_of_an_offender_at_once_but_only_those_whose_rule_says_so(self, actor, person):
        paused = [begin(actor, person, rule) for rule in ("rso_initial_notify", "rso_annual", "rso_nfa_weekly")]
        others = [begin(actor, person, rule) for rule in ("rso_change_notify", "rso_breach_record")]
        made = pause_clocks_of(actor, person, reason="custody", at=at("2026-11-03 10:00"))
        assert {pause.clock for pause in made} == set(paused)
        for clock in others:
            clock.refresh_from_db()
            assert clock.due_at is not None
        assert {clock.pk for clock in resume_clocks_of(actor, person, at=at("2026-11-05 10:00"))} == {
            clock.pk for clock in paused
        }
        assert not ClockPause.objects.filter(ended_at=None).exists()

    def test_refusals_say_why(self, actor, person):
        clock = begin(actor, person)
        with pytest.raises(NotPossible, match="'holiday' does not pause it. Only custody, hospital, abroad does"):
            pause_clock(actor, clock, reason="holiday")
        with pytest.raises(Invalid, match="future"):
            pause_clock(actor, clock, reason="custody", at=timezone.now() + DAY)
        with pytest.raises(Invalid, match="ends before it begins"):
            pause_clock(actor, clock, reason="custody", at=at("2026-11-05 10:00"), until=at("2026-11-04 10:00"))
        pause_clock(actor, clock, reason="custody", at=at("2026-11-03 10:00"))
        with pytest.raises(Invalid, match="before the pause began"):
            resume_clock(actor, clock, at=at("2026-11-03 09:00"))
        stop_clock(actor, clock.rule, person, reason="Synthetic.")
        with pytest.raises(NotPossible, match="ended"):
            pause_clock(actor, clock, reason="hospital")

    def test_the_database_itself_keeps_a_pause_whole(self, actor, person):
        clock = begin(actor, person)
        fields = {"clock": clock, "reason": "custody", "started_at": at("2026-11-03 10:00")}
        fields |= {"recorded_at": timezone.now(), "recorded_by": actor}
        for wrong in ({"reason": ""}, {"ended_at": at("2026-11-02 10:00")}):
            with pytest.raises(IntegrityError), transaction.atomic():
                ClockPause.objects.create(**{**fields, **wrong})
        ClockPause.objects.create(**fields)
        with pytest.raises(IntegrityError), transaction.atomic():
            ClockPause.objects.create(**fields)
        with pytest.raises(IntegrityError), transaction.atomic():
            Clock.objects.filter(pk=clock.pk).update(paused_at=timezone.now())

    def test_a_paused_clock_is_on_its_own_list_and_not_among_those_without_a_time(self, actor, person):
        clock = begin(actor, person)
        pause_clock(actor, clock, reason="custody", at=at("2026-11-03 10:00"))
        assert [view.clock for view in clock_page(actor, state="paused").rows] == [clock]
        assert clock_page(actor, state="not_set").rows == []
        assert clock_page(make_user("supervisor", "SW"), state="paused").rows == []
        assert clock_page(make_user("administrator"), state="paused").rows == []


class TestWhatNothingExtends:
    def test_no_rule_that_protects_a_child_may_be_paused(self):
        for rule in standards().clocks.values():
            if rule.area == "safeguarding" or rule.child_at_risk or rule.cannot_extend:
                assert not may_be_paused(rule), rule.id

    def test_nothing_extends_police_protection(self, actor):
        """A child would be kept from home, or sent home, on the strength of a form: 72 hours are the law's."""
        case = make_case(actor=actor)
        child = make_child(case=case)
        taken = timezone.now() - 70 * HOUR
        clock = start_clock(actor, "police_protection_max", child, triggered_at=taken, case=case, unit=case.unit)
        due = taken + 72 * HOUR
        assert clock.due_at == due
        for reason in ("custody", "hospital", "abroad", "anything"):
            with pytest.raises(NotPossible, match="cannot be paused"):
                pause_clock(actor, clock, reason=reason)
        for event in ("police_protection_taken", "police_protection_renewed", ""):
            with pytest.raises(NotPossible, match="nothing extends"):
                rebase_clock(actor, clock, event=event)
        with pytest.raises(NotPossible, match="may not be held"):
            place_hold(actor, clock, reason="Synthetic.", hours=24)
        start_clock(actor, "police_protection_max", child, case=case, unit=case.unit)
        assert pause_clocks_of(actor, child, reason="custody") == []
        case.risk = "low"
        tighten_for_risk(actor, case)
        resume_clock(actor, clock)
        with pytest.raises(NotPossible, match="does not fall away"):
            mark_not_applicable(actor, clock.rule, child, reason="Synthetic.")
        clock.refresh_from_db()
        assert (clock.due_at, clock.triggered_at, clock.stopped_at) == (due, taken, None)
        assert sweep(due + timedelta(seconds=1)), "and when it has run out, that is said"

    def test_a_child_at_risk_is_no_clock_to_pause_or_begin_afresh(self, actor):
        case = make_case(actor=actor)
        clock = start_clock(actor, "police_referral_to_csc", make_child(case=case), case=case, unit=case.unit)
        with pytest.raises(NotPossible, match="cannot be paused"):
            pause_clock(actor, clock, reason="custody")
        with pytest.raises(NotPossible, match="does not start it afresh"):
            rebase_clock(actor, clock, event="child_at_risk_identified")


class TestRebasing:
    def test_a_change_notified_starts_the_year_afresh_and_the_old_time_stays(self, actor, person):
        """s.85: a change under s.84 moves the year; what was due before can still be read."""
        clock = begin(actor, person, "rso_annual", "2025-12-10 10:00")
        fresh = rebase_clock(actor, clock, event="rso_change_notified", at=at("2026-06-01 12:00"))
        assert (day(fresh.due_at), fresh.rebased_from) == ("2027-06-01 23:59:59", clock)
        clock.refresh_from_db()
        assert day(clock.due_at) == "2026-12-10 23:59:59"
        assert (view_of(clock).state, view_of(fresh).state) == ("met", "running")
        assert LedgerEntry.objects.get(verb="clock.rebased").payload["late"] is False

    def test_an_event_that_comes_too_late_leaves_the_old_clock_late(self, actor, person):
        """A missed year would vanish with the next change of address."""
        clock = begin(actor, person, "rso_annual", "2025-01-10 10:00")
        rebase_clock(actor, clock, event="rso_change_notified", at=at("2026-06-01 12:00"))
        clock.refresh_from_db()
        assert view_of(clock).state == "met_late"
        assert Clock.objects.ever_breached().filter(pk=clock.pk).exists()

    def test_matters_of_the_2012_regulations_do_not_move_it(self, actor, person):
        clock = begin(actor, person, "rso_annual", "2025-12-10 10:00")
        with pytest.raises(NotPossible, match="rso_change_notified"):
            rebase_clock(actor, clock, event="rso_travel_notified")

    def test_told_twice_or_out_of_order_the_latest_event_counts(self, actor):
        events = ["2026-03-01 12:00", "2026-06-01 12:00", "2026-09-01 12:00"]
        for order in permutations(events):
            person = make_person()
            clock = begin(actor, person, "rso_annual", "2025-12-10 10:00")
            for when in (*order, order[-1]):
                open_now = Clock.objects.open().get(rule="rso_annual", subject_id=person.pk)
                clock = rebase_clock(actor, open_now, event="rso_change_notified", at=at(when))
            assert day(clock.due_at) == "2027-09-01 23:59:59"

    def test_a_pause_that_lasts_goes_over_to_the_new_clock(self, actor, person):
        clock = begin(actor, person, "rso_annual", "2025-12-10 10:00")
        pause_clock(actor, clock, reason="abroad", at=at("2026-05-01 10:00"))
        fresh = rebase_clock(actor, clock, event="rso_annual_notified", at=at("2026-06-01 12:00"))
        fresh.refresh_from_db()
        assert view_of(fresh).state == "paused"
        assert not clock.pauses.filter(ended_at=None).exists()
        assert day(resume_clock(actor, fresh, at=at("2026-07-01 12:00")).due_at) == "2027-06-01 23:59:59"

    def test_each_plan_has_its_own_duration(self, actor, person):
        three = Duration(3, "months")
        clock = begin(actor, person, "rso_visit_current", "2026-03-15 10:00", own=three)
        assert day(clock.due_at) == "2026-06-15 23:59:59"
        same = rebase_clock(actor, clock, event="rso_visit_successful", at=at("2026-05-31 10:00"))
        assert day(same.due_at) == "2026-08-31 23:59:59"
        shorter = rebase_clock(
            actor, same, event="rso_visit_successful", at=at("2026-08-31 10:00"), own=Duration(1, "months")
        )
        assert day(shorter.due_at) == "2026-09-30 23:59:59", "a month after 31 August is the end of September"


class TestOtherSenses:
    def test_notice_of_travel_is_due_before_the_day_and_may_be_given_in_time(self, actor, person):
        departure = timezone.now() + 20 * DAY
        clock = start_clock(actor, "rso_travel", person, triggered_at=departure, unit=actor.unit)
        assert clock.due_at < departure - 6 * DAY
        assert clock.state() == "running"
        stopped = stop_clock(actor, "rso_travel", person, reason="Notified.")
        assert view_of(stopped).state == "met"

    def test_notice_given_too_late_is_late(self, actor, person):
        start_clock(actor, "rso_travel", person, triggered_at=timezone.now() + 2 * DAY, unit=actor.unit)
        stopped = stop_clock(actor, "rso_travel", person, reason="Notified.")
        assert view_of(stopped).state == "met_late"

    def test_what_has_to_be_waited_for_is_never_late(self, actor, person):
        """An offender would be 'in breach' of being allowed something."""
        clock = begin(actor, person, "rso_reactive_eligible", "2022-11-02 14:00")
        assert view_of(clock).state == "reached"
        assert not Clock.objects.breached().filter(pk=clock.pk).exists()
        assert not Clock.objects.ever_breached().filter(pk=clock.pk).exists()
        assert sweep() == []
        assert view_of(begin(actor, make_person(), "rso_reactive_eligible")).state == "running"


class TestStandardsThatChange:
    SITE = """
[[clocks.supervisor_review]]
risk = {{ very_high = {{ hours = 24 }}, high = {{ calendar_days = {days} }}, medium = {{ calendar_days = 28 }}, low = {{ calendar_days = 28 }} }}
label = "Policy 1"
effective_from = {start}
"""  # noqa: E501

    def test_a_standard_that_changes_later_moves_no_clock_that_runs(self, actor, tmp_path, settings):
        """Last year's lateness would be rewritten by this year's policy."""
        case = make_case(actor=actor, risk="high")
        clock = Clock.objects.get(case=case, rule="supervisor_review")
        due, version = clock.due_at, clock.standards_version
        today = timezone.localdate()
        site = tmp_path / "site.toml"
        site.write_text(self.SITE.format(days=2, start=(today + DAY).isoformat()))
        settings.SITE_STANDARDS = site
        tighten_for_risk(actor, case)
        sweep()
        clock.refresh_from_db()
        assert (clock.due_at, clock.standards_version) == (due, version)
        other = make_case(actor=actor, risk="high")
        mine = Clock.objects.get(case=other, rule="supervisor_review")
        assert mine.due_at - mine.triggered_at > 6 * DAY, "the new standard is not yet in force"
        site.write_text(self.SITE.format(days=2, start=today.isoformat()))
        third = Clock.objects.get(case=make_case(actor=actor, risk="high"), rule="supervisor_review")
        assert third.due_at - third.triggered_at < 3 * DAY
        assert third.standards_version != version

    def test_a_clock_is_worked_out_again_as_it_began(self, actor, person, tmp_path, settings):
        """A pause recorded after a change of policy would bring the new policy in by the back door."""
        clock = begin(actor, person)
        site = tmp_path / "site.toml"
        site.write_text('[clocks.rso_initial_notify]\nduration = { calendar_days = 1 }\nlabel = "Policy 2"\n')
        settings.SITE_STANDARDS = site
        pause_clock(actor, clock, reason="custody", at=at("2026-11-02 15:00"), until=at("2026-11-05 10:00"))
        clock.refresh_from_db()
        assert day(clock.due_at) == "2026-11-07 23:59:59"

    def test_a_borough_has_its_own_time_and_the_clock_says_which(self, actor):
        moment = timezone.now() - HOUR
        dues = {}
        for borough in ("Merton", "Camden", ""):
            child = make_child(case=make_case(actor=actor))
            clock = start_clock(actor, "mash_rag_red", child, triggered_at=moment, borough=borough)
            dues[clock.borough] = clock.due_at - moment
        assert dues == {"Merton": 2 * HOUR, "Camden": 4 * HOUR, "": 4 * HOUR}

    def test_an_event_told_again_after_its_clock_ended_starts_no_second_one(self, actor, person):
        clock = begin(actor, person)
        stop_clock(actor, clock.rule, person, reason="Notified.", at=at("2026-11-03 14:00"))
        assert begin(actor, person, once=True) == clock
        assert begin(actor, person, when="2026-11-20 10:00", once=True) != clock
