"""Children who wait: to be named, to be told of, to be chased about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from safelight.casework.base.links import address
from safelight.casework.base.memory import any_of, keys
from safelight.casework.base.prepared import prepared
from safelight.casework.base.work import WorkItem
from safelight.casework.cases.models import Case, carried_by
from safelight.casework.cases.seen import first_seen
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.queries import ClockView, views_of
from safelight.casework.referrals.models import Referral, State
from safelight.casework.safeguarding.models import Answer, ChildAtRisk, ContactCheck, SafeguardingReferral
from safelight.casework.safeguarding.queries import QUESTIONS
from safelight.casework.safeguarding.services import TELL_SOCIAL_CARE
from safelight.casework.safeguarding.social_care import CHASE

_LAST = datetime.max.replace(tzinfo=UTC)
GROUP = "Children"
SHOWN = 50


def items_for(user: Any) -> list[WorkItem]:
    """For the desk: children before a case is open and in unallocated cases. For an investigator: those of the own
    cases. For a supervisor: those of the unit."""
    if not user.has_perm("safeguarding.refer"):
        return []
    return [*_clock_items(user), *_motion_items(user), *_silent_items(user), *_check_items(user)]


def _of(user: Any, field: str) -> Q:
    """That ``field`` is an open case whose children are this person's to protect."""
    return any_of(field, keys(user, "cases to protect", _protected, most=3_000))


def _protected(user: Any) -> list[Any]:
    return [_cases(user).values("pk")]


def _cases(user: Any) -> Any:
    if user.role == "investigator":
        return Case.objects.open().filter(carried_by(user, "pk"))
    cases = Case.objects.visible_to(user).open()
    if user.role == "referral_desk":
        return cases.unallocated()
    return cases.filter(unit=user.unit)


def _clock_items(user: Any) -> list[WorkItem]:
    now = timezone.now()
    # One question for each way to a clock, not one with OR between: each then has an index that leads to its rows.
    found: list[Clock] = []
    if user.role == "supervisor":
        # Of open and of closed cases: closing a case ends no clock of a child, and whoever settled that part still sees
        # what runs.
        found += first_seen(lambda at, to: _untold_of_unit(user, at, to, now=now), user, SHOWN, of_unit=True)
    else:
        found += _untold_of_own(user, now=now)
    if user.role != "investigator":
        found += _untold_without_case(user, now=now)
    found.sort(key=lambda clock: (clock.due_at or _LAST, clock.pk))
    groups: dict[tuple[str, int | None, int | None], list[ClockView]] = {}
    for view in views_of(found[:SHOWN], now):
        clock = view.clock
        key = (clock.rule, clock.case_id, None if clock.case_id else clock.referral_id)
        groups.setdefault(key, []).append(view)
    danger = _in_danger(
        [v.clock.subject_id for (rule, *_), vs in groups.items() if rule == TELL_SOCIAL_CARE for v in vs]
    )
    return [_clock_item(rule, views, danger) for (rule, _, _), views in groups.items()]


def _untold(now: Any) -> Any:
    rows = Clock.objects.open().filter(Q(rule=TELL_SOCIAL_CARE) | Q(rule=CHASE, due_at__lt=now))
    return rows.select_related("case", "referral").order_by("due_at", "id")


@prepared
def _untold_of_unit(user: Any, at: int, to: int, *, now: Any) -> Any:
    return _untold(now).filter(case__isnull=False, unit=user.unit_id)[at:to]


@prepared
def _untold_of_own(user: Any, *, now: Any) -> Any:
    return _untold(now).filter(_of(user, "case"))[:SHOWN]


@prepared
def _untold_without_case(user: Any, *, now: Any) -> Any:
    seen = Referral.objects.visible_to(user).filter(case=None)
    return _untold(now).filter(seen.holding("referral"), case=None)[:SHOWN]


MOTION = {
    "strategy_discussion": ("Hold the strategy discussion", "safeguarding:strategy"),
    "s47_child_seen": ("See that the child is seen", "safeguarding:enquiry"),
    "icpc": ("See that the conference is held", "safeguarding:enquiry"),
    "police_protection_max": ("End police protection in time", "safeguarding:protection"),
}
"""What has been set in motion for a child, by its clock: what to do about it, and where."""


def _motion_items(user: Any) -> list[WorkItem]:
    """Discussions to hold, children to be seen, conferences and police protections: those of the own cases, and of a
    covert discussion those of which the person is the owner (they hang on no case)."""
    if user.role == "supervisor":
        found = first_seen(lambda at, to: _moving_in_unit(user, at, to), user, SHOWN, of_unit=True)
        found += _moving_covertly(user)
        found = sorted(found, key=lambda clock: (clock.due_at or _LAST, clock.pk))[:SHOWN]
    else:
        found = _moving_of_own(user)
    made = []
    for view in views_of(found):
        clock, case = view.clock, view.clock.case
        title, page = MOTION[clock.rule]
        about = f"{clock.subject_label}, {case.reference} {case.title}" if case else clock.subject_label
        url = address(page, clock.subject_label)
        urgent = clock.rule == "police_protection_max"
        risk = case.risk if case else ""
        made.append(WorkItem(title, url, about, view.due_at, view, risk, urgent, GROUP))
    return made


def _moving() -> Any:
    return Clock.objects.open().filter(rule__in=MOTION).select_related("case").order_by("due_at", "id")


def _covert(user: Any) -> Q:
    return Q(case=None, referral=None, owner=user)


@prepared
def _moving_in_unit(user: Any, at: int, to: int) -> Any:
    return _moving().filter(case__status="open", unit=user.unit_id)[at:to]


@prepared
def _moving_covertly(user: Any) -> Any:
    return _moving().filter(_covert(user))[:SHOWN]


@prepared
def _moving_of_own(user: Any) -> Any:
    return _moving().filter(_of(user, "case") | _covert(user))[:SHOWN]


CHASED_ENOUGH = 2


def _silent_items(user: Any) -> list[WorkItem]:
    """Referrals that were chased twice and have no answer: it is for somebody above at social care now."""
    if user.role == "supervisor":
        found = first_seen(lambda at, to: _silent_in_unit(user, at, to), user, SHOWN)
    else:
        found = _silent_of_own(user)
    return [
        WorkItem(
            "Escalate social care's silence",
            address("safeguarding:escalate", sent.reference),
            f"{sent.reference} to {sent.authority}, {sent.case.reference} {sent.case.title}",
            risk=sent.case.risk,
            group=GROUP,
        )
        for sent in found
    ]


def _silent() -> Any:
    rows = SafeguardingReferral.objects.filter(decision="", chases__gte=CHASED_ENOUGH, escalated_at=None)
    return rows.select_related("case").order_by("sent_at")


@prepared
def _silent_in_unit(user: Any, at: int, to: int) -> Any:
    return _silent().filter(case__status="open", case__unit=user.unit_id)[at:to]


@prepared
def _silent_of_own(user: Any) -> Any:
    return _silent().filter(_of(user, "case"))[:SHOWN]


def _in_danger(keys: list[int]) -> set[int]:
    return set(ChildAtRisk.objects.filter(pk__anyof=keys, immediate_danger=True).values_list("pk", flat=True))


def _clock_item(rule: str, views: list[ClockView], danger: set[int]) -> WorkItem:
    clock = views[0].clock
    case, count = clock.case, len(views)
    if rule == CHASE:
        title = f"Chase social care about {'a referral' if count == 1 else f'{count} referrals'}"
    elif case is None:
        title = f"Open a case and tell social care about {_children(count)}"
    else:
        title = f"Tell social care about {_children(count)}"
    if case is not None:
        page, about = address("safeguarding:case_children", case.reference), f"{case.reference} {case.title}"
    else:
        page, about = address("referrals:detail", clock.referral.reference), clock.referral.reference
    urgent = rule == TELL_SOCIAL_CARE and any(view.clock.subject_id in danger for view in views)
    return WorkItem(
        title=title,
        url=page,
        subject=f"{about}: immediate danger" if urgent else about,
        due_at=views[0].due_at,
        clock=views[0],
        risk=case.risk if case else "",
        urgent=urgent,
        group=GROUP,
    )


def _children(count: int) -> str:
    return "a child" if count == 1 else f"{count} children"


def _check_items(user: Any) -> list[WorkItem]:
    """Answers that leave a question open: 'yes' without a child named, and 'not known yet'."""
    if user.role == "supervisor":
        rows: list[Any] = first_seen(lambda at, to: _asked_in_unit(user, at, to), user, SHOWN)
    else:
        rows = _asked_of_own(user)
    if user.role != "investigator":
        rows += _asked_without_case(user)
    rows.sort(key=lambda check: check.answered_at)
    items = []
    for check in rows[:SHOWN]:
        referral, case = check.referral, check.referral.case
        about = f"{case.reference} {case.title}" if case else referral.reference
        risk = case.risk if case else ""
        if not check.named and Answer.YES in (check.lives_with, check.sees, check.works_with):  # type: ignore[attr-defined]
            url = address("safeguarding:child_add", referral.reference)
            items.append(WorkItem("Name the children", url, about, risk=risk, urgent=True, group=GROUP))
        if check.open_questions:
            words = " and ".join(QUESTIONS[name] for name in check.open_questions)
            url = address("safeguarding:check", referral.reference)
            items.append(WorkItem(f"Find out whether the suspect {words}", url, about, risk=risk, group=GROUP))
    return items


def _asked(way: Q) -> Any:
    named = Exists(ChildAtRisk.objects.filter(referral=OuterRef("referral")))
    rows = ContactCheck.objects.filter(way, unsettled=True).annotate(named=named)
    return rows.select_related("referral__case").order_by("answered_at", "pk")


@prepared
def _asked_of_own(user: Any) -> Any:
    return _asked(_of(user, "referral__case"))[:SHOWN]


@prepared
def _asked_in_unit(user: Any, at: int, to: int) -> Any:
    way = Q(referral__case__unit=user.unit_id, referral__case__status="open")
    return _asked(way).annotate(case_id=F("referral__case"))[at:to]


@prepared
def _asked_without_case(user: Any) -> Any:
    waiting = Referral.objects.visible_to(user).filter(case=None).exclude(state=State.CLOSED)
    return _asked(Q(referral__in=waiting.values("pk")))[:SHOWN]
