from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "exchange.viewed": "looked at the exchange with platforms",
        "platform.viewed": "looked at the platform",
        "platform.added": "added the platform",
        "platform.changed": "changed the platform",
        "platform.closed": "ended the exchange with the platform",
        "key.issued": "issued an API key of the platform",
        "key.rotated": "replaced the API key",
        "key.revoked": "revoked the API key",
        "key.suspended": "suspended the API key for probing",
        "key.lifted": "lifted the suspension of the API key",
        "bank.viewed": "looked at the bank",
        "bank.made": "made the bank",
        "bank.changed": "changed the bank",
        "bank.content_added": "added to the bank",
        "bank.content_withdrawn": "withdrew from the bank",
        "bank.content_restored": "restored in the bank",
        "exchange.lookups": "answered look-ups of platforms",
        "exchange.hit": "told a platform of a match",
        "platform_report.viewed": "looked at the platform's report",
        "platform_report.received": "received the platform's report",
        "platform_report.repeated": "received the platform's report again",
        "platform_report.completed": "completed the platform's report",
        "platform_report.exported": "exported reports of platforms",
        "notice.viewed": "looked at the takedown notice",
        "notice.sent": "sent the takedown notice",
        "notice.chased": "chased the takedown notice",
        "notice.removed": "recorded the removal",
        "notice.refused": "recorded that the platform will not remove",
    }
)
