from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs({"unit.added": "added the unit", "accreditation.recorded": "recorded an accreditation of"})
