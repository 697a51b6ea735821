"""Playing a history: stories take turns in time order, and the present moment is each event's own time.

A story is a generator. What it does between two ``yield`` statements happens at one moment; it yields the moment when
it wants to go on. So several hundred stories interleave as they would have in a real force, and every service sees the
time and the load of that moment (docs/decisions/0008).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import count

from django.db import transaction
from django.utils import timezone

Story = Generator[datetime, None, None]


class _Present:
    """The moment that the services see while a history is played."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment


@contextmanager
def _seen_as_now(present: _Present) -> Iterator[None]:
    real = timezone.now
    timezone.now = present
    try:
        yield
    finally:
        timezone.now = real


def play(
    stories: Iterable[tuple[datetime, Story]],
    *,
    until: datetime,
    on_progress: Callable[[datetime], None] | None = None,
) -> int:
    """Let every story go on, in time order, until ``until``; what lies beyond has not happened yet.

    Args:
        stories: pairs of (first moment, story).
        until: the real present.
        on_progress: called with the moment reached, at most once for each simulated day.

    Returns:
        How many steps were taken.
    """
    order = count()
    queue = [(moment, next(order), story) for moment, story in stories]
    heapq.heapify(queue)
    present = _Present(until)
    steps, day = 0, None
    with _seen_as_now(present):
        while queue:
            moment, _, story = heapq.heappop(queue)
            if moment >= until:
                continue
            present.moment = max(moment, present.moment) if steps else moment
            with transaction.atomic():
                following = next(story, None)
            steps += 1
            if following is not None:
                heapq.heappush(queue, (max(following, present.moment), next(order), story))
            if on_progress and present.moment.date() != day:
                day = present.moment.date()
                on_progress(present.moment)
    return steps
