"""What the pages read about victims and their updates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.queries import ClockView, clock_page, views_of
from safelight.casework.victims.models import Victim, VictimUpdate

SUBJECT = "victims.victimupdate"


@dataclass(frozen=True)
class UpdateView:
    """An update with its clock (the last one it had), or None."""

    row: VictimUpdate
    clock: ClockView | None


@dataclass(frozen=True)
class VictimView:
    """A victim with every update, latest event first."""

    victim: Victim
    updates: list[UpdateView]


def victims_of(case: Any) -> list[VictimView]:
    """The victims of a case. Four queries, whatever their number."""
    rows = list(VictimUpdate.objects.filter(case=case).select_related("told_by").order_by("-happened_at", "-pk"))
    clocks = Clock.objects.filter(subject_type=SUBJECT, subject_id__in=[row.pk for row in rows]).order_by("pk")
    by_row = {view.clock.subject_id: view for view in views_of(clocks)}
    made = []
    victims = Victim.objects.filter(case=case).select_related("person", "recorded_by", "no_updates_recorded_by")
    for victim in victims.order_by("pk"):
        mine = [UpdateView(row, by_row.get(row.pk)) for row in rows if row.victim_id == victim.pk]
        made.append(VictimView(victim, mine))
    return made


def due_page(user: Any, *, state: str = "", mine: bool = False, after: str = "") -> tuple[list[UpdateView], str]:
    """Updates that are due in the cases that ``user`` may see, soonest first, and the key of the next page or ""."""
    found = clock_page(user, state=state, mine=mine, area="victims", after=after)
    keys = [view.clock.subject_id for view in found.rows if view.clock.subject_type == SUBJECT]
    rows = {row.pk: row for row in VictimUpdate.objects.filter(pk__in=keys).select_related("case", "victim")}
    return [UpdateView(rows[v.clock.subject_id], v) for v in found.rows if v.clock.subject_id in rows], found.after
