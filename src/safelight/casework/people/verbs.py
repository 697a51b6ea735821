from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "person.created": "made the record of the person",
        "person.changed": "changed the record of the person",
        "person.identifier_added": "added an identifier of the person",
        "person.viewed": "looked at the person",
        "person.network": "looked at who is linked to the person",
        "person.merged": "merged another record into the person",
        "person.merge_undone": "undid a merge of the person",
        "merge.viewed": "looked at a merge",
        "link.found": "found that two records may be of one person, or stand at one address",
        "link.viewed": "looked at a possible link",
        "link.same": "decided that two records are of one person",
        "link.different": "decided that two records are of different people",
        "link.undone": "took a decision about two records back",
    }
)
