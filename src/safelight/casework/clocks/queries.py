"""Clocks as pages show them. The state is read from times and the present, the same on every page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import F, Prefetch, Q
from django.utils import timezone

from safelight.casework.base.prepared import prepared
from safelight.casework.base.standards import standards
from safelight.casework.clocks.models import BREACHED, MET, NOT_SET, PAUSED, RUNNING, Clock, ClockPause, Hold
from safelight.errors import StandardsError

KINDS = {
    "statute": "Statute",
    "statutory_guidance": "Statutory guidance",
    "national_guidance": "National guidance",
    "inspection_finding": "Inspection finding",
    "local": "Local policy",
    "product_default": "Product default",
    "data_definition": "Data definition",
}


MOST_NOT_SET = 200  # shown of the clocks without a time, the oldest first


@dataclass(frozen=True)
class ClockView:
    """A clock with its state in words, for the macro ``clock_badge`` and the clock tables.

    ``state`` is met, met_late, running, due_soon, breached, held (running, under a hold), paused, reached (its time was
    waited for and has come), not_applicable or not_set.
    A breached clock under a hold stays breached; ``hold`` says that it is held as well.
    """

    clock: Clock
    state: str
    hold: Hold | None = None

    @property
    def title(self) -> str:
        return self.clock.title

    @property
    def due_at(self) -> datetime | None:
        return self.clock.due_at

    @property
    def ended_at(self) -> datetime | None:
        return self.clock.stopped_at

    @property
    def rule(self) -> Any:
        """The row of the standards, or None when a later version dropped it."""
        return standards().clocks.get(self.clock.rule)

    @property
    def kind(self) -> str:
        """What kind of rule it comes from, in words; the force's own figure is named as such."""
        rule = self.rule
        if rule is None:
            return "No longer in the standards"
        words = KINDS.get(rule.kind, rule.kind)
        return f"{words}, set by the force" if rule.set_by != "product" else words

    @property
    def source(self) -> str:
        rule = self.rule
        return rule.source if rule else ""

    @property
    def may_be_held(self) -> bool:
        rule = self.rule
        open_now = self.clock.stopped_at is None and not self.clock.not_applicable
        return open_now and self.hold is None and rule is not None and bool(rule.may_be_held)


def due_soon_share() -> float:
    """The share of a clock's time below which it shows as due soon (policy due_soon_percent), 0 to 1."""
    setting = standards().policy.get("due_soon_percent")
    try:
        return float(setting.value) / 100 if setting else 0.25
    except StandardsError:
        return 0.25


def view_of(clock: Clock, now: datetime | None = None, hold: Hold | None = None) -> ClockView:
    """One clock as pages show it. Pass ``hold`` when it is known; see :func:`views_of` for lists."""
    moment = now or timezone.now()
    live = hold if hold is not None and hold.is_live(moment) else None
    state = clock.state(moment)
    if state == BREACHED and clock.stopped_at:
        state = "met_late"
    elif state == RUNNING and live is not None:
        state = "held"
    elif state == RUNNING and clock.due_at is not None:
        whole = (clock.due_at - clock.triggered_at).total_seconds()
        if (clock.due_at - moment).total_seconds() < whole * due_soon_share():
            state = "due_soon"
    return ClockView(clock, state, live)


def views_of(clocks: Any, now: datetime | None = None) -> list[ClockView]:
    """Clocks as pages show them, with their live holds: two queries for a queryset, one for rows already read."""
    moment = now or timezone.now()
    rows = list(clocks)
    running = [clock.pk for clock in rows if clock.stopped_at is None]
    holds = {hold.clock_id: hold for hold in (_live_holds(None, clocks=running, now=moment) if running else ())}
    return [view_of(clock, moment, holds.get(clock.pk)) for clock in rows]


@prepared
def _live_holds(nobody: None, *, clocks: Any, now: Any) -> Any:
    return Hold.objects.filter(clock__anyof=clocks, lifted_at=None, expires_at__gt=now).select_related("supervisor")


def clocks_of_case(case: Any, now: datetime | None = None) -> list[ClockView]:
    """Every clock of a case with all its holds: open ones first, by due time; then those that ended, latest first."""
    rows = (
        Clock.objects.filter(case=case)
        .select_related("owner", "case")
        .prefetch_related(
            Prefetch("holds", queryset=Hold.objects.select_related("supervisor").order_by("-placed_at")),
            Prefetch("pauses", queryset=ClockPause.objects.select_related("recorded_by").order_by("started_at", "pk")),
        )
    )
    views = views_of(rows, now)
    far = datetime.max.replace(tzinfo=UTC)
    opened = [view for view in views if view.ended_at is None and not view.clock.not_applicable]
    ended = [view for view in views if view.ended_at is not None or view.clock.not_applicable]
    opened.sort(key=lambda view: view.due_at or far)
    ended.sort(key=lambda view: view.ended_at or view.clock.triggered_at, reverse=True)
    return opened + ended


def next_due(case: Any, limit: int = 5) -> list[ClockView]:
    """The open clocks of a case that run out first; those without a time (the force has not set it) come last."""
    rows = Clock.objects.open().filter(case=case).order_by(F("due_at").asc(nulls_last=True), "id")
    return views_of(rows[:limit])


def rules_about(subject: str = "", area: str = "") -> list[str]:
    """The ids of the rules with this subject or area ("child"; "safeguarding")."""
    return [
        rule.id
        for rule in standards().clocks.values()
        if (not subject or rule.subject == subject) and (not area or rule.area == area)
    ]


def open_safeguarding(case: Any) -> list[Clock]:
    """The open clocks of a case that protect a child: no case closes over them."""
    rules = [rule for rule in rules_about(area="safeguarding") if rule != "live_contact_ends"]  # an obstacle by itself
    rows = Clock.objects.open().filter(case=case, rule__in=rules)
    return list(rows.order_by("due_at", "id"))


@dataclass(frozen=True)
class ClockPage:
    """One page of clocks, soonest due first. ``after`` is the key for the next page, or ""."""

    rows: list[ClockView]
    after: str = ""


def clock_page(
    user: Any, *, state: str = "", mine: bool = False, area: str = "", after: str = "", size: int = 50
) -> ClockPage:
    """The open clocks that ``user`` may see, soonest due first (a breached one is the soonest).

    Args:
        state: "breached" or "running"; "" for both; "not_set" for the clocks that have no time because the force has
            not set their duration; "paused" for those whose time does not count now.
        after: key of the last row of the page before ("2026-11-03T14:05:00+00:00~12").
    """
    now = timezone.now()
    rows = Clock.objects.visible_to(user).open()
    if state in (NOT_SET, PAUSED):
        chosen = rows.filter(due_at=None, paused_at__isnull=state == NOT_SET, **({"owner": user} if mine else {}))
        if area:
            chosen = chosen.filter(rule__in=rules_about(area=area))
        return ClockPage(views_of(chosen.select_related("case", "owner").order_by("triggered_at", "id")[:MOST_NOT_SET]))
    rows = rows.exclude(due_at=None)
    if state == "breached":
        rows = rows.breached(now)
    elif state == "running":
        rows = rows.filter(due_at__gte=now)
    if mine:
        rows = rows.filter(owner=user)
    if area:
        rows = rows.filter(rule__in=rules_about(area=area))
    key = moment_key(after)
    if key is not None:
        due, pk = key
        rows = rows.filter(Q(due_at__gt=due) | Q(due_at=due, pk__gt=pk))
    found = list(rows.select_related("case", "owner").order_by("due_at", "id")[: size + 1])
    more = found[size - 1] if len(found) > size else None
    return ClockPage(views_of(found[:size], now), f"{more.due_at.isoformat()}~{more.pk}" if more else "")


def has_clocks_without_time(user: Any) -> bool:
    """Whether an open clock that ``user`` may see has no time, because the force has not set its duration."""
    return bool(Clock.objects.visible_to(user).open().filter(due_at=None, paused_at=None).exists())


def moment_key(text: str) -> tuple[datetime, int] | None:
    """The key of a page in an address ("<ISO time>~<key>"); None for anything else."""
    moment, _, digits = text.partition("~")
    if not digits.isdecimal() or len(digits) > 18:
        return None
    try:
        due = datetime.fromisoformat(moment)
        # At the ends of the calendar another time zone has no such moment.
        return (due.astimezone(UTC), int(digits)) if timezone.is_aware(due) else None
    except (ValueError, OverflowError):
        return None


def late_or_met(views: Iterable[ClockView]) -> tuple[int, int]:
    """(met in time, late or breached) among ``views``; open clocks that still have time count in neither."""
    states = [view.state for view in views]
    return states.count(MET), states.count(BREACHED) + states.count("met_late")
