"""The list of people whom the reader may see, newest first, by filters in the address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from django.db.models import Exists, OuterRef, QuerySet

from safelight.casework.cases.models import Case, CasePerson
from safelight.casework.people.models import Person
from safelight.casework.safeguarding.models import ChildAtRisk
from safelight.casework.search.sealed import named, named_among

NEWEST = 2_000
PARTS = {**dict(CasePerson.Role.choices), "child": "Child at risk"}


@dataclass(frozen=True)
class PeopleFilters:
    """What is asked for: the beginning of the family name, the borough, the part played in a case."""

    name: str = ""
    borough: str = ""
    part: str = ""

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> Self:
        """The filters in an address; a part that there is not is dropped."""
        part = asked.get("part", "")
        return cls(
            asked.get("name", "").strip()[:60], asked.get("borough", "").strip()[:60], part if part in PARTS else ""
        )

    def chosen(self) -> dict[str, str]:
        return {name: value for name, value in asdict(self).items() if value}


@dataclass(frozen=True)
class PeoplePage:
    """One page of people; ``before`` is the key of the next, or None."""

    rows: list[Person]
    before: int | None = None


def people_page(user: Any, filters: PeopleFilters, *, before: int | None = None, size: int = 50) -> PeoplePage:
    """The people whom ``user`` may see under ``filters``, newest first. One query; with a name, three more at most."""
    found, cases = Person.objects.visible_to(user), Case.objects.visible_to(user)
    if filters.borough:
        found = found.filter(borough__iexact=filters.borough)
    if filters.part == "child":
        found = found.filter(Exists(ChildAtRisk.objects.visible_to(user).filter(person=OuterRef("pk"))))
    elif filters.part:
        found = found.filter(
            Exists(CasePerson.objects.filter(cases.holding("case"), person=OuterRef("pk"), role=filters.part))
        )
    if before is not None:
        found = found.filter(pk__lt=before)
    found = found.order_by("-pk")
    rows = _bearing(found, filters.name, before, size + 1) if filters.name else list(found[: size + 1])
    return PeoplePage(rows[:size], rows[size - 1].pk if len(rows) > size else None)


def _bearing(found: QuerySet[Person], name: str, before: int | None, most: int) -> list[Person]:
    """The first of ``found`` whose family name begins with ``name``.

    Among the newest people first: of a beginning that thousands share, the database would gather every bearer to show
    the newest fifty.
    """
    newest = Person.objects.order_by("-pk") if before is None else Person.objects.filter(pk__lt=before).order_by("-pk")
    keys = list(newest.values_list("pk", flat=True)[:NEWEST])
    rows = list(found.filter(pk__anyof=named_among("family_name", name, keys))[:most])
    if len(rows) == most or len(keys) < NEWEST:
        return rows
    return list(found.filter(named("family_name", name))[:most])
