from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "offender.viewed": "looked at the offender",
        "offender.registered": "put the offender on the register",
        "offender.changed": "changed the record of the offender",
        "offender.given": "gave the offender to a manager",
        "offender.risk_recorded": "recorded the risk level of the offender",
        "offender.planned": "set the plan of the offender",
        "offender.away": "recorded that the offender is in custody, in hospital or abroad",
        "offender.back": "recorded the return of the offender",
        "offender.notified": "recorded a notification by the offender",
        "offender.duty_found": "recorded an event that the offender must notify",
        "offender.duty_ended": "recorded that an announced change of the offender took place",
        "offender.visited": "recorded a visit to the offender",
        "offender.decided": "decided what follows on failed visits to the offender",
        "offender.noted": "added to the record of the offender",
        "offender.reactive": "approved reactive management of the offender",
        "offender.active": "returned the offender to active management",
        "offender.mappa": "recorded the MAPPA management of the offender",
        "offender.removed": "took the offender off the register",
        "offender.named": "found that a referral names the offender, or may",
        "offender.naming_seen": "took note that a referral names the offender",
        "offender.rounds": "planned rounds of visits",
        "offender.imported": "imported a register of offenders",
        "offender.exported": "exported a list of offenders",
        "register_import.viewed": "looked at an import of a register",
    }
)
