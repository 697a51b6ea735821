"""The standards as this installation uses them: the shipped rows with the force's own file on top."""

from __future__ import annotations

from django.conf import settings

from safelight.standards import Standards, load_standards


def standards() -> Standards:
    """The standards in force here. Cached by the loader until the force's file changes.

    Raises:
        StandardsError: the force's file is malformed (all its faults are listed).
    """
    return load_standards(site=getattr(settings, "SITE_STANDARDS", None) or None)
