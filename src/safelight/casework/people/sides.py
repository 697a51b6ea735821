"""What of a linked record may be shown to whom: all of it, or only whom to ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from safelight.casework.people.models import Person, PossibleLink

RESTRICTED = "A restricted record matches. Ask {whom}."


@dataclass(frozen=True)
class Side:
    """One record of a link as ``user`` may see it. ``words`` stands in its place when it may not be seen."""

    person: Person | None = None
    source: str = ""
    key: str = ""
    words: str = ""

    @property
    def shown(self) -> bool:
        """Whether the record itself may be shown."""
        return not self.words


def sides(link: PossibleLink, user: Any) -> tuple[Side, Side]:
    """Both records of ``link``."""
    here = _side(link.person, user)
    if link.other is not None:
        return here, _side(link.other, user)
    if link.handling:
        return here, Side(words=RESTRICTED.format(whom=link.handling))
    return here, Side(source=link.source, key=link.key)


def _side(person: Person, user: Any) -> Side:
    if Person.objects.visible_to(user).filter(pk=person.pk).exists():
        return Side(person=person)
    return Side(words=ask_about(person))


def ask_about(person: Person) -> str:
    """The sentence in place of a person whom the reader may not see: whom to ask, and nothing else."""
    from safelight.casework.accounts.models import User
    from safelight.casework.cases.models import Case

    cases = Case.objects.filter(Q(people__person=person) | Q(children__person=person))
    if cases.filter(restricted=True).exists():
        names = User.objects.filter(
            case_access__case__in=cases.filter(restricted=True), role="supervisor", is_active=True
        )
        listed = sorted(set(names.values_list("name", flat=True)))
        return RESTRICTED.format(whom=" or ".join(listed) or "the supervisor on duty")
    units = sorted(set(cases.values_list("unit__name", flat=True)))
    return f"A record that you may not see matches. Ask a supervisor of {' or '.join(units) or 'the referral desk'}."
