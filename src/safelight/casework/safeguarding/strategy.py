"""Strategy discussions: called, held with a quorum, circulated; covert ones known to their list alone.

What an ordinary discussion starts and says stands in its case: clocks, chronology, ledger. A covert one keeps all three
out of the case, and beside itself, where only its need-to-know list finds them (ADR 0027): social care can be told of a
child in time, and the investigation stays covert.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.values import not_in_future, required_text
from safelight.casework.cases.services import note
from safelight.casework.cases.writing import lock
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.services import attach_to_case, start_clock, stop_clock
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.people.values import one_line, plain
from safelight.casework.safeguarding.models import (
    ChildAtRisk,
    Section47,
    StrategyAccess,
    StrategyAttendance,
    StrategyDiscussion,
)

HOLD, CIRCULATE = "strategy_discussion", "strategy_record_circulated"
SEEN, CONFERENCE = "s47_child_seen", "icpc"
QUORUM = {
    StrategyAttendance.Agency.POLICE: "police",
    StrategyAttendance.Agency.SOCIAL_CARE: "a manager of children's social care",
    StrategyAttendance.Agency.HEALTH: "health",
}
"""The least that makes a strategy discussion: social-work manager, police, health (local practice standards)."""
ENQUIRIES = (StrategyDiscussion.Outcome.JOINT, StrategyDiscussion.Outcome.SINGLE)
_REFUSAL = "You may not act in strategy discussions of this case."
State = StrategyDiscussion.State


def missing_from_quorum(agencies: Iterable[str]) -> list[str]:
    """Who is missing for a quorum, in words; empty when nobody is."""
    present = set(agencies)
    return [words for agency, words in QUORUM.items() if agency not in present]


def say(actor: Any, discussion: StrategyDiscussion, kind: str, words: str, *, at: datetime | None = None) -> None:
    """A line in the case's chronology; of a covert discussion, none."""
    if not discussion.covert:
        note(actor, discussion.case, kind, words, at=at)


def begin(
    actor: Any, rule: str, discussion: StrategyDiscussion, subject: Any, at: datetime, borough: str = ""
) -> Clock:
    """Start a clock that a strategy discussion sets off. That of a covert one hangs on no case and no unit, and its
    owner is who called it: nobody else's page or notice shows it."""
    case = discussion.case
    if discussion.covert:
        return start_clock(actor, rule, subject, triggered_at=at, owner=discussion.called_by, borough=borough)
    return start_clock(
        actor, rule, subject, triggered_at=at, case=case, unit=case.unit, risk=case.risk, borough=borough
    )


def end(actor: Any, rule: str, subject: Any, reason: str, at: datetime) -> None:
    """Stop a clock if it is open, not before it began."""
    mine = Clock.objects.open().filter(rule=rule, subject_type=subject._meta.label_lower, subject_id=subject.pk).first()
    if mine is not None:
        stop_clock(actor, rule, subject, reason=reason, at=max(at, mine.triggered_at))


def _locked(actor: Any, discussion: StrategyDiscussion) -> StrategyDiscussion:
    need(actor, "safeguarding.strategy", discussion, what=_REFUSAL)
    row = StrategyDiscussion.objects.select_for_update(of=("self",)).get(pk=discussion.pk)
    row.case = lock(row.case)
    return row


@transaction.atomic
def call_strategy(
    actor: Any,
    case: Any,
    *,
    children: Iterable[ChildAtRisk],
    why: str,
    suspected_at: datetime | None = None,
    planned_for: datetime | None = None,
    covert: bool = False,
    covert_reason: str = "",
    need_to_know: Sequence[Any] = (),
) -> StrategyDiscussion:
    """Call a strategy discussion: there is reasonable cause to suspect that the children suffer significant harm. The
    clock to hold it starts at ``suspected_at``.

    Args:
        planned_for: when it is to be held; may lie ahead.
        covert: known only to the caller and ``need_to_know``; ``covert_reason`` says why.

    Raises:
        NotAllowed: the actor may not see the case, or the role may not.
        Invalid: no child of this case, no reason, or a time that lies ahead.
    """
    need(actor, "safeguarding.refer", case, what=_REFUSAL)
    case = lock(case)
    keys = {child.pk for child in children}
    named = list(ChildAtRisk.objects.filter(pk__in=keys, case=case).order_by("pk"))
    if not named or len(named) != len(keys):
        raise Invalid("Choose at least one child of this case.", fix="Tick the children.", field="children")
    what = "Why significant harm is suspected"
    words = plain(required_text(why, field="why", what=what), longest=4_000, field="why", what=what)
    reason = plain(covert_reason, longest=2_000, field="covert_reason", what="Why it is covert")
    if covert:
        required_text(reason, field="covert_reason", what="Why it must stay covert")
    moment = not_in_future(suspected_at, field="suspected_at", what="The time")
    row = StrategyDiscussion.objects.create(
        case=case, covert=covert, why=words, suspected_at=moment, planned_for=planned_for, called_by=actor,
        called_at=timezone.now(),
    )  # fmt: skip
    row.children.set(named)
    if covert:
        for user in {one.pk: one for one in (actor, *need_to_know)}.values():
            StrategyAccess.objects.create(
                discussion=row, user=user, granted_by=actor, granted_at=timezone.now(), reason=reason
            )
    references = [child.reference for child in named]
    listed = sorted(row.access.values_list("user_id", flat=True))
    payload = {"children": references, "covert": covert, "listed": listed, "why": fingerprint(words)}
    record(actor, "strategy.called", row, category=Category.COLLECTION, payload=payload)
    begin(actor, HOLD, row, row, moment, named[0].borough)
    say(actor, row, "strategy_called", f"{row.reference} about {', '.join(references)}.", at=moment)
    return row


@transaction.atomic
def record_strategy(
    actor: Any,
    discussion: StrategyDiscussion,
    *,
    attendees: Sequence[tuple[str, str]],
    decisions: str,
    outcome: str,
    held_at: datetime | None = None,
    no_quorum_reason: str = "",
) -> StrategyDiscussion:
    """Record who took part and what was decided.

    With a quorum the clock to hold it stops, that of circulating the record starts, and an outcome of section 47 opens
    an enquiry for each child, with its clocks: the child is seen, the conference (15 working days from this, the last,
    discussion). Without a quorum the meeting is kept with its reason, nothing is decided, and the clock runs on.

    Args:
        attendees: (agency, name) pairs; agencies of StrategyAttendance.Agency.

    Raises:
        NotAllowed; NotPossible (called off, or held already: call another one); Invalid (nobody, an unknown agency, no
        quorum and no reason, no decisions, or a time ahead or before harm was suspected).
    """
    row = _locked(actor, discussion)
    if row.state in (State.HELD, State.CALLED_OFF):
        raise NotPossible(f"{row.reference} is {row.get_state_display().lower()}.", fix="Call another one.")
    people = _attendees(attendees)
    moment = not_in_future(held_at, field="held_at", what="The time of the discussion")
    if moment < row.suspected_at:
        raise Invalid("It was held before harm was suspected.", fix="Check the time.", field="held_at")
    what = "What was decided"
    said = plain(required_text(decisions, field="decisions", what=what), longest=8_000, field="decisions", what=what)
    missing = missing_from_quorum(agency for agency, _ in people)
    StrategyAttendance.objects.bulk_create(
        StrategyAttendance(discussion=row, at=moment, agency=agency, name=name) for agency, name in people
    )
    if missing:
        return _without_quorum(actor, row, missing, no_quorum_reason, said, moment)
    if outcome not in StrategyDiscussion.Outcome.values:
        raise Invalid("The outcome is not said.", fix="Choose one of the list.", field="outcome")
    row.state, row.held_at, row.outcome, row.decisions = State.HELD, moment, outcome, said
    row.save(update_fields=["state", "held_at", "outcome", "decisions"])
    payload: dict[str, Any] = {
        "held_at": moment,
        "outcome": outcome,
        "agencies": sorted({agency for agency, _ in people}),
    }
    record(
        actor, "strategy.held", row, category=Category.COLLECTION, payload=payload | {"decisions": fingerprint(said)}
    )
    end(actor, HOLD, row, "Held with a quorum", moment)
    begin(actor, CIRCULATE, row, row, moment)
    words = str(StrategyDiscussion.Outcome(outcome).label)
    say(actor, row, "strategy_discussion", f"{row.reference}: {words}. {said}"[:4_000], at=moment)
    if outcome in ENQUIRIES:
        for child in row.children.order_by("pk"):
            _enquire(actor, row, child, moment)
    return row


def _attendees(given: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    people = []
    for agency, name in given:
        who = one_line(name, longest=160, field="attendees", what="A name")
        if not who:
            continue
        if agency not in StrategyAttendance.Agency.values:
            raise Invalid(f"{agency!r} is no agency.", fix="Choose one of the list.", field="attendees")
        people.append((agency, who))
    if not people:
        raise Invalid("Who took part is missing.", fix="Name each person with their agency.", field="attendees")
    return people


def _without_quorum(
    actor: Any, row: StrategyDiscussion, missing: list[str], reason: str, said: str, at: datetime
) -> StrategyDiscussion:
    names = " and ".join(missing)
    why = plain(reason, longest=2_000, field="no_quorum_reason", what="Why it went on")
    if not why:
        raise Invalid(
            f"There is no quorum: {names} did not take part.",
            fix="Say why it went on without them; the clock to hold it runs on. Or hold it with them.",
            field="no_quorum_reason",
        )
    row.state, row.no_quorum_reason = State.NO_QUORUM, f"{why} (without {names})"
    row.decisions = said
    row.save(update_fields=["state", "no_quorum_reason", "decisions"])
    payload = {"at": at, "missing": missing, "reason": fingerprint(why)}
    record(actor, "strategy.no_quorum", row, category=Category.COLLECTION, payload=payload)
    say(actor, row, "note", f"{row.reference} met without {names}: no quorum, the clock runs on. {why}", at=at)
    return row


def _enquire(actor: Any, row: StrategyDiscussion, child: ChildAtRisk, at: datetime) -> None:
    """Open the enquiry about a child, or count its conference afresh from this last discussion."""
    joint = row.outcome == StrategyDiscussion.Outcome.JOINT
    # An ordinary enquiry and a covert one stand beside each other: neither may show that the other exists.
    mine = Section47.objects.select_for_update(of=("self",)).select_related("discussion", "child")
    open_one = mine.filter(child=child, ended_at=None, discussion__covert=row.covert).first()
    if open_one is None:
        open_one = Section47.objects.create(child=child, discussion=row, joint=joint, decided_at=at)
        payload = {"child": child.reference, "joint": joint, "at": at, "discussion": row.reference}
        record(actor, "enquiry47.decided", open_one, category=Category.COLLECTION, payload=payload)
        begin(actor, SEEN, row, open_one, at, child.borough)
    else:
        # The 15 working days count from the last discussion.
        open_one.joint = open_one.joint or joint
        open_one.save(update_fields=["joint"])
        end(actor, CONFERENCE, open_one, f"Counted afresh from {row.reference}", at)
        payload = {"step": "conference counted afresh", "discussion": row.reference}
        record(actor, "enquiry47.changed", open_one, payload=payload)
    begin(actor, CONFERENCE, row, open_one, at, child.borough)
    say(actor, row, "enquiry_47", f"{open_one.reference} about {child.reference}.", at=at)


@transaction.atomic
def circulate(actor: Any, discussion: StrategyDiscussion, *, at: datetime | None = None) -> StrategyDiscussion:
    """Record that the record of the discussion reached those who took part. Raises NotAllowed, NotPossible, Invalid."""
    row = _locked(actor, discussion)
    if row.state != State.HELD or row.circulated_at is not None:
        raise NotPossible("There is no record waiting to be circulated.", fix="Record the discussion first.")
    moment = not_in_future(at, field="at", what="The time")
    assert row.held_at is not None
    if moment < row.held_at:
        raise Invalid("The time lies before the discussion.", fix="Check the time.", field="at")
    row.circulated_at = moment
    row.save(update_fields=["circulated_at"])
    record(actor, "strategy.circulated", row, category=Category.DISCLOSURE, recipient="Those who took part")
    end(actor, CIRCULATE, row, "Circulated", moment)
    return row


@transaction.atomic
def call_off(actor: Any, discussion: StrategyDiscussion, *, reason: str) -> StrategyDiscussion:
    """A supervisor's reason why a discussion that was called is not held. Raises NotAllowed, NotPossible, Invalid."""
    row = _locked(actor, discussion)
    if actor.role != "supervisor":
        raise NotAllowed("Only a supervisor calls off a strategy discussion.", fix="Ask a supervisor of the unit.")
    if row.state not in (State.CALLED, State.NO_QUORUM):
        raise NotPossible(f"{row.reference} is {row.get_state_display().lower()}.", fix="There is nothing to call off.")
    what = "Why it is not held"
    why = plain(required_text(reason, field="reason", what=what), longest=2_000, field="reason", what=what)
    row.state, row.called_off_reason = State.CALLED_OFF, why
    row.save(update_fields=["state", "called_off_reason"])
    record(actor, "strategy.called_off", row, payload={"reason": fingerprint(why)})
    end(actor, HOLD, row, f"Called off: {why}"[:300], timezone.now())
    say(actor, row, "strategy_called_off", f"{row.reference}: {why}")
    return row


@transaction.atomic
def let_know(actor: Any, discussion: StrategyDiscussion, *, user: Any, reason: str) -> StrategyAccess:
    """Put somebody on the need-to-know list of a covert discussion. Only who is on it may.

    Raises:
        NotAllowed; NotPossible (not covert, or on it already); Invalid (no reason, or somebody without an account).
    """
    row = _locked(actor, discussion)
    if not row.covert:
        raise NotPossible(f"{row.reference} is not covert.", fix="Whoever sees the case sees it.")
    what = "Why they need to know"
    why = plain(required_text(reason, field="reason", what=what), longest=2_000, field="reason", what=what)
    if user is None or not user.is_active:
        raise Invalid("Nobody is named.", fix="Choose a person.", field="user")
    if row.access.filter(user=user, removed_at=None).exists():
        raise NotPossible(f"{user} is on the list already.")
    listed = StrategyAccess.objects.create(
        discussion=row, user=user, granted_by=actor, granted_at=timezone.now(), reason=why
    )
    record(actor, "strategy.listed", row, payload={"user": user.pk, "reason": fingerprint(why)})
    return listed


@transaction.atomic
def no_longer_know(actor: Any, discussion: StrategyDiscussion, *, user: Any) -> StrategyAccess:
    """Take somebody off the list; the row stays, with its time. Never the last one: nobody could reach it any more."""
    row = _locked(actor, discussion)
    live = list(row.access.select_for_update().filter(removed_at=None))
    listed = next((one for one in live if user is not None and one.user_id == user.pk), None)
    if listed is None:
        raise NotPossible("They are not on the list.")
    if len(live) == 1:
        raise NotPossible("This is the last person on the list.", fix="Put somebody else on it first.")
    listed.removed_at = timezone.now()
    listed.save(update_fields=["removed_at"])
    record(actor, "strategy.unlisted", row, payload={"user": listed.user_id})
    if listed.user_id == row.called_by_id:
        left = next(one for one in live if one.pk != listed.pk)
        Clock.objects.open().filter(_of(row)).update(owner=left.user)
    return listed


def _of(row: StrategyDiscussion) -> Any:
    from django.db.models import Q

    kinds = (row._meta.label_lower, Section47._meta.label_lower)
    return Q(subject_type=kinds[0], subject_id=row.pk) | Q(
        subject_type=kinds[1], subject_id__in=row.enquiries.values("pk")
    )


@transaction.atomic
def end_secrecy(actor: Any, discussion: StrategyDiscussion, *, reason: str) -> StrategyDiscussion:
    """A covert discussion becomes an ordinary one: its clocks join the case, which is told that it took place."""
    row = _locked(actor, discussion)
    if not row.covert:
        raise NotPossible(f"{row.reference} is not covert.")
    what = "Why it need not stay covert"
    why = plain(required_text(reason, field="reason", what=what), longest=2_000, field="reason", what=what)
    row.covert, row.opened_at = False, timezone.now()
    row.save(update_fields=["covert", "opened_at"])
    record(actor, "strategy.opened", row, payload={"reason": fingerprint(why)})
    attach_to_case(Clock.objects.filter(_of(row)), row.case)
    words = f"{row.reference} was covert until now. {row.get_state_display()}. {why}"
    say(actor, row, "strategy_discussion" if row.held_at else "strategy_called", words, at=row.held_at)
    return row
