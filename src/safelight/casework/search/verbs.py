from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "search.made": "searched",
        "search.rebuilt": "built the index of the search anew",
        "list.exported": "took a list out as a sheet",
    }
)
