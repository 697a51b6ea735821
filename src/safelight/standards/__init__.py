"""What law, guidance and inspectors expect, as data, with its source and its status, and the clocks made of it.

Start here::

    from safelight.standards import load_standards

    standards = load_standards(site=None)
    rule = standards.clocks["police_referral_to_csc"]
    due = rule.due_at(identified_at, risk="high", borough="Camden")

Every row says where it comes from (``kind``, ``source``, ``mark``) and how far it can be relied on (``status``:
verified, draft, required). ``standards.unset()`` lists what the force must set before it goes live.
Nothing here is legal advice.
"""

from __future__ import annotations

from safelight.errors import StandardsError
from safelight.standards.audit_rows import (
    CriteriaSet,
    Heading,
    Phrase,
    ReferBackOutcome,
    ReferBackReason,
    Wording,
    find_wording,
)
from safelight.standards.clocks import ClockCase, ClockRule
from safelight.standards.collection import Standards
from safelight.standards.duration import Duration
from safelight.standards.escalation import EscalationStep
from safelight.standards.faults import Fault, StandardsFileError
from safelight.standards.loader import demo_site_path, load_standards, read_standards
from safelight.standards.model import (
    Category,
    Grade,
    GradeScale,
    Outcome,
    PolicySetting,
    PolicyValue,
    RiskLevel,
    Role,
    Row,
    SharingBasis,
    SignInRule,
    Skill,
    Unit,
    VicsMap,
)
from safelight.standards.pauses import Pause, due_after_pauses
from safelight.standards.working_calendar import ENGLAND_AND_WALES, LONDON, WorkingCalendar

__all__ = [
    "ENGLAND_AND_WALES",
    "LONDON",
    "Category",
    "ClockCase",
    "ClockRule",
    "CriteriaSet",
    "Duration",
    "EscalationStep",
    "Fault",
    "Grade",
    "GradeScale",
    "Heading",
    "Outcome",
    "Pause",
    "Phrase",
    "PolicySetting",
    "PolicyValue",
    "ReferBackOutcome",
    "ReferBackReason",
    "RiskLevel",
    "Role",
    "Row",
    "SharingBasis",
    "SignInRule",
    "Skill",
    "Standards",
    "StandardsError",
    "StandardsFileError",
    "Unit",
    "VicsMap",
    "Wording",
    "WorkingCalendar",
    "demo_site_path",
    "due_after_pauses",
    "find_wording",
    "load_standards",
    "read_standards",
]
