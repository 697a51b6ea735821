"""The plan's actions: added at a review or by the investigator, done or cancelled with words."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from safelight.casework.accounts.models import User
from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.values import required_text
from safelight.casework.cases.models import Case
from safelight.casework.cases.writing import lock_open, write_entry
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.supervision.models import PlanAction, Review


def owners_for(case: Any) -> list[User]:
    """Who may be given an action: who has the case, and who of its unit, or named on it, works cases and sees it."""
    roles = ["investigator", "supervisor", "examiner"]
    near = Q(unit=case.unit_id) | Q(allocations__case=case, allocations__ended_at=None) | Q(case_access__case=case)
    if case.restricted:
        near = Q(allocations__case=case, allocations__ended_at=None) | Q(case_access__case=case)
    from safelight.casework.allocation.conflicts import conflicted_with

    people = (
        User.objects.filter(near, is_active=True, role__in=roles)
        .exclude(pk__in=conflicted_with(case))
        .select_related("unit")
    )
    has = case.investigator
    return sorted(people.distinct(), key=lambda user: (user != has, user.name))


@transaction.atomic
def add_action(
    actor: Any, case: Any, *, text: str, owner: Any, due_on: date | None, review: Review | None = None
) -> PlanAction:
    """Add an action to the plan of an open case.

    Raises:
        NotAllowed: neither the investigator of the case nor a supervisor of the unit.
        NotPossible: the case is closed.
        Invalid: no words, no owner who sees the case, no day, or a day that has passed.
    """
    need(actor, "supervision.plan", case, what="You may not change the plan of this case.")
    case = lock_open(case)
    words = required_text(text, field="text", what="The action")
    if due_on is None or due_on < timezone.localdate():
        raise Invalid("The action is due in the past.", fix="Give today or a later day.", field="due_on")
    if owner is None or owner.pk not in {person.pk for person in owners_for(case)}:
        raise Invalid(f"{owner or 'Nobody'} cannot be given this action.", fix="Choose one of the list.", field="owner")
    row = PlanAction.objects.create(
        case=case, review=review, text=words, owner=owner, due_on=due_on, added_by=actor, added_at=timezone.now()
    )
    record(
        actor,
        "plan.action_added",
        case,
        payload={"action": row.pk, "owner": owner.pk, "due_on": str(due_on), "text": fingerprint(words)},
    )
    day = f"{due_on.day} {due_on:%b %Y}"
    write_entry(actor, case, "plan_action_added", f"{words} By {owner}, by {day}.", timezone.now())
    return row


@transaction.atomic
def end_action(actor: Any, action: PlanAction, *, state: str, note: str) -> PlanAction:
    """End an action: "done" with what was done, or "cancelled" with the reason. Done counts as a meaningful action of
    the case.

    Raises:
        NotAllowed: neither its owner, nor the investigator, nor a supervisor of the unit.
        NotPossible: it has ended already, or the case is closed.
        Invalid: unknown state, or no words.
    """
    case = Case.objects.visible_to(actor).filter(pk=action.case_id).first()
    if case is None or not (action.owner_id == actor.pk or actor.has_perm("supervision.plan", case)):
        raise NotAllowed("You may not end this action.", fix="Ask its owner or a supervisor of the unit.")
    case = lock_open(case)
    found = PlanAction.objects.select_for_update(of=("self",)).get(pk=action.pk)
    if found.state != PlanAction.State.OPEN:
        raise NotPossible(f"This action is {found.get_state_display().lower()} already.", fix="Add another.")
    if state not in (PlanAction.State.DONE, PlanAction.State.CANCELLED):
        raise Invalid(f"An action does not end {state!r}.", fix="Choose done or cancelled.", field="state")
    what = "What was done" if state == PlanAction.State.DONE else "The reason"
    words = required_text(note, field="note", what=what)
    found.state, found.ended_at, found.ended_by, found.end_note = state, timezone.now(), actor, words
    found.save(update_fields=["state", "ended_at", "ended_by", "end_note"])
    record(
        actor,
        f"plan.action_{state}",
        case,
        payload={"action": found.pk, "late": found.due_on < timezone.localdate(), "note": fingerprint(words)},
    )
    write_entry(actor, case, f"plan_action_{state}", f"{found.text[:300]}: {words}", timezone.now())
    return found
