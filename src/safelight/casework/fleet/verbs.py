from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "device.prioritised": "worked out the priority of the device",
        "first_answer.asked": "asked for a first answer",
        "first_answer.given": "gave the first answer",
        "first_answer.taken_over": "took over the first answer of a worker that had stopped",
        "first_answer.failed": "could not read the image for a first answer",
        "examination.asked": "sent the device for full examination",
        "examination.started": "took the device for full examination",
        "examination.blocked": "recorded what keeps the examination from going on",
        "examination.unblocked": "recorded that the examination can go on",
        "examination.completed": "completed the full examination",
        "examination.withdrawn": "withdrew the device from full examination",
        "bench_report.imported": "imported the report of a field bench",
    }
)
