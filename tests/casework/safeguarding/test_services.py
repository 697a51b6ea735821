"""The child first: questions asked before anything else, a clock that nothing stops, holds that only explain."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from tests.casework.factories import make_case, make_person, make_referral, make_user

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.clocks.models import Clock, Hold
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.safeguarding.models import ChildAtRisk
from safelight.casework.safeguarding.services import (
    add_child,
    answer_contact_check,
    clock_of,
    hold_child_clock,
    lift_child_hold,
    update_child,
)

pytestmark = pytest.mark.django_db

NO = {"lives_with": "no", "sees": "no", "works_with": "no"}


@pytest.fixture
def desk():
    return make_user("referral_desk")


def found(desk, **fields):
    values = {"referral": make_referral(), "person": {"age": 7}, "lives_with": True, "borough": "Camden", **fields}
    return add_child(desk, **values)


def test_the_clock_to_tell_social_care_starts_when_police_knew_not_when_they_typed(desk) -> None:
    """Hours in which a child stayed with the suspect would vanish."""
    knew = timezone.now() - timedelta(hours=5)
    child = found(desk, identified_at=knew)
    clock = clock_of(child)
    assert clock.triggered_at == knew and clock.due_at == knew + timedelta(hours=24)
    assert clock.owner_role == "investigator" and clock.referral == child.referral


def test_a_hold_never_moves_the_time_social_care_must_be_told(desk) -> None:
    """'Held' would become another word for 'late'."""
    child = found(desk)
    due = clock_of(child).due_at
    hold = hold_child_clock(make_user("supervisor"), child, reason="Synthetic covert reason", hours=24)
    clock = clock_of(child)
    assert clock.due_at == due and clock.stopped_at is None
    assert hold.expires_at == hold.placed_at + timedelta(hours=24)


@pytest.mark.parametrize("role", ["referral_desk", "investigator", "examiner", "administrator"])
def test_nobody_but_a_supervisor_may_hold(desk, role: str) -> None:
    child = found(desk)
    with pytest.raises(NotAllowed):
        hold_child_clock(make_user(role), child, reason="Synthetic", hours=1)
    assert not Hold.objects.exists()


@pytest.mark.parametrize("hours", [0, 25, -1])
def test_a_hold_lasts_one_to_24_hours(desk, hours: int) -> None:
    with pytest.raises(Invalid):
        hold_child_clock(make_user("supervisor"), found(desk), reason="Synthetic", hours=hours)


def test_the_database_itself_refuses_a_hold_beyond_24_hours(desk) -> None:
    """A slip in the code could otherwise keep a child waiting for a week."""
    child, supervisor = found(desk), make_user("supervisor")
    now = timezone.now()
    with pytest.raises(IntegrityError), transaction.atomic():
        Hold.objects.create(
            clock=clock_of(child), supervisor=supervisor, reason="S", placed_at=now, hours=25, expires_at=now
        )


def test_a_hold_needs_its_reason_and_can_be_lifted(desk) -> None:
    child, supervisor = found(desk), make_user("supervisor")
    with pytest.raises(Invalid):
        hold_child_clock(supervisor, child, reason="  ", hours=2)
    hold_child_clock(supervisor, child, reason="Synthetic", hours=2)
    with pytest.raises(NotPossible):
        hold_child_clock(supervisor, child, reason="Again", hours=2)
    assert lift_child_hold(supervisor, child).lifted_at is not None
    assert LedgerEntry.objects.filter(verb__in=["clock.held", "clock.hold_lifted"]).count() == 2


def test_nothing_else_is_possible_until_the_three_questions_are_answered(desk) -> None:
    """A case would be opened and worked while a child sleeps in the next room."""
    from safelight.casework.cases.services import open_case

    referral = make_referral()
    arguments = {
        "referral": referral, "title": "Synthetic", "unit": referral.unit, "risk": "", "risk_source": "",
        "required_skill": "ocsae_investigator",
    }  # fmt: skip
    with pytest.raises(NotPossible):
        open_case(desk, **arguments)
    answer_contact_check(desk, referral, **NO, basis="Synthetic checks")
    assert open_case(desk, **arguments).pk


def test_every_answer_and_its_basis_is_needed(desk) -> None:
    """A blank would read as 'no child'."""
    referral = make_referral()
    for wrong in ({"sees": ""}, {"works_with": "perhaps"}):
        with pytest.raises(Invalid):
            answer_contact_check(desk, referral, **{**NO, **wrong}, basis="Synthetic")
    with pytest.raises(Invalid):
        answer_contact_check(desk, referral, **NO, basis=" ")
    referral.refresh_from_db()
    assert referral.state == "new"


def test_answers_can_be_corrected_and_the_ledger_keeps_the_earlier_ones(desk) -> None:
    referral = make_referral()
    answer_contact_check(desk, referral, **{**NO, "sees": "not_known"}, basis="Synthetic")
    check = answer_contact_check(desk, referral, **{**NO, "sees": "yes"}, basis="Synthetic, asked the school")
    assert check.sees == "yes" and check.open_questions == []
    last = LedgerEntry.objects.filter(verb="safeguarding.check_answered").last()
    assert last.payload["before"]["sees"] == "not_known" and "school" not in str(last.payload)


def test_no_cannot_be_answered_over_a_child_who_is_recorded(desk) -> None:
    """The answer would hide the child from everyone who reads only the answer."""
    referral = make_referral()
    answer_contact_check(desk, referral, **NO, basis="Synthetic")
    found(desk, referral=referral)
    referral.contact_check.refresh_from_db()
    assert referral.contact_check.lives_with == "yes"
    with pytest.raises(Invalid) as refused:
        answer_contact_check(desk, referral, **NO, basis="Synthetic")
    assert refused.value.field == "lives_with"


def test_a_known_child_is_linked_and_logged_as_a_combination(desk) -> None:
    """DPA 2018 s.62: joining records is logged as such."""
    earlier = found(desk)
    child = found(desk, person=earlier.person)
    assert child.person == earlier.person
    assert LedgerEntry.objects.filter(verb="safeguarding.child_added", category="combination").count() == 1


def test_a_person_whom_one_may_not_see_cannot_be_linked(desk) -> None:
    with pytest.raises(Invalid):
        found(desk, person=make_person())
    assert not ChildAtRisk.objects.exists()


def test_the_same_child_is_recorded_once_in_a_referral(desk) -> None:
    child = found(desk)
    with pytest.raises(NotPossible, match=child.reference):
        found(desk, referral=child.referral, person=child.person)
    with pytest.raises(IntegrityError), transaction.atomic():
        ChildAtRisk.objects.create(
            person=child.person, referral=child.referral, borough="Camden", identified_at=timezone.now(),
            recorded_at=timezone.now(), recorded_by=desk,
        )  # fmt: skip


def test_an_adult_is_not_a_child_at_risk_but_doubt_counts_for_the_child(desk) -> None:
    """A 17-year-old of uncertain age must not be turned away."""
    today = timezone.localdate()
    with pytest.raises(Invalid, match="not under 18"):
        found(desk, person={"born": date(today.year - 19, 1, 1)})
    assert found(desk, person={"born": date(today.year - 18, 1, 1), "born_precision": "year"}).pk


def test_a_child_of_a_case_takes_its_unit_owner_and_chronology(desk) -> None:
    case = make_case()
    before = case.last_action_at
    child = found(desk, referral=None, case=case, immediate_danger=True)
    clock = clock_of(child)
    assert clock.case == case and clock.unit == case.unit and clock.risk == case.risk
    entry = case.chronology.get(kind="child_identified")
    assert entry.meaningful and child.reference in entry.text
    case.refresh_from_db()
    assert case.last_action_at >= before


def test_children_and_clocks_of_a_referral_follow_it_into_the_case(desk) -> None:
    """The clock would be on a referral that nobody opens any more."""
    child = found(desk)
    case = make_case(referral=child.referral)
    child.refresh_from_db()
    assert child.case == case and clock_of(child).case == case


def test_what_a_child_says_is_kept_and_bound_but_not_copied_into_the_ledger(desk) -> None:
    child = found(desk)
    update_child(desk, child, voice="Synthetic words of a synthetic child", online=True)
    child.refresh_from_db()
    assert child.voice.startswith("Synthetic words") and child.online
    entry = LedgerEntry.objects.get(verb="safeguarding.child_changed")
    assert "words of" not in str(entry.payload) and entry.payload["changed"]["online"] is True


def test_an_investigator_who_sees_the_case_may_record_a_child_before_any_allocation() -> None:
    """A child would wait for the allocation."""
    case = make_case()
    assert found(make_user("investigator"), referral=None, case=case).pk
    with pytest.raises(NotAllowed):
        found(make_user("investigator", "NW"), referral=None, case=case)


def test_a_failed_child_leaves_no_person_and_no_clock_behind(desk) -> None:
    with pytest.raises(Invalid):
        found(desk, borough="")
    assert not ChildAtRisk.objects.exists() and not Clock.objects.exists()
