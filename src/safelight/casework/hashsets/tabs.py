"""The tabs of the hash set pages."""

from __future__ import annotations

from django.urls import reverse

TABS = (
    ("In use", "hashsets:index", ""),
    ("Retired", "hashsets:index", "?show=retired"),
    ("Overlaps", "hashsets:overlaps", ""),
    ("Earlier runs", "hashsets:rechecks", ""),
    ("Quarantine", "hashsets:quarantine", ""),
    ("Negative bank", "hashsets:negatives", ""),
)


def tabs(current: str) -> list[tuple[str, str, bool]]:
    """(text, address, whether it is this page) of each."""
    return [(text, reverse(page) + query, text == current) for text, page, query in TABS]
