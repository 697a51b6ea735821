from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "rereview.viewed": "looked at the re-review",
        "rereview.frozen": "froze the set of cases of the re-review",
        "rereview.assigned": "gave a case of a re-review to a reviewer",
        "rereview.answered": "answered for a case of a re-review",
        "rereview.child_referred": "recorded a child at risk found by a re-review",
        "rereview.closed": "closed the re-review",
    }
)
