"""The stories of the demo force: what happens to one referral, from its arrival to an outcome, or to where it drifts.

Each story calls the product's own services as the people of the force would, late, early or not at all, by chance from
a fixed seed. Nothing here describes a real event; summaries say so.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from safelight.casework.allocation.queries import suggest
from safelight.casework.allocation.services import allocate
from safelight.casework.cases.closing import close_case, settle
from safelight.casework.cases.models import Case
from safelight.casework.cases.queries import obstacles
from safelight.casework.cases.services import note, open_case, record_live_contact
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.services import sweep
from safelight.casework.devices.services import book_in, decide
from safelight.casework.ledger.services import seal
from safelight.casework.referrals.services import close_referral, record_referral
from safelight.casework.safeguarding.services import add_child, answer_contact_check, hold_child_clock
from safelight.casework.safeguarding.social_care import (
    record_acknowledgement,
    record_chase,
    send_safeguarding_referral,
)
from safelight.casework.supervision.services import record_review
from safelight.demo import names
from safelight.demo.evidence import Bench
from safelight.demo.force import SKILL, Force
from safelight.demo.history import Story
from safelight.demo.sign_in import HOME_UNIT
from safelight.demo.victims import keep_informed, name_victims

OPEN_SHARE = 0.86
CHILD_SHARE = 0.55
RISKS = (("very_high", 0.14), ("high", 0.26), ("medium", 0.36), ("low", 0.24))
SOURCES = (
    ("nca", 0.5),
    ("cybertip", 0.2),
    ("platform", 0.12),
    ("social_care", 0.08),
    ("school", 0.05),
    ("public", 0.05),
)
OUTCOMES = (("charged", 0.6), ("evidential_victim_supports", 0.3), ("no_suspect", 0.1))
LEGACY = "Examined in full by the laboratory before Safelight was in use (invented for the demo)."


CAST = (
    {"live": True, "risk": "very_high", "children": 1, "manner": "prompt"},
    {"risk": "high", "children": 2, "manner": "held", "known": True},
    {"risk": "high", "children": 1, "manner": "not yet"},
    {"risk": "very_high", "children": 1, "manner": "prompt", "unallocated": True},
)
"""What must be seen in the unit whose people can sign in: its latest referrals play these parts, the rest is chance."""
HOME_SHARE = 0.2


@dataclass
class World:
    """What the stories share: the force, the bench with the real images, and chance."""

    force: Force
    bench: Bench
    rng: random.Random
    now: datetime
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 1_000_000)))
    suspects: list[dict[str, Any]] = field(default_factory=list)  # those of the home unit
    cast: list[int] = field(default_factory=list)  # the referrals that play a part


def hours(rng: random.Random, mean: float, least: float = 0.1) -> timedelta:
    """A waiting time with a long tail, in hours."""
    return timedelta(hours=max(least, rng.expovariate(1 / mean)))


def pick(rng: random.Random, weighted: tuple[tuple[str, float], ...]) -> str:
    """One of the codes, by weight."""
    codes, weights = zip(*weighted, strict=True)
    return rng.choices(codes, weights)[0]


def regular_work(start: datetime) -> Story:
    """The regular work, four times a day: clocks that have run out are noted, the ledger is sealed."""
    moment = start
    while True:
        sweep()
        seal()
        moment += timedelta(hours=6)
        yield moment


def referral_story(world: World, start: datetime, part: dict[str, Any] | None = None) -> Story:
    """One referral from its arrival on; yields whenever people would have waited.

    Args:
        part: one of :data:`CAST`, played in the home unit; None leaves everything to chance.
    """
    rng, force, part = world.rng, world.force, part or {}
    number = next(world.numbers)
    given, family = names.person_name(rng)
    others = [code for code, unit in force.units.items() if unit.kind == "bcu" and code != HOME_UNIT]
    unit_code = HOME_UNIT if part or rng.random() < HOME_SHARE else rng.choice(others)
    borough = rng.choice(force.units[unit_code].boroughs)
    platform = rng.choice(names.PLATFORMS)
    live = part.get("live", not part and rng.random() < 0.05)
    desk = rng.choice(force.desk)
    source = pick(rng, SOURCES)
    incident_type = "Child pornography (possession, manufacture, and distribution)" if rng.random() < 0.4 else ""
    high_priority = live or rng.random() < 0.1
    suspect: dict[str, Any] = {
        "family_name": family,
        "given_names": given,
        "born": date(rng.randint(1955, 2004), rng.randint(1, 12), rng.randint(1, 28)),
        "address": names.address(rng),
        "borough": borough,
    }
    if part.get("known") and world.suspects:
        # The man of an earlier referral again, a letter of his name left out: nobody has noticed yet.
        suspect = {**world.suspects[len(world.suspects) // 2], "borough": borough}
        suspect["family_name"] = suspect["family_name"][:-2] + suspect["family_name"][-1]
    elif unit_code == HOME_UNIT and not part:
        world.suspects.append(suspect)
    suspect["postcode"] = names.postcode(suspect["address"])
    referral, _ = record_referral(
        desk,
        source=source,
        source_reference=f"SYN-{start:%y%m}-{number:05d}",
        received_at=start,
        summary=f"Synthetic report {number}: an account on {platform} is said to hold listed material. Invented.",
        platform=platform,
        incident_type=incident_type,
        live_contact=live,
        high_priority=high_priority,
        borough=borough,
        suspect={
            **suspect,
            "identifiers": [("screen_name", f"synthetic_{number}"), ("email", f"person{number}@example.org")],
        },
    )
    if part:
        world.cast.append(referral.pk)
    moment = start + hours(rng, 5 if not live else 0.6)
    yield moment

    if not part and rng.random() < 0.03:
        return  # waits on the desk, and shows there
    children = rng.choices((1, 2, 3), (0.6, 0.3, 0.1))[0] if rng.random() < CHILD_SHARE else 0
    children = part.get("children", children)
    answers = {"lives_with": "no", "sees": "no", "works_with": "no"}
    if children:
        answers[rng.choice(("lives_with", "lives_with", "sees", "works_with"))] = "yes"
    elif rng.random() < 0.15:
        answers["sees"] = "not_known"
    answer_contact_check(
        desk,
        referral,
        **answers,
        basis="Voters' register, local records and school returns, all invented for the demo.",
    )
    at_risk = [_child(world, desk, referral, borough, suspect, answers, moment) for _ in range(children)]
    moment += hours(rng, 2)
    yield moment

    if not children and rng.random() > OPEN_SHARE:
        closer = force.supervisors[unit_code] if "not_known" in answers.values() else desk
        close_referral(closer, referral, reason="The material is not listed and no offence is shown (invented).")
        return
    risk = part.get("risk", "very_high" if live else pick(rng, RISKS))
    case = open_case(
        desk,
        referral=referral,
        title=f"Synthetic operation {names.person_name(rng)[0]} {number}",
        unit=force.units[unit_code],
        risk=risk,
        risk_source="Assessed by a trained grader (demo)",
        required_skill=SKILL,
        borough=borough,
    )
    pending = [
        _safeguarding(world, case, at_risk, borough, moment, part.get("manner")) if at_risk else None,
        _investigation(world, case, unit_code, moment, part),
        _supervision(world, case, unit_code, moment),
    ]
    yield from interleave([story for story in pending if story is not None], moment)


def interleave(stories: list[Any], moment: datetime) -> Story:
    """Let the parts of one case go on beside each other, each at its own time."""
    waiting = [(moment, place, story) for place, story in enumerate(stories)]
    while waiting:
        waiting.sort(key=lambda item: item[:2])
        due, place, story = waiting.pop(0)
        yield due
        following = next(story, None)
        if following is not None:
            waiting.append((max(following, due), place, story))


def _child(
    world: World, desk: Any, referral: Any, borough: str, suspect: dict[str, Any], answers: dict[str, str], at: datetime
) -> Any:
    rng = world.rng
    given, _ = names.person_name(rng)
    born = date(at.year - rng.randint(2, 16), rng.randint(1, 12), rng.randint(1, 28))
    elsewhere = names.address(rng)
    address = suspect["address"] if answers["lives_with"] == "yes" else elsewhere
    return add_child(
        desk,
        referral=referral,
        person={
            "family_name": suspect["family_name"],
            "given_names": given,
            "born": born,
            "born_precision": "day",
            "address": address,
            "postcode": names.postcode(address),
            "borough": borough,
        },
        lives_with=answers["lives_with"] == "yes",
        seen_by=answers["sees"] == "yes",
        works_with=answers["works_with"] == "yes",
        relationship=rng.choice(("Child", "Stepchild", "Nephew or niece", "Pupil", "Neighbour's child")),
        school=rng.choice(names.SCHOOLS),
        borough=borough,
        immediate_danger=rng.random() < 0.04,
    )


def _safeguarding(
    world: World, case: Case, children: list[Any], borough: str, start: datetime, manner: str | None
) -> Story:
    """Social care is told: mostly within the day, sometimes late, sometimes held, sometimes not yet."""
    rng, supervisor = world.rng, world.force.supervisors[case.unit.code]
    manner = manner or rng.choices(("prompt", "late", "held", "not yet"), (0.82, 0.1, 0.04, 0.04))[0]
    moment = start
    if manner == "held":
        moment = moment + hours(rng, 2)
        yield moment
        why = "A warrant is executed this morning; social care is told at the door (invented)."
        for child in children:
            hold_child_clock(supervisor, child, reason=why, hours=rng.choice((6, 12, 24)))
    if manner == "not yet":
        return
    moment += hours(rng, 5) if manner == "prompt" else timedelta(hours=rng.uniform(26, 90))
    yield moment
    sent = send_safeguarding_referral(
        supervisor,
        case,
        children=children,
        authority=borough,
        recipient=f"{borough} children's social care, duty desk (synthetic)",
        concern="A parent or carer is suspected of an on-line offence against children. Everything here is invented.",
    )
    if rng.random() < 0.25:
        moment += timedelta(hours=rng.uniform(26, 50))
        yield moment
        record_chase(supervisor, sent)
    if rng.random() < 0.1:
        return
    moment += hours(rng, 12)
    yield moment
    decision = rng.choices(("section_47", "strategy", "assessment", "early_help", "no_action"), (3, 3, 3, 1, 1))[0]
    record_acknowledgement(supervisor, sent, by="Duty social worker (synthetic)", decision=decision)


def _investigation(world: World, case: Case, unit_code: str, start: datetime, part: dict[str, Any]) -> Story:
    """Allocation, lines of enquiry, devices, and an outcome; some cases stop moving."""
    rng, supervisor = world.rng, world.force.supervisors[unit_code]
    moment = start + hours(rng, {"very_high": 4, "high": 14, "medium": 40, "low": 90}[case.risk])
    yield moment
    if part.get("unallocated", not part and rng.random() < 0.05):
        return  # nobody has it: the board shouts
    suggestions = suggest(case, limit=1)
    if not suggestions:
        return
    best = suggestions[0]
    allocate(supervisor, case, investigator=best.investigator, reason=best.reason, suggested=True)
    officer = best.investigator
    drifting = rng.random() < 0.18
    stop_after = rng.randint(0, 3) if drifting else 10_000

    if case.live_contact and not part and rng.random() < 0.6:
        moment += hours(rng, 10)
        yield moment
        known = "The account is closed and the phone is seized (invented)."
        record_live_contact(supervisor, case, contact=False, how_known=known)
    arrest = moment + timedelta(days=rng.uniform(2, 12))
    steps = 0
    while moment < arrest and steps < stop_after:
        moment += timedelta(days=rng.uniform(0.8, 4))
        yield moment
        steps += 1
        kind = rng.choice(("enquiry", "intelligence", "statement"))
        note(officer, case, kind, "A line of enquiry (invented).")
    if steps >= stop_after:
        return
    yield max(moment, arrest)
    moment = max(moment, arrest)
    name_victims(case, officer)
    note(officer, case, "arrest", "The suspect was arrested and devices were seized (invented).")
    yield from keep_informed(case, officer, moment)
    yield from _devices(world, case, officer, moment)
    moment += timedelta(days=rng.uniform(3, 20))
    yield moment
    if rng.random() < 0.3:
        return
    while obstacles(case):
        if not _settle(world, case, supervisor):
            return
        moment += timedelta(hours=1)
        yield moment
    outcome = pick(rng, OUTCOMES)
    close_case(supervisor, case, outcome=outcome, note="The end of a synthetic case.")


def _settle(world: World, case: Case, supervisor: Any) -> bool:
    """Whether the parts that keep the case open could be settled with a reason (only safeguarding may not be)."""
    areas = {obstacle.area for obstacle in obstacles(case)}
    if areas & {"safeguarding", "live_contact"} or world.rng.random() < 0.4:
        return False
    why = "Settled for the demo: the remaining part changes nothing (invented)."
    for area in areas:
        settle(supervisor, case, area=area, reason=why)
    return bool(areas)


KINDS = (("phone", "Phone in a black case"), ("laptop", "Laptop"), ("usb", "USB stick"), ("disk", "External disk"))


def _devices(world: World, case: Case, officer: Any, moment: datetime) -> Story:
    """Exhibits are booked in; those the bench has an image for are triaged from it, the rest are reasoned."""
    rng = world.rng
    booked = []
    for place in range(rng.choices((1, 2, 3, 4), (3, 4, 2, 1))[0]):
        kind, description = rng.choice(KINDS)
        device = book_in(
            officer,
            case,
            exhibit=f"SYN/{place + 1}",
            kind=kind,
            description=f"{description} (synthetic)",
            seized_at=moment - timedelta(hours=2),
            seized_from=names.address(rng),
            seized_by=str(officer),
            place="Property store, Example Road",
            seal=f"SYN{rng.randint(100000, 999999)}",
            decision="" if place == 3 else "triage",  # every fourth exhibit of a case waits for a decision
        )
        booked.append(device)
    moment += timedelta(days=rng.uniform(0.5, 4))
    yield moment
    for device in booked:
        if world.bench.has_image_for(case):
            yield from world.bench.examine(world, device, officer, moment)
        elif (world.now - moment) > timedelta(days=21) or rng.random() < 0.6:
            decide(world.force.supervisors[case.unit.code], device, decision="not_triaged", reason=LEGACY)


def _supervision(world: World, case: Case, unit_code: str, start: datetime) -> Story:
    """Reviews when they fall due, more or less."""
    rng, supervisor = world.rng, world.force.supervisors[unit_code]
    careless = rng.random() < 0.15
    while True:
        case.refresh_from_db()
        if case.status != "open":
            return
        clock = Clock.objects.open().filter(case=case, rule="supervisor_review").first()
        if clock is None or clock.due_at is None:
            return
        late = timedelta(days=rng.uniform(1, 20)) if careless else -timedelta(hours=rng.uniform(1, 12))
        moment = max(clock.due_at + late, start + timedelta(minutes=30))
        start = moment
        yield moment
        case.refresh_from_db()
        if case.status != "open":
            return
        record_review(
            supervisor,
            case,
            plan="The plan stands; the next enquiry is named below (invented).",
            safeguarding="Every child named has been referred, or the clock says why not.",
            devices="Each exhibit has a triage decision.",
            victim="No victim is identified yet.",
            next_action="Complete the outstanding enquiry and record it.",
            next_action_by=(moment + timedelta(days=7)).date(),
        )
