"""The child first: the contact check, children at risk, holds. What goes to social care is in :mod:`.social_care`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.values import not_in_future, required_text
from safelight.casework.cases.services import note
from safelight.casework.cases.writing import lock_open
from safelight.casework.clocks import services as clocks
from safelight.casework.clocks.models import Clock, Hold
from safelight.casework.clocks.services import start_clock
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.people.boroughs import known_borough
from safelight.casework.people.models import Person
from safelight.casework.people.services import create_person
from safelight.casework.people.values import is_surely_adult, one_line, plain
from safelight.casework.referrals.models import Referral, State
from safelight.casework.safeguarding.child_record import write_voice
from safelight.casework.safeguarding.models import Answer, ChildAtRisk, ContactCheck
from safelight.casework.safeguarding.social_care import (
    record_acknowledgement,
    record_chase,
    record_escalation,
    send_safeguarding_referral,
)

__all__ = [
    "add_child",
    "answer_contact_check",
    "hold_child_clock",
    "lift_child_hold",
    "record_acknowledgement",
    "record_chase",
    "record_escalation",
    "send_safeguarding_referral",
    "update_child",
]

TELL_SOCIAL_CARE = "police_referral_to_csc"
QUESTIONS = {"lives_with": "lives_with", "seen_by": "sees", "works_with": "works_with"}
"""How a child is in contact -> the question of the contact check that it answers with yes."""
_REFUSAL = "You may not record children for this."
_TEXTS = {
    "relationship": (120, "The relationship"),
    "school": (160, "The school"),
    "voice": (4_000, "What the child says"),
}
_FLAGS = ("lives_with", "seen_by", "works_with", "online", "immediate_danger")


@transaction.atomic
def answer_contact_check(
    actor: Any, referral: Referral, *, lives_with: str, sees: str, works_with: str, basis: str
) -> ContactCheck:
    """Answer whether anyone around the suspect lives with, sees or works with children, and how that is known.

    May be answered again when more is known; the ledger keeps each set of answers.

    Args:
        lives_with, sees, works_with: ``yes``, ``no`` or ``not_known``.
        basis: what was looked at or who was asked.

    Raises:
        NotAllowed: the actor may not see the referral, or the role may not.
        NotPossible: the referral was closed without a case.
        Invalid: an answer is missing, a basis is missing, or 'no' contradicts a child that is recorded.
    """
    need(actor, "safeguarding.check", referral, what="You may not answer the contact check of this referral.")
    referral = Referral.objects.select_for_update(of=("self",)).select_related("case").get(pk=referral.pk)
    if referral.state == State.CLOSED:
        raise NotPossible(f"{referral.reference} was closed without a case.", fix="Record a new referral.")
    answers = {"lives_with": lives_with, "sees": sees, "works_with": works_with}
    for name, answer in answers.items():
        if answer not in Answer.values:
            raise Invalid("The question is not answered.", fix="Choose yes, no or not known yet.", field=name)
    for contact, question in QUESTIONS.items():
        if answers[question] == Answer.NO and referral.children.filter(**{contact: True}).exists():
            raise Invalid(
                "A child is recorded who is in contact in this way.",
                fix="Answer yes, or correct the child's record first.",
                field=question,
            )
    what = "What the answers rest on"
    text = plain(required_text(basis, field="basis", what=what), longest=4_000, field="basis", what=what)
    before = ContactCheck.objects.filter(referral=referral).values("lives_with", "sees", "works_with").first()
    check, _ = ContactCheck.objects.update_or_create(
        referral=referral,
        defaults={**answers, "basis": text, "answered_by": actor, "answered_at": timezone.now()},
    )
    _settle(check)
    if referral.state == State.NEW:
        referral.state = State.CHECKED
        referral.save(update_fields=["state"])
    record(
        actor,
        "safeguarding.check_answered",
        referral,
        category=Category.COLLECTION,
        payload={"answers": answers, "before": before, "basis": fingerprint(text)},
    )
    if referral.case_id:
        note(actor, referral.case, "contact_check", f"{_said(check)}. {text}")
    return check


def _said(check: ContactCheck) -> str:
    words = (("lives_with", "lives with"), ("sees", "sees"), ("works_with", "works with"))
    return "; ".join(
        f"{said} children: {Answer(getattr(check, name)).label.lower()}" for name, said in words
    ).capitalize()


@transaction.atomic
def add_child(
    actor: Any,
    *,
    referral: Referral | None = None,
    case: Any = None,
    person: Person | Mapping[str, Any] | None = None,
    lives_with: bool = False,
    seen_by: bool = False,
    works_with: bool = False,
    online: bool = False,
    immediate_danger: bool = False,
    relationship: str = "",
    school: str = "",
    voice: str = "",
    borough: str,
    identified_at: datetime | None = None,
) -> ChildAtRisk:
    """Record a child who may be in danger from the suspect. The clock to tell social care starts at ``identified_at``.

    Args:
        referral, case: where the child was found; one of them is enough (a referral brings its case).
        person: a person on record, or the arguments of people.services.create_person for a new one.
        borough: where the child lives: its local authority is the one to be told.
        identified_at: when police first knew of the child (aware); None means now.

    Raises:
        NotAllowed: the actor may not see the record, or the role may not.
        NotPossible: the child is recorded here already, or the referral or case has ended.
        Invalid: a value is missing, a date is impossible, or the person is surely an adult.
    """
    if referral is None and case is None:
        raise Invalid("A child is recorded with a referral or a case.", fix="Name one.")
    need(actor, "safeguarding.add_child", referral if referral is not None else case, what=_REFUSAL)
    if referral is not None:
        referral = Referral.objects.select_for_update(of=("self",)).select_related("case", "unit").get(pk=referral.pk)
        if referral.state == State.CLOSED:
            raise NotPossible(f"{referral.reference} was closed without a case.", fix="Record a new referral.")
        case = case or referral.case
    if case is not None:
        case = lock_open(case)
    moment = not_in_future(identified_at, field="identified_at", what="The time when the child was identified")
    texts = _texts(relationship=relationship, school=school, voice=voice)
    place = _borough(borough)
    if isinstance(person, Person):
        subject, linked = person, True
        need(actor, "people.view", what=_REFUSAL)
        if not Person.objects.visible_to(actor).filter(pk=person.pk).exists():
            raise Invalid("There is no such person that you may see.", fix="Make a new record.", field="person")
    else:
        subject, linked = create_person(actor, **(person or {})), False
    if is_surely_adult(subject.born, subject.born_precision, timezone.localdate(moment)):
        raise Invalid(f"{subject.name} was not under 18 at that time.", fix="Check the date of birth.", field="born")
    _not_twice(subject, referral, case)
    child = ChildAtRisk.objects.create(
        person=subject,
        referral=referral,
        case=case,
        lives_with=lives_with,
        seen_by=seen_by,
        works_with=works_with,
        online=online,
        immediate_danger=immediate_danger,
        borough=place,
        identified_at=moment,
        recorded_at=timezone.now(),
        recorded_by=actor,
        **texts,
    )
    payload = {
        "person": subject.reference,
        "referral": referral.reference if referral else None,
        "case": case.reference if case else None,
        "contact": [name for name in _FLAGS if getattr(child, name)],
        "borough": place,
        "identified_at": moment,
        "texts": {name: fingerprint(text) for name, text in texts.items() if text},
    }
    if texts["voice"]:
        write_voice(actor, child, words=texts["voice"], said_at=moment, heard_by=str(actor), how="When first recorded")
    category = Category.COMBINATION if linked else Category.COLLECTION
    record(actor, "safeguarding.child_added", child, category=category, case=case, payload=payload)
    start_clock(
        actor,
        TELL_SOCIAL_CARE,
        child,
        triggered_at=moment,
        case=case,
        referral=referral,
        unit=case.unit if case else referral.unit,
        owner=case.investigator if case else None,
        risk=case.risk if case else "",
        borough=place,
    )
    if referral is not None:
        _child_named(actor, referral, child)
    if case is not None:
        note(actor, case, "child_identified", f"{child.reference}: {child.contact}.", at=moment)
    return child


def _texts(**given: str) -> dict[str, str]:
    made = {}
    for name, value in given.items():
        longest, what = _TEXTS[name]
        made[name] = (plain if name == "voice" else one_line)(value, longest=longest, field=name, what=what)
    return made


def _borough(given: str) -> str:
    what = "The borough where the child lives"
    place = one_line(required_text(given, field="borough", what=what), longest=60, field="borough", what=what)
    return known_borough(place) or place


def _not_twice(person: Person, referral: Referral | None, case: Any) -> None:
    held = ChildAtRisk.objects.none()
    if referral is not None:
        held = held | ChildAtRisk.objects.filter(person=person, referral=referral)
    if case is not None:
        held = held | ChildAtRisk.objects.filter(person=person, case=case)
    child = held.first()
    if child is not None:
        raise NotPossible(f"{person.name} is recorded here already as {child.reference}.", fix="Change that record.")


def _settle(check: ContactCheck) -> None:
    check.unsettled = bool(check.open_questions) or check.nobody_named
    check.save(update_fields=["unsettled"])


def _child_named(actor: Any, referral: Referral, child: ChildAtRisk) -> None:
    """A child who lives with the suspect makes the answer yes, whatever was answered before."""
    check = ContactCheck.objects.filter(referral=referral).first()
    if check is None:
        return
    raised = [q for c, q in QUESTIONS.items() if getattr(child, c) and getattr(check, q) != Answer.YES]
    if raised:
        for question in raised:
            setattr(check, question, Answer.YES)
        check.save(update_fields=raised)
        record(actor, "safeguarding.check_raised", referral, payload={"yes": raised, "child": child.reference})
    _settle(check)


@transaction.atomic
def update_child(actor: Any, child: ChildAtRisk, **changes: Any) -> ChildAtRisk:
    """Change how a child is in contact, what they say, their school, relationship, borough or danger.

    Raises:
        NotAllowed: the actor may not see the child, or the role may not.
        NotPossible: the case is closed.
        Invalid: a value cannot be kept, or ``changes`` names something else.
    """
    need(actor, "safeguarding.add_child", child, what=_REFUSAL)
    child = ChildAtRisk.objects.select_for_update(of=("self",)).select_related("case", "person").get(pk=child.pk)
    if child.case is not None:
        lock_open(child.case)
    unknown = set(changes) - {*_FLAGS, *_TEXTS, "borough"}
    if unknown:
        raise Invalid(f"A child at risk has no {', '.join(sorted(unknown))}.")
    values: dict[str, Any] = {name: bool(changes[name]) for name in _FLAGS if name in changes}
    values |= _texts(**{name: changes[name] for name in _TEXTS if name in changes})
    if "borough" in changes:
        values["borough"] = _borough(changes["borough"])
    changed = [name for name, value in values.items() if value != getattr(child, name)]
    if not changed:
        return child
    for name in changed:
        setattr(child, name, values[name])
    child.save(update_fields=changed)
    kept = {n: fingerprint(values[n]) if n in _TEXTS else values[n] for n in changed}
    record(actor, "safeguarding.child_changed", child, case=child.case, payload={"changed": kept})
    if "voice" in changed and child.voice:
        write_voice(actor, child, words=child.voice, said_at=None, heard_by=str(actor))
    if child.referral_id:
        _child_named(actor, child.referral, child)
    if child.case is not None:
        note(
            actor, child.case, "child_updated", f"{child.reference}: {', '.join(n.replace('_', ' ') for n in changed)}."
        )
    return child


def clock_of(child: ChildAtRisk) -> Clock | None:
    """The child's open clock to tell social care."""
    return (
        Clock.objects.open()
        .filter(rule=TELL_SOCIAL_CARE, subject_type=child._meta.label_lower, subject_id=child.pk)
        .select_related("case", "referral")
        .first()
    )


@transaction.atomic
def hold_child_clock(actor: Any, child: ChildAtRisk, *, reason: str, hours: int) -> Hold:
    """A supervisor's reasoned delay (1 to 24 hours) in telling social care about a child. The clock runs on.

    Raises:
        NotAllowed: the actor is no supervisor of the unit, or may not see the child.
        NotPossible: no clock is open, or it is held already.
        Invalid: no reason, or the hours are not 1 to 24.
    """
    need(
        actor,
        "safeguarding.hold",
        child,
        what="Only a supervisor may put a hold on telling social care.",
        fix="Tell social care now, or ask a supervisor of the unit.",
    )
    clock = clock_of(child)
    if clock is None:
        raise NotPossible(f"Social care has been told about {child.reference}.", fix="There is nothing to hold.")
    hold = clocks.place_hold(actor, clock, reason=reason, hours=hours)
    if child.case is not None:
        until = timezone.localtime(hold.expires_at)
        text = f"{child.reference}: held until {until:%d %b %Y %H:%M} by {actor}; the clock runs on. {hold.reason}"
        note(actor, child.case, "hold_placed", text)
    return hold


@transaction.atomic
def lift_child_hold(actor: Any, child: ChildAtRisk) -> Hold:
    """End the hold on a child's clock before it expires. Raises NotAllowed, and NotPossible when none is live."""
    need(actor, "safeguarding.hold", child, what="Only a supervisor may lift a hold.")
    clock = clock_of(child)
    hold = clock.holds.filter(lifted_at=None).first() if clock else None
    if hold is None:
        raise NotPossible(f"No hold is in force for {child.reference}.")
    hold = clocks.lift_hold(actor, hold)
    if child.case is not None:
        note(actor, child.case, "hold_lifted", f"{child.reference}: hold lifted by {actor}.")
    return hold
