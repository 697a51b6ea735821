"""What the pages of possible links read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from safelight.casework.people.models import Person, PossibleLink
from safelight.casework.people.network import household
from safelight.casework.people.sides import Side, sides
from safelight.casework.referrals.models import Referral
from safelight.casework.safeguarding.models import ChildAtRisk

PAGE = 50


@dataclass(frozen=True)
class Candidate:
    """A possible link as one reader sees it, with the reasons in words; of a record they may not see, none but whom to
    ask."""

    link: PossibleLink
    person: Side
    other: Side
    reasons: tuple[str, ...]

    @property
    def sure(self) -> str:
        """How sure the model is, in words that do not promise more than it knows."""
        if self.link.kind == PossibleLink.Kind.ADDRESS:
            return "Address only"
        if self.link.evidence.get("guard"):
            return "Take care"
        return "Very likely" if self.link.weight >= 10 else "Likely" if self.link.weight >= 5 else "Possible"


def candidate(link: PossibleLink, user: Any) -> Candidate:
    """``link`` as ``user`` may see it."""
    here, there = sides(link, user)
    if not (here.shown and there.shown):
        return Candidate(link, here, there, ())
    guard = link.evidence.get("guard")
    reasons = [*link.evidence.get("reasons", ()), *([f"But: {guard}"] if guard else [])]
    return Candidate(link, here, there, (*_context(there, user), *reasons))


def _context(side: Side, user: Any) -> list[str]:
    """What the desk must know first: children at the address, and earlier referrals."""
    if side.person is None:
        return []
    found = []
    earlier = Referral.objects.visible_to(user).filter(people__person=side.person).distinct().order_by("-pk")[:3]
    if earlier:
        found.append("Earlier referrals: " + ", ".join(one.reference for one in earlier))
    home = household(side.person, Person.objects.visible_to(user))
    if ChildAtRisk.objects.visible_to(user).filter(person__in=[*home, side.person]).exists():
        found.append("A child at risk is recorded in this household")
    return found


def waiting(user: Any, *, state: str = "waiting") -> list[Candidate]:
    """The queue: the surest first, at most :data:`PAGE`."""
    rows = PossibleLink.objects.visible_to(user).filter(state=state).select_related("person", "other", "decided_by")
    return [candidate(one, user) for one in rows.order_by("-weight", "pk")[:PAGE]]


def of_referral(referral: Any, user: Any) -> list[Candidate]:
    """What was found about the people of one referral, what needs a decision first."""
    rows = (
        PossibleLink.objects.visible_to(user)
        .filter(person__referral_links__referral=referral)
        .exclude(state="different")
    )
    rows = rows.select_related("person", "other", "decided_by").distinct()
    return [candidate(one, user) for one in rows.order_by("-weight", "pk")[:PAGE]]
