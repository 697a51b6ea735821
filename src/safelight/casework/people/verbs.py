from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "person.created": "made the record of the person",
        "person.changed": "changed the record of the person",
        "person.identifier_added": "added an identifier of the person",
        "person.viewed": "looked at the person",
    }
)
