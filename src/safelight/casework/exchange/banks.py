"""Banks: sharing a hash set with platforms, and entries of the force's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import must
from safelight.casework.base.values import required_text
from safelight.casework.exchange.models import ApiKey, Bank, BankContent, BankSignal, WithdrawnRow
from safelight.casework.exchange.publishing import added, changed, publish_changes, publish_keys
from safelight.casework.hashsets.models import HashSetRecord
from safelight.casework.ledger.services import fingerprint, record
from safelight.exchange.query import Query

#: What a bank may be called, as programs write it (HMA's rule); at most so long as its column.
NAME = re.compile(r"[A-Z][A-Z0-9_]{0,59}")


def _right(actor: Any, key: ApiKey | None, what: str) -> None:
    """A person with the right, or a key whose scope the API has checked."""
    if key is None:
        must(actor, "exchange.manage", what=what)


def _with(key: ApiKey | None) -> dict[str, Any]:
    return {"with_key": key.reference, "platform": key.platform.reference} if key else {}


@transaction.atomic
def make_bank(
    actor: Any, *, name: str, purpose: str, hash_set: HashSetRecord | None = None, with_key: ApiKey | None = None
) -> Bank:
    """Make a bank: of a hash set that is held, or an empty one of the force's own.

    Args:
        name: capital letters, digits and underscores, as programs write it (HMA's rule).

    Raises:
        NotAllowed, Invalid, NotPossible (the hash set is retired, or no list of known material).
    """
    _right(actor, with_key, "make a bank")
    title = required_text(name, field="name", what="The name", longest=60).upper()
    if not NAME.fullmatch(title):
        raise Invalid(
            "A bank's name has capital letters, digits and underscores.", fix="Such as UK_KNOWN.", field="name"
        )
    if Bank.objects.filter(name=title).exists():
        raise Invalid(f"There is a bank {title} already.", field="name")
    if hash_set is not None and hash_set.kind != "known":
        raise NotPossible(f"{hash_set.name} lists no known material.", fix="Platforms are told of known material only.")
    if hash_set is not None and hash_set.retired_at is not None:
        raise NotPossible(f"{hash_set.name} is retired.", fix="Choose the version in use.")
    bank = Bank.objects.create(
        name=title,
        kind=Bank.Kind.HASH_SET if hash_set else Bank.Kind.OWN,
        hash_set=hash_set,
        purpose=required_text(purpose, field="purpose", what="What it is for")[:300],
        made_at=timezone.now(),
        made_by=actor,
    )
    record(
        actor, "bank.made", bank, payload={"name": title, "kind": bank.kind, "hash_set": hash_set, **_with(with_key)}
    )
    publish_keys()
    return bank


@transaction.atomic
def change_bank(
    actor: Any,
    bank: Bank,
    *,
    enabled: bool,
    purpose: str = "",
    hash_set: HashSetRecord | None = None,
    with_key: ApiKey | None = None,
) -> Bank:
    """Switch a bank on or off, or let it follow another version of its hash set.

    Raises:
        NotAllowed, Invalid.
    """
    _right(actor, with_key, "change a bank")
    row = Bank.objects.select_for_update(of=("self",)).get(pk=bank.pk)
    if hash_set is not None and (row.kind != Bank.Kind.HASH_SET or hash_set.retired_at or hash_set.kind != "known"):
        raise Invalid("This bank cannot follow that hash set.", fix="Choose a known list in use.", field="hash_set")
    if hash_set is not None and hash_set.pk != row.hash_set_id:
        row.hash_set = hash_set
        # Row numbers are those of one version only.
        withdrawn = row.withdrawn_rows.filter(restored_at=None)
        if withdrawn.exists():
            raise NotPossible(
                f"{withdrawn.count()} rows of {row.name} are withdrawn, and their numbers are of the present version.",
                fix="Restore them, change the version, and withdraw them again where the new version still has them.",
            )
    row.enabled = enabled
    row.purpose = purpose.strip()[:300] or row.purpose
    row.save(update_fields=["enabled", "purpose", "hash_set"])
    record(actor, "bank.changed", row, payload={"enabled": enabled, "hash_set": row.hash_set, **_with(with_key)})
    publish_keys()
    return row


@transaction.atomic
def add_content(
    actor: Any, bank: Bank, *, signals: Mapping[str, str], note: str = "", with_key: ApiKey | None = None
) -> BankContent:
    """Add an entry by its hashes; platforms find it within a second. The same hashes again are the same entry.

    Args:
        signals: kind of hash to hexadecimal text.

    Raises:
        NotAllowed, Invalid (no hash), NotPossible (a bank of a hash set), BadQuery (a malformed hash).
    """
    _right(actor, with_key, "add to a bank")
    if bank.kind != Bank.Kind.OWN:
        raise NotPossible(f"{bank.name} is a hash set.", fix="Import a new version of its list.")
    parsed = {query.algorithm: query.text for query in (Query.parse(kind, text) for kind, text in signals.items())}
    if not parsed:
        raise Invalid("An entry needs at least one hash.", field="pdq")
    row = Bank.objects.select_for_update(of=("self",)).get(pk=bank.pk)
    live = row.contents.filter(withdrawn_at=None).prefetch_related("signals")
    first, value = next(iter(parsed.items()))
    for same in live.filter(signals__algorithm=first, signals__value=value):
        if {signal.algorithm: signal.value for signal in same.signals.all()} == parsed:
            return same  # type: ignore[no-any-return]
    content = BankContent.objects.create(
        bank=row, added_at=timezone.now(), added_by=actor, added_with=with_key, note=note.strip()[:200]
    )
    BankSignal.objects.bulk_create(
        BankSignal(content=content, algorithm=kind, value=text) for kind, text in parsed.items()
    )
    record(
        actor,
        "bank.content_added",
        row,
        payload={"content": content.pk, "signals": parsed, "note": fingerprint(note), **_with(with_key)},
    )
    publish_changes([added(content)])
    return content


@transaction.atomic
def withdraw(actor: Any, bank: Bank, content: int, *, reason: str, with_key: ApiKey | None = None) -> bool:
    """Take an entry out of what platforms are told, within a second. Returns whether it was there.

    Raises:
        NotAllowed, Invalid (no reason, or a hash set without such a row).
    """
    _right(actor, with_key, "withdraw from a bank")
    text = required_text(reason, field="reason", what="The reason")
    row = Bank.objects.select_for_update(of=("self",)).select_related("hash_set").get(pk=bank.pk)
    now = timezone.now()
    if row.kind == Bank.Kind.OWN:
        there = bool(row.contents.filter(pk=content, withdrawn_at=None).update(withdrawn_at=now))
    else:
        if not 0 <= content < int(row.hash_set.counts.get("entries", 0)):
            raise Invalid(f"{row.name} has no entry {content}.", field="content")
        _, there = WithdrawnRow.objects.get_or_create(
            bank=row, row=content, restored_at=None, defaults={"at": now, "by": actor, "reason": text[:300]}
        )
    if there:
        record(actor, "bank.content_withdrawn", row, payload={"content": content, **_with(with_key)}, reason=text)
        publish_changes([changed("withdraw", row.pk, content)])
    return there


@transaction.atomic
def restore(actor: Any, withdrawn: WithdrawnRow) -> WithdrawnRow:
    """Tell platforms of a row again. Raises NotAllowed, NotPossible (restored already)."""
    must(actor, "exchange.manage", what="restore an entry")
    row = WithdrawnRow.objects.select_for_update(of=("self",)).select_related("bank").get(pk=withdrawn.pk)
    if row.restored_at is not None:
        raise NotPossible("This entry is restored already.")
    row.restored_at = timezone.now()
    row.save(update_fields=["restored_at"])
    record(actor, "bank.content_restored", row.bank, payload={"content": row.row})
    publish_changes([changed("restore", row.bank_id, row.row)])
    return row
