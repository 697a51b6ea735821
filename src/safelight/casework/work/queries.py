"""Collecting what waits for a person from every app that offers ``work.items_for(user)``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.utils import timezone

from safelight.casework.base.work import WorkItem
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.queries import ClockView, views_of

URGENT = "Before everything else"
_NOW, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Task:
    """A work item as the page shows it: with its clock's badge."""

    item: WorkItem
    clock: ClockView | None = None


@dataclass(frozen=True)
class Group:
    """Tasks under one heading, most urgent first."""

    title: str
    tasks: tuple[Task, ...]
    waiting: int = 0
    """How many wait, where ``tasks`` are only the first of them."""


@dataclass(frozen=True)
class Work:
    """What waits, under headings: first what comes before every clock (:data:`URGENT`), then the groups, the one with
    the most pressing task first."""

    groups: tuple[Group, ...]

    @property
    def tasks(self) -> tuple[Task, ...]:
        return tuple(task for group in self.groups for task in group.tasks)

    @property
    def urgent(self) -> tuple[Task, ...]:
        """What comes before every clock."""
        return tuple(task for task in self.tasks if task.item.urgent)

    def only(self, title: str) -> Work:
        """What waits under one heading."""
        return Work(tuple(group for group in self.groups if group.title == title))

    def first(self, most: int) -> Work:
        """The first ``most`` under each heading."""
        return Work(tuple(Group(group.title, group.tasks[:most], len(group.tasks)) for group in self.groups))


@cache
def _sources() -> tuple[Callable[[Any], Iterable[WorkItem]], ...]:
    found = []
    for config in apps.get_app_configs():
        name = f"{config.name}.work"
        if config.name.startswith("safelight.casework.") and find_spec(name):
            offer = getattr(import_module(name), "items_for", None)
            if offer is not None:
                found.append(offer)
    return tuple(found)


_CHILD_FIRST = {"Live contact": 0, "Children": 1}


def pressing(item: WorkItem) -> tuple[bool, int, datetime, int, str]:
    """The order of urgency: urgent items first, of these live contact with a child before children in danger before all
    else, then those that no clock governs; then by due time and risk."""
    first = _CHILD_FIRST.get(item.group, 2) if item.urgent else 2
    risk = {"very_high": 0, "high": 1, "": 2, "medium": 3, "low": 4}.get(item.risk, 5)
    return (not item.urgent, first, item.due_at or (_NOW if item.urgent else _LAST), risk, item.title)


def work_of(user: Any, now: datetime | None = None) -> Work:
    """Everything that waits for ``user``, by urgency."""
    moment = now or timezone.now()
    items = sorted((item for offer in _sources() for item in offer(user)), key=pressing)
    rows = {item.clock.pk: item.clock for item in items if isinstance(item.clock, Clock)}
    views = {view.clock.pk: view for view in views_of(rows.values(), moment)}
    tasks = [Task(item, _badge(item.clock, views)) for item in items]
    groups: dict[str, list[Task]] = {}
    for task in tasks:
        groups.setdefault(URGENT if task.item.urgent else task.item.group or "Other", []).append(task)
    return Work(tuple(Group(title, tuple(rows), len(rows)) for title, rows in groups.items()))


def _badge(clock: Any, views: dict[int, ClockView]) -> ClockView | None:
    if isinstance(clock, ClockView):
        return clock
    return views.get(clock.pk) if isinstance(clock, Clock) else None
