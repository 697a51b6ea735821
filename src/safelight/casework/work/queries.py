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


@dataclass(frozen=True)
class Work:
    """What waits: what comes before every clock, then the groups, the one with the most pressing task first."""

    urgent: tuple[Task, ...]
    groups: tuple[Group, ...]

    @property
    def empty(self) -> bool:
        return not self.urgent and not self.groups

    @property
    def tasks(self) -> tuple[Task, ...]:
        return (*self.urgent, *(task for group in self.groups for task in group.tasks))


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


def pressing(item: WorkItem) -> tuple[bool, datetime, int, str]:
    """The order of urgency: urgent items first (those that no clock governs before all), then by due time and risk."""
    risk = {"very_high": 0, "high": 1, "": 2, "medium": 3, "low": 4}.get(item.risk, 5)
    return (not item.urgent, item.due_at or (_NOW if item.urgent else _LAST), risk, item.title)


def work_of(user: Any, now: datetime | None = None) -> Work:
    """Everything that waits for ``user``, by urgency."""
    moment = now or timezone.now()
    items = sorted((item for offer in _sources() for item in offer(user)), key=pressing)
    rows = {item.clock.pk: item.clock for item in items if isinstance(item.clock, Clock)}
    views = {view.clock.pk: view for view in views_of(rows.values(), moment)}
    tasks = [Task(item, _badge(item.clock, views)) for item in items]
    groups: dict[str, list[Task]] = {}
    for task in tasks:
        if not task.item.urgent:
            groups.setdefault(task.item.group or "Other", []).append(task)
    return Work(
        tuple(task for task in tasks if task.item.urgent),
        tuple(Group(title, tuple(rows)) for title, rows in groups.items()),
    )


def _badge(clock: Any, views: dict[int, ClockView]) -> ClockView | None:
    if isinstance(clock, ClockView):
        return clock
    return views.get(clock.pk) if isinstance(clock, Clock) else None
