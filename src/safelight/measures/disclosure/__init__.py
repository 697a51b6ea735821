"""Disclosure control that holds: no small count can be worked out from what is published, now and before.

==========================  =====================================================================
question                    start with
==========================  =====================================================================
may this be published       ``make_release(name, tables, PRESETS["round5"], earlier=[...])``
what is in a table          ``CountTable.from_records``
which rules there are       ``PRESETS``
what could a reader know    ``audit``
==========================  =====================================================================
"""

from __future__ import annotations

from safelight.measures.disclosure.policy import PRESETS, WITHIN, Policy, Shown, policy
from safelight.measures.disclosure.release import Audit, Release, ReleasedTable, audit, make_release
from safelight.measures.disclosure.tables import CountTable, Dimension, Grid

__all__ = [
    "PRESETS",
    "WITHIN",
    "Audit",
    "CountTable",
    "Dimension",
    "Grid",
    "Policy",
    "Release",
    "ReleasedTable",
    "Shown",
    "audit",
    "make_release",
    "policy",
]
