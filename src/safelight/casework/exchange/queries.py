"""What the pages of the exchange read."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from safelight.casework.base.standards import standards
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.queries import ClockView, views_of
from safelight.casework.exchange.models import ApiKey, Bank, Hit, LookupTally, Platform, PlatformReport, TakedownNotice
from safelight.casework.exchange.notices import CLOCK as REMOVAL
from safelight.casework.exchange.reports import CLOCK as REPORT
from safelight.measures.survival import ClockSummary, clock_summary

PAGE = 100
DAYS = 30


@dataclass(frozen=True)
class Rows:
    """One keyset page: the rows, and the key after which the next page begins ("" on the last)."""

    rows: list[Any]
    after: str = ""


def _page(found: Any, before: str) -> Rows:
    if before.isdecimal() and before.isascii() and len(before) <= 15:
        found = found.filter(pk__lt=int(before))
    rows = list(found.order_by("-pk")[: PAGE + 1])
    return Rows(rows[:PAGE], str(rows[PAGE - 1].pk) if len(rows) > PAGE else "")


@dataclass(frozen=True)
class PlatformRow:
    """A platform on the list: its keys by state, and what it asked in the last 30 days."""

    platform: Platform
    active: int
    suspended: int
    lookups: int
    hits: int


def platforms(*, closed: bool = False) -> list[PlatformRow]:
    """Platforms by name; a force works with dozens, not thousands."""
    since = timezone.now() - timedelta(days=DAYS)
    sums = {
        row["key__platform"]: row
        for row in LookupTally.objects.filter(hour__gte=since)
        .values("key__platform")
        .annotate(lookups=Sum("lookups"), hits=Sum("hits"))
    }
    made = []
    rows = Platform.objects.filter(closed_at__isnull=not closed).prefetch_related("keys__suspensions")
    for platform in rows.order_by("name")[:500]:
        states = [key.state() for key in platform.keys.all()]
        asked = sums.get(platform.pk, {})
        made.append(
            PlatformRow(
                platform,
                states.count("active"),
                states.count("suspended"),
                asked.get("lookups", 0),
                asked.get("hits", 0),
            )
        )
    return made


def suspended_keys() -> list[ApiKey]:
    """Keys that wait for a person's decision, the longest first."""
    return list(
        ApiKey.objects.filter(suspensions__lifted_at=None, suspensions__isnull=False)
        .select_related("platform")
        .prefetch_related("suspensions")
        .order_by("suspensions__at")
    )


def keys_of(platform: Platform) -> list[ApiKey]:
    return list(
        platform.keys.select_related("issued_by", "replaced_by").prefetch_related("suspensions__lifted_by")[:200]
    )


def hits_of(platform: Platform | None = None, *, before: str = "") -> Rows:
    """Hits, newest first."""
    found = Hit.objects.select_related("platform", "bank", "key")
    return _page(found.filter(platform=platform) if platform else found, before)


@dataclass(frozen=True)
class Day:
    """One day: what was asked, and the hits by kind."""

    day: date
    lookups: int
    exact: int
    likeness: int

    @property
    def hits(self) -> int:
        return self.exact + self.likeness


def hits_by_day(platform: Platform | None = None, *, days: int = DAYS) -> list[Day]:
    """Each of the last days, those without any included."""
    today = timezone.localdate()
    first = today - timedelta(days=days - 1)
    chosen: dict[str, Any] = {"platform": platform} if platform else {}
    counted: dict[date, list[int]] = defaultdict(lambda: [0, 0, 0])
    start = timezone.make_aware(datetime.combine(first, datetime.min.time()))
    for row in (
        Hit.objects.filter(at__gte=start, **chosen)
        .annotate(day=TruncDate("at"))
        .values("day")
        .annotate(exact=Count("pk", filter=~Q(algorithm="pdq")), likeness=Count("pk", filter=Q(algorithm="pdq")))
        .order_by()
    ):
        counted[row["day"]][1:] = [row["exact"], row["likeness"]]
    asked = LookupTally.objects.filter(hour__gte=start, **({"key__platform": platform} if platform else {}))
    for row in asked.annotate(day=TruncDate("hour")).values("day").annotate(total=Sum("lookups")).order_by():
        counted[row["day"]][0] = row["total"]
    return [
        Day(first + timedelta(days=step), *counted.get(first + timedelta(days=step), [0, 0, 0])) for step in range(days)
    ]


def _clocks(rule: str, kind: str, rows: list[Any]) -> dict[int, ClockView]:
    found = Clock.objects.filter(rule=rule, subject_type=kind, subject_id__in=[row.pk for row in rows]).order_by("pk")
    return {view.clock.subject_id: view for view in views_of(found)}


@dataclass(frozen=True)
class Clocked:
    """A report or notice with its clock, if one was ever started."""

    row: Any
    clock: ClockView | None


def reports(*, waiting: bool = False, platform: Platform | None = None, before: str = "") -> Rows:
    """Reports of platforms, newest first; ``waiting``: those that no authority has yet."""
    found = PlatformReport.objects.select_related("platform", "hit__bank")
    if platform:
        found = found.filter(platform=platform)
    if waiting:
        found = found.filter(ncmec_report_id="", nca_reference="").exclude(uk_linked=False)
    page = _page(found, before)
    clocks = _clocks(REPORT, "exchange.platformreport", page.rows)
    return Rows([Clocked(row, clocks.get(row.pk)) for row in page.rows], page.after)


def notices(*, closed: bool = False, platform: Platform | None = None, before: str = "") -> Rows:
    """Takedown notices, newest first."""
    found = TakedownNotice.objects.select_related("platform", "sent_by").annotate(times=Count("chases"))
    if platform:
        found = found.filter(platform=platform)
    ended = Q(removed_at__isnull=False) | Q(refused_at__isnull=False)
    page = _page(found.filter(ended) if closed else found.exclude(ended), before)
    return Rows(clocked_notices(page.rows), page.after)


def clocked_notices(rows: list[TakedownNotice]) -> list[Clocked]:
    clocks = _clocks(REMOVAL, "exchange.takedownnotice", rows)
    return [Clocked(row, clocks.get(row.pk)) for row in rows]


def clock_of_report(report: PlatformReport) -> ClockView | None:
    return _clocks(REPORT, "exchange.platformreport", [report]).get(report.pk)


@dataclass(frozen=True)
class Availability:
    """How long known material stayed available after notice.

    Attributes:
        name: of the platform, or all. notices, removed, refused, waiting: how many.
        summary: median and share within the limit with those that are not removed counted as such; None without any.
    """

    name: str
    notices: int
    removed: int
    refused: int
    waiting: int
    summary: ClockSummary | None


def removal_limit_hours() -> float:
    """Hours from notice to removal that the standards give."""
    duration = standards().clocks[REMOVAL].duration_for()
    return float(getattr(duration, "hours", None) or 24)


def availability(*, days: int = 365, now: datetime | None = None) -> list[Availability]:
    """Notices of the last days: all first, then by platform. Hours throughout.

    One that is still open counts up to now, one that was refused up to the refusal (from then on nobody watches): both
    as 'not removed so far', never left out (Kaplan-Meier, `safelight.measures.survival`).
    """
    moment = now or timezone.now()
    since = moment - timedelta(days=days)
    rows: dict[str, list[tuple[float, bool, str]]] = defaultdict(list)
    found = TakedownNotice.objects.filter(sent_at__gte=since, sent_at__lte=moment).values_list(
        "platform__name", "sent_at", "removed_at", "refused_at"
    )
    for name, sent, removed, refused in found.iterator(chunk_size=5000):
        end = removed or refused or moment
        state = "removed" if removed else "refused" if refused else "waiting"
        rows[name].append(((end - sent).total_seconds() / 3600, bool(removed), state))
    whole = [one for some in rows.values() for one in some]
    return [_available("All platforms", whole), *(_available(name, rows[name]) for name in sorted(rows))]


def _available(name: str, rows: list[tuple[float, bool, str]]) -> Availability:
    states = [state for _, _, state in rows]
    summary = None
    if rows:
        summary = clock_summary([hours for hours, _, _ in rows], [gone for _, gone, _ in rows], removal_limit_hours())
    return Availability(
        name, len(rows), states.count("removed"), states.count("refused"), states.count("waiting"), summary
    )


def banks() -> list[Bank]:
    """Banks by name, with how many entries of their own are live and how many rows are withdrawn."""
    live = Count("contents", filter=Q(contents__withdrawn_at=None), distinct=True)
    gone = Count("withdrawn_rows", filter=Q(withdrawn_rows__restored_at=None), distinct=True)
    return list(
        Bank.objects.select_related("hash_set", "made_by").annotate(live=live, gone=gone).order_by("name")[:500]
    )
