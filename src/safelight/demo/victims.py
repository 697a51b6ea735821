"""Victims in the demo: most are told in time, some late, one does not wish to be told."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from safelight.casework.people.services import create_person
from safelight.casework.victims.models import Victim, VictimUpdate
from safelight.casework.victims.services import record_told, record_victim, record_wish, set_entitlement
from safelight.demo.history import Story
from safelight.demo.names import person_name

WAYS = ("telephone", "in_person", "parent", "parent", "advocate")


def name_victims(case: Any, officer: Any) -> None:
    """The children at risk of a case are its victims here, or one person from afar whom nobody has assessed yet."""
    if not officer.has_perm("victims.work", case):
        return
    known = set(Victim.objects.filter(case=case).values_list("person_id", flat=True))
    children = list({child.person_id: child.person for child in case.children.select_related("person")}.values())
    children = [person for person in children if person.pk not in known]
    for person in children:
        record_victim(officer, case, person=person, entitlement="enhanced", reason="child")
    if not children and not known:
        given, family = person_name(chance_of(case))
        person = create_person(officer, given_names=given, family_name=family)
        record_victim(officer, case, person=person, entitlement="enhanced", reason="not_assessed")


def chance_of(case: Any) -> random.Random:
    """Chance of its own for each case, so that the rest of the history is as it was."""
    return random.Random(case.pk)  # noqa: S311 - chance for a demo, not for secrets


def keep_informed(case: Any, officer: Any, moment: datetime) -> Story:
    """After an event the officer assesses the victims and tells them: within a day mostly, sometimes not at all."""
    rng = chance_of(case)
    chance = rng.random()
    if chance < 0.15:
        return
    yield moment + timedelta(hours=rng.uniform(2, 20) if chance < 0.85 else rng.uniform(60, 200))
    if not officer.has_perm("victims.work", case):
        return
    for victim in Victim.objects.filter(case=case, no_updates_since=None):
        if victim.reason == "not_assessed":
            set_entitlement(officer, victim, entitlement="enhanced", reason=rng.choice(("child", "child", "serious")))
        if rng.random() < 0.06:
            record_wish(officer, victim, updates=False)
            continue
        for row in VictimUpdate.objects.filter(victim=victim, told_at=None, not_wished_at=None):
            record_told(officer, row, how=rng.choice(WAYS))
