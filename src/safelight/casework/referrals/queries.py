"""What the referral desk reads: keyset pages, bounded counts, no query per row."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.utils.dateparse import parse_datetime

from safelight.casework.base.prepared import prepared
from safelight.casework.clocks.models import Clock
from safelight.casework.referrals.models import ImportBatch, ImportLine, Referral, State

PAGE = 25
COUNTED = 200
OPEN_STATES = (State.NEW, State.CHECKED)


@dataclass(frozen=True)
class Filters:
    """What the desk asks for, from the page's address. ``state``: ``open`` (default), a state's code or ``all``."""

    state: str = "open"
    source: str = ""
    unit: str = ""

    def apply(self, rows: QuerySet[Referral]) -> QuerySet[Referral]:
        if self.state == "open":
            rows = rows.filter(state__coded=OPEN_STATES)
        elif self.state in OPEN_STATES:
            rows = rows.filter(state__coded=OPEN_STATES, state=self.state)
        elif self.state in State.values:
            rows = rows.filter(state=self.state)
        if self.source:
            rows = rows.filter(source=self.source)
        if self.unit == "none":
            rows = rows.filter(unit=None)
        elif self.unit:
            rows = rows.filter(unit__code=self.unit)
        return rows

    @property
    def by_urgency(self) -> bool:
        """Open referrals come by urgency; ended ones newest first."""
        return self.state in {"open", State.NEW, State.CHECKED}


@dataclass
class Page:
    """One page of referrals; ``after`` is the cursor of the next page, "" on the last."""

    rows: list[Referral]
    after: str = ""
    clocks: dict[int, list[Clock]] = field(default_factory=dict)


def _urgency() -> Case:
    """New before looked-at; in each: live contact, then high priority, then the rest."""
    return Case(
        When(state=State.NEW, live_contact=True, then=Value(0)),
        When(state=State.NEW, high_priority=True, then=Value(1)),
        When(state=State.NEW, then=Value(2)),
        When(live_contact=True, then=Value(3)),
        When(high_priority=True, then=Value(4)),
        default=Value(5),
        output_field=IntegerField(),
    )


def desk_page(user: Any, filters: Filters, *, after: str = "", size: int = PAGE) -> Page:
    """One page of the desk for ``user``. A cursor that was tampered with starts again at the first page."""
    if filters.by_urgency:
        at = _cursor(after)
        past = dict(zip(("urgency", "received", "key"), at, strict=True)) if at else {}
        found = _by_urgency(user, filters, size + 1, **past)
    else:
        past = {"key": int(after)} if after.isascii() and after.isdigit() and len(after) < 16 else {}
        found = _newest(user, filters, size + 1, **past)
    page = Page(found[:size])
    if len(found) > size:
        last = page.rows[-1]
        page.after = (
            f"{last.urgency}~{last.received_at.isoformat()}~{last.pk}" if filters.by_urgency else str(last.pk)  # type: ignore[attr-defined]
        )
    for clock in _clocks(None, referrals=[row.pk for row in page.rows]) if page.rows else ():
        page.clocks.setdefault(clock.referral_id, []).append(clock)
    return page


def _shown(user: Any, filters: Filters) -> QuerySet[Referral]:
    return filters.apply(Referral.objects.visible_to(user)).select_related("unit", "case")


@prepared
def _by_urgency(
    user: Any, filters: Filters, most: int, *, urgency: Any = None, received: Any = None, key: Any = None
) -> QuerySet[Referral]:
    rows = _shown(user, filters).annotate(urgency=_urgency()).order_by("urgency", "received_at", "pk")
    if key is not None:
        rows = rows.filter(
            Q(urgency__gt=urgency)
            | Q(urgency=urgency, received_at__gt=received)
            | Q(urgency=urgency, received_at=received, pk__gt=key)
        )
    return rows[:most]


@prepared
def _newest(user: Any, filters: Filters, most: int, *, key: Any = None) -> QuerySet[Referral]:
    rows = _shown(user, filters).order_by("-pk")
    return (rows if key is None else rows.filter(pk__lt=key))[:most]


@prepared
def _clocks(nobody: None, *, referrals: Any) -> QuerySet[Clock]:
    return Clock.objects.open().filter(referral__anyof=referrals).order_by("due_at")


def _cursor(text: str) -> tuple[int, datetime, int] | None:
    parts = text.split("~")
    if len(parts) != 3 or not all(p.isascii() and p.isdigit() and len(p) < 16 for p in (parts[0], parts[2])):
        return None
    try:
        moment = parse_datetime(parts[1])
        if moment is None or moment.tzinfo is None:
            return None
        # At the ends of the calendar another time zone has no such moment.
        return int(parts[0]), moment.astimezone(UTC), int(parts[2])
    except (ValueError, OverflowError):
        return None


def bounded_count(rows: QuerySet[Any], most: int = COUNTED) -> str:
    """``17``, or ``200+``: never counts further than a person needs to know."""
    found = rows.order_by()[: most + 1].count()
    return f"{most}+" if found > most else str(found)


def desk_counts(user: Any) -> dict[str, str]:
    """Figures for the head of the desk, each counted to 200 at most."""
    counts = {name: len(_counted(user, name)) for name in ("new", "live", "checked")}
    words = {name: f"{COUNTED}+" if found > COUNTED else str(found) for name, found in counts.items()}
    return {**words, "quarantined": bounded_count(quarantined())}


@prepared
def _counted(user: Any, which: str) -> QuerySet[Any]:
    rows = Referral.objects.visible_to(user).filter(state__coded=OPEN_STATES)
    rows = rows.filter(live_contact=True) if which == "live" else rows.filter(state=which)
    return rows.order_by().values_list("pk", flat=True)[: COUNTED + 1]


def quarantined() -> QuerySet[ImportLine]:
    """Records that wait for a person, oldest first."""
    return (
        ImportLine.objects.filter(outcome=ImportLine.Outcome.QUARANTINED, resolved_at=None)
        .select_related("batch", "batch__imported_by")
        .order_by("pk")
    )


def lines_of(batch: ImportBatch, user: Any) -> list[tuple[ImportLine, bool]]:
    """The lines of an import in order, each with whether ``user`` may open its referral."""
    lines = list(batch.lines.select_related("referral"))
    keys = [line.referral_id for line in lines if line.referral_id]
    visible: set[int] = set()
    for start in range(0, len(keys), 500):
        visible.update(
            Referral.objects.visible_to(user).filter(pk__in=keys[start : start + 500]).values_list("pk", flat=True)
        )
    return [(line, line.referral_id in visible) for line in lines]


def recent_imports(limit: int = 10) -> QuerySet[ImportBatch]:
    """The newest imports."""
    return ImportBatch.objects.select_related("imported_by").order_by("-pk")[:limit]
