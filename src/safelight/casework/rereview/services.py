"""Setting a re-review up, giving its cases to people who did not work on them, answering, closing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.values import required_text
from safelight.casework.cases.closing import reopen
from safelight.casework.cases.models import Case
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.notices.services import tell
from safelight.casework.people.values import one_line, plain
from safelight.casework.rereview.choosing import Criteria, chosen_cases, worked_on
from safelight.casework.rereview.models import Entry, ReReview
from safelight.casework.rereview.questions import ANSWERS, NO, QUESTIONS, YES
from safelight.casework.rereview.rules import REVIEWERS
from safelight.casework.safeguarding.models import ChildAtRisk
from safelight.casework.safeguarding.services import add_child

Action = Entry.Action


@transaction.atomic
def freeze(actor: Any, *, title: str, why: str, reason: str, criteria: Criteria, due_on: date) -> ReReview:
    """Freeze a set of cases with its reason: from now on nothing is added and nothing taken away.

    Args:
        due_on: by when every case is answered.

    Raises:
        NotAllowed: the actor is neither supervisor nor chief officer.
        Invalid: no title, reason or case; a day that has passed; see :func:`.choosing.chosen_cases`.
    """
    need(actor, "rereview.lead", what="Only supervisors and chief officers set a re-review up.")
    if why not in ReReview.Why.values:
        raise Invalid(f"There is no reason {why!r}.", fix="Choose one of the list.", field="why")
    words = plain(required_text(reason, field="reason", what="The reason"), longest=4_000, field="reason",
                  what="The reason")  # fmt: skip
    name = one_line(required_text(title, field="title", what="The title"), longest=160, field="title",
                    what="The title")  # fmt: skip
    if due_on <= timezone.localdate():
        raise Invalid("The day by which it is done has to lie ahead.", fix="Choose a later day.", field="due_on")
    cases = chosen_cases(actor, criteria)
    references = [case.reference for case in cases]
    digest = sha256("\n".join(references).encode()).hexdigest()
    unit = criteria.unit or (actor.unit if actor.role == "supervisor" else None)
    row = ReReview.objects.create(
        title=name, why=why, reason=words, criteria=criteria.as_data(), unit=unit, due_on=due_on,
        made_at=timezone.now(), made_by=actor, digest=digest,
    )  # fmt: skip
    Entry.objects.bulk_create(
        [Entry(rereview=row, number=number, case=case) for number, case in enumerate(cases, 1)], batch_size=500
    )
    record(
        actor, "rereview.frozen", row, category=Category.CONSULTATION,
        payload={"why": why, "criteria": row.criteria, "cases": len(cases), "references": references,
                 "sha256": digest, "due_on": due_on.isoformat(), "reason": fingerprint(words)},
    )  # fmt: skip
    return row


def _open(actor: Any, row: ReReview, what: str) -> ReReview:
    need(actor, "rereview.lead", row, what=what)
    locked: ReReview = ReReview.objects.select_for_update(of=("self",)).get(pk=row.pk)
    if locked.closed_at is not None:
        raise NotPossible(f"{locked.reference} is closed.")
    return locked


@transaction.atomic
def assign(actor: Any, row: ReReview, *, reviewers: Sequence[Any]) -> dict[str, int]:
    """Spread the cases that nobody has among ``reviewers``, evenly, and never to somebody who worked on the case.

    A restricted case is given only to somebody who may see it anyway; the others are opened to their reviewer to read
    for as long as the re-review is open.

    Returns:
        ``given`` and ``left``: how many were given, and for how many none of them will do.

    Raises:
        NotAllowed, NotPossible (closed), Invalid (nobody, or somebody who is no investigator or supervisor).
    """
    locked = _open(actor, row, "You may not give out the cases of this re-review.")
    people = list({one.pk: one for one in reviewers}.values())
    if not people:
        raise Invalid("Nobody is chosen.", fix="Choose at least one person.", field="reviewers")
    for one in people:
        if one.role not in REVIEWERS or not one.is_active:
            raise Invalid(f"{one} is no active investigator or supervisor.", fix="Choose others.", field="reviewers")
    entries = list(locked.entries.filter(reviewer=None, answered_at=None).select_related("case").order_by("number"))
    conflicts = worked_on([entry.case for entry in entries])
    load = {one.pk: locked.entries.filter(reviewer=one, answered_at=None).count() for one in people}
    seen = {
        one.pk: set(Case.objects.visible_to(one).filter(
            pk__in=[entry.case_id for entry in entries if entry.case.restricted]).values_list("pk", flat=True))
        for one in people
    }  # fmt: skip
    given: dict[int, list[str]] = {one.pk: [] for one in people}
    for entry in entries:
        fit = [
            one for one in people
            if one.pk not in conflicts[entry.case_id] and (not entry.case.restricted or entry.case_id in seen[one.pk])
        ]  # fmt: skip
        if not fit:
            continue
        best = min(fit, key=lambda one: (load[one.pk], one.pk))
        entry.reviewer, entry.assigned_at = best, timezone.now()
        load[best.pk] += 1
        given[best.pk].append(entry.case.reference)
    done = [entry for entry in entries if entry.reviewer_id]
    Entry.objects.bulk_update(done, ["reviewer", "assigned_at"], batch_size=500)
    for one in people:
        if given[one.pk]:
            record(actor, "rereview.assigned", locked, payload={"reviewer": one.pk, "cases": given[one.pk]})
            tell([one], "rereview.given", locked)
    return {"given": len(done), "left": len(entries) - len(done)}


@transaction.atomic
def move(actor: Any, entry: Entry, *, reviewer: Any) -> Entry:
    """Give one case to another reviewer. Raises as :func:`assign`; Invalid for somebody who worked on it."""
    _open(actor, entry.rereview, "You may not move cases of this re-review.")
    entry = Entry.objects.select_for_update(of=("self",)).select_related("case", "rereview").get(pk=entry.pk)
    if entry.answered_at is not None:
        raise NotPossible(f"{entry.case.reference} is answered already.")
    if reviewer.role not in REVIEWERS or not reviewer.is_active:
        raise Invalid(f"{reviewer} is no active investigator or supervisor.", fix="Choose others.", field="reviewer")
    if reviewer.pk in worked_on([entry.case])[entry.case_id]:
        raise Invalid(
            f"{reviewer} worked on {entry.case.reference}.", fix="Choose somebody who did not.", field="reviewer"
        )
    if entry.case.restricted and not Case.objects.visible_to(reviewer).filter(pk=entry.case_id).exists():
        raise Invalid(f"{reviewer} may not see {entry.case.reference}.", fix="Choose others.", field="reviewer")
    entry.reviewer, entry.assigned_at = reviewer, timezone.now()
    entry.save(update_fields=["reviewer", "assigned_at"])
    payload = {"reviewer": reviewer.pk, "cases": [entry.case.reference]}
    record(actor, "rereview.assigned", entry.rereview, payload=payload)
    tell([reviewer], "rereview.given", entry.rereview)
    return entry


def _mine(actor: Any, entry: Entry) -> Entry:
    need(actor, "rereview.answer", entry, what="This case of the re-review is not given to you.")
    entry = Entry.objects.select_for_update(of=("self",)).select_related("case__unit", "rereview").get(pk=entry.pk)
    if entry.rereview.closed_at is not None:
        raise NotPossible(f"{entry.rereview.reference} is closed.")
    if actor.pk in worked_on([entry.case])[entry.case_id] - _by_rereview(entry, actor):
        raise NotAllowed("You worked on this case.", fix="Ask for another reviewer.")
    return entry


def _by_rereview(entry: Entry, actor: Any) -> set[int]:
    """A reviewer who reopened the case or referred a child in it did so as its reviewer."""
    acted = entry.case.chronology.filter(actor=actor)
    before = acted.filter(recorded_at__lt=entry.assigned_at).exists() if entry.assigned_at else acted.exists()
    had = entry.case.allocations.filter(investigator=actor).exists()
    return set() if before or had or entry.case.opened_by_id == actor.pk else {actor.pk}


@transaction.atomic
def refer_child_now(actor: Any, entry: Entry, **child: Any) -> ChildAtRisk:
    """A child at risk was missed: the case is opened again and the child recorded; the clock to tell social care starts
    at once. This waits for no answer to the other questions and for no supervisor.

    Args:
        child: the arguments of safeguarding.services.add_child without the case.

    Raises:
        NotAllowed: the case is not given to the actor.
        NotPossible, Invalid: as add_child.
    """
    entry = _mine(actor, entry)
    reason = f"{entry.rereview.reference}: a child at risk was missed."
    if entry.case.status == Case.Status.CLOSED:
        entry.case = reopen(actor, entry.case, reason=reason)
    made = add_child(actor, case=entry.case, **child)
    record(actor, "rereview.child_referred", entry.rereview, category=Category.COLLECTION, case=entry.case,
           payload={"child": made, "case": entry.case})  # fmt: skip
    _tell_unit(entry, "rereview.child")
    return made


@transaction.atomic
def answer(actor: Any, entry: Entry, *, answers: Mapping[str, str], text: str, action: str) -> Entry:
    """Answer every question about one case. A missed child or referral is never left without action.

    Args:
        answers: yes, no or unknown for each field of :data:`.questions.QUESTIONS`.
        text: what was looked at, and what was found or not.
        action: none, child (a child was referred with :func:`refer_child_now`), reopen, or ask (the supervisors of the
            unit are told).

    Raises:
        NotAllowed: the case is not given to the actor, or the actor worked on it.
        NotPossible: answered already, or the re-review is closed.
        Invalid: an answer or the text is missing, or the action does not fit the answers.
    """
    entry = _mine(actor, entry)
    if entry.answered_at is not None:
        raise NotPossible(f"{entry.case.reference} is answered already.")
    known = dict(ANSWERS)
    for one in QUESTIONS:
        if answers.get(one.field) not in known:
            raise Invalid("The question is not answered.", fix="Choose an answer.", field=one.field)
    words = plain(required_text(text, field="text", what="What was found"), longest=8_000, field="text",
                  what="What was found")  # fmt: skip
    if action not in Action.values:
        raise Invalid(f"There is no action {action!r}.", fix="Choose one of the list.", field="action")
    harm = [one.field for one in QUESTIONS if answers[one.field] == YES]
    referred = ChildAtRisk.objects.filter(
        case=entry.case, recorded_by=actor, recorded_at__gte=entry.assigned_at or timezone.now()
    ).exists()
    if answers["child_missed"] == YES and not referred:
        raise Invalid(
            "A child was missed, and none is referred.", fix="Refer the child now; it comes before this form.",
            field="child_missed",
        )  # fmt: skip
    if action == Action.CHILD and not referred:
        raise Invalid("No child was referred by you.", fix="Refer the child first.", field="action")
    if harm and action == Action.NONE:
        raise Invalid("Something was missed, and nothing follows.", fix="Choose what follows.", field="action")
    if action == Action.REOPEN and entry.case.status == Case.Status.CLOSED:
        entry.case = reopen(actor, entry.case, reason=f"{entry.rereview.reference}: {words}")
    for one in QUESTIONS:
        setattr(entry, one.field, answers[one.field])
    entry.text, entry.action, entry.answered_at, entry.answered_by = words, action, timezone.now(), actor
    entry.save()
    record(
        actor, "rereview.answered", entry.rereview, case=entry.case, category=Category.CONSULTATION,
        payload={"case": entry.case, "harm": harm, "action": action, "text": fingerprint(words),
                 "unknown": [one.field for one in QUESTIONS if answers[one.field] not in (YES, NO)]},
    )  # fmt: skip
    if action in (Action.ASK, Action.REOPEN):
        _tell_unit(entry, "rereview.act")
    return entry


def _tell_unit(entry: Entry, kind: str) -> None:
    from safelight.casework.accounts.models import User

    people = User.objects.filter(role="supervisor", is_active=True, unit=entry.case.unit_id)
    tell(people, kind, entry.case, case=entry.case)


@transaction.atomic
def close(actor: Any, row: ReReview, *, conclusion: str) -> ReReview:
    """Close a re-review of which every case is answered.

    Raises:
        NotAllowed, NotPossible (closed already, or a case is not answered), Invalid (no conclusion).
    """
    locked = _open(actor, row, "You may not close this re-review.")
    words = plain(required_text(conclusion, field="conclusion", what="The conclusion"), longest=8_000,
                  field="conclusion", what="The conclusion")  # fmt: skip
    waiting = locked.entries.filter(answered_at=None).count()
    if waiting:
        raise NotPossible(
            f"{waiting} {'case is' if waiting == 1 else 'cases are'} not answered yet.",
            fix="Every case needs an answer.",
        )
    locked.closed_at, locked.closed_by, locked.conclusion = timezone.now(), actor, words
    locked.save(update_fields=["closed_at", "closed_by", "conclusion"])
    record(actor, "rereview.closed", locked, payload={"conclusion": fingerprint(words)})
    return locked
