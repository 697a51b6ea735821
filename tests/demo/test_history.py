"""The demo's history would show things that never could have happened if its stories did not take turns in time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from safelight.demo.history import Story, play

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def test_stories_take_turns_in_time_and_see_their_own_moment() -> None:
    seen: list[tuple[str, datetime]] = []

    def story(name: str, start: datetime, step: timedelta) -> Story:
        moment = start
        while True:
            seen.append((name, timezone.now()))
            moment += step
            yield moment

    steps = play(
        [
            (START, story("slow", START, timedelta(hours=5))),
            (START + timedelta(hours=1), story("quick", START + timedelta(hours=1), timedelta(hours=2))),
        ],
        until=START + timedelta(hours=11),
    )
    assert steps == len(seen) == 8
    assert [moment for _, moment in seen] == sorted(moment for _, moment in seen)
    assert seen[0] == ("slow", START)
    assert seen[1] == ("quick", START + timedelta(hours=1))


def test_what_lies_beyond_the_present_has_not_happened_yet() -> None:
    done: list[str] = []

    def story() -> Story:
        done.append("first")
        yield START + timedelta(days=2)
        done.append("second")

    play([(START, story())], until=START + timedelta(days=1))
    assert done == ["first"]


def test_a_story_that_asks_for_the_past_does_not_turn_the_clock_back() -> None:
    seen: list[datetime] = []

    def story() -> Story:
        seen.append(timezone.now())
        yield START - timedelta(days=3)
        seen.append(timezone.now())

    play([(START, story())], until=START + timedelta(days=1))
    assert seen == [START, START]


def test_the_real_present_is_back_afterwards_even_after_a_fault() -> None:
    def broken() -> Story:
        raise RuntimeError("a fault in a story")
        yield START

    real = timezone.now
    with pytest.raises(RuntimeError):
        play([(START, broken())], until=START + timedelta(days=1))
    assert timezone.now is real
    assert abs(timezone.now() - datetime.now(UTC)) < timedelta(minutes=1)
