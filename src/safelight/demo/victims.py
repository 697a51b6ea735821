"""Victims in the demo: most are told in time, some late, one does not wish to be told."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from safelight.casework.victims.models import Victim, VictimUpdate
from safelight.casework.victims.services import record_told, record_wish, set_entitlement
from safelight.demo.history import Story

WAYS = ("telephone", "in_person", "parent", "parent", "advocate")


def keep_informed(rng: random.Random, case: Any, officer: Any, moment: datetime) -> Story:
    """After an event the officer assesses the victims and tells them: within a day mostly, sometimes not at all."""
    chance = rng.random()
    if chance < 0.15:
        return
    yield moment + timedelta(hours=rng.uniform(2, 20) if chance < 0.85 else rng.uniform(60, 200))
    if case.allocations.filter(investigator=officer, ended_at=None).first() is None:
        return
    for victim in Victim.objects.filter(case=case, no_updates_since=None):
        if victim.reason == "not_assessed":
            set_entitlement(officer, victim, entitlement="enhanced", reason=rng.choice(("child", "child", "serious")))
        if rng.random() < 0.06:
            record_wish(officer, victim, updates=False)
            continue
        for row in VictimUpdate.objects.filter(victim=victim, told_at=None, not_wished_at=None):
            record_told(officer, row, how=rng.choice(WAYS))
