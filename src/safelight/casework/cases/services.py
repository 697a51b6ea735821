"""Opening a case and working it: notes, risk, live contact, people, access. Closing comes from :mod:`.closing`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.standards import standards
from safelight.casework.base.values import not_in_future, required_text
from safelight.casework.cases.chronology import KINDS
from safelight.casework.cases.closing import close_case, reopen_case, settle
from safelight.casework.cases.live import begin as begin_live_contact
from safelight.casework.cases.live import record_live_contact
from safelight.casework.cases.models import Case, CaseAccess, CasePerson, ChronologyEntry
from safelight.casework.cases.writing import lock_open, write_entry
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.services import attach_to_case, start_clock, tighten_for_risk
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.referrals.models import Referral
from safelight.casework.safeguarding.models import ContactCheck

__all__ = [
    "add_person",
    "close_case",
    "grant_access",
    "note",
    "open_case",
    "record_live_contact",
    "record_risk",
    "reopen_case",
    "settle",
]

ROLE_IN_CASE = {
    "suspect": CasePerson.Role.SUSPECT,
    "child": CasePerson.Role.VICTIM,
    "reporter": CasePerson.Role.WITNESS,
    "other": CasePerson.Role.ASSOCIATE,
}


@transaction.atomic
def open_case(
    actor: Any,
    *,
    referral: Any,
    title: str,
    unit: Any,
    risk: str,
    risk_source: str,
    required_skill: str,
    borough: str = "",
    restricted: bool = False,
    access: Sequence[Any] = (),
    access_reason: str = "",
) -> Case:
    """Open a case from a referral whose contact check is answered, with its suspects, children and clocks.

    The clock allocation_to_investigator counts from when the referral was recorded, so that time at the desk is not
    lost from sight; supervisor_review counts from now.

    Args:
        risk: a level of standards/risk.toml; "" while nobody has assessed it (the shortest clocks then apply).
        risk_source: who assessed and with which tool and version, in words; needed when ``risk`` is given.
        required_skill: a skill of standards/skills.toml that investigators hold.
        access: for a restricted case, who may see it beside the opener; one of them a supervisor of the unit, since
            nobody else could allocate it.

    Raises:
        NotAllowed: the actor is neither at the desk nor a supervisor, or may not see the referral.
        NotPossible: the contact check is not answered, or the referral is closed or has a case already.
        Invalid: a value is missing or unknown.
    """
    need(actor, "cases.open", None, what="You may not open a case.")
    referral = Referral.objects.select_for_update(of=("self",)).get(pk=referral.pk)
    if not Referral.objects.visible_to(actor).filter(pk=referral.pk).exists():
        raise NotAllowed("You may not open a case from this referral.", fix="Ask the referral desk.")
    if referral.case_id is not None:
        raise NotPossible(f"{referral.reference} already has the case {referral.case.reference}.", fix="Work in it.")
    if referral.state == "closed":
        raise NotPossible(f"{referral.reference} was closed without a case.", fix="Record a new referral.")
    check = ContactCheck.objects.filter(referral=referral).first()
    if check is None:
        raise NotPossible(
            f"{referral.reference}: nobody has yet asked which children the suspect lives with, sees or works with.",
            fix="Answer the contact check first; 'not known yet' is an answer.",
        )
    _known(risk, required_skill)
    source = (
        required_text(risk_source, field="risk_source", what="Who assessed the risk, and with which tool")
        if risk
        else ""
    )
    people = _need_to_know(actor, unit, access) if restricted else []
    reason = required_text(access_reason or "Named when the case was opened.", field="access_reason", what="The reason")
    now = timezone.now()
    case = Case.objects.create(
        title=required_text(title, field="title", what="The title")[:160],
        risk=risk,
        risk_source=source[:120],
        risk_recorded_by=actor if risk else None,
        risk_recorded_at=now if risk else None,
        unit=unit,
        borough=borough or referral.borough,
        required_skill=required_skill,
        restricted=restricted,
        opened_at=now,
        opened_by=actor,
        last_action_at=now,
    )
    for user in people:
        CaseAccess.objects.create(case=case, user=user, granted_by=actor, granted_at=now, reason=reason)
    _carry_over(referral, case, now)
    attach_to_case(Clock.objects.filter(referral=referral), case)
    common = {"case": case, "unit": unit, "risk": risk, "borough": case.borough}
    start_clock(actor, "allocation_to_investigator", case, triggered_at=min(referral.recorded_at, now), **common)
    start_clock(actor, "supervisor_review", case, **common)
    record(
        actor,
        "case.opened",
        case,
        category=Category.COLLECTION,
        payload={
            "referral": referral.reference,
            "unit": unit.code,
            "risk": risk,
            "risk_source": fingerprint(source),
            "required_skill": required_skill,
            "restricted": restricted,
            "access": [user.pk for user in people],
        },
    )
    write_entry(actor, case, "case_opened", f"Opened from {referral.reference}.", now)
    if referral.live_contact:
        words = f"Reported as live contact in {referral.reference}."
        begin_live_contact(actor, case, words, min(referral.recorded_at, now), payload={"referral": referral.reference})
    return case


def _known(risk: str, required_skill: str) -> None:
    if risk and risk not in standards().risks:
        raise Invalid(f"There is no risk level {risk!r}.", fix="Choose one of the list.", field="risk")
    if required_skill not in standards().skills:
        raise Invalid(f"There is no skill {required_skill!r}.", fix="Choose one of the list.", field="required_skill")


def _need_to_know(actor: Any, unit: Any, access: Sequence[Any]) -> list[Any]:
    people = list({user.pk: user for user in (actor, *access)}.values())
    if not any(user.role == "supervisor" and user.unit_id == unit.pk for user in people):
        raise Invalid(
            f"A restricted case needs a supervisor of {unit} on its access list, or nobody could allocate it.",
            fix="Name one.",
            field="access",
        )
    if any(user.role == "administrator" for user in people):
        raise Invalid("An administrator sees no case.", fix="Take them off the list.", field="access")
    return people


def _carry_over(referral: Any, case: Case, now: datetime) -> None:
    for link in referral.people.all():
        CasePerson.objects.get_or_create(
            case=case, person_id=link.person_id, role=ROLE_IN_CASE[link.role], defaults={"added_at": now}
        )
    referral.children.filter(case=None).update(case=case)
    referral.case, referral.state = case, "case"
    referral.save(update_fields=["case", "state"])


@transaction.atomic
def note(actor: Any, case: Any, kind: str, text: str, *, at: datetime | None = None) -> ChronologyEntry:
    """Add to the chronology. Other services call it for what they have just done; None as actor is the system.

    Args:
        kind: a code of :data:`safelight.casework.cases.chronology.KINDS`; a meaningful one ends drift from its time on.
        at: when it happened (aware); None means now.

    Raises:
        NotAllowed: the actor does not see the case.
        Invalid: the kind is unknown, the text is missing, or the time lies in the future.
    """
    if actor is not None:
        need(actor, "cases.note", case, what="You may not write in the chronology of this case.")
    if kind not in KINDS:
        raise Invalid(f"There is no kind of chronology entry {kind!r}.", fix="Choose one of the list.", field="kind")
    moment = not_in_future(at, field="at", what="The time")
    entry = write_entry(actor, case, kind, required_text(text, field="text", what="What happened"), moment)
    _tell_victims(actor, case, entry)
    return entry


def _tell_victims(actor: Any, case: Any, entry: ChronologyEntry) -> None:
    from safelight.casework.victims.services import event_happened

    event_happened(actor, case, entry)


@transaction.atomic
def record_risk(actor: Any, case: Any, *, risk: str, source: str) -> Case:
    """Record the level that somebody assessed with the force's own tool. Questions and scores stay in that tool.

    A change re-bases nothing. Open clocks that depend on risk and would be due earlier under the new level become due
    earlier, counted from their own beginning; a clock never gets later by a change of risk. Clocks that start from now
    on follow the new level.

    Raises:
        NotAllowed, NotPossible (closed), Invalid (unknown level, no source).
    """
    need(actor, "cases.risk", case, what="You may not record the risk of this case.")
    case = lock_open(case)
    if risk not in standards().risks:
        raise Invalid(f"There is no risk level {risk!r}.", fix="Choose one of the list.", field="risk")
    words = required_text(source, field="source", what="Who assessed the risk, and with which tool")[:120]
    before, case.risk, case.risk_source = case.risk, risk, words
    case.risk_recorded_by, case.risk_recorded_at = actor, timezone.now()
    case.save(update_fields=["risk", "risk_source", "risk_recorded_by", "risk_recorded_at"])
    tightened = tighten_for_risk(actor, case)
    record(
        actor,
        "case.risk_recorded",
        case,
        payload={
            "from": before,
            "to": risk,
            "source": fingerprint(words),
            "clocks_earlier": [clock.pk for clock in tightened],
        },
    )
    levels = standards().risks
    was = levels[before].title.lower() if before in levels else "not assessed"
    text = f"{levels[risk].title} (was {was}). {words}."
    if tightened:
        text += f" {len(tightened)} open {'clock is' if len(tightened) == 1 else 'clocks are'} due earlier."
    write_entry(actor, case, "risk_recorded", text, timezone.now())
    return case


@transaction.atomic
def add_person(actor: Any, case: Any, *, person: Any, role: str) -> CasePerson:
    """Link a person to the case in a role. The same person in the same role is linked once."""
    need(actor, "cases.add_person", case, what="You may not add people to this case.")
    if role not in CasePerson.Role.values:
        raise Invalid(f"There is no role {role!r} in a case.", fix="Choose one of the list.", field="role")
    link, made = CasePerson.objects.get_or_create(
        case=case, person=person, role=role, defaults={"added_at": timezone.now()}
    )
    if made:
        record(
            actor, "case.person_added", case, category=Category.COMBINATION, payload={"person": person, "role": role}
        )
        write_entry(
            actor, case, "person_added", f"{person.reference} as {link.get_role_display().lower()}.", timezone.now()
        )
    return link


@transaction.atomic
def grant_access(actor: Any, case: Any, *, user: Any, reason: str) -> CaseAccess:
    """Put a person on the case's access list. Raises NotAllowed, NotPossible (on it already), Invalid."""
    need(actor, "cases.grant_access", case, what="You may not give access to this case.")
    if user.role == "administrator":
        raise Invalid("An administrator sees no case.", fix="Choose somebody else.", field="user")
    if case.access.filter(user=user).exists():
        raise NotPossible(f"{user} is on the access list already.")
    text = required_text(reason, field="reason", what="The reason")
    row = CaseAccess.objects.create(case=case, user=user, granted_by=actor, granted_at=timezone.now(), reason=text)
    record(actor, "case.access_granted", case, payload={"user": user.pk, "reason": fingerprint(text)})
    write_entry(actor, case, "access_granted", f"{user}: {text}", timezone.now())
    return row
