from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "notices.told": "told people of",
        "notices.read": "said that they have read notices",
        "notices.viewed": "looked at the notice",
        "notices.emailed": "sent the notice by e-mail",
        "notices.email_dropped": "dropped the e-mail of the notice",
    }
)
