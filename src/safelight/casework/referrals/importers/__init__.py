"""Reading files of referrals: what kind of file it is is found from its content, never from its name."""

from __future__ import annotations

from safelight.casework.referrals.importers.detect import Reading, read
from safelight.casework.referrals.importers.record import FileFields, ParsedRecord, Rejected

__all__ = ["FileFields", "ParsedRecord", "Reading", "Rejected", "read"]
