"""The record of a child: what the child says, who is around the child and what risk each adult is, and schools."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.values import required_text
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.people.models import Person
from safelight.casework.people.services import create_person
from safelight.casework.people.values import is_surely_adult, one_line, plain
from safelight.casework.safeguarding.models import ChildAtRisk, PersonAround, SchoolPlace, VoiceEntry

_REFUSAL = "You may not change the record of this child."


def _line(value: str, field: str, what: str, longest: int) -> str:
    return one_line(required_text(value, field=field, what=what), longest=longest, field=field, what=what)


def _own(actor: Any, child: ChildAtRisk) -> ChildAtRisk:
    need(actor, "safeguarding.add_child", child, what=_REFUSAL)
    return ChildAtRisk.objects.select_for_update(of=("self",)).select_related("person", "case").get(pk=child.pk)


def write_voice(
    actor: Any, child: ChildAtRisk, *, words: str, said_at: datetime | None, heard_by: str, how: str = ""
) -> VoiceEntry:
    """Keep what a child said, for a service that has asked for its own right; the newest words stand on the child."""
    day = timezone.localdate(said_at) if said_at else timezone.localdate()
    entry = VoiceEntry.objects.create(
        child=child, said_on=day, words=words, heard_by=heard_by[:160], how=how[:160], recorded_at=timezone.now(),
        recorded_by=actor,
    )  # fmt: skip
    newest = child.voices.order_by("-said_on", "-id").first()
    if newest is not None and newest.pk == entry.pk:
        child.voice = words
        ChildAtRisk.objects.filter(pk=child.pk).update(voice=words)
    payload = {"entry": entry.pk, "said_on": str(day), "words": fingerprint(words)}
    record(actor, "safeguarding.voice_added", child, category=Category.COLLECTION, case=child.case, payload=payload)
    return entry


@transaction.atomic
def add_voice(
    actor: Any, child: ChildAtRisk, *, words: str, heard_by: str, how: str = "", said_on: date | None = None
) -> VoiceEntry:
    """Write down what a child said, wanted or showed, in the child's own words, with its day and who heard it.

    Raises:
        NotAllowed; Invalid (no words, nobody who heard them, a day that lies ahead or before the child's birth).
    """
    row = _own(actor, child)
    day = said_on or timezone.localdate()
    if day > timezone.localdate():
        raise Invalid("The day lies in the future.", fix="Give the day on which it was said.", field="said_on")
    if row.person.born and row.person.born_precision == "day" and day < row.person.born:
        raise Invalid("The day lies before the child was born.", fix="Check the date.", field="said_on")
    what = "What the child said"
    text = plain(required_text(words, field="words", what=what), longest=4_000, field="words", what=what)
    who = _line(heard_by, "heard_by", "Who heard it", 160)
    at = timezone.make_aware(datetime.combine(day, datetime.min.time())) if said_on else None
    return write_voice(
        actor, row, words=text, said_at=at, heard_by=who, how=one_line(how, longest=160, field="how", what="How")
    )


@transaction.atomic
def add_around(
    actor: Any,
    child: ChildAtRisk,
    *,
    person: Person | Mapping[str, Any],
    kind: str,
    relationship: str,
    lives_with: bool = False,
    responsibility: str = PersonAround.Responsibility.NOT_KNOWN,
) -> PersonAround:
    """Record somebody around a child: every adult, not only the suspect, and every brother and sister.

    Args:
        person: one on record whom the actor may see, or the arguments of people.services.create_person.
        kind: a value of PersonAround.Kind.

    Raises:
        NotAllowed; NotPossible (recorded already, or the child itself); Invalid (an adult recorded as a child...).
    """
    row = _own(actor, child)
    if kind not in PersonAround.Kind.values:
        raise Invalid("Adult, brother or sister, or another child: it is not said.", fix="Choose one.", field="kind")
    if responsibility not in PersonAround.Responsibility.values:
        raise Invalid("Parental responsibility is not said.", fix="Choose one.", field="responsibility")
    if isinstance(person, Person):
        if not Person.objects.visible_to(actor).filter(pk=person.pk).exists():
            raise Invalid("There is no such person that you may see.", fix="Make a new record.", field="person")
        somebody = person
    else:
        somebody = create_person(actor, **person)
        if not somebody.given_names and not somebody.family_name and not relationship.strip():
            raise Invalid(
                "Neither a name nor a relationship is given.", fix="Write what is known.", field="relationship"
            )
    if somebody.pk == row.person_id:
        raise NotPossible("This is the child's own record.", fix="Choose somebody else.")
    if PersonAround.objects.filter(child=row, person=somebody).exists():
        raise NotPossible(f"{somebody.name} is recorded already.", fix="Assess that person instead.")
    if kind == PersonAround.Kind.CHILD and is_surely_adult(somebody.born, somebody.born_precision):
        raise Invalid(
            f"{somebody.name} is an adult.", fix="Record an adult, whose risk is then assessed.", field="kind"
        )
    around = PersonAround.objects.create(
        child=row, person=somebody, kind=kind, lives_with=lives_with, responsibility=responsibility,
        relationship=_line(relationship, "relationship", "The relationship to the child", 120),
        recorded_at=timezone.now(), recorded_by=actor,
    )  # fmt: skip
    payload = {"person": somebody.reference, "kind": kind, "lives_with": lives_with, "responsibility": responsibility}
    record(actor, "safeguarding.around_added", row, category=Category.COMBINATION, case=row.case, payload=payload)
    return around


@transaction.atomic
def assess_around(actor: Any, child: ChildAtRisk, *, around: PersonAround, risk: str, basis: str) -> PersonAround:
    """Record what risk an adult around a child is, and what that rests on. May be done again when more is known.

    Raises:
        NotAllowed; Invalid (another child's, not an adult, no basis, unknown risk).
    """
    row = _own(actor, child)
    found = PersonAround.objects.select_for_update(of=("self",)).filter(pk=around.pk, child=row).first()
    if found is None:
        raise Invalid("This person is not recorded around the child.", fix="Record them first.", field="around")
    if risk not in PersonAround.Risk.values or risk == PersonAround.Risk.NOT_ASSESSED:
        raise Invalid("The risk is not said.", fix="Choose one of the list.", field="risk")
    what = "What the assessment rests on"
    text = plain(required_text(basis, field="basis", what=what), longest=4_000, field="basis", what=what)
    before, found.risk, found.basis = found.risk, risk, text
    found.assessed_at, found.assessed_by = timezone.now(), actor
    found.save(update_fields=["risk", "basis", "assessed_at", "assessed_by"])
    payload = {"around": found.pk, "from": before, "to": risk, "basis": fingerprint(text)}
    record(actor, "safeguarding.around_assessed", row, case=row.case, payload=payload)
    return found


@transaction.atomic
def add_school(
    actor: Any,
    child: ChildAtRisk,
    *,
    name: str,
    contact: str = "",
    since: date | None = None,
    until: date | None = None,
) -> SchoolPlace:
    """Record a school, nursery or club. One without an end is the child's school now, and the one before it ends.

    Raises:
        NotAllowed; Invalid (no name, or an end before the beginning).
    """
    row = _own(actor, child)
    school = _line(name, "name", "The school", 160)
    if since and until and until < since:
        raise Invalid("The end lies before the beginning.", fix="Check the dates.", field="until")
    place = SchoolPlace.objects.create(
        child=row, name=school, since=since, until=until, recorded_at=timezone.now(), recorded_by=actor,
        contact=one_line(contact, longest=160, field="contact", what="The contact"),
    )  # fmt: skip
    if until is None and row.school != school:
        row.school = school
        row.save(update_fields=["school"])
    payload = {"school": place.pk, "since": str(since or ""), "until": str(until or "")}
    record(actor, "safeguarding.school_added", row, category=Category.COLLECTION, case=row.case, payload=payload)
    return place


def unassessed(child: ChildAtRisk) -> list[Person]:
    """The adults around a child whose risk nobody has assessed: those recorded, and the suspects of the case."""
    from safelight.casework.cases.models import CasePerson

    around = list(child.around.select_related("person").filter(kind=PersonAround.Kind.ADULT))
    open_ones = [one.person for one in around if one.risk == PersonAround.Risk.NOT_ASSESSED]
    known = {one.person_id for one in around}
    if child.case_id is not None:
        suspects = CasePerson.objects.filter(case=child.case_id, role=CasePerson.Role.SUSPECT).select_related("person")
        open_ones += [link.person for link in suspects if link.person_id not in known]
    return open_ones
