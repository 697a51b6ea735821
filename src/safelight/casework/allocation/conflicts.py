"""Conflicts of interest: declared by the officer or the supervisor; they close the case to the officer.

That there is one is said to whoever wants to give the officer the case; what it is about, to supervisors of the
officer's unit alone. The officer meets a case in which a declared person stands as one that does not exist: a refusal
that gave its reason would tell them that the person is in it (decision 0028).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from safelight.casework.allocation.models import Conflict
from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.values import required_text
from safelight.casework.ledger.services import fingerprint, record


def _about(cases: Iterable[int]) -> Q:
    """Live conflicts with these cases, or with anybody who stands in them."""
    from safelight.casework.cases.models import CasePerson
    from safelight.casework.safeguarding.models import ChildAtRisk

    keys = list(cases)
    return (
        Q(case__in=keys)
        | Q(person__in=CasePerson.objects.filter(case__in=keys).values("person"))
        | Q(person__in=ChildAtRisk.objects.filter(case__in=keys).values("person"))
    )


def conflicted_with(case: Any) -> set[int]:
    """Who (keys of people) has a conflict with the case or with somebody in it. One query."""
    return set(Conflict.objects.live().filter(_about([case.pk])).values_list("user", flat=True))


def conflicts_of(cases: Iterable[Any]) -> set[tuple[int, int]]:
    """(case, person) for every conflict among these cases. Three queries, whatever their number."""
    from safelight.casework.cases.models import CasePerson
    from safelight.casework.safeguarding.models import ChildAtRisk

    keys = [case.pk for case in cases]
    rows = list(Conflict.objects.live().filter(_about(keys)).values_list("user", "case", "person"))
    found = {(case, user) for user, case, _ in rows if case is not None and case in set(keys)}
    people = {person for _, _, person in rows if person is not None}
    if people:
        standing = [
            *CasePerson.objects.filter(case__in=keys, person__in=people).values_list("case", "person"),
            *ChildAtRisk.objects.filter(case__in=keys, person__in=people).values_list("case", "person"),
        ]
        for user, _, person in rows:
            found |= {(case, user) for case, who in standing if who == person}
    return found


@transaction.atomic
def declare(actor: Any, *, user: Any, reference: str, reason: str) -> Conflict:
    """Declare that ``user`` has a conflict of interest with a case (C-...) or a person (P-...).

    From now on nobody gives them such a case and they do not see it; one that they have shows at once for handing over.

    Raises:
        NotAllowed: neither oneself nor a supervisor of the person's unit.
        Invalid: no such record that the actor may see, or no reason.
        NotPossible: declared already.
    """
    need(actor, "allocation.declare", user, what="You may declare a conflict of your own, or of people of your unit.")
    text = required_text(reason, field="reason", what="The reason")
    what = _named(actor, reference)
    from safelight.casework.allocation.telling import tell_of_conflict

    kind = "case" if what._meta.model_name == "case" else "person"
    if Conflict.objects.live().filter(user=user, **{kind: what}).exists():
        raise NotPossible(f"This conflict of {user} is declared already.", fix="There is nothing to do.")
    row = Conflict.objects.create(user=user, reason=text, declared_by=actor, declared_at=timezone.now(), **{kind: what})
    record(
        actor,
        "conflict.declared",
        what,
        payload={"user": user.pk, "conflict": row.pk, "with": kind, "reason": fingerprint(text)},
    )
    if _holds_one(user):
        tell_of_conflict(user, row.pk)
    return row


def _named(actor: Any, reference: str) -> Any:
    from safelight.casework.cases.models import Case
    from safelight.casework.people.models import Person

    typed = (reference or "").strip().upper()
    prefix, _, digits = typed.partition("-")
    model: Any = {"C": Case, "P": Person}.get(prefix)
    found = None
    if model is not None and digits.isascii() and digits.isdigit() and len(digits) <= 15:
        found = model.objects.visible_to(actor).filter(pk=int(digits)).first()
    if found is None:
        raise Invalid(
            "There is no case or person with this reference that you may see.",
            fix="Write it as C-000123 or P-000123; your supervisor can declare what you do not see.",
            field="reference",
        )
    return found


@transaction.atomic
def end_conflict(actor: Any, row: Conflict, *, reason: str) -> Conflict:
    """End a conflict, with the reason why there is none any more. Not by the person themselves.

    Raises:
        NotAllowed, NotPossible (ended already), Invalid (no reason).
    """
    if actor.pk == row.user_id:
        raise NotAllowed("Nobody ends a conflict of their own.", fix="Ask a supervisor of your unit.")
    need(actor, "allocation.declare", row.user, what="You may end conflicts of people of your unit only.")
    found = Conflict.objects.select_for_update(of=("self",)).get(pk=row.pk)
    if found.ended_at is not None:
        raise NotPossible("This conflict has ended already.", fix="There is nothing to do.")
    text = required_text(reason, field="reason", what="The reason")
    found.ended_at, found.ended_by, found.end_reason = timezone.now(), actor, text[:300]
    found.save(update_fields=["ended_at", "ended_by", "end_reason"])
    record(
        actor,
        "conflict.ended",
        found.case or found.person,
        payload={"user": found.user_id, "conflict": found.pk, "reason": fingerprint(text)},
    )
    return found


def _holds_one(user: Any) -> bool:
    """Whether the person has a live case that a conflict of theirs closes to them."""
    from safelight.casework.cases.models import Case

    mine = Case.objects.filter(allocations__investigator=user, allocations__ended_at=None)
    return mine.filter(Conflict.objects.cases_closed_to(user)).exists()
