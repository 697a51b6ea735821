"""Evidence: containers, volumes and file systems behind one read-only interface. Start with `open_evidence`."""

from __future__ import annotations

from safelight.triage.evidence.base import Evidence
from safelight.triage.evidence.detect import expand_parts, open_evidence
from safelight.triage.evidence.device import Device

__all__ = ["Device", "Evidence", "expand_parts", "open_evidence"]
