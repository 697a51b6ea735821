"""What pages read about people, always within what the reader may see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q

from safelight.casework.cases.models import Case, CasePerson
from safelight.casework.people.models import Person
from safelight.casework.people.values import postcode as normal_postcode
from safelight.casework.referrals.models import Referral, ReferralPerson
from safelight.casework.safeguarding.models import ChildAtRisk
from safelight.casework.search.sealed import named

SEARCHED = 200


@dataclass(frozen=True)
class Appearance:
    """One place where a person appears: the record's kind ("case", "referral"), the record and the part played."""

    kind: str
    record: Any
    part: str


@dataclass(frozen=True)
class Candidate:
    """A person who may be the one that is meant, with the reasons in words, best first."""

    person: Person
    reasons: tuple[str, ...]
    weight: int

    @property
    def born(self) -> str:
        """The date of birth as far as it is known."""
        return self.person.born_words


def appearances(person: Person, user: Any) -> list[Appearance]:
    """Where the person appears, in the cases and referrals that ``user`` sees; newest first."""
    cases, referrals = Case.objects.visible_to(user), Referral.objects.visible_to(user)
    found = [
        Appearance("case", link.case, str(link.get_role_display()))
        for link in CasePerson.objects.filter(cases.holding("case"), person=person)
        .select_related("case")
        .order_by("-case_id")
    ]
    found += [
        Appearance("referral", link.referral, str(link.get_role_display()))
        for link in ReferralPerson.objects.filter(referrals.holding("referral"), person=person)
        .select_related("referral")
        .order_by("-referral_id")
    ]
    children = ChildAtRisk.objects.visible_to(user).filter(person=person).select_related("case", "referral")
    for child in children.order_by("-id"):
        where, kind = (child.case, "case") if child.case_id else (child.referral, "referral")
        found.append(Appearance(kind, where, f"Child at risk: {child.contact}"))
    return found


def candidates(
    user: Any,
    *,
    family_name: str = "",
    given_names: str = "",
    born: date | None = None,
    postcode: str = "",
    limit: int = 10,
) -> list[Candidate]:
    """People on record who may be the one described, among those ``user`` may see.

    A plain comparison of names, date of birth and postcode for the desk at intake; linking across systems is another
    engine's work. Nothing is joined here: a person decides.
    """
    family, given = family_name.strip(), given_names.strip()
    place = normal_postcode(postcode) if postcode.strip() else ""
    asked = Q()
    if family:
        asked |= named("family_name", family) | Q(given_names__iexact=family)
    if given:
        asked |= named("given_names", given)
    if born:
        asked |= Q(born=born)
    if place:
        asked |= Q(postcode=place)
    if not asked:
        return []
    people = Person.objects.visible_to(user).filter(asked).order_by("-id")[:SEARCHED]
    ranked = [_weigh(person, family, given, born, place) for person in people]
    return sorted(ranked, key=lambda c: (-c.weight, -c.person.pk))[:limit]


def _weigh(person: Person, family: str, given: str, born: date | None, place: str) -> Candidate:
    reasons: list[tuple[int, str]] = []
    if born and person.born == born and person.born_precision == "day":
        reasons.append((4, "same date of birth"))
    elif born and person.born and person.born.year == born.year:
        reasons.append((1, "born in the same year"))
    if family and person.family_name.casefold() == family.casefold():
        reasons.append((3, "same family name"))
    elif family and person.family_name.casefold().startswith(family.casefold()):
        reasons.append((1, "family name begins the same"))
    if family and person.given_names.casefold() == family.casefold():
        reasons.append((1, "names may be swapped"))
    if given and person.given_names.casefold() == given.casefold():
        reasons.append((3, "same given names"))
    elif given and person.given_names.casefold().startswith(given.casefold()):
        reasons.append((1, "given names begin the same"))
    if place and person.postcode == place:
        reasons.append((2, "same postcode"))
    return Candidate(person, tuple(words for _, words in reasons), sum(weight for weight, _ in reasons))
