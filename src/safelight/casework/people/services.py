"""Making and changing the records of people."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db import transaction

from safelight.casework.base.errors import Invalid
from safelight.casework.base.rights import need
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.people.models import Identifier, Person, Sex
from safelight.casework.people.values import birth, one_line, postcode

_REFUSAL = "Your role may not change the records of people."
_LONGEST = {"family_name": 200, "given_names": 200, "address": 300, "borough": 60}
_NAMES = {
    "family_name": "The family name",
    "given_names": "The given names",
    "address": "The address",
    "borough": "The borough",
}


def checked(
    *,
    family_name: str = "",
    given_names: str = "",
    born: date | None = None,
    born_precision: str = "",
    age: int | None = None,
    sex: str = Sex.NOT_KNOWN,
    address: str = "",
    borough: str = "",
    postcode_: str = "",
) -> dict[str, Any]:
    """The values of a person in the form that is kept.

    Raises:
        Invalid: one of them cannot be kept; the message names it.
    """
    texts = {"family_name": family_name, "given_names": given_names, "address": address, "borough": borough}
    values: dict[str, Any] = {
        name: one_line(text, longest=_LONGEST[name], field=name, what=_NAMES[name]) for name, text in texts.items()
    }
    if (sex or Sex.NOT_KNOWN) not in Sex.values:
        raise Invalid(f"{sex!r} is not a known sex.", fix=f"Use one of {', '.join(Sex.values)}.", field="sex")
    values["sex"] = sex or Sex.NOT_KNOWN
    values["postcode"] = postcode(postcode_)
    values["born"], values["born_precision"] = birth(born, born_precision, age=age)
    return values


def checked_identifiers(identifiers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """``(kind, value)`` pairs without blanks and repeats. Raises Invalid for an unknown kind or a value too long."""
    found: dict[tuple[str, str], None] = {}
    for kind, value in identifiers:
        if kind not in Identifier.Kind.values:
            raise Invalid(
                f"{kind!r} is not a kind of identifier.", fix=f"Use one of {', '.join(Identifier.Kind.values)}."
            )
        text = one_line(value, longest=400, field=kind, what=str(Identifier.Kind(kind).label))
        if text:
            found[(kind, text)] = None
    return list(found)


@transaction.atomic
def create_person(
    actor: Any,
    *,
    family_name: str = "",
    given_names: str = "",
    born: date | None = None,
    born_precision: str = "",
    age: int | None = None,
    sex: str = Sex.NOT_KNOWN,
    address: str = "",
    postcode: str = "",
    borough: str = "",
    identifiers: Iterable[tuple[str, str]] = (),
) -> Person:
    """Make the record of a person. Nothing but what is known: a child may have neither name nor date of birth.

    Args:
        born_precision: ``day`` (default with a date), ``month`` or ``year``.
        age: approximate, in years; used when there is no date of birth.
        identifiers: ``(kind, value)`` with the kinds of :class:`Identifier`.

    Raises:
        NotAllowed: the role may not.
        Invalid: a value cannot be kept (a date before 1900 or in the future, a text too long...).
    """
    need(actor, "people.change", what=_REFUSAL)
    return new_person(
        actor,
        identifiers=identifiers,
        family_name=family_name,
        given_names=given_names,
        born=born,
        born_precision=born_precision,
        age=age,
        sex=sex,
        address=address,
        postcode_=postcode,
        borough=borough,
    )


def new_person(actor: Any, *, identifiers: Iterable[tuple[str, str]] = (), **fields: Any) -> Person:
    """Write the record of a person for a service that has asked for its own right, in that service's transaction.

    Args:
        fields: as :func:`checked` takes them.

    Raises:
        Invalid: a value cannot be kept.
    """
    values = checked(**fields)
    pairs = checked_identifiers(identifiers)
    person = Person.objects.create(**values)
    Identifier.objects.bulk_create(Identifier(person=person, kind=kind, value=value) for kind, value in pairs)
    known = sorted(name for name, value in values.items() if value not in ("", None, "none", Sex.NOT_KNOWN))
    record(
        actor,
        "person.created",
        person,
        category=Category.COLLECTION,
        payload={"known": known, "identifiers": [kind for kind, _ in pairs]},
    )
    return person


@transaction.atomic
def update_person(actor: Any, person: Person, **changes: Any) -> Person:
    """Change values of a person's record. Only what differs is written; the ledger has the names of the changed fields
    and the fingerprints of the new texts.

    Raises:
        NotAllowed: the role may not.
        Invalid: a value cannot be kept, or ``changes`` names something else.
    """
    need(actor, "people.change", what=_REFUSAL)
    person = Person.objects.select_for_update().get(pk=person.pk)
    names = ("family_name", "given_names", "born", "born_precision", "sex", "address", "postcode", "borough")
    unknown = set(changes) - {*names, "age"}
    if unknown:
        raise Invalid(f"A person has no {', '.join(sorted(unknown))}.")
    if "born" in changes and "born_precision" not in changes:
        changes["born_precision"] = ""
    asked = {name: changes.get(name, getattr(person, name)) for name in names}
    asked["born_precision"] = "" if asked["born_precision"] == "none" else asked["born_precision"]
    asked["postcode_"] = asked.pop("postcode")
    values = checked(**asked, age=changes.get("age"))
    changed = [name for name in names if values[name] != getattr(person, name)]
    if not changed:
        return person
    for name in changed:
        setattr(person, name, values[name])
    person.save(update_fields=changed)
    record(actor, "person.changed", person, payload={"changed": {n: fingerprint(str(values[n])) for n in changed}})
    return person


@transaction.atomic
def add_identifiers(actor: Any, person: Person, identifiers: Iterable[tuple[str, str]]) -> list[Identifier]:
    """Add on-line names, numbers and addresses that are not yet recorded. Returns the new ones.

    Raises:
        NotAllowed: the role may not.
        Invalid: an unknown kind, or a value too long.
    """
    need(actor, "people.change", what=_REFUSAL)
    held = {(one.kind, one.value) for one in person.identifiers.all()}
    new = [
        Identifier.objects.create(person=person, kind=kind, value=value)
        for kind, value in checked_identifiers(identifiers)
        if (kind, value) not in held
    ]
    if new:
        record(
            actor,
            "person.identifier_added",
            person,
            category=Category.COLLECTION,
            payload={"added": [{"kind": one.kind, "value": fingerprint(one.value)} for one in new]},
        )
    return new
