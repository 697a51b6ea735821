"""The supervisor's board: what cannot wait, what drifts, who carries how much."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone

from safelight.casework.accounts.models import User
from safelight.casework.allocation.weights import lasting_overload, standings
from safelight.casework.base.prepared import prepared
from safelight.casework.base.standards import standards
from safelight.casework.cases.chronology import title_of
from safelight.casework.cases.models import Case, ChronologyEntry
from safelight.casework.cases.seen import first_seen
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.queries import ClockView, rules_about, views_of
from safelight.casework.workforce.capacity import away_words


@dataclass(frozen=True)
class Drift:
    """A case without a meaningful action for longer than policy allows for its risk."""

    case: Any
    days: int
    limit: int
    last_kind: str
    last_at: datetime | None

    @property
    def last(self) -> str:
        return title_of(self.last_kind) if self.last_kind else ""

    @property
    def share(self) -> float:
        """Days without action over days allowed: what 'longest and riskiest first' sorts by."""
        return self.days / self.limit


@dataclass(frozen=True)
class Load:
    """What one investigator carries. ``percent`` is of the points that the person can carry in the hours they work.

    ``lasting``: overloaded on every day for as long as policy calls too long. ``away``: in words, when not at work.
    """

    investigator: Any
    points: Decimal
    percent: int
    overloaded: bool
    cases: int
    available: Decimal
    lasting: bool = False
    away: str = ""


@dataclass(frozen=True)
class Board:
    """Everything on the supervisor's board. Lists are cut at their ``most``; the page says so."""

    live_contact: list[Any] = field(default_factory=list)
    children: list[ClockView] = field(default_factory=list)
    unallocated: list[Any] = field(default_factory=list)
    reviews: list[ClockView] = field(default_factory=list)
    drifting: list[Drift] = field(default_factory=list)
    loads: list[Load] = field(default_factory=list)


def drift_days(risk: str) -> int:
    """Days without a meaningful action that policy allows. Where nobody has assessed the risk: the fewest."""
    setting = standards().policy["drift_days"]
    if risk:
        return int(setting.for_risk(risk))
    return min(int(setting.for_risk(level)) for level in standards().risks)


def drift_board(user: Any, *, now: datetime | None = None, most: int = 50) -> list[Drift]:
    """The drifting cases of the user's unit that the user sees, longest and riskiest first.

    Sorted by days without a meaningful action over the days that policy allows for the risk, so that a very high risk
    case of six days stands beside a low risk one of eight weeks. One query for each level of risk, on the index of open
    cases by last action, and those that are shown.
    """
    moment = now or timezone.now()
    found: list[tuple[float, int, int, int]] = []
    for risk in (*standards().risks, ""):
        limit = drift_days(risk)
        for key, last_action_at in _quiet(user, most, risk=risk, since=moment - timedelta(days=limit)):
            days = (moment - last_action_at).days
            found.append((-days / limit, key, days, limit))
    longest = sorted(found)[:most]
    cases = {case.pk: case for case in _drifting(user, cases=[key for _, key, _, _ in longest])} if longest else {}
    return [
        Drift(case, days, limit, case.last_kind or "", case.last_at)
        for _, key, days, limit in longest
        if (case := cases.get(key)) is not None
    ]


@prepared
def _quiet(user: Any, most: int, *, risk: Any, since: Any) -> Any:
    rows = Case.objects.visible_to(user).open().filter(unit=user.unit, risk=risk, last_action_at__lt=since)
    return rows.order_by("last_action_at", "pk").values_list("pk", "last_action_at")[:most]


@prepared
def _drifting(user: Any, *, cases: Any) -> Any:
    newest = ChronologyEntry.objects.filter(case=OuterRef("pk"), meaningful=True).order_by("-at", "-id")
    return (
        _of_unit(user)
        .filter(pk__anyof=cases)
        .annotate(last_kind=Subquery(newest.values("kind")[:1]), last_at=Subquery(newest.values("at")[:1]))
    )


def _of_unit(user: Any) -> Any:
    return Case.objects.visible_to(user).filter(unit=user.unit).select_related("unit").with_investigator()


def caseload_board(unit: Any) -> list[Load]:
    """What each active investigator of the unit carries, heaviest first. A fixed number of queries."""
    people = list(User.objects.filter(unit=unit, role="investigator", is_active=True))
    found, lasting = standings(people), lasting_overload(people)
    made = []
    for person in people:
        one = found[person.pk]
        made.append(
            Load(
                person,
                one.points.quantize(Decimal("0.1")),
                round(one.percent),
                one.overloaded,
                one.cases,
                one.available.quantize(Decimal("0.1")),
                person.pk in lasting,
                away_words(one.absence) if one.absence else "",
            )
        )
    return sorted(made, key=lambda load: (-load.points, load.investigator.name))


def board(user: Any, *, most: int = 50) -> Board:
    """The board of the user's unit: only cases that the user may see. The number of queries does not grow."""
    now = timezone.now()
    until = now + timedelta(days=1)
    return Board(
        live_contact=_live(user, most),
        children=views_of(_late(user, tuple(rules_about(area="safeguarding")), most, now=now), now),
        unallocated=_unallocated(user, most),
        reviews=views_of(first_seen(lambda at, to: reviews_due(user, at, to, until=until), user, most), now),
        drifting=drift_board(user, now=now, most=most),
        loads=caseload_board(user.unit),
    )


@prepared
def _live(user: Any, most: int) -> Any:
    # Closing a case ends no contact.
    return _of_unit(user).filter(live_contact=True).order_by("pk")[:most]


@prepared
def _unallocated(user: Any, most: int) -> Any:
    return _of_unit(user).open().unallocated().order_by("opened_at", "pk")[:most]


@prepared
def _late(user: Any, rules: tuple[str, ...], most: int, *, now: Any) -> Any:
    return (
        Clock.objects.visible_to(user)
        .breached(now)
        # A referral whose borough nobody knows has no unit yet: its child is on every board until one takes it.
        .filter(Q(unit=user.unit) | Q(unit=None, case=None), rule__in=rules)
        .select_related("case", "owner", "referral")
        .order_by("due_at", "id")[:most]
    )


@prepared
def reviews_due(user: Any, at: int, to: int, *, until: Any) -> Any:
    """The clocks of reviews of the unit that fall due before ``until``, the first due first, from one place to another
    (of cases that the user may not see as well)."""
    rows = Clock.objects.open().filter(unit=user.unit, rule="supervisor_review", due_at__lt=until)
    return rows.select_related("case").order_by("due_at", "id")[at:to]
