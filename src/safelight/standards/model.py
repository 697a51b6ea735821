"""The rows of the standards, as frozen objects. :func:`safelight.standards.load_standards` makes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from typing import Literal, get_args

from safelight.errors import StandardsError
from safelight.standards.working_calendar import today

Kind = Literal[
    "statute",
    "statutory_guidance",
    "national_guidance",
    "inspection_finding",
    "local",
    "product_default",
    "data_definition",
]
Status = Literal["verified", "draft", "required"]
Mark = Literal["V", "V2", "S", "M", "P"]
KINDS: tuple[str, ...] = get_args(Kind)
STATUSES: tuple[str, ...] = get_args(Status)
MARKS: tuple[str, ...] = get_args(Mark)
PRODUCT = "product"


@dataclass(frozen=True, kw_only=True)
class Row:
    """What every row carries.

    Attributes:
        kind: one of KINDS, from statute to product_default.
        status: verified (read in a source), draft (a person must confirm it) or required (the force must set it).
        mark: V read in the source, V2 in a copy, S founding news report, M no source read, P a choice of this product.
        set_by: 'product', or 'site: <label>' when the force's own file set or changed it.
        origin: the product's own text of each field that the site changed, as (field, text) pairs.
    """

    id: str
    title: str
    kind: str
    status: str
    source: str
    mark: str = "P"
    note: str = ""
    effective_from: date | None = None
    set_by: str = PRODUCT
    origin: tuple[tuple[str, str], ...] = ()

    @property
    def is_set(self) -> bool:
        """False for a required row for which the force has not set anything."""
        return self.status != "required"


@dataclass(frozen=True, kw_only=True)
class RiskLevel(Row):
    """One level of risk; ``order`` 1 is the highest, ``short`` is VH, H, M or L."""

    short: str
    order: int


@dataclass(frozen=True, kw_only=True)
class Grade:
    """One grade of a scale; ``order`` 1 is the best."""

    id: str
    title: str
    order: int
    scale: str


@dataclass(frozen=True, kw_only=True)
class GradeScale(Row):
    """A scale of grades, best first. ``scale["good"]`` gives a :class:`Grade`; iterating gives them in order."""

    applies_to: str
    grades: tuple[Grade, ...]

    def __getitem__(self, grade_id: str) -> Grade:
        for grade in self.grades:
            if grade.id == grade_id:
                return grade
        raise KeyError(grade_id)

    def __iter__(self) -> Iterator[Grade]:
        return iter(self.grades)

    def __len__(self) -> int:
        return len(self.grades)


@dataclass(frozen=True, kw_only=True)
class Category(Row):
    """A category of material: the letters A, B, C, and what stands beside them.

    Attributes:
        known: a hit on it is a finding of known child abuse material.
        needs_grading: a person must still give it a letter.
    """

    order: int
    known: bool
    needs_grading: bool


@dataclass(frozen=True, kw_only=True)
class VicsMap(Row):
    """What the category numbers of VICS lists mean, for the contexts that match ``pattern``."""

    pattern: str
    numbers: tuple[tuple[int, str], ...] = ()
    needs_letters: bool = False

    @property
    def is_set(self) -> bool:
        """True when the numbers are known."""
        return bool(self.numbers)

    def matches(self, context: str) -> bool:
        """Whether an ``@odata.context`` (or 1.x ``odata.metadata``) string belongs to this map."""
        return fnmatchcase(vics_key(context), vics_key(self.pattern))


def vics_key(context: str) -> str:
    """A context without its '#Cases' or '#Media' and without regard to case: both kinds of file share the numbers."""
    return context.partition("#")[0].strip().casefold()


@dataclass(frozen=True, kw_only=True)
class Outcome(Row):
    """A crime outcome. ``number`` is the national number; ``number_status`` says whether the number was read."""

    number: int
    number_status: str
    group: str
    group_title: str


@dataclass(frozen=True, kw_only=True)
class Role(Row):
    """Who may sign in as what. ``available`` is False for roles that later releases bring (``from_release``)."""

    does: str
    sees: str
    case_content: bool
    available: bool
    from_release: str = ""


@dataclass(frozen=True, kw_only=True)
class SignInRule(Row):
    """What a role (``id``) owes when it signs in: a second factor, and how long and how often it is signed in.

    ``idle_minutes`` and ``longest_hours`` are whole minutes and hours; ``sessions`` counts one person's sessions.
    """

    second_factor: bool
    idle_minutes: int
    longest_hours: int
    sessions: int


@dataclass(frozen=True, kw_only=True)
class Skill(Row):
    """An accreditation that allocation may ask for; ``applies_to`` names roles."""

    applies_to: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SharingBasis(Row):
    """A legal basis on which a child's information is shared with another agency."""


@dataclass(frozen=True, kw_only=True)
class Unit(Row):
    """A BCU with its boroughs, or the central unit (``type`` 'bcu' or 'central', no boroughs).

    ``code`` is the short code, the same as ``id``. Each borough is also the local authority whose children's social
    care receives safeguarding referrals: :attr:`social_care` names them.
    """

    type: str
    number: int
    boroughs: tuple[str, ...]

    @property
    def code(self) -> str:
        """The short code, such as 'CN'."""
        return self.id

    @property
    def social_care(self) -> tuple[str, ...]:
        """The children's social care of each borough, in the order of ``boroughs``."""
        return tuple(social_care_of(borough) for borough in self.boroughs)


def social_care_of(borough: str) -> str:
    """The name under which a borough's children's social care appears as a recipient."""
    return f"{borough} children's social care"


PolicyScalar = int | float | bool | str


@dataclass(frozen=True, kw_only=True)
class PolicyValue:
    """One value of a setting: for all (``risk`` None) or for one risk level, from a date on (None: always)."""

    value: PolicyScalar
    risk: str | None = None
    effective_from: date | None = None
    set_by: str = PRODUCT


@dataclass(frozen=True, kw_only=True)
class PolicySetting(Row):
    """A setting other than a clock. ``minimum`` and ``maximum`` bind the force's own file too."""

    unit: str
    values: tuple[PolicyValue, ...] = ()
    minimum: float | None = None
    maximum: float | None = None

    @property
    def is_set(self) -> bool:
        """True when there is a value."""
        return bool(self.values)

    @property
    def by_risk(self) -> bool:
        """True when each risk level has its own value."""
        return any(v.risk is not None for v in self.values)

    @property
    def value(self) -> PolicyScalar:
        """The value in force today. Raises StandardsError when nothing is set, or when it depends on risk."""
        return self.for_risk(None)

    def for_risk(self, risk: str | None, on: date | None = None) -> PolicyScalar:
        """The value for a risk level on a day (today in London when left out).

        Raises:
            StandardsError: nothing is set for that day or level, or a level is needed and none was given.
        """
        day = on or today()
        found = [
            v for v in self.values if v.risk in (None, risk) and (v.effective_from is None or v.effective_from <= day)
        ]
        if not found:
            need = " for each risk level" if self.by_risk else ""
            raise StandardsError(
                f"The setting {self.id!r} has no value for risk {risk!r} on {day.isoformat()}.",
                fix=f"Set [policy.{self.id}]{need} in the site file, or ask for a level that it has.",
            )
        # A site value beats the product's, then the latest start counts.
        return max(found, key=lambda v: (v.set_by != PRODUCT, v.effective_from or date.min)).value
