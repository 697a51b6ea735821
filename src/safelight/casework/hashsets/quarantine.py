"""Quarantine for entries that would flood triage with false likenesses, and the bank of confirmed false ones.

Both concern likenesses (PDQ) only: an equal digest of a listed file is a finding whatever stands here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.values import required_text
from safelight.casework.hashsets.models import HashSetRecord, HeldEntry, NegativeEntry
from safelight.casework.ledger.services import record
from safelight.errors import MatchingError
from safelight.matching import HashSet, parse_digest

# A PDQ marks which of 256 frequencies lie above their median: half of them, for any picture with structure. Of 1,500
# photographs each had exactly 128. Far fewer or more is a flat or made-up picture, which resembles all others like it.
FEWEST_BITS, MOST_BITS = 96, 160
MOST_HELD = 1_000
_WHO = "Only examiners, supervisors and administrators keep hash sets."


def held_rows(row: HashSetRecord, hashes: HashSet) -> dict[int, str]:
    """Rows of the set that are in quarantine, and why."""
    held = dict(row.held.filter(released_at=None).values_list("pdq", "reason"))
    if not held:
        return {}
    codes, rows = hashes.hashes("pdq")
    wanted = np.frombuffer(b"".join(bytes.fromhex(code) for code in held), np.uint8).reshape(-1, 32)
    at = np.flatnonzero(np.isin(codes[:, :8].copy().view(np.uint64), wanted[:, :8].copy().view(np.uint64)))
    found = {}
    for place in at.tolist():
        reason = held.get(codes[place].tobytes().hex())
        if reason is not None:
            found[int(rows[place])] = f"in quarantine: {reason}"
    return found


def hold_floods(row: HashSetRecord, hashes: HashSet) -> int:
    """Put entries into quarantine that no picture worth finding has; part of an import. Returns how many."""
    if row.kind != "known":
        return 0
    codes, _ = hashes.hashes("pdq")
    bits = np.bitwise_count(codes).sum(axis=1)
    reasons: dict[str, str] = {}
    for place in np.flatnonzero((bits < FEWEST_BITS) | (bits > MOST_BITS))[:MOST_HELD].tolist():
        reasons[codes[place].tobytes().hex()] = f"{bits[place]} of 256 bits are set: a picture without structure"
    for other in HashSetRecord.objects.filter(retired_at=None, kind="known-good").exclude(pk=row.pk):
        reasons |= _near_harmless(hashes, other)
    now = timezone.now()
    made = [HeldEntry(hash_set=row, pdq=code, reason=why, held_at=now) for code, why in reasons.items()]
    HeldEntry.objects.bulk_create(made[:MOST_HELD], batch_size=500)
    if made:
        record(None, "hashset.held", row, payload={"entries": len(made[:MOST_HELD]), "by": "rule"})
    return len(made)


def _near_harmless(hashes: HashSet, other: HashSetRecord) -> dict[str, str]:
    from safelight.casework.hashsets.store import folder_of

    harmless = HashSet.open(folder_of(other.root), verify=False).hashes("pdq")[0]
    if not len(harmless):
        return {}
    hits = hashes.pdq_index().query_batch(harmless, limit=10)
    codes = hashes.hashes("pdq")[0]
    return {
        codes[place].tobytes().hex(): f"it resembles a picture that {other.name} vouches for"
        for place in np.unique(hits.row)[:MOST_HELD].tolist()
    }


def _pdq(text: str) -> str:
    try:
        return parse_digest("pdq", text, "The PDQ").hex()
    except MatchingError as error:
        raise Invalid(str(error), field="pdq") from error


@transaction.atomic
def hold_entry(actor: Any, hash_set: HashSetRecord, *, pdq: str, reason: str) -> HeldEntry:
    """Put one PDQ of a set into quarantine.

    Raises:
        NotAllowed, Invalid (malformed, or not in the set), NotPossible (in quarantine already).
    """
    from safelight.casework.hashsets.store import open_set

    need(actor, "hashsets.hold", what=_WHO)
    code = _pdq(pdq)
    why = required_text(reason, field="reason", what="The reason")[:300]
    if HeldEntry.objects.filter(hash_set=hash_set, pdq=code, released_at=None).exists():
        raise NotPossible("This entry is in quarantine already.")
    codes, _ = open_set(hash_set, verify=False).hashes("pdq")
    if not (codes == np.frombuffer(bytes.fromhex(code), np.uint8)).all(axis=1).any():
        raise Invalid(f"{hash_set.name} has no such PDQ.", fix="Copy it from the finding.", field="pdq")
    row = HeldEntry.objects.create(hash_set=hash_set, pdq=code, reason=why, held_at=timezone.now(), held_by=actor)
    record(actor, "hashset.held", hash_set, payload={"pdq": code, "by": "person"}, reason=why)
    return row


@transaction.atomic
def release_entry(actor: Any, entry: HeldEntry, *, reason: str) -> HeldEntry:
    """Take an entry out of quarantine: likenesses to it count again.

    Raises:
        NotAllowed, Invalid (no reason), NotPossible (released already).
    """
    need(actor, "hashsets.hold", what=_WHO)
    row = HeldEntry.objects.select_for_update(of=("self",)).select_related("hash_set").get(pk=entry.pk)
    why = required_text(reason, field="reason", what="The reason")[:300]
    if row.released_at is not None:
        raise NotPossible("This entry was released already.")
    row.released_at, row.released_by, row.release_reason = timezone.now(), actor, why
    row.save(update_fields=["released_at", "released_by", "release_reason"])
    record(actor, "hashset.released", row.hash_set, payload={"pdq": row.pdq}, reason=why)
    return row


@transaction.atomic
def add_negative(actor: Any, *, pdq: str, md5: str = "", reason: str) -> NegativeEntry:
    """Confirm that a picture is not what it resembles. Its likenesses are set aside from now on, equal digests never.

    Raises:
        NotAllowed, Invalid (malformed, or no reason), NotPossible (in the bank already, or a set in use lists it).
    """
    from safelight.casework.hashsets.store import load_live

    need(actor, "hashsets.negative", what="Only examiners and supervisors confirm false matches.")
    code = _pdq(pdq)
    digest = ""
    if md5.strip():
        try:
            digest = parse_digest("md5", md5, "The MD5").hex()
        except MatchingError as error:
            raise Invalid(str(error), field="md5") from error
    why = required_text(reason, field="reason", what="The reason")[:300]
    if NegativeEntry.objects.filter(pdq=code, withdrawn_at=None).exists():
        raise NotPossible("This picture is in the negative bank already.")
    for row, hashes in load_live():
        listed = row.kind == "known" and (
            (digest and hashes.digest_index("md5").lookup(bytes.fromhex(digest)))
            or any(distance == 0 for _, distance in hashes.pdq_index().query(bytes.fromhex(code), 0))
        )
        if listed:
            raise NotPossible(
                f"{row.name} lists this very picture, not one like it: no confirmation can silence that.",
                fix="If the list is wrong, tell its publisher.",
            )
    made = NegativeEntry.objects.create(
        pdq=code, md5=digest, reason=why, confirmed_at=timezone.now(), confirmed_by=actor
    )
    record(actor, "negative.added", made, payload={"pdq": code, "md5": digest}, reason=why)
    return made


@transaction.atomic
def withdraw_negative(actor: Any, entry: NegativeEntry, *, reason: str) -> NegativeEntry:
    """Take a confirmation back: the picture's likenesses count again.

    Raises:
        NotAllowed, Invalid (no reason), NotPossible (withdrawn already).
    """
    need(actor, "hashsets.negative", what="Only examiners and supervisors confirm false matches.")
    row = NegativeEntry.objects.select_for_update(of=("self",)).get(pk=entry.pk)
    why = required_text(reason, field="reason", what="The reason")[:300]
    if row.withdrawn_at is not None:
        raise NotPossible("This confirmation was withdrawn already.")
    row.withdrawn_at, row.withdrawn_by, row.withdraw_reason = timezone.now(), actor, why
    row.save(update_fields=["withdrawn_at", "withdrawn_by", "withdraw_reason"])
    record(actor, "negative.withdrawn", row, payload={"pdq": row.pdq}, reason=why)
    return row
