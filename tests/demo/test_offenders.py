"""What the demo shows of offenders: an officer with too many, one whom nobody has seen, one named this morning."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from django.utils import timezone

from safelight.casework.offenders.models import Naming, Offender, RegisterLine, Rounds
from safelight.casework.offenders.queries import counts_of, officers
from safelight.demo import offenders
from safelight.demo.force import build_force
from safelight.demo.history import play

pytestmark = pytest.mark.django_db


def test_the_story_of_the_offenders(monkeypatch) -> None:
    """A newcomer would see an empty register, or one in which nothing is wrong."""
    monkeypatch.setattr(offenders, "OVERLOADED", 8)
    monkeypatch.setattr(offenders, "HALF_FULL", 3)
    now = timezone.now()
    start = now - timedelta(days=75)
    force = build_force(start.date())
    play([(start, offenders.offenders_story(force, random.Random(7), now))], until=now)  # noqa: S311 - a demo
    assert set(RegisterLine.objects.values_list("outcome", flat=True)) == {"added"}
    loads = {one.user: one.total for one in officers(force.supervisors["CN"])}
    assert [loads[one] for one in force.offender_managers] == [12, 3, 8]
    counts = counts_of(Offender.objects.all())
    assert min(counts.not_seen, counts.no_plan, counts.decide) >= 1
    assert counts.due < counts.not_seen, "the two definitions say different things"
    naming = Naming.objects.get()
    assert (naming.how, naming.certain, naming.seen_at) == ("exact", True, None)
    assert naming.offender.manager == force.offender_managers[0]
    assert Rounds.objects.get().data["rounds"]
