"""Platforms, their keys, and what is done when a key is misused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import must
from safelight.casework.base.values import required_text
from safelight.casework.exchange.models import ApiKey, Bank, Platform, Suspension
from safelight.casework.exchange.publishing import publish_keys
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
from safelight.exchange.keys import SCOPES, NewKey, new_key

LONGEST_KEY = timedelta(days=366)
LONGEST_OVERLAP = timedelta(days=30)
BY_HAND = "by_hand"


def _quotas(per_minute: int, per_day: int) -> None:
    if per_minute < 1:
        raise Invalid("A platform may ask at least once a minute.", field="per_minute")
    if per_day < per_minute:
        raise Invalid("The look-ups of a day are at least those of a minute.", field="per_day")


@transaction.atomic
def add_platform(
    actor: Any,
    *,
    name: str,
    contact: str,
    contact_email: str,
    agreement: str,
    per_minute: int,
    per_day: int,
    banks: Sequence[Bank] = (),
) -> Platform:
    """Take a platform into the exchange.

    Args:
        agreement: what it was agreed on, and the legal basis. banks: what it may look into.

    Raises:
        NotAllowed, Invalid.
    """
    must(actor, "exchange.manage", what="add a platform")
    title = required_text(name, field="name", what="The name")[:120]
    if Platform.objects.filter(name__iexact=title).exists():
        raise Invalid(f"{title} is a platform already.", field="name")
    _quotas(per_minute, per_day)
    platform = Platform.objects.create(
        name=title,
        contact=required_text(contact, field="contact", what="The person to speak to")[:160],
        contact_email=required_text(contact_email, field="contact_email", what="The e-mail address"),
        agreement=required_text(agreement, field="agreement", what="The agreement")[:300],
        per_minute=per_minute,
        per_day=per_day,
        added_at=timezone.now(),
        added_by=actor,
    )
    platform.banks.set(banks)
    record(actor, "platform.added", platform, payload=_terms(platform))
    publish_keys()
    return platform


@transaction.atomic
def change_platform(
    actor: Any,
    platform: Platform,
    *,
    contact: str,
    contact_email: str,
    agreement: str,
    per_minute: int,
    per_day: int,
    banks: Sequence[Bank] = (),
) -> Platform:
    """Change what was agreed. Keys that are out obey it within a second.

    Raises:
        NotAllowed, Invalid, NotPossible (the exchange with it has ended).
    """
    must(actor, "exchange.manage", what="change a platform")
    row = Platform.objects.select_for_update().get(pk=platform.pk)
    if row.closed_at is not None:
        raise NotPossible(f"The exchange with {row.name} has ended.")
    _quotas(per_minute, per_day)
    row.contact = required_text(contact, field="contact", what="The person to speak to")[:160]
    row.contact_email = required_text(contact_email, field="contact_email", what="The e-mail address")
    row.agreement = required_text(agreement, field="agreement", what="The agreement")[:300]
    row.per_minute, row.per_day = per_minute, per_day
    row.save(update_fields=["contact", "contact_email", "agreement", "per_minute", "per_day"])
    row.banks.set(banks)
    record(actor, "platform.changed", row, payload=_terms(row))
    publish_keys()
    return row


def _terms(platform: Platform) -> dict[str, Any]:
    return {
        "per_minute": platform.per_minute,
        "per_day": platform.per_day,
        "banks": [bank.reference for bank in platform.banks.all()],
        "agreement": fingerprint(platform.agreement),
    }


@transaction.atomic
def close_platform(actor: Any, platform: Platform, *, reason: str) -> Platform:
    """End the exchange with a platform: every key of it is refused within a second. Reports and notices stay.

    Raises:
        NotAllowed, Invalid (no reason), NotPossible (ended already).
    """
    must(actor, "exchange.manage", what="end the exchange with a platform")
    row = Platform.objects.select_for_update().get(pk=platform.pk)
    text = required_text(reason, field="reason", what="The reason")
    if row.closed_at is not None:
        raise NotPossible(f"The exchange with {row.name} has ended already.")
    row.closed_at = timezone.now()
    row.save(update_fields=["closed_at"])
    record(actor, "platform.closed", row, reason=text)
    publish_keys()
    return row


def _scopes(scopes: Sequence[str]) -> list[str]:
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        what = f"There is no scope {unknown[0]!r}." if unknown else "A key must be for something."
        raise Invalid(what, fix=f"Choose of {', '.join(SCOPES)}.", field="scopes")
    return [scope for scope in SCOPES if scope in scopes]


def _make(
    actor: Any, platform: Platform, *, label: str, scopes: Sequence[str], days: int, replaces: ApiKey | None = None
) -> tuple[ApiKey, NewKey]:
    if not 1 <= days <= LONGEST_KEY.days:
        raise Invalid(f"A key lasts 1 to {LONGEST_KEY.days} days, not {days}.", field="days")
    if platform.closed_at is not None:
        raise NotPossible(f"The exchange with {platform.name} has ended.")
    now, made = timezone.now(), new_key()
    key = ApiKey.objects.create(
        platform=platform,
        label=required_text(label, field="label", what="What the key is called")[:80],
        public_id=made.public_id,
        secret_sha256=made.secret_sha256,
        scopes=_scopes(scopes),
        issued_at=now,
        issued_by=actor,
        expires_at=now + timedelta(days=days),
        replaces=replaces,
    )
    return key, made


@transaction.atomic
def issue_key(actor: Any, platform: Platform, *, label: str, scopes: Sequence[str], days: int) -> tuple[ApiKey, str]:
    """Make a key. What the platform sends stands in the answer and nowhere else: it is shown once.

    Returns:
        The key's row and the key itself.

    Raises:
        NotAllowed, Invalid, NotPossible.
    """
    must(actor, "exchange.manage", what="issue a key")
    key, made = _make(actor, platform, label=label, scopes=scopes, days=days)
    record(
        actor,
        "key.issued",
        key,
        recipient=platform.name,
        payload={"platform": platform, "scopes": key.scopes, "expires_at": key.expires_at, "public_id": key.public_id},
    )
    publish_keys()
    return key, made.token


@transaction.atomic
def rotate_key(actor: Any, key: ApiKey, *, days: int, overlap_days: int) -> tuple[ApiKey, str]:
    """Replace a key by a new one of the same scopes; the old one works on for ``overlap_days`` so that nothing stops.

    Raises:
        NotAllowed, Invalid, NotPossible (the key is revoked, expired, suspended, or was replaced before).
    """
    must(actor, "exchange.manage", what="replace a key")
    old = ApiKey.objects.select_for_update(of=("self",)).select_related("platform").get(pk=key.pk)
    if old.state() != "active":
        raise NotPossible(f"{old.reference} is {old.state()}.", fix="Issue a new key instead.")
    if ApiKey.objects.filter(replaces=old).exists():
        raise NotPossible(f"{old.reference} was replaced already.")
    if not 0 <= overlap_days <= LONGEST_OVERLAP.days:
        raise Invalid(f"The old key works on for 0 to {LONGEST_OVERLAP.days} days.", field="overlap_days")
    made, new = _make(actor, old.platform, label=old.label, scopes=old.scopes, days=days, replaces=old)
    until = timezone.now() + timedelta(days=overlap_days)
    if overlap_days == 0:
        old.revoked_at = timezone.now()
    elif until < old.expires_at:
        old.expires_at = until
    old.save(update_fields=["revoked_at", "expires_at"])
    record(
        actor,
        "key.rotated",
        old,
        recipient=old.platform.name,
        payload={"new": made.reference, "old_until": old.revoked_at or old.expires_at, "expires_at": made.expires_at},
    )
    publish_keys()
    return made, new.token


@transaction.atomic
def revoke_key(actor: Any, key: ApiKey, *, reason: str) -> ApiKey:
    """End a key for good. Raises NotAllowed, Invalid (no reason), NotPossible (revoked already)."""
    must(actor, "exchange.stop_key", what="revoke a key")
    row = ApiKey.objects.select_for_update().get(pk=key.pk)
    text = required_text(reason, field="reason", what="The reason")
    if row.revoked_at is not None:
        raise NotPossible(f"{row.reference} is revoked already.")
    row.revoked_at = timezone.now()
    row.save(update_fields=["revoked_at"])
    record(actor, "key.revoked", row, reason=text)
    publish_keys()
    return row


@transaction.atomic
def suspend_key(
    actor: Any, key: ApiKey, *, note: str = "", rule: str = BY_HAND, counted: int = 0, at: datetime | None = None
) -> Suspension | None:
    """Stop a key until a person lifts it. The collector calls it, with no actor, for what the watch saw.

    Returns:
        The suspension, or None when the key is suspended already.

    Raises:
        NotAllowed, Invalid (a person gave no reason).
    """
    text = note
    if rule == BY_HAND:
        must(actor, "exchange.stop_key", what="suspend a key")
        text = required_text(note, field="note", what="The reason")
    row = ApiKey.objects.select_for_update().get(pk=key.pk)
    if row.suspensions.filter(lifted_at=None).exists():
        return None
    made = Suspension.objects.create(
        key=row, at=at or timezone.now(), rule=rule[:20], counted=max(0, counted), note=text[:300]
    )
    record(
        actor,
        "key.suspended",
        row,
        category=Category.ALTERATION if actor else Category.SYSTEM,
        payload={"rule": rule, "counted": counted, "platform": row.platform.reference},
        reason=text,
    )
    publish_keys()
    return made


@transaction.atomic
def lift_suspension(actor: Any, key: ApiKey, *, reason: str) -> ApiKey:
    """Let a key work again. What the watch counted before does not count again.

    Raises:
        NotAllowed, Invalid (no reason), NotPossible (not suspended).
    """
    must(actor, "exchange.manage", what="lift a suspension")
    row = ApiKey.objects.select_for_update().get(pk=key.pk)
    open_one = row.suspensions.filter(lifted_at=None).first()
    text = required_text(reason, field="reason", what="The reason")
    if open_one is None:
        raise NotPossible(f"{row.reference} is not suspended.")
    now = timezone.now()
    open_one.lifted_at, open_one.lifted_by, open_one.lifted_because = now, actor, text[:300]
    open_one.save(update_fields=["lifted_at", "lifted_by", "lifted_because"])
    row.cleared_at = now
    row.save(update_fields=["cleared_at"])
    record(actor, "key.lifted", row, payload={"rule": open_one.rule}, reason=text)
    publish_keys()
    return row
