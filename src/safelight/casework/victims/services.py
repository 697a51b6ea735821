"""Keeping victims informed: an update falls due for each victim with each event, and is logged when it was given."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.values import not_in_future
from safelight.casework.cases.models import Case, CasePerson, ChronologyEntry
from safelight.casework.cases.writing import lock, write_entry
from safelight.casework.clocks.services import mark_not_applicable, start_clock, stop_clock
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.casework.victims.models import EVENTS, Victim, VictimUpdate

CLOCKS = {"enhanced": "vcop_update_enhanced", "standard": "vcop_update_standard"}
_REFUSAL = "You may not keep the victims of this case informed: whoever has the case does, or a supervisor of the unit."


def _entitled(entitlement: str, reason: str) -> None:
    if entitlement not in Victim.Entitlement.values:
        raise Invalid(f"There is no entitlement {entitlement!r}.", fix="Choose one.", field="entitlement")
    if reason not in Victim.Reason.values:
        raise Invalid(f"There is no reason {reason!r}.", fix="Choose one of the list.", field="reason")
    if (entitlement == "standard") != (reason == "none"):
        raise Invalid(
            "Standard rights and a reason for enhanced ones do not go together."
            if entitlement == "standard"
            else "Enhanced rights need one of their reasons.",
            fix="Choose the reason that fits.",
            field="reason",
        )


@transaction.atomic
def record_victim(actor: Any, case: Any, *, person: Any, entitlement: str, reason: str) -> Victim:
    """Record a victim of the case with what the Victims' Code entitles them to, and why.

    Of the latest event so far an update falls due from now on: a victim who was found late is told where things stand.

    Raises:
        NotAllowed, NotPossible (recorded already), Invalid (entitlement and reason do not fit).
    """
    need(actor, "victims.work", case, what=_REFUSAL)
    case = lock(case)
    _entitled(entitlement, reason)
    if Victim.objects.filter(case=case, person=person).exists():
        raise NotPossible(f"{person.reference} is recorded as a victim of this case already.")
    victim = _record(actor, case, person, entitlement, reason)
    latest = case.chronology.filter(kind__in=EVENTS).order_by("-at", "-id").first()
    if latest is not None:
        _owe(actor, victim, latest, timezone.now())
    return victim


def _record(actor: Any, case: Case, person: Any, entitlement: str, reason: str) -> Victim:
    now = timezone.now()
    victim = Victim.objects.create(
        case=case, person=person, entitlement=entitlement, reason=reason, recorded_by=actor, recorded_at=now
    )
    CasePerson.objects.get_or_create(case=case, person=person, role=CasePerson.Role.VICTIM, defaults={"added_at": now})
    record(
        actor,
        "victim.recorded",
        victim,
        category=Category.COLLECTION,
        payload={"person": person, "entitlement": entitlement, "reason": reason},
    )
    return victim


@transaction.atomic
def event_happened(actor: Any, case: Any, entry: ChronologyEntry) -> list[VictimUpdate]:
    """An update falls due for every victim of the case. Called with each entry of the chronology; of most kinds a
    victim is not told. Who is in the case as a victim and was not assessed yet counts as entitled to the quick one."""
    if entry.kind not in EVENTS:
        return []
    known = set(Victim.objects.filter(case=case).values_list("person_id", flat=True))
    for link in CasePerson.objects.filter(case=case, role=CasePerson.Role.VICTIM).exclude(person__in=known):
        _record(actor, case, link.person, "enhanced", "not_assessed")
    return [_owe(actor, victim, entry, entry.at) for victim in Victim.objects.filter(case=case).select_related("case")]


def _owe(actor: Any, victim: Victim, entry: ChronologyEntry, from_when: datetime) -> VictimUpdate:
    now = timezone.now()
    row, made = VictimUpdate.objects.get_or_create(
        victim=victim,
        event=entry,
        defaults={
            "case": victim.case,
            "kind": entry.kind,
            "happened_at": entry.at,
            "not_wished_at": now if victim.no_updates_since else None,
        },
    )
    if not made:
        return row
    payload = {"victim": victim.reference, "event": entry.kind, "at": entry.at}
    if victim.no_updates_since:
        record(actor, "victim.update_not_wished", row, payload=payload)
        return row
    record(actor, "victim.update_due", row, payload=payload)
    _start(actor, row, victim.entitlement, from_when)
    return row


def _start(actor: Any, row: VictimUpdate, entitlement: str, moment: datetime) -> None:
    case = row.case
    start_clock(actor, CLOCKS[entitlement], row, triggered_at=moment, case=case, unit=case.unit, borough=case.borough)


def _stop(actor: Any, row: VictimUpdate, reason: str, at: datetime | None = None) -> datetime | None:
    """End the clock of an update; returns what it ran from."""
    for rule in CLOCKS.values():
        clock = stop_clock(actor, rule, row, reason=reason, at=at)
        if clock is not None:
            return clock.triggered_at
    return None


def _fallen_away(actor: Any, row: VictimUpdate, reason: str) -> datetime | None:
    """End the clock of an update that is not owed any more in this way; late stays late."""
    for rule in CLOCKS.values():
        clock = mark_not_applicable(actor, rule, row, reason=reason)
        if clock is not None:
            return clock.triggered_at
    return None


def _open(victim: Victim) -> Any:
    rows = VictimUpdate.objects.select_for_update(of=("self",)).select_related("case__unit")
    return rows.filter(victim=victim, told_at=None, not_wished_at=None)


@transaction.atomic
def set_entitlement(actor: Any, victim: Victim, *, entitlement: str, reason: str) -> Victim:
    """Set what a victim is entitled to, with the reason. Updates that are due become due earlier, never later.

    Raises: NotAllowed, Invalid (entitlement and reason do not fit).
    """
    need(actor, "victims.work", victim.case, what=_REFUSAL)
    _entitled(entitlement, reason)
    victim = Victim.objects.select_for_update(of=("self",)).select_related("case__unit").get(pk=victim.pk)
    before = victim.entitlement
    victim.entitlement, victim.reason = entitlement, reason
    victim.save(update_fields=["entitlement", "reason"])
    record(
        actor,
        "victim.entitlement_set",
        victim,
        payload={"from": before, "to": entitlement, "reason": reason},
    )
    if before == "standard" and entitlement == "enhanced":
        for row in _open(victim):
            begun = _fallen_away(actor, row, "Now enhanced: due earlier")
            if begun is not None:
                _start(actor, row, "enhanced", begun)
    return victim


@transaction.atomic
def record_wish(actor: Any, victim: Victim, *, updates: bool, since: date | None = None) -> Victim:
    """Record that a victim does not wish to be told (from a day on), or wishes it again (for events from now on).

    Raises:
        NotAllowed, NotPossible (it is recorded so already), Invalid (the day lies ahead).
    """
    need(actor, "victims.work", victim.case, what=_REFUSAL)
    victim = Victim.objects.select_for_update(of=("self",)).select_related("case__unit").get(pk=victim.pk)
    if updates == (victim.no_updates_since is None):
        raise NotPossible("It is recorded so already.", fix="There is nothing to change.")
    day = since or timezone.localdate()
    if day > timezone.localdate():
        raise Invalid("The day lies in the future.", fix="Give the day on which they said so.", field="since")
    victim.no_updates_since = None if updates else day
    victim.no_updates_recorded_by = None if updates else actor
    victim.save(update_fields=["no_updates_since", "no_updates_recorded_by"])
    record(actor, "victim.wish_recorded", victim, payload={"updates": updates, "since": day.isoformat()})
    if not updates:
        for row in _open(victim):
            row.not_wished_at = timezone.now()
            row.save(update_fields=["not_wished_at"])
            _fallen_away(actor, row, f"The victim does not wish updates (said on {day:%d %b %Y})")
            record(actor, "victim.update_not_wished", row, payload={"victim": victim.reference, "event": row.kind})
    return victim


@transaction.atomic
def record_told(actor: Any, update: VictimUpdate, *, how: str, at: datetime | None = None) -> VictimUpdate:
    """Record that the victim was told of the event: how, when, and by whom (the acting user).

    Raises:
        NotAllowed, NotPossible (told already, or not wished), Invalid (no way of telling; the time lies before the
        event or ahead).
    """
    need(actor, "victims.work", update.case, what=_REFUSAL)
    lock(update.case)
    row = VictimUpdate.objects.select_for_update(of=("self",)).select_related("case__unit", "victim").get(pk=update.pk)
    if row.told_at is not None:
        raise NotPossible(f"{row.reference}: the victim was told on {timezone.localtime(row.told_at):%d %b %Y %H:%M}.")
    if row.not_wished_at is not None:
        raise NotPossible(f"{row.reference}: the victim does not wish updates.", fix="Record first that they do.")
    if how not in VictimUpdate.How.values:
        raise Invalid(f"There is no way {how!r}.", fix="Choose one of the list.", field="how")
    moment = not_in_future(at, field="at", what="The time")
    if moment < row.happened_at:
        raise Invalid(
            f"It happened on {timezone.localtime(row.happened_at):%d %b %Y %H:%M}: nobody was told before.",
            fix="Check the time.",
            field="at",
        )
    row.told_at, row.how, row.told_by = moment, how, actor
    row.save(update_fields=["told_at", "how", "told_by"])
    clock_from = row.case.clocks.filter(
        subject_type=row._meta.label_lower, subject_id=row.pk, stopped_at=None, not_applicable=False
    ).values_list("triggered_at", flat=True)
    begun = clock_from.first()
    _stop(actor, row, f"Told: {row.get_how_display().lower()}", at=max(moment, begun) if begun else None)
    record(
        actor,
        "victim.told",
        row,
        category=Category.DISCLOSURE,
        payload={"victim": row.victim.reference, "event": row.kind, "how": how, "at": moment},
        recipient=row.victim.reference,
    )
    text = f"{row.victim.reference} was told of: {row.title.lower()}. {row.get_how_display()}."
    write_entry(actor, row.case, "victim_contact", text, moment)
    return row
