"""Data quality, as rules: what is missing, contradictory, impossible or late, where, and which figures it spoils.

Each rule finds rows of the live records. Counts by unit are taken with every extract and kept with it; the rows behind
are read when somebody opens the rule, and only those that the person may see. Sources: 45 CFR 1355.52(d) asks case
systems for automated checks like these; the rules themselves are a choice of this product.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

MISSING, CONTRADICTORY, IMPOSSIBLE, LATE = "missing", "contradictory", "impossible", "late"
DAY = timedelta(hours=24)
EIGHTEEN = timedelta(days=18 * 365 + 5)


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        id: its name in addresses and the ledger.
        kind: MISSING, CONTRADICTORY, IMPOSSIBLE or LATE.
        title, mend: what is wrong, and what to do about it.
        rows: the rows that break it, of everyone.
        unit: the path from a row to the code of its unit.
        link: page and path to the reference's row, for the list.
        spoils: ids of figures whose inputs these rows are.
    """

    id: str
    kind: str
    title: str
    mend: str
    rows: Callable[[], QuerySet[Any]]
    unit: str
    page: str
    spoils: tuple[str, ...] = ()


def _cases() -> QuerySet[Any]:
    from safelight.casework.cases.models import Case

    return Case.objects.all()


def _children() -> QuerySet[Any]:
    from safelight.casework.safeguarding.models import ChildAtRisk

    return ChildAtRisk.objects.all()


def _referrals() -> QuerySet[Any]:
    from safelight.casework.referrals.models import Referral

    return Referral.objects.all()


def _devices() -> QuerySet[Any]:
    from safelight.casework.devices.models import Device

    return Device.objects.all()


def _clocks() -> QuerySet[Any]:
    from safelight.casework.clocks.models import Clock

    return Clock.objects.all()


def _child_clock() -> QuerySet[Any]:
    return _clocks().filter(
        subject_type="safeguarding.childatrisk", subject_id=OuterRef("pk"), rule="police_referral_to_csc"
    )


def _open_child_clock() -> QuerySet[Any]:
    return _clocks().filter(case=OuterRef("pk"), rule="police_referral_to_csc", stopped_at=None, not_applicable=False)


def _early_allocation() -> QuerySet[Any]:
    from safelight.casework.allocation.models import Allocation

    return Allocation.objects.filter(case=OuterRef("pk"), started_at__lt=OuterRef("opened_at"))


def _early_image() -> QuerySet[Any]:
    from safelight.casework.devices.models import EvidenceImage

    return EvidenceImage.objects.filter(device=OuterRef("pk"), imaged_at__lt=OuterRef("seized_at"))


RULES: tuple[Rule, ...] = (
    Rule("child_without_clock", MISSING, "Children at risk without a clock to social care",
         "Open the child and record when the risk was identified.",
         lambda: _children().exclude(case=None).filter(~Exists(_child_clock())), "case__unit__code",
         "safeguarding:child", ("child_told", "children_waiting")),
    Rule("case_without_risk", MISSING, "Open cases older than a week without a risk level",
         "Record the level that the force's tool gave.",
         lambda: _cases().filter(status="open", risk="", opened_at__lt=timezone.now() - timedelta(days=7)),
         "unit__code", "cases:detail", ("allocated", "reviewed", "drifting")),
    Rule("case_without_borough", MISSING, "Cases without a borough",
         "Record where the child or the suspect lives.", lambda: _cases().filter(borough=""), "unit__code",
         "cases:detail"),
    Rule("child_without_birth", MISSING, "Children at risk without a date of birth, not even about",
         "Ask social care or the school, and record it with how exact it is.",
         lambda: _children().exclude(case=None).filter(person__born=None), "case__unit__code", "safeguarding:child"),
    Rule("clock_without_time", MISSING, "Running clocks without a time, because the force has not set it",
         "An administrator sets the figure in the force's own standards.",
         lambda: _clocks().filter(due_at=None, stopped_at=None, not_applicable=False), "unit__code", "",
         ("devices_triaged", "national_database")),
    Rule("adult_as_child", CONTRADICTORY, "'Children' at risk who were adults when the risk was identified",
         "Correct the date of birth, or withdraw the child.",
         lambda: _children().filter(person__born_precision="day", person__born__lt=F("identified_at__date") - EIGHTEEN),
         "case__unit__code", "safeguarding:child", ("children_found", "child_told")),
    Rule("allocated_before_opened", CONTRADICTORY, "Cases allocated before they were opened",
         "One of the two times is wrong: see the chronology.", lambda: _cases().filter(Exists(_early_allocation())),
         "unit__code", "cases:detail", ("allocated",)),
    Rule("closed_over_a_child", CONTRADICTORY, "Closed cases with a child not yet referred to social care",
         "Reopen the case, or refer the child now.",
         lambda: _cases().filter(status="closed").filter(Exists(_open_child_clock())), "unit__code", "cases:detail",
         ("child_told", "children_waiting")),
    Rule("closed_in_contact", CONTRADICTORY, "Closed cases with a suspect still in contact with a child",
         "Record how it is known that contact has ended, or reopen the case.",
         lambda: _cases().filter(status="closed", live_contact=True), "unit__code", "cases:detail", ("live_contact",)),
    Rule("imaged_before_seized", IMPOSSIBLE, "Devices imaged before they were seized",
         "Correct the time of the image or of the seizure.", lambda: _devices().filter(Exists(_early_image())),
         "case__unit__code", "devices:detail", ("devices_triaged", "national_database")),
    Rule("born_impossibly", IMPOSSIBLE, "Children at risk born in the future, or more than 120 years ago",
         "Correct the date of birth.",
         lambda: _children().filter(
             Q(person__born__gt=timezone.localdate())
             | Q(person__born__lt=timezone.localdate() - timedelta(days=120 * 365))
         ),
         "case__unit__code", "safeguarding:child"),
    Rule("child_recorded_late", LATE, "Children recorded more than 24 hours after the risk was identified",
         "Nothing: the clock has run since the risk was identified. Find out why it was recorded late.",
         lambda: _children().filter(recorded_at__gt=F("identified_at") + DAY), "case__unit__code",
         "safeguarding:child", ("children_waiting",)),
    Rule("referral_recorded_late", LATE, "Referrals recorded more than 24 hours after they were received",
         "Find out where they lay.", lambda: _referrals().filter(recorded_at__gt=F("received_at") + DAY),
         "unit__code", "referrals:detail"),
    Rule("referral_not_looked_at", LATE, "Referrals in which nobody has looked for children within 24 hours",
         "Answer the three questions now.",
         lambda: _referrals().filter(state="new", received_at__lt=timezone.now() - DAY), "unit__code",
         "referrals:detail", ("children_found",)),
)  # fmt: skip


def rule(name: str) -> Rule | None:
    """The rule of this name, or None."""
    return next((one for one in RULES if one.id == name), None)


def counted() -> dict[str, dict[str, int]]:
    """For each rule, how many rows break it: of everyone ("") and by unit. One query a rule."""
    found = {}
    for one in RULES:
        rows = one.rows().order_by().values_list(one.unit).annotate(n=Count("pk"))
        units = {unit or "none": n for unit, n in rows if n}
        found[one.id] = {"": sum(units.values()), **units}
    return found


def doubts(counts: dict[str, dict[str, int]], figure: str, unit: str = "") -> list[tuple[Rule, int]]:
    """The rules broken by inputs of a figure, with how many rows."""
    return [
        (one, counts.get(one.id, {}).get(unit, 0))
        for one in RULES
        if figure in one.spoils and counts.get(one.id, {}).get(unit, 0)
    ]


@dataclass(frozen=True)
class Row:
    """One row behind a rule: its reference and where to mend it."""

    text: str
    href: str
    unit: str


def rows_behind(one: Rule, user: Any, *, after: int = 0, size: int = 50) -> tuple[list[Row], int]:
    """The rows that break a rule and that ``user`` may see, and the key of the next page (0: no more)."""
    queryset: Any = one.rows()
    seen = list(
        queryset.filter(pk__in=queryset.model.objects.visible_to(user).values("pk"), pk__gt=after)
        .annotate(unit_code=F(one.unit))
        .order_by("pk")[: size + 1]
    )
    made = []
    for row in seen[:size]:
        text = str(getattr(row, "reference", "") or getattr(row, "subject_label", row.pk))
        href = reverse(one.page, args=[row.reference]) if one.page else ""
        made.append(Row(text if one.page else f"{row.title}: {text}", href, row.unit_code or ""))
    return made, seen[size - 1].pk if len(seen) > size else 0
