"""Reviews, drift and the board."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import SKILL, make_allocation, make_case, make_child, make_user

from safelight.casework.allocation.moving import Move, reassign_many
from safelight.casework.allocation.services import reallocate, record_complexity
from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.cases.models import Case
from safelight.casework.cases.services import close_case, note, record_live_contact, record_risk
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.services import place_hold, start_clock
from safelight.casework.supervision.bars import bars
from safelight.casework.supervision.queries import board, drift_board
from safelight.casework.supervision.services import record_review

pytestmark = pytest.mark.django_db


def review(actor, case, **fields):
    words = dict.fromkeys(("plan", "safeguarding", "devices", "victim", "next_action"), "Synthetic.")
    return record_review(actor, case, **{**words, "next_action_by": timezone.localdate(), **fields})


class TestReview:
    @pytest.mark.parametrize(
        ("risk", "days"), [("very_high", 7), ("high", 7), ("medium", 28), ("low", 28)], ids=lambda value: str(value)
    )
    def test_the_next_review_falls_due_by_risk(self, risk, days):
        """Otherwise a very high risk case is looked at as rarely as any other."""
        case, supervisor = make_case(risk=risk), make_user("supervisor")
        review(supervisor, case)
        clock = Clock.objects.open().get(case=case, rule="supervisor_review")
        due = timezone.localtime(clock.due_at).date() - timezone.localtime(clock.triggered_at).date()
        assert (clock.stage, due.days) == ("next", days)
        assert Clock.objects.filter(case=case, rule="supervisor_review").count() == 2

    def test_a_review_does_not_end_drift(self):
        """Otherwise a supervisor's weekly click hides that nobody does anything."""
        case, supervisor = make_case(days_ago=20), make_user("supervisor")
        review(supervisor, case)
        assert [drift.case for drift in drift_board(supervisor)] == [case]

    @pytest.mark.parametrize("field", ["plan", "safeguarding", "devices", "victim", "next_action"])
    def test_every_part_must_be_answered(self, field):
        with pytest.raises(Invalid) as caught:
            review(make_user("supervisor"), make_case(), **{field: " "})
        assert caught.value.field == field

    def test_a_next_action_in_the_past_another_unit_and_a_closed_case_are_refused(self):
        case, supervisor = make_case(), make_user("supervisor")
        with pytest.raises(Invalid):
            review(supervisor, case, next_action_by=timezone.localdate() - timedelta(days=1))
        with pytest.raises(NotAllowed):
            review(make_user("supervisor", "SW"), case)
        close_case(supervisor, case, outcome="no_suspect", note="Synthetic.")
        with pytest.raises(NotPossible):
            review(supervisor, case)

    def test_a_child_who_is_not_safe_is_for_today(self):
        """Otherwise a review writes down that a child is in danger, and the next step is for Friday."""
        case, supervisor = make_case(), make_user("supervisor")
        with pytest.raises(Invalid, match="not safe") as caught:
            review(supervisor, case, children_safe="no", next_action_by=timezone.localdate() + timedelta(days=1))
        assert caught.value.field == "next_action_by"
        assert review(supervisor, case, children_safe="no").children_safe == "no"
        with pytest.raises(Invalid):
            review(supervisor, case, children_safe="perhaps")


class TestDrift:
    def test_longest_and_riskiest_first_and_only_past_the_policy_of_the_risk(self):
        """Otherwise a forgotten very high risk case hides below a hundred quiet ones."""
        supervisor = make_user("supervisor")
        low = make_case(actor=supervisor, risk="low", days_ago=40)
        very_high = make_case(actor=supervisor, risk="very_high", days_ago=9)
        high = make_case(actor=supervisor, risk="high", days_ago=16)
        make_case(actor=supervisor, risk="low", days_ago=20)
        make_case(actor=supervisor, risk="high", days_ago=5)
        found = drift_board(supervisor)
        assert [drift.case for drift in found] == [very_high, high, low]
        assert [(drift.days, drift.limit) for drift in found] == [(9, 3), (16, 7), (40, 28)]

    def test_an_unassessed_case_drifts_soonest(self):
        supervisor = make_user("supervisor")
        case = make_case(actor=supervisor, risk="", risk_source="", days_ago=4)
        assert [drift.case for drift in drift_board(supervisor)] == [case]

    def test_a_meaningful_action_takes_a_case_off_and_says_what_it_was_when_it_drifts_again(self):
        supervisor = make_user("supervisor")
        case = make_case(actor=supervisor, days_ago=30)
        note(supervisor, case, "note", "Looked at.")
        note(supervisor, case, "interview", "Synthetic.", at=timezone.now() - timedelta(days=10))
        (drift,) = drift_board(supervisor)
        assert drift.days == 10
        note(supervisor, case, "enquiry", "Synthetic.")
        assert drift_board(supervisor) == []

    def test_touching_a_case_is_no_action(self, sign_in):
        """Otherwise a click a week keeps a case of which nobody does anything off the board."""
        supervisor, first, second = make_user("supervisor"), make_user(skills=[SKILL]), make_user(skills=[SKILL])
        case = make_case(actor=supervisor, days_ago=30)
        make_allocation(case, first, supervisor)
        reallocate(supervisor, case, investigator=second, code="caseload", reason="Synthetic.")
        reassign_many(supervisor, [Move(case.pk, first, second.pk)], code="caseload", reason="Synthetic.")
        record_risk(supervisor, case, risk="very_high", source="Synthetic tool 1.0")
        record_complexity(supervisor, case, level="complex", reason="Synthetic.")
        review(supervisor, case)
        for kind in ("note", "message", "allocated", "person_added", "access_granted"):
            note(supervisor, case, kind, "Synthetic.")
        for tab in ("cases:detail", "cases:chronology", "supervision:plan"):
            assert sign_in(first).get(reverse(tab, args=[case.reference])).status_code == 200
        (drift,) = drift_board(supervisor)
        assert (drift.case, drift.days, drift.last) == (case, 30, "Case opened")
        text = sign_in(supervisor).get(reverse("supervision:board")).content.decode()
        assert "Last meaningful action: Case opened" in text

    def test_what_counts_is_data_and_what_was_written_keeps_its_answer(self, tmp_path, settings, sign_in):
        """Otherwise a force that thinks otherwise must change the program."""
        supervisor = make_user("supervisor")
        case = make_case(actor=supervisor, days_ago=30)
        old = note(supervisor, case, "note", "Before.", at=timezone.now() - timedelta(days=9))
        (tmp_path / "site.toml").write_text(
            '[policy.meaningful_also]\nvalue = "note, nonsense"\nlabel = "Test"\n'
            '[policy.meaningful_not]\nvalue = "enquiry"\nlabel = "Test"\n'
        )
        settings.SITE_STANDARDS = tmp_path / "site.toml"
        note(supervisor, case, "enquiry", "Does not count here.")
        assert [drift.case for drift in drift_board(supervisor)] == [case]
        text = sign_in(supervisor).get(reverse("supervision:board")).content.decode()
        assert "kinds of entry that do not exist: nonsense" in text
        note(supervisor, case, "note", "Counts here.")
        assert drift_board(supervisor) == []
        old.refresh_from_db()
        assert not old.meaningful

    def test_closed_cases_other_units_and_restricted_cases_of_others_stay_off(self):
        supervisor = make_user("supervisor")
        closed = make_case(actor=supervisor, days_ago=50)
        close_case(supervisor, closed, outcome="no_suspect", note="Synthetic.")
        make_case(unit="SW", actor=make_user("supervisor", "SW"), days_ago=50)
        make_case(actor=make_user("supervisor"), restricted=True, days_ago=50)
        assert drift_board(supervisor) == []


class TestBoard:
    def test_what_cannot_wait_is_on_it(self):
        """Otherwise the morning starts with what is easy."""
        supervisor = make_user("supervisor")
        live, late = make_case(actor=supervisor), make_case(actor=supervisor)
        record_live_contact(supervisor, live, contact=True, how_known="Synthetic.")
        past = timezone.now() - timedelta(days=2)
        clock = start_clock(
            supervisor, "police_referral_to_csc", make_child(case=late), triggered_at=past, case=late, unit=late.unit
        )
        place_hold(supervisor, clock, reason="Synthetic.", hours=3)
        found = board(supervisor)
        assert [case.pk for case in found.live_contact] == [live.pk]
        (view,) = found.children
        assert (view.clock, view.state) == (clock, "breached")
        assert view.hold is not None, "it is held and breached, and shown as both"
        assert {case.pk for case in found.unallocated} == {live.pk, late.pk}

    def test_another_units_board_is_empty(self):
        make_case()
        found = board(make_user("supervisor", "SW"))
        assert not (found.children or found.unallocated or found.drifting or found.reviews)

    def test_caseload_says_who_is_overloaded(self):
        """Otherwise the heaviest load keeps growing because it is the most experienced person's."""
        supervisor = make_user("supervisor")
        person = make_user(skills=[SKILL])
        case = make_case(actor=supervisor, risk="very_high")
        make_allocation(case, person, supervisor)
        idle = make_user()
        loads = board(supervisor).loads
        assert [(load.investigator, float(load.points), load.cases) for load in loads] == [
            (person, 8.0, 1),
            (idle, 0.0, 0),
        ]
        assert not any(load.overloaded for load in loads)
        chart = bars(loads, 60.0)
        assert [bar.text for bar in chart.bars] == ["8.0 points", "0.0 points"]
        assert chart.bars[0].length < chart.width
        assert Case.objects.get(pk=case.pk).investigator == person
