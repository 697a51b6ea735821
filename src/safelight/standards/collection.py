"""All standards of one force, loaded and checked: what :func:`safelight.standards.load_standards` returns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from safelight.errors import StandardsError
from safelight.standards.audit_rows import CriteriaSet, Phrase, ReferBackOutcome, ReferBackReason
from safelight.standards.clocks import ClockRule
from safelight.standards.escalation import EscalationStep
from safelight.standards.model import (
    PRODUCT,
    Category,
    GradeScale,
    Outcome,
    PolicySetting,
    RiskLevel,
    Role,
    Row,
    SharingBasis,
    SignInRule,
    Skill,
    Unit,
    VicsMap,
    social_care_of,
)


@dataclass(frozen=True, kw_only=True)
class Standards:
    """Everything, loaded and checked. The mappings go from id to row and keep the order of the files.

    Attributes:
        version: the first 12 hex digits of the SHA-256 over all files that were loaded.
        site: the site file's path, or None.
    """

    clocks: Mapping[str, ClockRule] = field(repr=False)
    policy: Mapping[str, PolicySetting] = field(repr=False)
    risks: Mapping[str, RiskLevel] = field(repr=False)
    grades: Mapping[str, GradeScale] = field(repr=False)
    categories: Mapping[str, Category] = field(repr=False)
    vics_maps: Mapping[str, VicsMap] = field(repr=False)
    outcomes: Mapping[str, Outcome] = field(repr=False)
    roles: Mapping[str, Role] = field(repr=False)
    sign_in: Mapping[str, SignInRule] = field(repr=False)
    skills: Mapping[str, Skill] = field(repr=False)
    sharing_bases: Mapping[str, SharingBasis] = field(repr=False)
    units: Mapping[str, Unit] = field(repr=False)
    escalation: Mapping[str, EscalationStep] = field(repr=False)
    criteria: Mapping[str, CriteriaSet] = field(repr=False)
    refer_back_reasons: Mapping[str, ReferBackReason] = field(repr=False)
    refer_back_outcomes: Mapping[str, ReferBackOutcome] = field(repr=False)
    wording: Mapping[str, Phrase] = field(repr=False)
    version: str
    site: str | None = None

    @property
    def boroughs(self) -> tuple[str, ...]:
        """All boroughs, in alphabetical order."""
        return tuple(sorted(borough for unit in self.units.values() for borough in unit.boroughs))

    def unit_for_borough(self, borough: str) -> Unit:
        """The BCU of a borough. Raises StandardsError when no unit has it."""
        wanted = borough.strip().casefold()
        for unit in self.units.values():
            if any(name.casefold() == wanted for name in unit.boroughs):
                return unit
        raise StandardsError(
            f"No unit has a borough called {borough!r}.",
            fix="Use a name that `safelight standards --table units` shows.",
        )

    def social_care_for(self, borough: str) -> str:
        """The children's social care that receives a safeguarding referral for a child in ``borough``."""
        wanted = borough.strip().casefold()
        unit = self.unit_for_borough(borough)
        return social_care_of(next(name for name in unit.boroughs if name.casefold() == wanted))

    def vics_map_for(self, context: str) -> VicsMap | None:
        """The map of category numbers for a list's context string, or None when the context is not known."""
        return next((m for m in self.vics_maps.values() if m.matches(context)), None)

    def vics_category(self, context: str, number: int | None) -> str | None:
        """The category id that a number means in a list; None: not known, and the caller quarantines the entry.

        An entry without a number is 'uncategorised' in every context.
        """
        if number is None:
            return "uncategorised"
        found = self.vics_map_for(context)
        return dict(found.numbers).get(number) if found else None

    def vics_number(self, context: str, category: str) -> int | None:
        """The number to write for a category in a list of that context (the lowest of several); None: not known."""
        found = self.vics_map_for(context)
        return min((n for n, code in found.numbers if code == category), default=None) if found else None

    def tables(self) -> dict[str, Mapping[str, Row]]:
        """Every table by name: clocks, policy, risks, grades, categories, vics, outcomes, roles, sign_in, skills,
        sharing_bases, units, escalation, and those of audits: criteria, refer_back_reasons, refer_back_outcomes,
        wording."""
        return {
            "clocks": self.clocks,
            "policy": self.policy,
            "risks": self.risks,
            "grades": self.grades,
            "categories": self.categories,
            "vics": self.vics_maps,
            "outcomes": self.outcomes,
            "roles": self.roles,
            "sign_in": self.sign_in,
            "skills": self.skills,
            "sharing_bases": self.sharing_bases,
            "units": self.units,
            "escalation": self.escalation,
            "criteria": self.criteria,
            "refer_back_reasons": self.refer_back_reasons,
            "refer_back_outcomes": self.refer_back_outcomes,
            "wording": self.wording,
        }

    def rows(self) -> Iterator[tuple[str, Row]]:
        """(table, row) for everything, in the order of the files."""
        for name, table in self.tables().items():
            for row in table.values():
                yield name, row

    def unset(self) -> tuple[Row, ...]:
        """Rows that the force must still set before it goes live."""
        return tuple(row for _, row in self.rows() if row.status == "required" and not row.is_set)

    def unconfirmed(self) -> tuple[Row, ...]:
        """Draft rows that the force has neither set nor confirmed: a person must, before they are relied on."""
        return tuple(row for _, row in self.rows() if row.status == "draft" and row.set_by == PRODUCT)
