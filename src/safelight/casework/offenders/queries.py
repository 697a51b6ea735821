"""What pages read about offenders: keyset pages, both definitions of overdue side by side, officers against policy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Case as Switch
from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, When
from django.utils import timezone

from safelight.casework.accounts.models import User
from safelight.casework.base.standards import standards
from safelight.casework.cases.models import CasePerson
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.queries import ClockView, views_of
from safelight.casework.offenders.models import RISKS, Naming, Offender, Plan
from safelight.casework.offenders.visiting import DECIDE, failed_limit

LEVELS = dict(RISKS)
FAR = date(9999, 1, 1)
SHOWN = 50
STATES = {
    "": "Anything",
    "due": "Visit due, counted from the last one tried",
    "not_seen": "Not seen for longer than the plan says",
    "notify": "Notification overdue",
    "no_plan": "No visit frequency set",
    "decide": "Failed visits: a decision waits",
    "away": "In custody, hospital or abroad",
    "reactive": "Reactive management",
}


@dataclass(frozen=True)
class Filters:
    """The filters of the register, as they stand in the address; unknown values were dropped."""

    unit: str = ""
    risk: str = ""
    state: str = ""
    manager: str = ""

    def chosen(self) -> dict[str, str]:
        return {name: value for name, value in vars(self).items() if value}


@dataclass(frozen=True)
class Row:
    """One line: the offender, and how many days each definition of overdue is past (None: not)."""

    offender: Any
    plan: Plan | None
    due_days: int | None
    unseen_days: int | None
    notify_days: int | None

    @property
    def last_seen(self) -> date | None:
        return self.offender.seen_on  # type: ignore[no-any-return]


def days_past(due: date | None, today: date) -> int | None:
    """0 on the day itself (`due <= today`), None before it or without one."""
    return (today - due).days if due is not None and due <= today else None


def overdue_visits(rows: QuerySet[Any], today: date) -> tuple[QuerySet[Any], QuerySet[Any]]:
    """Both definitions: (a) the next visit, counted from the last one tried, is due; (b) the offender was not seen in
    a successful visit within the plan's interval. Whoever counts as (a) counts as (b); the other way about is what
    inspectors found: visits were made, and one offender had been seen by nobody since 2017."""
    return rows.filter(attempt_due_on__lte=today), rows.filter(visit_due_on__lte=today)


def narrowed(rows: QuerySet[Any], filters: Filters, today: date) -> QuerySet[Any]:
    """``rows`` under the filters."""
    if filters.unit:
        rows = rows.filter(unit__code=filters.unit)
    if filters.risk:
        rows = rows.filter(risk="" if filters.risk == "none" else filters.risk)
    if filters.manager:
        rows = (
            rows.filter(manager=None) if filters.manager == "none" else rows.filter(manager__username=filters.manager)
        )
    if filters.state == "due":
        rows = rows.filter(attempt_due_on__lte=today)
    elif filters.state == "not_seen":
        rows = rows.filter(visit_due_on__lte=today)
    elif filters.state == "notify":
        rows = rows.filter(notify_due_on__lt=today)
    elif filters.state == "no_plan":
        rows = rows.filter(~Exists(Plan.objects.filter(offender=OuterRef("pk"))), management="active")
    elif filters.state == "decide":
        rows = rows.filter(failed_since_seen__gte=failed_limit(DECIDE))
    elif filters.state == "away":
        rows = rows.exclude(away="")
    elif filters.state == "reactive":
        rows = rows.filter(management="reactive")
    return rows


@dataclass(frozen=True)
class OffenderPage:
    """One page, most overdue first; ``after`` is the key of the next page, or ""."""

    rows: list[Row]
    after: str = ""


def offender_page(
    user: Any, filters: Filters, *, mine: bool = False, after: str = "", size: int = SHOWN
) -> OffenderPage:
    """Offenders that ``user`` may see, those longest past their visit first; who has no due visit comes last, by key.

    Args:
        mine: only those whom ``user`` manages.
        after: key of the last row of the page before ("2026-11-03~12").
    """
    today = timezone.localdate()
    rows = narrowed(Offender.objects.visible_to(user).on_register(), filters, today)
    if mine:
        rows = rows.filter(manager=user)
    key = day_key(after)
    if key is not None:
        day, pk = key
        if day == FAR:
            rows = rows.filter(visit_due_on=None, pk__gt=pk)
        else:
            rows = rows.filter(Q(visit_due_on__gt=day) | Q(visit_due_on=day, pk__gt=pk) | Q(visit_due_on=None))
    first = Switch(When(visit_due_on=None, then=1), default=0, output_field=IntegerField())
    found = list(rows.select_related("person", "manager", "unit").order_by(first, "visit_due_on", "pk")[: size + 1])
    shown = found[:size]
    more = shown[-1] if len(found) > size else None
    return OffenderPage(rows_of(shown, today), f"{more.visit_due_on or FAR}~{more.pk}" if more else "")


def day_key(text: str) -> tuple[date, int] | None:
    """The key of a page in an address ("<day>~<key>"); None for anything else."""
    day, _, digits = text.partition("~")
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 19):
        return None
    try:
        return date.fromisoformat(day), int(digits)
    except ValueError:
        return None


def rows_of(offenders: list[Any], today: date | None = None) -> list[Row]:
    """Lines for offenders already read, with the plan of each. One query."""
    day = today or timezone.localdate()
    plans: dict[int, Plan] = {}
    for plan in Plan.objects.filter(offender__in=[row.pk for row in offenders]).order_by("id"):
        plans[plan.offender_id] = plan
    return [
        Row(
            row,
            plans.get(row.pk),
            days_past(row.attempt_due_on, day),
            days_past(row.visit_due_on, day),
            (day - row.notify_due_on).days if row.notify_due_on and row.notify_due_on < day else None,
        )
        for row in offenders
    ]


@dataclass(frozen=True)
class Counts:
    """How a set of offenders stands; both definitions of overdue."""

    offenders: int
    due: int
    not_seen: int
    notify: int
    no_plan: int
    decide: int


def counts_of(rows: QuerySet[Any], today: date | None = None) -> Counts:
    """Counted in one query over the rows of one unit or officer."""
    day = today or timezone.localdate()
    no_plan = Q(management="active") & ~Exists(Plan.objects.filter(offender=OuterRef("pk")))
    found = rows.aggregate(
        offenders=Count("pk"),
        due=Count("pk", filter=Q(attempt_due_on__lte=day)),
        not_seen=Count("pk", filter=Q(visit_due_on__lte=day)),
        notify=Count("pk", filter=Q(notify_due_on__lt=day)),
        no_plan=Count("pk", filter=no_plan),
        decide=Count("pk", filter=Q(failed_since_seen__gte=failed_limit(DECIDE))),
    )
    return Counts(**found)


@dataclass(frozen=True)
class Officer:
    """One offender manager against policy. ``level``: green, amber, red."""

    user: Any
    total: int
    reactive: int
    away: int
    high: int
    due: int
    not_seen: int
    visits_a_year: float
    level: str


def caseload_limits() -> tuple[int, int]:
    """(amber, red): offenders per officer from which policy warns; product defaults until the force sets its own."""
    policy = standards().policy
    return int(policy["rso_caseload_amber"].value), int(policy["rso_caseload_red"].value)


def level_of(total: int) -> str:
    """``red``, ``amber`` or ``green``."""
    amber, red = caseload_limits()
    return "red" if total >= red else "amber" if total >= amber else "green"


def officers(user: Any) -> list[Officer]:
    """Every active offender manager whose offenders ``user`` may see, the fullest first; those with none too."""
    today = timezone.localdate()
    rows = Offender.objects.visible_to(user).on_register()
    counted = {
        row["manager"]: row
        for row in rows.exclude(manager=None)
        .values("manager")
        .annotate(
            total=Count("pk"),
            reactive=Count("pk", filter=Q(management="reactive")),
            gone=Count("pk", filter=~Q(away="")),
            high=Count("pk", filter=Q(risk__in=["very_high", "high"])),
            due=Count("pk", filter=Q(attempt_due_on__lte=today)),
            not_seen=Count("pk", filter=Q(visit_due_on__lte=today)),
        )
    }
    people = User.objects.filter(is_active=True, role="offender_manager")
    if user.role != "chief_officer":
        people = people.filter(unit=user.unit_id)
    demand = _demand(rows)
    made = [
        Officer(
            one,
            *(
                counted.get(one.pk, {}).get(name, 0)
                for name in ("total", "reactive", "gone", "high", "due", "not_seen")
            ),
            visits_a_year=demand.get(one.pk, 0.0),
            level=level_of(counted.get(one.pk, {}).get("total", 0)),
        )
        for one in people.select_related("unit").order_by("name")
    ]
    return sorted(made, key=lambda one: (-one.total, one.user.name))


def _demand(rows: QuerySet[Any]) -> dict[int, float]:
    """Visits a year that the plans of each officer's offenders ask for; a plan that is missing asks for none."""
    latest: dict[int, tuple[int, Plan]] = {}
    active = rows.filter(management="active", away="").exclude(manager=None)
    for plan in Plan.objects.filter(offender__in=active).select_related("offender").order_by("id"):
        latest[plan.offender_id] = (plan.offender.manager_id or 0, plan)
    made: dict[int, float] = {}
    for manager, plan in latest.values():
        a_year = 12 / plan.every if plan.every_unit == "months" else 365.25 / plan.every
        made[manager] = made.get(manager, 0.0) + a_year
    return made


def due_this_week(user: Any, manager: Any, days: int = 7) -> list[Row]:
    """Visits of one officer due by the end of the next ``days`` days, overdue ones first; nobody who is away."""
    last = timezone.localdate() + timedelta(days=days - 1)
    rows = Offender.objects.visible_to(user).on_register().filter(manager=manager, away="", visit_due_on__lte=last)
    return rows_of(list(rows.select_related("person", "manager", "unit").order_by("visit_due_on", "pk")[:200]))


def clocks_of(offender: Offender) -> list[ClockView]:
    """Open clocks of the offender and of the duties, soonest first; those without a time last."""
    about = Q(subject_type="offenders.offender", subject_id=offender.pk) | Q(
        subject_type="offenders.duty", subject_id__in=offender.duties.values("pk")
    )
    views = views_of(Clock.objects.open().filter(about).order_by("due_at", "id"))
    return [view for view in views if view.due_at] + [view for view in views if view.due_at is None]


@dataclass(frozen=True)
class Named:
    """A referral that names an offender, as ``user`` may see it. ``words`` stands where it may not be shown."""

    naming: Naming
    referral: Any = None
    case: Any = None
    words: str = ""


def named_in(offender: Offender, user: Any) -> list[Named]:
    """Where the offender is named; of what became a restricted case only whom to ask."""
    from safelight.casework.cases.models import Case
    from safelight.casework.referrals.models import Referral

    rows = list(offender.namings.select_related("referral__case__unit", "referral__unit")[:SHOWN])
    cases = {row.referral.case_id for row in rows if row.referral.case_id}
    seen = set(Case.objects.visible_to(user).filter(pk__in=cases).values_list("pk", flat=True))
    keys = [row.referral_id for row in rows]
    open_to = set(Referral.objects.visible_to(user).filter(pk__in=keys).values_list("pk", flat=True))
    made = []
    for row in rows:
        case = row.referral.case
        if case is not None and case.restricted and case.pk not in seen:
            made.append(Named(row, words="A restricted record names this person. Ask a supervisor of the unit."))
        elif row.referral_id in open_to:
            made.append(Named(row, row.referral, case if case is not None and case.pk in seen else None))
        else:
            made.append(Named(row, words=f"{row.referral.reference}, {row.referral.get_source_display()}: "
                              f"ask {case.unit.name if case is not None else 'the referral desk'}."))  # fmt: skip
    return made


def linked_to(manager: Any) -> Q:
    """Cases linked to those whom ``manager`` manages: a referral surely names them, or they stand in the case."""
    from safelight.casework.referrals.models import Referral

    mine = Offender.objects.filter(manager=manager, ended_on=None)
    named = Naming.objects.filter(offender__in=mine, certain=True).values("referral")
    stands = CasePerson.objects.filter(person__in=mine.values("person")).exclude(role="victim")
    came = Referral.objects.filter(pk__in=named, case__isnull=False)
    return Q(pk__in=came.values("case")) | Q(pk__in=stands.values("case"))


def offenders_in(*, case: Any = None, referral: Any = None) -> list[tuple[Offender, bool]]:
    """Offenders in a case or referral that the reader was already allowed to see: (offender, whether it is sure)."""
    found: dict[int, bool] = {}
    about = Q(referral__case=case) if case is not None else Q(referral=referral)
    for pk, certain in Naming.objects.filter(about).exclude(how="address").values_list("offender", "certain"):
        found[pk] = found.get(pk, False) or certain
    if case is not None:
        stands = case.people.exclude(role="victim").filter(person__offender__isnull=False)
        found |= dict.fromkeys(stands.values_list("person__offender", flat=True), True)
    if not found:
        return []
    rows = Offender.objects.on_register().filter(pk__in=found).select_related("manager", "unit").order_by("pk")
    return [(row, found[row.pk]) for row in rows]
