from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs({"review.recorded": "reviewed the case"})
