from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "hashset.viewed": "looked at the hash set",
        "hashset.imported": "imported the hash set",
        "hashset.retired": "retired the hash set",
        "hashset.held": "put entries of the hash set into quarantine",
        "hashset.released": "released an entry of the hash set from quarantine",
        "hashset.rechecked": "looked at earlier triage runs again with the hash set",
        "negative.viewed": "looked at a confirmed false match",
        "negative.added": "confirmed a picture as a false match",
        "negative.withdrawn": "withdrew a confirmed false match",
        "triage.known_later": "found files that a newer hash set knows in the triage run",
        "triage.later_settled": "settled what a newer hash set knows in the triage run",
    }
)
