"""Referrals to children's social care: sending, chasing, and what came back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.values import not_in_future, required_text
from safelight.casework.cases.services import note
from safelight.casework.cases.writing import lock, write_entry
from safelight.casework.clocks.services import start_clock, stop_clock
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.people.boroughs import social_care_for
from safelight.casework.people.values import one_line, plain
from safelight.casework.safeguarding.content import QUESTIONS, compose
from safelight.casework.safeguarding.models import ChildAtRisk, SafeguardingReferral

DECISION = "csc_referral_decision"
CHASE = "csc_referral_no_reply_chase"
LONGEST_CONCERN = 10_000
SENT_TWICE = timedelta(minutes=10)
_REFUSAL = "You may not write to social care for this case."


@transaction.atomic
def send_safeguarding_referral(
    actor: Any,
    case: Any,
    *,
    children: Iterable[ChildAtRisk],
    authority: str,
    recipient: str,
    concern: str,
    sent_at: datetime | None = None,
    answers: Mapping[str, str] | None = None,
) -> SafeguardingReferral:
    """Record a referral to children's social care as it was sent: to whom, when, about which children, in what words.

    Stops the clock of each child to tell social care, and starts those of the decision and of chasing it.

    Args:
        authority: whose social care ("Camden children's social care").
        recipient: the person, desk or address that received it.
        answers: texts by the names of :data:`.content.QUESTIONS`.

    Raises:
        NotAllowed: the actor may not see the case, or the role may not.
        NotPossible: these words about these children went to this authority minutes ago.
        Invalid: no child, a child of another case or another authority, a text missing or too long, or a time that
            lies ahead or before a child was identified.
    """
    need(actor, "safeguarding.refer", case, what=_REFUSAL)
    case = lock(case)
    moment = not_in_future(sent_at, field="sent_at", what="The time of sending")
    keys = [child.pk for child in children]
    named = list(
        ChildAtRisk.objects.select_for_update(of=("self",))
        .filter(pk__in=keys, case=case)
        .select_related("person")
        .order_by("pk")
    )
    if not named or len(named) != len(set(keys)):
        raise Invalid("Choose at least one child of this case.", fix="Tick the children.", field="children")
    authority = _text(authority, "authority", "The authority", 60)
    # "Camden" and "Camden children's social care" are one recipient.
    authority = social_care_for(authority) or authority
    recipient = _text(recipient, "recipient", "The recipient", 160)
    what = "The concern"
    concern = plain(
        required_text(concern, field="concern", what=what), longest=LONGEST_CONCERN, field="concern", what=what
    )
    _right_authority(named, authority)
    said = {
        name: plain((answers or {}).get(name, ""), longest=4_000, field=name, what=QUESTIONS[name])
        for name in QUESTIONS
    }
    for child in named:
        if moment < child.identified_at:
            raise Invalid(
                f"{child.reference} was identified after that time.", fix="Check the time of sending.", field="sent_at"
            )
    _not_sent_twice(case, named, authority, recipient, concern, moment)
    content = compose(
        actor,
        case,
        children=named,
        authority=authority,
        recipient=recipient,
        concern=concern,
        answers=said,
        sent_at=moment,
    )
    sent = SafeguardingReferral.objects.create(
        case=case,
        authority=authority,
        recipient=recipient,
        concern=concern,
        content=content,
        sent_at=moment,
        sent_by=actor,
    )
    sent.children.set(named)
    references = [child.reference for child in named]
    record(
        actor,
        "safeguarding.referral_sent",
        sent,
        category=Category.DISCLOSURE,
        case=case,
        recipient=f"{authority}: {recipient}",
        payload={"children": references, "sent_at": moment, "concern": fingerprint(concern)},
    )
    for child in named:
        stop_clock(actor, "police_referral_to_csc", child, reason=f"Social care told: {sent.reference}", at=moment)
    for rule in (DECISION, CHASE):
        _start(actor, rule, sent, moment)
    note(
        actor,
        case,
        "safeguarding_referral",
        f"{sent.reference} to {authority} about {', '.join(references)}.",
        at=moment,
    )
    return sent


def _not_sent_twice(
    case: Any, children: list[ChildAtRisk], authority: str, recipient: str, concern: str, at: datetime
) -> None:
    """A page that is sent twice (a second click, a reload) is one referral. The case is locked: one of two is first."""
    same = SafeguardingReferral.objects.filter(case=case, authority=authority, recipient=recipient, concern=concern)
    keys = {child.pk for child in children}
    for one in same.filter(sent_at__range=(at - SENT_TWICE, at + SENT_TWICE)):
        if set(one.children.values_list("pk", flat=True)) == keys:
            raise NotPossible(f"This is recorded already, as {one.reference}.", fix="See the tab Children.")


def _text(value: str, field: str, what: str, longest: int) -> str:
    return one_line(required_text(value, field=field, what=what), longest=longest, field=field, what=what)


def _right_authority(children: list[ChildAtRisk], authority: str) -> None:
    """A referral to the wrong borough protects nobody: refuse it while it can still be corrected."""
    for child in children:
        theirs = social_care_for(child.borough)
        ours = social_care_for(authority.removesuffix(" children's social care"))
        if theirs and ours and theirs != ours:
            raise Invalid(
                f"{child.reference} lives in {child.borough}: its referral goes to {theirs}.",
                fix="Send one referral to each authority, or correct where the child lives.",
                field="authority",
            )


def _start(actor: Any, rule: str, sent: SafeguardingReferral, at: datetime) -> None:
    start_clock(
        actor,
        rule,
        sent,
        triggered_at=at,
        case=sent.case,
        unit=sent.case.unit,
        owner=sent.case.investigator if rule == CHASE else None,
        risk=sent.case.risk,
        borough=sent.authority.removesuffix(" children's social care"),
    )


@transaction.atomic
def record_chase(actor: Any, sr: SafeguardingReferral, *, text: str = "") -> SafeguardingReferral:
    """Record that social care was asked for its answer. The chasing clock starts afresh from now.

    Raises:
        NotAllowed: the actor may not see the case, or the role may not.
        NotPossible: social care has decided.
    """
    need(actor, "safeguarding.refer", sr, what=_REFUSAL)
    sr = _locked(sr)
    if sr.decision:
        raise NotPossible(f"Social care has decided on {sr.reference}.", fix="There is nothing to chase.")
    said = plain(text, longest=2_000, field="text", what="What was said")
    now = timezone.now()
    sr.chases, sr.chased_at = sr.chases + 1, now
    sr.save(update_fields=["chases", "chased_at"])
    payload = {"chases": sr.chases, **({"text": fingerprint(said)} if said else {})}
    record(actor, "safeguarding.chased", sr, case=sr.case, recipient=sr.authority, payload=payload)
    stop_clock(actor, CHASE, sr, reason=f"Chased, time {sr.chases}", at=now)
    _start(actor, CHASE, sr, now)
    note(actor, sr.case, "safeguarding_chased", f"{sr.reference}, time {sr.chases}. {said}".strip(), at=now)
    return sr


@transaction.atomic
def record_escalation(actor: Any, sr: SafeguardingReferral, *, to: str, text: str) -> SafeguardingReferral:
    """Record that social care's silence was taken to somebody above: a manager or director there. The chasing clock
    starts afresh; that of the decision runs on.

    Raises:
        NotAllowed: the actor may not see the case, or the role may not.
        NotPossible: social care has decided, or nobody has chased it yet.
        Invalid: nobody is named, or nothing was said.
    """
    need(actor, "safeguarding.refer", sr, what=_REFUSAL)
    sr = _locked(sr)
    if sr.decision:
        raise NotPossible(f"Social care has decided on {sr.reference}.", fix="There is nothing to escalate.")
    if not sr.chases:
        raise NotPossible(f"{sr.reference} was not chased yet.", fix="Chase it first; that takes a telephone call.")
    who = _text(to, "to", "To whom it was taken", 160)
    what = "What was asked for"
    said = plain(required_text(text, field="text", what=what), longest=2_000, field="text", what=what)
    now = timezone.now()
    sr.escalated_at, sr.escalated_to = now, who
    sr.save(update_fields=["escalated_at", "escalated_to"])
    payload = {"to": fingerprint(who), "text": fingerprint(said)}
    record(actor, "safeguarding.escalated", sr, case=sr.case, recipient=sr.authority, payload=payload)
    stop_clock(actor, CHASE, sr, reason="Escalated", at=now)
    _start(actor, CHASE, sr, now)
    note(actor, sr.case, "safeguarding_escalated", f"{sr.reference} to {who}: {said}", at=now)
    return sr


@transaction.atomic
def record_acknowledgement(
    actor: Any, sr: SafeguardingReferral, *, by: str, decision: str = "", at: datetime | None = None
) -> SafeguardingReferral:
    """Record that social care acknowledged a referral and, when they said so, what they decided.

    The clocks of the decision and of chasing it stop with the decision, not with the acknowledgement alone.

    Args:
        by: who at social care.
        decision: a value of SafeguardingReferral.Decision, or "" while none is known.

    Raises:
        NotAllowed: the actor may not see the case, or the role may not.
        NotPossible: nothing new (acknowledged already, and no decision given).
        Invalid: no name, an unknown decision, or a time that lies ahead or before the sending.
    """
    need(actor, "safeguarding.refer", sr, what=_REFUSAL)
    return write_answer(actor, sr, by=by, decision=decision, at=at)


def write_answer(
    actor: Any,
    sr: SafeguardingReferral,
    *,
    by: str,
    decision: str = "",
    at: datetime | None = None,
    partner: Any = None,
) -> SafeguardingReferral:
    """As :func:`record_acknowledgement`, for a service that has asked for its own right.

    Args:
        partner: the partner's own account where social care says so itself; None where police write it down.
    """
    sr = _locked(sr)
    who = _text(by, "by", "Who acknowledged it", 160)
    if decision and decision not in SafeguardingReferral.Decision.values:
        raise Invalid(f"{decision!r} is not a decision.", fix="Choose one of the list.", field="decision")
    moment = not_in_future(at, field="at", what="The time")
    if moment < sr.sent_at:
        raise Invalid("The time lies before the referral was sent.", fix="Check the time.", field="at")
    if sr.decision:
        raise NotPossible(
            f"The decision on {sr.reference} is recorded already.", fix="Write a note about what changed."
        )
    if sr.acknowledged_at and not decision:
        raise NotPossible(f"{sr.reference} is acknowledged already.", fix="Record the decision when it comes.")
    changed = []
    if sr.acknowledged_at is None:
        sr.acknowledged_at, sr.acknowledged_by, sr.acknowledged_partner = moment, who, partner
        changed += ["acknowledged_at", "acknowledged_by", "acknowledged_partner"]
    if decision:
        sr.decision, sr.decided_at, sr.decided_partner = decision, moment, partner
        changed += ["decision", "decided_at", "decided_partner"]
    sr.save(update_fields=changed)
    payload = {
        "at": moment,
        "by": fingerprint(who),
        "decision": decision or None,
        "said_by_partner": partner is not None,
    }
    verb = "safeguarding.decided" if decision else "safeguarding.acknowledged"
    record(actor, verb, sr, case=sr.case, category=Category.COLLECTION, payload=payload)
    self_said = ", in the partner portal" if partner is not None else ""
    if decision:
        words = str(SafeguardingReferral.Decision(decision).label)
        for rule in (DECISION, CHASE):
            # A chase may have restarted the clock after the time that is now recorded for the decision.
            stop_clock(actor, rule, sr, reason=f"Decided: {words}", at=_not_before(rule, sr, moment))
        write_entry(actor, sr.case, "safeguarding_decision", f"{sr.reference}: {words} ({who}{self_said}).", moment)
    else:
        write_entry(actor, sr.case, "safeguarding_acknowledged", f"{sr.reference}: {who}{self_said}.", moment)
    return sr


def _not_before(rule: str, sr: SafeguardingReferral, moment: datetime) -> datetime:
    from safelight.casework.clocks.models import Clock

    clock = Clock.objects.open().filter(rule=rule, subject_type=sr._meta.label_lower, subject_id=sr.pk).first()
    return max(moment, clock.triggered_at) if clock else moment


def _locked(sr: SafeguardingReferral) -> SafeguardingReferral:
    sr = SafeguardingReferral.objects.select_for_update(of=("self",)).select_related("case__unit").get(pk=sr.pk)
    lock(sr.case)
    return sr
