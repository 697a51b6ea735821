from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "figure.viewed": "looked at the figure",
        "question.viewed": "looked at the answer to the question",
        "question.saved": "saved the question",
        "question.asked": "asked of the extract",
        "question.exported": "took out of the system the answer to the question",
        "accountable.named": "named as accountable",
        "extract.made": "made the extract",
        "report.viewed": "looked at the public report",
        "report.drafted": "drafted the public report",
        "report.refused": "was refused the public report",
        "report.published": "published the public report",
        "report.taken": "took out of the system a file of the public report",
    }
)
