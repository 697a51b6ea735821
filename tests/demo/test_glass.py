"""The demo shows a night on which the glass was broken, as its reviewer meets it the morning after."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from tests.casework.factories import make_case, make_user

from safelight.casework.breakglass.models import Opening
from safelight.casework.breakglass.queries import awaiting_review, looks_of
from safelight.demo.force import Force
from safelight.demo.glass import glass_story
from safelight.demo.history import play
from safelight.demo.sign_in import HOME_UNIT

pytestmark = pytest.mark.django_db


def test_it_has_ended_and_awaits_the_supervisors_review() -> None:
    """Nobody would see what breaking the glass leaves behind."""
    head = make_user("supervisor", HOME_UNIT)
    case = make_case(actor=head, unit=HOME_UNIT)
    force = Force({})
    force.investigators = {HOME_UNIT: [make_user()], "SW": [make_user("investigator", "SW")]}
    now = timezone.now()
    night = now - timedelta(hours=31)
    play([(night, glass_story(force, night))], until=now)
    row = Opening.objects.get()
    assert (row.case, row.user, row.reviewed_at) == (case, force.investigators["SW"][0], None)
    assert row.ended_at == night + timedelta(minutes=40)
    assert awaiting_review(head) == [row]
    looks = [words for _, words, _ in looks_of(row, named=True) if words.startswith("looked at the case")]
    assert looks == [f"looked at the case: {page}" for page in ("summary", "children", "clocks")]


def test_a_force_without_a_second_unit_has_no_such_night() -> None:
    assert list(glass_story(Force({}), timezone.now())) == []
