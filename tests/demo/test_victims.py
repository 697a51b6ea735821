"""The demo would show no victim at all, or break when its arrest comes."""

from __future__ import annotations

import pytest
from django.utils import timezone
from tests.casework.factories import SKILL, make_allocation, make_case, make_child, make_user

from safelight.casework.cases.models import Case
from safelight.casework.cases.services import note
from safelight.casework.victims.models import Victim, VictimUpdate
from safelight.demo.victims import keep_informed, name_victims

pytestmark = pytest.mark.django_db


def test_victims_are_named_and_most_are_told() -> None:
    supervisor, officer = make_user("supervisor"), make_user(skills=[SKILL])
    for number in range(8):
        case = make_case(actor=supervisor)
        make_allocation(case, officer, supervisor)
        case = Case.objects.get(pk=case.pk)
        if number % 2:
            make_child(case=case)
        name_victims(case, officer)
        note(officer, case, "arrest", "Synthetic.")
        for _ in keep_informed(case, officer, timezone.now()):
            pass
    assert Victim.objects.count() == VictimUpdate.objects.count() == 8
    told = VictimUpdate.objects.filter(told_at__isnull=False).count()
    assert 4 <= told <= 8
