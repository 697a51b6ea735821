"""The population of an audit: which cases the declared filter takes, and the stratum of each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import TruncDate
from django.utils import timezone

from safelight.casework.allocation.models import Allocation
from safelight.casework.base.errors import Invalid
from safelight.casework.base.standards import standards
from safelight.casework.cases.models import Case
from safelight.casework.referrals.models import Referral, Source
from safelight.casework.workforce.models import Accreditation, Unit

SPECIALIST = "ocsae_investigator"
STATUSES = {"all": "Open and closed", "open": "Open", "closed": "Closed"}
DIMENSIONS = {
    "unit": "Unit",
    "source": "Type of case: where it came from",
    "skill": "Type of case: the skill it needs",
    "risk": "Risk",
    "specialist": "Whether a specialist had it",
}


@dataclass(frozen=True)
class Query:
    """A declared population. Empty means: all.

    Attributes:
        opened_from, opened_to: days, both taken in.
        risks, units, sources: codes.
    """

    opened_from: date | None = None
    opened_to: date | None = None
    status: str = "all"
    risks: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As it is sealed."""
        return {
            "opened_from": self.opened_from.isoformat() if self.opened_from else "",
            "opened_to": self.opened_to.isoformat() if self.opened_to else "",
            "status": self.status,
            "risks": sorted(self.risks),
            "units": sorted(self.units),
            "sources": sorted(self.sources),
        }

    def check(self) -> None:
        """Raises Invalid for what names nothing, or a time that ends before it begins."""
        known = standards()
        for field, given, names in (
            ("status", (self.status,), set(STATUSES)),
            ("risks", self.risks, {*known.risks, "none"}),
            ("units", self.units, set(Unit.objects.values_list("code", flat=True))),
            ("sources", self.sources, set(Source.values)),
        ):
            if strange := sorted(set(given) - names):
                raise Invalid(f"{', '.join(strange)[:80]} is unknown.", fix="Choose from the list.", field=field)
        if self.opened_from and self.opened_to and self.opened_to < self.opened_from:
            raise Invalid("The last day lies before the first.", fix="Exchange them.", field="opened_to")

    def cases(self) -> QuerySet[Case]:
        """The cases it takes. Restricted ones are outside every audit population."""
        found = Case.objects.filter(restricted=False)
        if self.opened_from:
            found = found.filter(opened_at__gte=_midnight(self.opened_from))
        if self.opened_to:
            found = found.filter(opened_at__lt=_midnight(self.opened_to, after=True))
        if self.status != "all":
            found = found.filter(status=self.status)
        if self.risks:
            found = found.filter(risk__in=["" if risk == "none" else risk for risk in self.risks])
        if self.units:
            found = found.filter(unit__code__in=self.units)
        if self.sources:
            found = found.filter(Exists(Referral.objects.filter(case=OuterRef("pk"), source__in=self.sources)))
        return found


def _midnight(day: date, *, after: bool = False) -> datetime:
    from datetime import timedelta

    try:
        return timezone.make_aware(datetime.combine(day + timedelta(days=int(after)), time()))
    except OverflowError as error:
        raise Invalid(f"{day.isoformat()} lies too far ahead.", fix="Give another day.", field="opened_to") from error


def with_specialist(cases: QuerySet[Case]) -> QuerySet[Case]:
    """Adds ``specialist``: whether whoever had the case last (``given_to``, None where nobody ever had it) held the
    specialist skill for online child abuse on the day it was given out, whatever skill the case asks for."""
    last = Allocation.objects.filter(case=OuterRef("pk")).order_by("-started_at")
    held = Accreditation.objects.filter(
        Q(valid_until=None) | Q(valid_until__gte=OuterRef("given_on")),
        user=OuterRef("given_to"),
        skill=SPECIALIST,
        valid_from__lte=OuterRef("given_on"),
    )
    return cases.annotate(
        given_to=Subquery(last.values("investigator")[:1]),
        given_on=Subquery(last.values(day=TruncDate("started_at"))[:1]),
    ).annotate(specialist=Exists(held))


def listed(query: Query, strata_by: Iterable[str]) -> Iterator[tuple[int, str]]:
    """(key of the case, name of its stratum) for every case that the query takes, in the order of the keys.

    Raises:
        Invalid: a stratum by something that is unknown.
    """
    dims = list(strata_by)
    if strange := [name for name in dims if name not in DIMENSIONS]:
        raise Invalid(f"{strange[0][:40]!r} is no way to divide cases.", fix="Choose from the list.", field="strata_by")
    query.check()
    first = Referral.objects.filter(case=OuterRef("pk")).order_by("received_at", "pk").values("source")[:1]
    rows = query.cases().annotate(unit_code=F("unit__code"))
    if "source" in dims:
        rows = rows.annotate(first_source=Subquery(first))
    if "specialist" in dims:
        rows = with_specialist(rows)
    skills, risks, sources = standards().skills, standards().risks, dict(Source.choices)

    def title(row: Any, name: str) -> str:
        if name == "unit":
            return str(row["unit_code"])
        if name == "risk":
            return risks[row["risk"]].title if row["risk"] in risks else "Risk not assessed"
        if name == "skill":
            return skills[row["required_skill"]].title if row["required_skill"] in skills else row["required_skill"]
        if name == "source":
            return str(sources.get(row["first_source"], "No referral"))
        if row["given_to"] is None:
            return "Nobody had it"
        return "Specialist" if row["specialist"] else "Not a specialist"

    needed = {"unit": ["unit_code"], "risk": ["risk"], "skill": ["required_skill"], "source": ["first_source"],
              "specialist": ["given_to", "specialist"]}  # fmt: skip
    columns = ["pk", *(column for name in dims for column in needed[name])]
    for row in rows.order_by("pk").values(*columns).iterator(chunk_size=5_000):
        yield row["pk"], " · ".join(title(row, name) for name in dims) or "All"


def list_digest(rows: Iterable[tuple[int, str]]) -> str:
    """The SHA-256 of the frozen list: a line 'C-000123<tab>stratum' for each case, in the order of the keys."""
    digest = hashlib.sha256()
    for key, stratum in rows:
        digest.update(f"{reference_of(key)}\t{stratum}\n".encode())
    return digest.hexdigest()


def reference_of(key: int) -> str:
    """The reference of a case as the draw sorts by it."""
    return f"{Case.PREFIX}-{key:06d}"
