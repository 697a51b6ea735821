"""The supervisor's morning on one page."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import SKILL, make_allocation, make_case, make_child, make_user

from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.services import start_clock
from safelight.casework.supervision.actions import add_action
from safelight.casework.supervision.models import PlanAction
from safelight.casework.supervision.mornings import morning
from safelight.casework.workforce.time_and_place import record_absence, record_hours

pytestmark = pytest.mark.django_db


def test_each_part_has_what_belongs_there_and_every_line_leads_somewhere(sign_in):
    """Otherwise a supervisor opens six pages before breakfast and misses the seventh."""
    supervisor, officer = make_user("supervisor"), make_user(skills=[SKILL])
    noon = timezone.make_aware(datetime.combine(timezone.localdate(), time(12)))
    late, soon, far = (make_case(actor=supervisor) for _ in range(3))
    Clock.objects.all().update(due_at=noon + timedelta(days=9))
    for case, due in ((late, noon - timedelta(hours=3)), (soon, noon + timedelta(hours=5))):
        clock = start_clock(supervisor, "police_referral_to_csc", make_child(case=case), case=case, unit=case.unit)
        Clock.objects.filter(pk=clock.pk).update(triggered_at=noon - timedelta(days=1), due_at=due)
    make_allocation(far, officer, supervisor)
    record_hours(supervisor, user=officer, hours=1, from_day=timezone.localdate())
    record_absence(supervisor, user=officer, kind="long", from_day=timezone.localdate())
    add_action(supervisor, far, text="Interview.", owner=officer, due_on=timezone.localdate())
    PlanAction.objects.update(due_on=timezone.localdate() - timedelta(days=2))
    found = morning(supervisor, noon)
    assert [line.about.split(" ")[0] for line in found.breached] == [late.reference]
    assert [line.about.split(" ")[0] for line in found.today] == [soon.reference]
    assert [load.investigator for load in found.overloaded] == [officer]
    assert [line.text for line in found.actions] == ["Interview."]
    titles = [task.item.title for task in found.waiting]
    assert f"Hand over 1 case of {officer}" in titles
    assert "Give the case to an investigator" in titles
    client = sign_in(supervisor)
    text = client.get(reverse("supervision:morning")).content.decode()
    for line in (*found.breached, *found.today, *found.actions):
        assert f'href="{line.href}"' in text
        assert client.get(line.href).status_code == 200
    assert not morning(make_user("supervisor", "SW"), noon).breached


def test_the_number_of_queries_does_not_grow(sign_in):
    """Otherwise the page is slow on exactly the morning on which everything is late."""
    counts = []
    for late in (2, 7):
        unit = {2: "CN", 7: "SW"}[late]
        supervisor = make_user("supervisor", unit)
        past = timezone.now() - timedelta(days=3)
        for _ in range(late):
            case = make_case(actor=supervisor, days_ago=40, unit=unit)
            officer = make_user(unit=unit, skills=[SKILL])
            make_allocation(case, officer, supervisor)
            child = make_child(case=case)
            start_clock(supervisor, "police_referral_to_csc", child, triggered_at=past, case=case, unit=case.unit)
            record_absence(supervisor, user=officer, kind="long", from_day=timezone.localdate())
            add_action(supervisor, case, text="x", owner=supervisor, due_on=timezone.localdate())
        client = sign_in(supervisor)
        client.get(reverse("supervision:morning"))  # what is asked once and kept
        with CaptureQueriesContext(connection) as run:
            assert client.get(reverse("supervision:morning")).status_code == 200
        counts.append(len(run.captured_queries))
    assert counts[0] == counts[1] < 80
