"""Every child linked to one suspect, told of in one step: each a row of its own, with a clock of its own.

Linked are the children of the suspect's cases, those at one address with the suspect or with a record of the same
person, those named beside the suspect, and all their brothers and sisters. Each is listed with why; a person ticks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Q

from safelight.casework.base.errors import Invalid
from safelight.casework.base.rights import need
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.casework.people.boroughs import social_care_for
from safelight.casework.people.models import Person, PossibleLink
from safelight.casework.people.network import ties
from safelight.casework.people.values import is_surely_adult
from safelight.casework.safeguarding.models import ChildAtRisk, PersonAround, SafeguardingReferral
from safelight.casework.safeguarding.services import add_child
from safelight.casework.safeguarding.social_care import send_safeguarding_referral
from safelight.errors import CaseworkError

MOST = 200


@dataclass
class Linked:
    """Somebody under 18, or of unknown age, linked to the suspect. ``child`` is their record in this case, if any;
    ``told`` the referral about them from this case."""

    person: Person
    reasons: list[str] = field(default_factory=list)
    child: ChildAtRisk | None = None
    told: SafeguardingReferral | None = None

    @property
    def age_known(self) -> bool:
        return self.person.born is not None

    @property
    def home(self) -> bool:
        """Whether the two stand at one address."""
        return any(reason.startswith("The same address") for reason in self.reasons)


@dataclass(frozen=True)
class Line:
    """What became of one person of the list: told of (``sent``), left because told already, or refused with why."""

    person: Person
    sent: SafeguardingReferral | None = None
    words: str = ""


class OneRefused(CaseworkError):
    """All or nothing was asked for and one cannot be told of: nothing was written. The message names who and why."""


def same_person(suspect: Person, user: Any) -> list[Person]:
    """The suspect and the records that a person has decided to be the same person's, as far as ``user`` sees them."""
    links = PossibleLink.objects.filter(Q(person=suspect) | Q(other=suspect), state=PossibleLink.State.SAME)
    keys = {key for pair in links.values_list("person", "other") for key in pair if key} - {suspect.pk}
    return [suspect, *Person.objects.visible_to(user).filter(pk__in=keys).order_by("pk")]


def linked_children(user: Any, case: Any, suspect: Person) -> list[Linked]:
    """Everybody linked to ``suspect`` who is, or may be, a child; those of this case first, then by name. Only what
    ``user`` may see; at most :data:`MOST`."""
    found: dict[int, Linked] = {}

    def add(person: Person, reason: str) -> None:
        if person.pk == suspect.pk or is_surely_adult(person.born, person.born_precision):
            return
        one = found.setdefault(person.pk, Linked(person))
        if reason not in one.reasons:
            one.reasons.append(reason)

    for row in ChildAtRisk.objects.filter(case=case).select_related("person"):
        add(row.person, f"Child at risk in {case.reference}")
    for record_of in same_person(suspect, user):
        for tie in ties(record_of, user):
            known = tie.person is not None and (tie.child or tie.person.born is not None or tie.kind == "address")
            if tie.person is not None and known:
                add(tie.person, tie.by)
        around = PersonAround.objects.filter(ChildAtRisk.objects.visible_to(user).holding("child"), person=record_of)
        for beside in around.select_related("child__person"):
            add(beside.child.person, f"{beside.relationship} of {beside.child.reference}")
    siblings = PersonAround.objects.exclude(kind=PersonAround.Kind.ADULT).filter(
        ChildAtRisk.objects.visible_to(user).holding("child"), child__person__in=list(found)
    )
    for one in siblings.select_related("person", "child"):
        add(one.person, f"{one.get_kind_display()} of {one.child.reference}")
    rows = ChildAtRisk.objects.filter(case=case, person__in=list(found)).prefetch_related("safeguarding_referrals")
    for child in rows:
        found[child.person_id].child = child
        found[child.person_id].told = next(iter(child.safeguarding_referrals.all()), None)
    return sorted(found.values(), key=lambda one: (one.child is None, not one.age_known, one.person.name))[:MOST]


@transaction.atomic
def refer_linked(
    actor: Any,
    case: Any,
    *,
    suspect: Person,
    people: Sequence[Person],
    recipient: str,
    concern: str,
    all_or_nothing: bool = True,
    linked: Iterable[Linked] | None = None,
) -> list[Line]:
    """Tell social care about all these children: each is recorded in the case, and a referral of its own goes to the
    authority where the child lives.

    Args:
        people: from :func:`linked_children`; anybody else is refused.
        all_or_nothing: with True one that cannot be told of leaves everything as it was; with False the others are
            told of and each line says what became of it.

    Raises:
        NotAllowed: the actor may not see the case, or the role may not.
        Invalid: nobody is chosen.
        OneRefused: all or nothing, and one cannot be told of.
    """
    need(actor, "safeguarding.refer", case, what="You may not write to social care for this case.")
    if not people:
        raise Invalid("Nobody is chosen.", fix="Tick the children.", field="people")
    known = {one.person.pk: one for one in (linked if linked is not None else linked_children(actor, case, suspect))}
    lines: list[Line] = []
    for person in people:
        try:
            with transaction.atomic():
                lines.append(_refer_one(actor, case, known.get(person.pk), person, recipient, concern))
        except CaseworkError as error:
            if all_or_nothing:
                raise OneRefused(
                    f"{person.name}: {error}", fix="Nothing was sent. Mend this, or send the others."
                ) from error
            lines.append(Line(person, words=str(error)))
    told = [line.sent.reference for line in lines if line.sent]
    payload = {"suspect": suspect.reference, "sent": told, "refused": sum(line.sent is None for line in lines)}
    record(actor, "safeguarding.bulk_referred", case, category=Category.DISCLOSURE, payload=payload)
    return lines


def _refer_one(actor: Any, case: Any, link: Linked | None, person: Person, recipient: str, concern: str) -> Line:
    if link is None:
        raise Invalid(f"{person.name} is not linked to the suspect as far as you may see.", fix="Record the child.")
    if link.told is not None:
        return Line(person, words=f"Told already: {link.told.reference}")
    child = link.child
    if child is None:
        child = add_child(
            actor, case=case, person=person, lives_with=link.home, borough=person.borough or case.borough,
            relationship=link.reasons[0][:120],
        )  # fmt: skip
    authority = social_care_for(child.borough) or child.borough
    sent = send_safeguarding_referral(
        actor, case, children=[child], authority=authority, recipient=recipient, concern=concern
    )
    return Line(person, sent=sent)
