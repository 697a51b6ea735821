"""Opening, working and closing a case."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from tests.casework.factories import (
    SKILL,
    make_allocation,
    make_case,
    make_child,
    make_contact_check,
    make_device,
    make_referral,
    make_unit,
    make_user,
)

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.cases.models import Case
from safelight.casework.cases.queries import obstacles, stage_of
from safelight.casework.cases.services import (
    close_case,
    grant_access,
    note,
    open_case,
    record_live_contact,
    record_risk,
    reopen_case,
    settle,
)
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.services import start_clock, stop_clock
from safelight.casework.ledger.models import LedgerEntry

pytestmark = pytest.mark.django_db


def opened(referral, actor, **fields):
    return open_case(
        actor,
        **{
            "referral": referral,
            "title": "Synthetic case",
            "unit": make_unit("CN"),
            "risk": "high",
            "risk_source": "Synthetic tool 1.0",
            "required_skill": SKILL,
            **fields,
        },
    )


class TestOpening:
    def test_no_case_before_anyone_asked_about_children(self):
        """Otherwise the investigation starts while a child in the suspect's home is unknown to everyone."""
        referral = make_referral()
        with pytest.raises(NotPossible, match="which children"):
            opened(referral, make_user("referral_desk"))
        assert Case.objects.count() == 0
        assert not LedgerEntry.objects.filter(verb="case.opened").exists()

    def test_suspects_children_and_their_running_clocks_come_along(self):
        """Otherwise the child and its clock stay behind with a referral that nobody looks at any more."""
        referral = make_referral()
        child = make_child(referral=referral)
        desk = make_user("referral_desk")
        clock = start_clock(desk, "police_referral_to_csc", child, referral=referral)
        make_contact_check(referral, lives_with="yes")
        case = opened(referral, desk)
        child.refresh_from_db()
        clock.refresh_from_db()
        referral.refresh_from_db()
        assert (child.case, clock.case, clock.unit) == (case, case, case.unit)
        assert (referral.case, referral.state) == (case, "case")
        assert [link.role for link in case.people.all()] == ["suspect"]

    def test_the_clock_to_allocate_counts_from_when_the_referral_was_recorded(self):
        """Otherwise days at the desk vanish from the time that 17 days to allocate was criticised for."""
        then = timezone.now() - timedelta(days=2)
        case = make_case(referral=make_referral(received_at=then, recorded_at=then))
        clock = Clock.objects.get(case=case, rule="allocation_to_investigator")
        assert clock.triggered_at == then
        assert clock.state() == "breached"
        assert Clock.objects.get(case=case, rule="supervisor_review").state() == "running"

    def test_a_referral_becomes_one_case_only(self):
        """Otherwise two investigators work the same suspect without knowing of each other."""
        case = make_case()
        with pytest.raises(NotPossible, match=case.reference):
            opened(case.referrals.get(), make_user("referral_desk"))

    @pytest.mark.parametrize(
        ("field", "value"),
        [("risk", "extreme"), ("required_skill", "magic"), ("title", " "), ("risk_source", "")],
    )
    def test_an_unknown_or_missing_value_names_its_field(self, field, value):
        """Otherwise the officer cannot tell what to correct."""
        referral = make_referral()
        make_contact_check(referral)
        with pytest.raises(Invalid) as caught:
            opened(referral, make_user("referral_desk"), **{field: value})
        assert caught.value.field == field

    def test_an_unassessed_case_gets_the_shortest_clocks(self):
        """Otherwise not knowing the risk would be a reason to wait longer."""
        case = make_case(risk="", risk_source="")
        clock = Clock.objects.get(case=case, rule="allocation_to_investigator")
        assert clock.due_at - clock.triggered_at == timedelta(hours=8)

    @pytest.mark.parametrize("role", ["investigator", "examiner", "administrator"])
    def test_only_the_desk_and_supervisors_open_cases(self, role):
        referral = make_referral()
        make_contact_check(referral)
        with pytest.raises(NotAllowed):
            opened(referral, make_user(role))


class TestRestricted:
    def test_only_named_people_and_the_investigator_see_it(self):
        """Otherwise a colleague of a suspect inside the force could read the case."""
        supervisor, other = make_user("supervisor"), make_user("supervisor")
        case = make_case(actor=supervisor, restricted=True)
        investigator = make_user(skills=[SKILL])
        make_allocation(case, investigator, supervisor)
        seen = {
            user: Case.objects.visible_to(user).filter(pk=case.pk).exists()
            for user in (
                supervisor,
                other,
                investigator,
                make_user(),
                make_user("referral_desk"),
            )
        }
        assert [seen[user] for user in (supervisor, investigator)] == [True, True]
        assert sum(seen.values()) == 2
        grant_access(supervisor, case, user=other, reason="Cover during leave.")
        assert Case.objects.visible_to(other).filter(pk=case.pk).exists()

    def test_it_needs_a_supervisor_who_sees_it(self):
        """Otherwise nobody could ever allocate it, and it would lie unseen."""
        desk = make_user("referral_desk")
        with pytest.raises(Invalid) as caught:
            make_case(actor=desk, restricted=True)
        assert caught.value.field == "access"
        assert make_case(actor=desk, restricted=True, access=[make_user("supervisor")]).access.count() == 2

    def test_a_supervisor_not_on_the_list_can_do_nothing_to_it(self):
        case = make_case(restricted=True)
        outsider = make_user("supervisor")
        for step in (
            lambda: note(outsider, case, "note", "x"),
            lambda: settle(outsider, case, area="devices", reason="x"),
            lambda: close_case(outsider, case, outcome="no_suspect", note="x"),
            lambda: grant_access(outsider, case, user=outsider, reason="x"),
        ):
            with pytest.raises(NotAllowed):
                step()


class TestChronology:
    def test_a_note_about_the_case_does_not_hide_drift_but_an_arrest_ends_it(self):
        """Otherwise touching the file once a week would keep a forgotten case off the board."""
        case = make_case(days_ago=20)
        supervisor = make_user("supervisor")
        before = case.last_action_at
        note(supervisor, case, "note", "Looked at the file.")
        case.refresh_from_db()
        assert case.last_action_at == before
        note(supervisor, case, "arrest", "Synthetic arrest.", at=timezone.now() - timedelta(days=1))
        case.refresh_from_db()
        assert case.last_action_at > before

    def test_an_old_act_recorded_late_does_not_set_the_last_action_back(self):
        case = make_case()
        before = case.last_action_at
        note(make_user("supervisor"), case, "enquiry", "Made last week.", at=timezone.now() - timedelta(days=7))
        case.refresh_from_db()
        assert case.last_action_at == before

    def test_the_ledger_binds_the_text_without_holding_it(self):
        """Otherwise free text about a child would sit in a table that nobody can erase."""
        case = make_case()
        note(make_user("supervisor"), case, "note", "Something private about a synthetic child.")
        entry = LedgerEntry.objects.filter(verb="case.noted").latest("id")
        assert "private" not in str(entry.payload)
        assert entry.payload["text"]["characters"] == 42

    def test_unknown_kinds_blank_texts_and_the_future_are_refused(self):
        case, supervisor = make_case(), make_user("supervisor")
        for kind, text, at in (
            ("magic", "x", None),
            ("note", "  ", None),
            ("note", "x", timezone.now() + timedelta(hours=1)),
        ):
            with pytest.raises(Invalid):
                note(supervisor, case, kind, text, at=at)


class TestRisk:
    def test_a_higher_risk_brings_open_clocks_forward_from_their_own_beginning(self):
        """Otherwise a case that turned very high would keep the leisurely clocks of a low one."""
        case = make_case(risk="low")
        clock = Clock.objects.get(case=case, rule="allocation_to_investigator")
        record_risk(make_user("supervisor"), case, risk="very_high", source="Synthetic tool 2.0")
        tightened = Clock.objects.get(pk=clock.pk)
        assert tightened.triggered_at == clock.triggered_at
        assert tightened.due_at - tightened.triggered_at == timedelta(hours=8)
        assert LedgerEntry.objects.filter(verb="clock.due_earlier").count() == 2

    def test_a_lower_risk_never_makes_a_clock_later(self):
        """Otherwise a late case could be made to look in time by lowering its risk."""
        case = make_case(risk="very_high")
        before = dict(Clock.objects.filter(case=case).values_list("rule", "due_at"))
        record_risk(make_user("supervisor"), case, risk="low", source="Synthetic tool 2.0")
        assert dict(Clock.objects.filter(case=case).values_list("rule", "due_at")) == before

    def test_who_assessed_and_with_what_is_kept(self):
        case, investigator = make_case(), make_user(skills=[SKILL])
        make_allocation(case, investigator)
        record_risk(investigator, case, risk="medium", source="Synthetic tool 2.0, Example Assessor")
        case.refresh_from_db()
        assert (case.risk, case.risk_source) == ("medium", "Synthetic tool 2.0, Example Assessor")
        assert case.risk_recorded_by == investigator
        with pytest.raises(Invalid):
            record_risk(investigator, case, risk="high", source=" ")

    def test_an_investigator_without_the_case_may_not(self):
        with pytest.raises(NotAllowed):
            record_risk(make_user(), make_case(), risk="low", source="x")


class TestClosing:
    def test_an_open_safeguarding_clock_keeps_the_case_open(self):
        """Otherwise a case closes over a child that nobody told social care about."""
        case, supervisor = make_case(), make_user("supervisor")
        child = make_child(case=case)
        start_clock(supervisor, "police_referral_to_csc", child, case=case, unit=case.unit)
        with pytest.raises(NotPossible) as caught:
            close_case(supervisor, case, outcome="no_suspect", note="Synthetic.")
        assert child.reference in str(caught.value)
        case.refresh_from_db()
        assert case.status == "open"

    def test_live_contact_cannot_be_settled_away(self):
        """Otherwise a case closes while a suspect is still talking to a child."""
        case, supervisor = make_case(), make_user("supervisor")
        record_live_contact(supervisor, case, contact=True, how_known="Synthetic chat seen today.")
        assert [one.area for one in obstacles(Case.objects.get(pk=case.pk))] == ["live_contact"]
        with pytest.raises(NotPossible, match="contact with a child"):
            close_case(supervisor, case, outcome="no_suspect", note="Synthetic.")
        record_live_contact(supervisor, case, contact=False, how_known="Synthetic arrest; device seized.")
        close_case(supervisor, case, outcome="no_suspect", note="Synthetic.")

    def test_a_settled_part_is_an_obstacle_again_when_another_child_is_recorded(self):
        """Otherwise one reason given in spring would cover a child found in autumn."""
        case, supervisor = make_case(), make_user("supervisor")
        child = make_child(case=case)
        start_clock(supervisor, "police_referral_to_csc", child, case=case, unit=case.unit)
        settle(supervisor, case, area="safeguarding", reason="The synthetic child moved abroad.")
        assert not obstacles(case)
        second = make_child(case=case)
        start_clock(supervisor, "police_referral_to_csc", second, case=case, unit=case.unit)
        assert {one.area for one in obstacles(case)} == {"safeguarding"}

    def test_closing_ends_the_allocation_and_stops_the_clocks_late_ones_staying_late(self):
        then = timezone.now() - timedelta(days=30)
        case = make_case(referral=make_referral(received_at=then, recorded_at=then))
        supervisor = make_user("supervisor")
        make_allocation(case, actor=supervisor)
        close_case(supervisor, case, outcome="evidential_victim_supports", note="Synthetic reason.")
        case.refresh_from_db()
        assert (case.status, case.outcome, case.closed_by) == ("closed", "evidential_victim_supports", supervisor)
        assert case.investigator is None
        assert not Clock.objects.open().filter(case=case).exists()
        assert Clock.objects.get(case=case, rule="allocation_to_investigator").state() == "breached"

    def test_only_a_supervisor_of_the_unit_closes_with_a_known_outcome(self):
        case, investigator = make_case(), make_user(skills=[SKILL])
        make_allocation(case, investigator)
        for user in (
            investigator,
            make_user("supervisor", "SW"),
            make_user("referral_desk"),
            make_user("administrator"),
        ):
            with pytest.raises(NotAllowed):
                close_case(user, case, outcome="no_suspect", note="x")
        with pytest.raises(Invalid):
            close_case(make_user("supervisor"), case, outcome="forgotten", note="x")

    def test_a_reopened_case_must_be_settled_afresh_and_shouts_for_an_investigator(self):
        case, supervisor = make_case(), make_user("supervisor")
        child = make_child(case=case)
        start_clock(supervisor, "police_referral_to_csc", child, case=case, unit=case.unit)
        settle(supervisor, case, area="safeguarding", reason="Synthetic.")
        close_case(supervisor, case, outcome="no_suspect", note="Synthetic.")
        case = reopen_case(supervisor, case, reason="New synthetic intelligence.")
        assert case.settlements.count() == 0
        assert stage_of(case) == "unallocated"
        assert Clock.objects.open().filter(case=case, rule="allocation_to_investigator").exists()

    def test_settling_needs_something_unfinished(self):
        with pytest.raises(NotPossible):
            settle(make_user("supervisor"), make_case(), area="devices", reason="Synthetic.")

    def test_a_case_without_devices_does_not_read_as_ready_to_close(self):
        """Otherwise a case in which nothing has been done yet invites closing."""
        case = make_case()
        make_allocation(case)
        assert stage_of(case) == "enquiries"

    def test_stage_is_read_from_the_facts(self):
        case, supervisor = make_case(), make_user("supervisor")
        child = make_child(case=case)
        start_clock(supervisor, "police_referral_to_csc", child, case=case, unit=case.unit)
        assert stage_of(case) == "unallocated"
        make_allocation(case, actor=supervisor)
        assert stage_of(case) == "children"
        stop_clock(supervisor, "police_referral_to_csc", child, reason="Synthetic.")
        assert stage_of(case) == "children", "no referral to social care holds this child"


class TestTheChildOutlivesTheCase:
    """Settling, closing and reopening an investigation never help a clock that protects a child."""

    def settled(self) -> tuple[Any, Any, Any, Any]:
        case, supervisor = make_case(), make_user("supervisor")
        child = make_child(case=case, identified_at=timezone.now() - timedelta(hours=30))
        at = {"triggered_at": child.identified_at, "case": case, "unit": case.unit}
        clock = start_clock(supervisor, "police_referral_to_csc", child, **at)
        settle(supervisor, case, area="safeguarding", reason="Synthetic.")
        close_case(supervisor, case, outcome="no_suspect", note="Synthetic.")
        clock.refresh_from_db()
        return case, supervisor, child, clock

    def test_closing_leaves_the_clock_running_where_supervisors_see_it(self):
        from safelight.casework.supervision.queries import board
        from safelight.casework.work.queries import work_of

        case, supervisor, _, clock = self.settled()
        assert (clock.stopped_at, clock.state()) == (None, "breached")
        assert [view.clock.pk for view in board(supervisor).children] == [clock.pk]
        assert any(case.reference in task.item.subject for task in work_of(supervisor).tasks)

    def test_social_care_can_be_told_and_can_answer_although_the_case_is_closed(self):
        from safelight.casework.safeguarding.services import record_acknowledgement, send_safeguarding_referral

        case, supervisor, child, clock = self.settled()
        sent = send_safeguarding_referral(
            supervisor, case, children=[child], authority="Camden", recipient="Duty desk", concern="Synthetic."
        )
        clock.refresh_from_db()
        assert clock.stopped_at == sent.sent_at
        record_acknowledgement(supervisor, sent, by="Duty desk", decision="assessment")
        assert not Clock.objects.open().filter(case=case).exists()

    def test_reopening_gives_no_clock_more_time(self):
        """Otherwise closing for a minute wipes every late clock of the case."""
        case, supervisor = make_case(), make_user("supervisor")
        device = make_device(case)
        clock = Clock.objects.get(rule="device_triage", subject_id=device.pk)
        before = (clock.triggered_at, clock.due_at)
        settle(supervisor, case, area="devices", reason="Synthetic.")
        close_case(supervisor, case, outcome="no_suspect", note="Synthetic.")
        clock.refresh_from_db()
        assert clock.stopped_at is not None
        reopen_case(supervisor, case, reason="Synthetic.")
        clock.refresh_from_db()
        assert (clock.stopped_at, clock.triggered_at, clock.due_at) == (None, *before)
        assert Clock.objects.open().filter(case=case, rule="supervisor_review").count() == 1
