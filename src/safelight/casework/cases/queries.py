"""What the pages and reports read about cases."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.db.models import Case as Switch
from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Value, When
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from safelight.casework.allocation.models import Allocation
from safelight.casework.base.models import ROW
from safelight.casework.base.prepared import prepared
from safelight.casework.cases.models import Case, ChronologyEntry, Settlement
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.queries import ClockView, moment_key, open_safeguarding, rules_about, views_of
from safelight.casework.devices.models import Device, TriageRun
from safelight.casework.fleet.models import Examination
from safelight.casework.safeguarding.models import ChildAtRisk
from safelight.casework.submissions.models import Submission, SubmissionItem

STAGES = {
    "unallocated": "Unallocated",
    "children": "Children to protect",
    "devices": "Devices to triage",
    "submissions": "Submissions to finish",
    "enquiries": "Enquiries, no device yet",
    "ready": "Ready to close",
    "closed": "Closed",
}


MOST_LIVE = 200


@dataclass(frozen=True)
class Obstacle:
    """What keeps a case open: the part it belongs to, a sentence, and where to mend it.

    ``area`` is safeguarding, devices or submissions (which a supervisor may settle with a reason), or live_contact
    (which nobody can settle: it has to end).
    """

    area: str
    text: str
    href: str = ""


AREA_PAGES = {
    "safeguarding": "safeguarding:case_children",
    "devices": "devices:case_devices",
    "submissions": "submissions:case_submissions",
    "live_contact": "cases:live_contact",
}


def address(page: str, **arguments: Any) -> str:
    """The address of a page, or "" where this installation has no such page."""
    try:
        return reverse(page, kwargs=arguments)
    except NoReverseMatch:
        return ""


def _outstanding(area: str, case: Any) -> list[str]:
    name = f"safelight.casework.{area}.queries"
    return list(import_module(name).outstanding(case)) if find_spec(name) else []


def settled_areas(case: Any) -> dict[str, Settlement]:
    """The settlements that still hold: nothing was recorded in their part after them."""
    newer = {
        "safeguarding": lambda at: ChildAtRisk.objects.filter(case=case, recorded_at__gt=at).exists(),
        "devices": lambda at: Device.objects.filter(case=case, booked_in_at__gt=at).exists(),
        "submissions": lambda at: Submission.objects.filter(case=case, written_at__gt=at).exists(),
    }
    return {
        row.area: row for row in case.settlements.select_related("settled_by") if not newer[row.area](row.settled_at)
    }


def obstacles(case: Any) -> list[Obstacle]:
    """Everything that keeps the case open and is not settled with a reason; empty means it can be closed."""
    found: list[tuple[str, str]] = []
    if case.live_contact:
        found.append(("live_contact", "A suspect is in contact with a child: record first that this has ended."))
    settled = settled_areas(case)
    for area in ("safeguarding", "devices", "submissions"):
        if area in settled:
            continue
        said = _outstanding(area, case)
        if area == "safeguarding" and not said:
            said = [f"{clock.title} ({clock.subject_label}) is still open." for clock in open_safeguarding(case)]
        found += [(area, text) for text in said]
    return [Obstacle(area, text, address(AREA_PAGES[area], reference=case.reference)) for area, text in found]


def with_stage(cases: Any, rules: Iterable[str] | None = None) -> Any:
    """Annotate ``stage`` (a key of :data:`STAGES`): the first part that is unfinished, read from the facts.

    Args:
        rules: the rules about safeguarding; None: those of the standards.
    """
    protecting = _protecting() if rules is None else rules
    children = Exists(ChildAtRisk.objects.filter(case__pk__in=ROW, safeguarding_referrals=None)) | Exists(
        Clock.objects.open().filter(case__pk__in=ROW, rule__in=protecting)
    )
    read = TriageRun.objects.filter(device__pk__in=ROW, state__in=["finished", "unread_parts"])
    devices = Exists(Device.objects.filter(case__pk__in=ROW, decision="undecided"))
    devices |= Exists(Examination.objects.open().filter(device__case__pk__in=ROW))
    devices |= Exists(Device.objects.filter(~Exists(read), case__pk__in=ROW, decision="triage"))
    later = TriageRun.objects.filter(image=OuterRef("image"), pk__gt=OuterRef("pk"))
    devices |= Exists(
        TriageRun.objects.filter(
            ~Exists(later),
            device__case__pk__in=ROW,
            device__decision="triage",
            state__in=["unread_parts", "failed", "cancelled"],
            accepted_at=None,
        )
    )
    submissions = (
        Exists(Submission.objects.filter(case__pk__in=ROW, state__in=["written", "sent"]))
        | Exists(SubmissionItem.objects.filter(submission__case__pk__in=ROW, state="rejected"))
        | Exists(Clock.objects.open().filter(case__pk__in=ROW, rule="caid_upload"))
    )
    return cases.annotate(
        stage=Switch(
            When(status="closed", then=Value("closed")),
            When(~Exists(Allocation.objects.filter(case__pk__in=ROW, ended_at=None)), then=Value("unallocated")),
            When(children, then=Value("children")),
            When(devices, then=Value("devices")),
            When(submissions, then=Value("submissions")),
            # Nothing is unfinished because nothing was seized: that is no invitation to close.
            When(~Exists(Device.objects.filter(case__pk__in=ROW)), then=Value("enquiries")),
            default=Value("ready"),
            output_field=CharField(),
        )
    )


def _protecting() -> tuple[str, ...]:
    return tuple(rules_about(area="safeguarding"))


def stage_of(case: Any) -> str:
    """Where the case stands (a key of :data:`STAGES`)."""
    return str(_stage(None, _protecting(), case=case.pk)[0])


@prepared
def _stage(nobody: None, rules: tuple[str, ...], *, case: Any) -> Any:
    return with_stage(Case.objects.filter(pk=case), rules).values_list("stage", flat=True)


@dataclass(frozen=True)
class Filters:
    """The filters of the case index, as they stand in the address; unknown values were dropped."""

    unit: str = ""
    risk: str = ""
    stage: str = ""
    status: str = "open"
    mine: bool = False
    unallocated: bool = False
    breached: bool = False

    def chosen(self) -> dict[str, str]:
        """The filters in use, for the address and for the ledger."""
        made = {"unit": self.unit, "risk": self.risk, "stage": self.stage}
        if self.status != "open":
            made["status"] = self.status
        made |= {name: "1" for name in ("mine", "unallocated", "breached") if getattr(self, name)}
        return {name: value for name, value in made.items() if value}


@dataclass(frozen=True)
class CaseRow:
    """One line of a list: the case (with unit, investigator and ``stage``) and the clock that runs out first."""

    case: Any
    clock: ClockView | None

    @property
    def stage(self) -> str:
        return STAGES[self.case.stage]


@dataclass(frozen=True)
class CasePage:
    """One page of cases, newest first; ``before`` is the key of the next page, or None."""

    rows: list[CaseRow]
    before: int | None = None


def case_page(user: Any, filters: Filters, *, before: int | None = None, size: int = 50) -> CasePage:
    """The cases that ``user`` may see under ``filters``: those with live contact, then the newest first. Seven queries,
    whatever the number of cases."""
    rules, now = _protecting(), timezone.now()
    past = {} if before is None else {"before": before}
    # Live contact stands before everything: on the first page, all of it.
    live = _keys_under(user, filters, rules, True, MOST_LIVE, now=now) if before is None else []
    keys = _keys_under(user, filters, rules, False, size + 1, now=now, **past)
    # The stage is worked out for the rows of the page, and not for all that had to be sorted.
    cases = {case.pk: case for case in _of_keys(None, rules, keys=live + keys[:size])} if live or keys else {}
    more = keys[size - 1] if len(keys) > size else None
    return CasePage(rows_of([cases[key] for key in (*live, *keys[:size]) if key in cases]), more)


@prepared
def _keys_under(
    user: Any, filters: Filters, rules: tuple[str, ...], live: bool, most: int, *, now: Any, before: Any = None
) -> QuerySet[Any]:
    found = Case.objects.visible_to(user).filter(live_contact=live)
    if filters.status in ("open", "closed"):
        found = found.filter(status=filters.status)
    if filters.unit:
        found = found.filter(unit__code=filters.unit)
    if filters.risk:
        found = found.filter(risk="" if filters.risk == "none" else filters.risk)
    if filters.stage:
        found = with_stage(found, rules).filter(stage=filters.stage)
    if filters.mine:
        found = found.filter(Exists(Allocation.objects.filter(case=OuterRef("pk"), ended_at=None, investigator=user)))
    if filters.unallocated:
        found = found.unallocated()
    if filters.breached:
        found = found.filter(Exists(Clock.objects.breached(now).filter(case=OuterRef("pk"))))
    if before is not None:
        found = found.filter(pk__lt=before)
    return found.order_by("-pk").values_list("pk", flat=True)[:most]


@prepared
def _of_keys(nobody: None, rules: tuple[str, ...], *, keys: Any) -> QuerySet[Any]:
    return with_stage(Case.objects.filter(pk__anyof=keys), rules).select_related("unit").with_investigator()


def rows_of(cases: list[Any]) -> list[CaseRow]:
    """Lines for cases already read, each with its soonest open clock. Two queries."""
    soonest: dict[int, Clock] = {}
    for clock in _clocks(None, cases=[case.pk for case in cases]) if cases else ():
        soonest.setdefault(clock.case_id, clock)
    views = {view.clock.case_id: view for view in views_of(soonest.values())}
    return [CaseRow(case, views.get(case.pk)) for case in cases]


@prepared
def _clocks(nobody: None, *, cases: Any) -> QuerySet[Clock]:
    return Clock.objects.open().filter(case__anyof=cases).exclude(due_at=None).order_by("due_at", "id")


def live_contact_count(user: Any, most: int = 100) -> int:
    """How many cases with live contact ``user`` sees, counted up to ``most``."""
    return len(_counted(user, "live", most))


def unallocated_count(user: Any, most: int = 100) -> int:
    """How many open cases that ``user`` sees have nobody, counted up to ``most``."""
    return len(_counted(user, "unallocated", most))


@prepared
def _counted(user: Any, which: str, most: int) -> QuerySet[Any]:
    rows = Case.objects.visible_to(user)
    rows = rows.filter(live_contact=True) if which == "live" else rows.unallocated()
    return rows.values_list("pk", flat=True)[:most]


@dataclass(frozen=True)
class ChronologyPage:
    """One page of a chronology, latest first; ``before`` is the key of the next page, or ""."""

    entries: list[ChronologyEntry]
    before: str = ""


def chronology_page(case: Any, *, before: str = "", size: int = 50) -> ChronologyPage:
    """The chronology of a case, latest first. ``before`` is "<ISO time>~<key>" of the last entry of the page before."""
    rows = case.chronology.select_related("actor")
    key = moment_key(before)
    if key is not None:
        at, pk = key
        rows = rows.filter(Q(at__lt=at) | Q(at=at, pk__lt=pk))
    found = list(rows.order_by("-at", "-id")[: size + 1])
    more = found[size - 1] if len(found) > size else None
    return ChronologyPage(found[:size], f"{more.at.isoformat()}~{more.pk}" if more else "")


def people_of(case: Any) -> list[Any]:
    """The people in the case, suspects first, each with the person."""
    order = {"suspect": 0, "victim": 1, "witness": 2, "associate": 3}
    links = case.people.select_related("person")
    return sorted(links, key=lambda link: (order[link.role], link.pk))


def overdue_since(case: Any) -> int:
    """Whole days since the last meaningful action."""
    return (timezone.now() - case.last_action_at).days
