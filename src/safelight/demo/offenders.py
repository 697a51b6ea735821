"""Registered sex offenders of the demo: three officers, one of them with more than a hundred, and what goes wrong.

One high-risk man has been visited and not seen for two years; one is named in a referral of this morning; one is in
custody; one has no plan; some are managed reactively. A set of past cases is examined again.
"""

from __future__ import annotations

import csv
import io
import random
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone

from safelight.casework.cases.models import Case
from safelight.casework.offenders import services
from safelight.casework.offenders.importing import import_register
from safelight.casework.offenders.models import Offender
from safelight.casework.offenders.notifying import record_notification
from safelight.casework.offenders.rounds import plan_visit_rounds
from safelight.casework.offenders.visiting import record_visit
from safelight.casework.referrals.services import record_referral
from safelight.casework.rereview import services as rereview
from safelight.casework.rereview.choosing import Criteria
from safelight.casework.rereview.models import Entry
from safelight.casework.rereview.questions import QUESTIONS
from safelight.demo import names
from safelight.demo.force import Force
from safelight.demo.history import Story

OVERLOADED, HALF_FULL = 102, 10
BASE = (51.5290, -0.1255)
MIX = (("very_high", 2, 1), ("high", 18, 3), ("medium", 30, 6), ("low", 50, 12))  # share in per cent, months
DAY = timedelta(days=1)


def offenders_story(force: Force, rng: random.Random, now: datetime) -> Story:
    """The register from the first day of the history to this morning; to be played with the other stories."""
    first, second, third = force.offender_managers
    today = timezone.localdate(now)
    held_already = 0
    for officer, number in ((third, OVERLOADED), (second, HALF_FULL), (first, 7)):
        content = _register(officer.username, number, rng, timezone.localdate(), held_already)
        held_already += number
        import_register(officer, name=f"register-{officer.username}.csv", content=content)
        yield timezone.now() + timedelta(minutes=20)
    unseen = _one(first, rng, "2016-03-01", risk="high", every=1)
    record_visit(first, unseen, outcome="successful", at=_at(today - 760 * DAY), text="Seen at home.")
    for ago in (70, 45, 12):
        yield now - timedelta(days=ago)
        record_visit(first, unseen, outcome="failed", text="Nobody answered. Curtains drawn.")
    yield now - timedelta(days=10)
    _one(first, rng, "2023-02-01", risk="medium", every=0)  # nobody has set a plan
    held = _one(first, rng, "2022-05-09", risk="medium", every=3)
    services.record_away(first, held, kind="custody", begins=timezone.localdate(), note="Remanded (synthetic)")
    yield now - timedelta(days=3)
    late = _one(first, rng, str(timezone.localdate() - 2 * DAY), risk="medium", every=2, first_notified=False)
    services.add_note(first, late, text="Told at court what to notify and by when.")
    named = _one(first, rng, "2018-08-20", risk="medium", every=3)
    record_visit(first, named, outcome="successful", text="Seen. Nothing unusual.", devices_checked=True)
    yield now - timedelta(hours=2)
    person = named.person
    record_referral(
        force.desk[0],
        source="cybertip",
        source_reference="SYN-CT-2026-7781",
        summary="An account sent three listed files. The holder gives the name below. Synthetic report.",
        suspect={"family_name": person.family_name, "given_names": person.given_names, "born": person.born,
                 "identifiers": [("screen_name", "synthetic_lantern")]},
        platform="ChatExample",
        borough="Camden",
    )  # fmt: skip
    yield now - timedelta(hours=1)
    _again(force)
    plan_visit_rounds(
        first, manager=third, second=second, first_day=timezone.localdate(), days=3, latitude=BASE[0], longitude=BASE[1]
    )


def _at(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, datetime.min.time())) + timedelta(hours=11)


def _person(rng: random.Random) -> dict[str, Any]:
    given, family = names.person_name(rng)
    line = names.address(rng)
    return {
        "given_names": given, "family_name": family, "address": line, "postcode": names.postcode(line),
        "born": date(rng.randint(1950, 2000), rng.randint(1, 12), rng.randint(1, 28)), "borough": "Camden",
    }  # fmt: skip


def _one(officer: Any, rng: random.Random, relevant: str, *, risk: str, every: int, **more: Any) -> Offender:
    person = _person(rng)
    row = services.register(
        officer, person=person, unit=officer.unit, relevant_date=date.fromisoformat(relevant), until=None,
        register_reference=f"SYN-X{rng.randint(10_000, 99_999)}", manager=officer, **{"first_notified": True, **more},
    )  # fmt: skip
    row = services.change_entry(
        officer, row, register_reference=row.register_reference, aliases=[], has_home=True, until=None,
        latitude=BASE[0] + rng.uniform(-0.03, 0.03), longitude=BASE[1] + rng.uniform(-0.05, 0.05),
    )  # fmt: skip
    services.record_risk(officer, row, level=risk, source="Synthetic tool, assessed by the officer")
    if every:
        services.set_plan(officer, row, every=every, every_unit="months", actions="Unannounced. Check devices.")
    if not more:
        record_notification(officer, row, kind="annual", place="Demonstration Lane station")
    row.refresh_from_db()
    return row


def _register(username: str, number: int, rng: random.Random, today: date, start: int) -> bytes:
    """A register as another system gives it; the busier the officer, the longer ago the last visits."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        ("family_name", "given_names", "born", "address", "postcode", "borough", "register_reference", "relevant_date",
         "manager", "risk", "risk_on", "visit_every", "visit_unit", "last_visit", "last_notified", "latitude",
         "longitude")
    )  # fmt: skip
    behind = 1.35 if number > 100 else 1.05 if number > 30 else 0.8
    for place in range(number):
        person = _person(rng)
        share = 100 * place / number
        level, _, months = next(row for n, row in enumerate(MIX) if share < sum(one[1] for one in MIX[: n + 1]))
        relevant = date(rng.randint(2008, 2022), rng.randint(1, 12), rng.randint(1, 28))
        seen = today - timedelta(days=round(months * 30.4 * behind * rng.random()))
        notified = today - timedelta(days=rng.randint(5, 372))
        writer.writerow(
            (person["family_name"], person["given_names"], person["born"], person["address"], person["postcode"],
             "Camden", f"SYN-{start + place:05d}", relevant, username, level, relevant, months, "months", seen,
             max(notified, relevant), f"{BASE[0] + rng.uniform(-0.03, 0.03):.5f}",
             f"{BASE[1] + rng.uniform(-0.05, 0.05):.5f}")
        )  # fmt: skip
    return out.getvalue().encode()


def _again(force: Force) -> None:
    """A re-review after an inspection: part of it answered, one case with a device that nobody had examined."""
    unit = force.offender_managers[0].unit
    if force.chief is None or not Case.objects.filter(unit=unit, status="closed", restricted=False).exists():
        return
    row = rereview.freeze(
        force.chief,
        title="Cases closed in the last weeks, examined again",
        why="inspection",
        reason="The inspection of the autumn found devices that nobody had examined. Synthetic.",
        criteria=Criteria(unit=unit, status="closed"),
        due_on=timezone.localdate() + timedelta(days=20),
    )
    others = [people[0] for code, people in force.investigators.items() if code != unit.code][:3]
    rereview.assign(force.chief, row, reviewers=others)
    fine = {one.field: "no" for one in QUESTIONS}
    entries = Entry.objects.filter(rereview=row, reviewer__isnull=False).select_related("reviewer").order_by("number")
    for place, entry in enumerate(entries[:4]):
        found = place == 1
        rereview.answer(
            entry.reviewer, entry, answers=fine | ({"device_missed": "yes"} if found else {}),
            text=f"The whole file was read. {'One telephone was never examined.' if found else 'Nothing missed.'}",
            action="ask" if found else "none",
        )  # fmt: skip
