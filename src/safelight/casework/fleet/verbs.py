from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "device.prioritised": "worked out the priority of the device",
        "first_answer.asked": "asked for a first answer",
        "first_answer.given": "gave the first answer",
        "first_answer.failed": "could not read the image for a first answer",
        "bench_report.imported": "imported the report of a field bench",
    }
)
