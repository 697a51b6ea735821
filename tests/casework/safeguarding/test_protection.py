"""Police protection: 72 hours from the moment the child is taken, and nothing that moves them."""

from __future__ import annotations

import inspect
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.casework.factories import make_case, make_child, make_user

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.services import place_hold
from safelight.casework.safeguarding import protection as pp
from safelight.casework.safeguarding.models import PoliceProtection

pytestmark = pytest.mark.django_db


@pytest.fixture
def supervisor():
    return make_user("supervisor")


@pytest.fixture
def child(supervisor):
    return make_child(case=make_case(actor=supervisor))


def take(actor, child, *, ago=1, **fields):
    values = {"initiating_officer": "PC Example 1", "why": "Synthetic.", "place": "Example foster home", **fields}
    return pp.take_into_protection(actor, child, taken_at=timezone.now() - timedelta(hours=ago), **values)


def clock_of(row):
    return Clock.objects.get(rule="police_protection_max", subject_id=row.pk, subject_type=row._meta.label_lower)


STEPS = st.lists(st.sampled_from(["told", "child", "parents", "designate", "hold", "again", "earlier"]), max_size=6)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, hours=st.floats(0.1, 71))
def test_nothing_that_anyone_does_moves_the_72_hours(steps, hours, supervisor) -> None:
    """A second form, a handover or a hold would keep a child longer than the law allows."""
    child = make_child(case=make_case(actor=supervisor))
    row = take(supervisor, child, ago=hours)
    due = row.taken_at + timedelta(hours=72)
    for step in steps:
        try:
            if step == "designate":
                pp.designate(supervisor, row, name="Insp Example")
            elif step == "hold":
                place_hold(supervisor, clock_of(row), reason="Synthetic.", hours=5)
            elif step == "again":
                take(supervisor, child, ago=0.01)
            elif step == "earlier":
                take(supervisor, child, ago=hours + 5)
            else:
                what = {"told": "local_authority"}.get(step, step)
                pp.record_protection_told(supervisor, row, what=what, words="Synthetic.")
        except NotPossible:
            pass
        assert clock_of(row).due_at == due
    assert PoliceProtection.objects.filter(child=child).count() == 1


def test_no_service_takes_a_new_time_for_a_child_who_is_taken() -> None:
    """Somebody would add a step that moves the beginning, and with it the end."""
    changing = [pp.record_protection_told, pp.designate, pp.end_protection]
    assert all("taken_at" not in inspect.signature(one).parameters for one in changing)


def test_one_that_ended_late_stays_late_and_one_in_time_is_met(supervisor, child) -> None:
    row = take(supervisor, child, ago=80)
    ended = pp.end_protection(supervisor, row, ending="accommodated", words="Example carer.")
    assert clock_of(ended).state() == "breached"
    again = take(supervisor, child, ago=0)
    pp.end_protection(supervisor, again, ending="home", words="With the mother.")
    assert clock_of(again).state() == "met"


def test_the_record_says_who_decided_why_and_where(supervisor, child) -> None:
    for field in ("initiating_officer", "why", "place"):
        with pytest.raises(Invalid) as caught:
            take(supervisor, child, **{field: " "})
        assert caught.value.field == field


def test_what_the_child_wishes_becomes_the_childs_voice(supervisor, child) -> None:
    row = take(supervisor, child)
    pp.record_protection_told(supervisor, row, what="child", words="I want my sister with me.")
    assert child.voices.get().words == "I want my sister with me."
    child.refresh_from_db()
    assert child.voice == "I want my sister with me."


def test_a_handover_lies_after_the_one_before(supervisor, child) -> None:
    row = take(supervisor, child, ago=10)
    pp.designate(supervisor, row, name="Insp First", since=timezone.now() - timedelta(hours=2))
    with pytest.raises(Invalid, match="last handover"):
        pp.designate(supervisor, row, name="Insp Second", since=timezone.now() - timedelta(hours=5))


def test_the_pages_take_it_from_beginning_to_end(supervisor, child, sign_in) -> None:
    client = sign_in(supervisor)
    taken = {"initiating_officer": "PC Example 1", "why": "Synthetic.", "place": "Example home"}
    where = reverse("safeguarding:record_step", args=[child.reference, "protection"])
    assert client.get(where).status_code == 200
    assert client.post(where, taken).status_code == 302
    row = PoliceProtection.objects.get()
    for code, data in (
        ("told", {"what": "local_authority", "words": "Duty team"}),
        ("designated", {"name": "Insp Example", "words": "Synthetic inquiry."}),
        ("end", {"ending": "order", "words": "Synthetic order."}),
    ):
        where = reverse("safeguarding:protection_step", args=[row.reference, code])
        assert client.get(where).status_code == 200
        assert client.post(where, data).status_code == 302, code
    text = client.get(reverse("safeguarding:protection", args=[row.reference])).content.decode()
    assert "Synthetic inquiry." in text
    assert "Emergency protection order made" in text
    assert row.reference in client.get(reverse("safeguarding:record", args=[child.reference])).content.decode()
