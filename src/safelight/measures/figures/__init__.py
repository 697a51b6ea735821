"""The published figures as data: claim, counts, source, who said it, status, and where they contradict each other.

Start with :func:`published_figures`.
"""

from __future__ import annotations

from safelight.measures.figures.loader import published_figures, read_figures
from safelight.measures.figures.model import STATUSES, Figure, Inconsistency, Inspection, PublishedFigures

__all__ = [
    "STATUSES",
    "Figure",
    "Inconsistency",
    "Inspection",
    "PublishedFigures",
    "published_figures",
    "read_figures",
]
