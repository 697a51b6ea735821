from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "break_glass.opened": "broke the glass",
        "break_glass.refused": "asked in vain to break the glass",
        "break_glass.ended": "ended the break-glass access",
        "break_glass.overdue": "found the review past its day of the break-glass access",
        "break_glass.reviewed": "reviewed the break-glass access",
        "break_glass.viewed": "looked at the break-glass access",
    }
)
