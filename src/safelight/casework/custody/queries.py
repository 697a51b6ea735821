"""What custody pages read: who is in a cell now, one record with all that belongs to it, and the figures."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Prefetch
from django.utils import timezone

from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.queries import ClockView, views_of
from safelight.casework.custody.models import AccommodationRequest, AppropriateAdult, Detention
from safelight.casework.custody.overnight import becomes_overnight_at
from safelight.casework.custody.services import FIRST_REVIEW, NEXT_REVIEW
from safelight.measures.survival import kaplan_meier

STATES = {"now": "In custody now", "ended": "Ended", "all": "All"}
PERIODS = {"28": "The last 28 days", "91": "The last 13 weeks", "365": "The last year"}
SIZE = 50


@dataclass
class DetentionView:
    """A detention with its clocks and what the list says about it. Lengths are real hours."""

    row: Detention
    now: datetime
    clocks: list[ClockView] = field(default_factory=list)

    @property
    def hours(self) -> float:
        return self.row.length(self.now).total_seconds() / 3600

    @property
    def overnight(self) -> bool:
        return self.row.overnight(self.now)

    @property
    def overnight_at(self) -> datetime | None:
        """When the child will count as held overnight; None once it has ended or does already."""
        if self.row.released_at or self.overnight:
            return None
        return becomes_overnight_at(self.row.arrived_at, self.now)

    @property
    def review(self) -> ClockView | None:
        """The clock of the next review."""
        rules = (FIRST_REVIEW, NEXT_REVIEW)
        return next((one for one in self.clocks if one.clock.rule in rules and one.ended_at is None), None)

    @property
    def open_clocks(self) -> list[ClockView]:
        return [one for one in self.clocks if one.ended_at is None]

    @property
    def adult(self) -> str:
        """How it stands with the appropriate adult, in words."""
        adults = list(self.row.adults.all())
        came = [one for one in adults if one.arrived_at]
        if came:
            wait = min(one.arrived_at for one in came) - min(one.requested_at for one in adults)
            return f"Came after {_hours(wait)}"
        if not adults:
            return "Not asked"
        return f"Waiting for {_hours((self.row.released_at or self.now) - adults[0].requested_at)}"

    @property
    def accommodation(self) -> str:
        """How it stands with the local authority, in words; empty while nothing has to be asked."""
        row, asked = self.row, list(self.row.requests.all())
        if row.ending == Detention.Ending.LOCAL_AUTHORITY:
            return "Transferred"
        if row.certificate:
            return "Kept in custody with a certificate"
        if any(one.answer == AccommodationRequest.Answer.OFFERED for one in asked):
            return "Offered"
        if asked:
            return "Refused" if all(one.answer for one in asked) else "Asked, no answer yet"
        return "Not asked" if row.waits_for_accommodation else ""


def _hours(length: timedelta) -> str:
    minutes = max(0, int(length.total_seconds() // 60))
    return f"{minutes // 60} h {minutes % 60:02d} min"


def _full(rows: Any) -> Any:
    adults = Prefetch("adults", queryset=AppropriateAdult.objects.order_by("requested_at", "pk"))
    asked = Prefetch("requests", queryset=AccommodationRequest.objects.order_by("asked_at", "pk"))
    return rows.select_related("person", "unit", "case").prefetch_related(adults, asked)


def views(rows: Any, now: datetime | None = None) -> list[DetentionView]:
    """Detentions with their clocks: four queries, however many rows."""
    moment = now or timezone.now()
    found = {row.pk: DetentionView(row, moment) for row in _full(rows)}
    clocks = Clock.objects.filter(subject_type=Detention._meta.label_lower, subject_id__in=found)
    for view in views_of(clocks.order_by("due_at", "id"), moment):
        found[view.clock.subject_id].clocks.append(view)
    return list(found.values())


@dataclass(frozen=True)
class DetentionPage:
    """One page of detentions; ``before`` is the key for the next page, or None."""

    rows: list[DetentionView]
    before: int | None = None


def detention_page(
    user: Any, *, state: str = "now", suite: str = "", before: int | None = None, size: int = SIZE
) -> DetentionPage:
    """Detentions that stand in the list of ``user``, newest first.

    Args:
        state: a key of :data:`STATES`. suite: the name of a custody suite, or "".
    """
    rows = Detention.objects.listed_to(user)
    if state == "now":
        rows = rows.in_custody()
    elif state == "ended":
        rows = rows.exclude(released_at=None)
    if suite:
        rows = rows.filter(suite=suite)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows.order_by("-pk").values_list("pk", flat=True)[: size + 1])
    shown = views(Detention.objects.filter(pk__in=found[:size]).order_by("-pk"))
    return DetentionPage(shown, found[size - 1] if len(found) > size else None)


def suites(user: Any) -> list[str]:
    """The names of the custody suites in the list of ``user``."""
    return sorted(set(Detention.objects.listed_to(user).values_list("suite", flat=True)))


@dataclass(frozen=True)
class Figures:
    """The figures of a period: who arrived in it. ``adult_hours`` is the Kaplan-Meier median of the wait for an
    appropriate adult in hours, with those who still wait counted as waiting; None when half never came."""

    detained: int = 0
    now: int = 0
    overnight: int = 0
    reviews: int = 0
    late_reviews: int = 0
    adult_not_asked: int = 0
    adult_hours: float | None = None
    refused_bail: int = 0
    transferred: int = 0
    asked_secure: int = 0
    asked_non_secure: int = 0
    refused_non_secure: int = 0
    certificates: dict[str, int] = field(default_factory=dict)
    unanswered: int = 0  # refused bail, neither transferred nor certified


def figures(user: Any, days: int, now: datetime | None = None) -> Figures:
    """The figures of the children who arrived within the last ``days`` days."""
    moment = now or timezone.now()
    rows = Detention.objects.listed_to(user).filter(arrived_at__gte=moment - timedelta(days=days))
    found = list(rows.prefetch_related("adults", "requests", "reviews").order_by("pk"))
    asked = [request for row in found for request in row.requests.all()]
    reviews = [review for row in found for review in row.reviews.all()]
    refused = [row for row in found if row.bail == Detention.Bail.REFUSED]
    moved = [row for row in refused if row.ending == Detention.Ending.LOCAL_AUTHORITY]
    kinds = AccommodationRequest.Kind
    turned_down = AccommodationRequest.Answer.REFUSED
    labels = {code: str(label) for code, label in Detention.Certificate.choices if code}
    return Figures(
        detained=len(found),
        now=sum(row.released_at is None for row in found),
        overnight=sum(row.overnight(moment) for row in found),
        reviews=len(reviews),
        late_reviews=sum(review.late for review in reviews),
        adult_not_asked=sum(not row.adults.all() for row in found),
        adult_hours=_adult_wait(found, moment),
        refused_bail=len(refused),
        transferred=len(moved),
        asked_secure=sum(one.kind == kinds.SECURE for one in asked),
        asked_non_secure=sum(one.kind == kinds.NON_SECURE for one in asked),
        refused_non_secure=sum(one.kind == kinds.NON_SECURE and one.answer == turned_down for one in asked),
        certificates={label: sum(row.certificate == code for row in found) for code, label in labels.items()},
        unanswered=sum(not row.certificate and row not in moved for row in refused),
    )


def _adult_wait(found: list[Detention], now: datetime) -> float | None:
    waits, came = [], []
    for row in found:
        adults = list(row.adults.all())
        if not adults:
            continue
        arrivals = [one.arrived_at for one in adults if one.arrived_at]
        end = min(arrivals) if arrivals else row.released_at or now
        waits.append(max(0.0, (end - min(one.requested_at for one in adults)).total_seconds() / 3600))
        came.append(bool(arrivals))
    if not any(came):
        return None
    return kaplan_meier(waits, came).quantile()[0]
