"""The rule of the forensic queue against its own words: a function of its inputs, stable, and nobody starves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.casework.fleet.order import Waiting, in_order, index_of, passing, place_of, strength
from safelight.errors import StandardsError
from safelight.standards.forensic_queue import queue_rule, read_rule
from safelight.standards.loader import load_standards

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
RULE = queue_rule()


def one(key: int = 1, *, risk: str = "high", points: int = 5, kind: str = "phone", days: float = 0, given_: float = 28,
        live: bool = False) -> Waiting:  # fmt: skip
    since = NOW - timedelta(days=days)
    return Waiting(key, live, risk, points, kind, since - timedelta(hours=2), since, since + timedelta(days=given_))


waitings = st.builds(
    one, key=st.integers(1, 10_000), risk=st.sampled_from(["very_high", "high", "medium", "low", ""]),
    points=st.integers(0, 70), kind=st.sampled_from(["phone", "usb", "laptop", "spaceship"]),
    days=st.floats(0, 900), given_=st.sampled_from([14.0, 28.0, 56.0, 84.0]), live=st.booleans(),
)  # fmt: skip


def test_the_index_by_hand() -> None:
    """The page would show reasons that do not make the number beside them."""
    # High risk 6, triage band first x 3, a phone 3 days, half of 28 days used: 6 x 3 / 3 x 1.5 ^ 2.
    assert index_of(one(points=40, days=14), NOW) == pytest.approx(13.5)
    place = place_of([one(points=40, days=14)], 0, NOW)
    assert place.reasons == (
        "High risk: 6 for a day's delay", "Triage priority first (40 points): x 3", "About 3 days of work: / 3",
        "50% of its time is used: x 2.25",
    )  # fmt: skip
    assert strength(one(risk=""), RULE) == strength(one(risk="very_high"), RULE), "not assessed is not harmless"


@given(st.lists(waitings, max_size=12, unique_by=lambda w: w.key), st.randoms())
def test_the_order_is_a_function_of_the_facts(queue: list[Waiting], chance: object) -> None:
    """The place of a device would depend on the order in which rows come out of the database."""
    ordered = in_order(queue, NOW)
    mixed = list(queue)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert in_order(mixed, NOW) == ordered
    assert [w.live for w in ordered] == sorted((w.live for w in queue), reverse=True)
    # A slow second opinion: each stands before another only if it is live, or its index is no lower.
    for ahead, behind in zip(ordered, ordered[1:], strict=False):
        assert (ahead.live and not behind.live) or index_of(ahead, NOW) >= index_of(behind, NOW)


@given(waitings, waitings, st.floats(0, 1000))
def test_equals_never_change_places(first: Waiting, second: Waiting, days: float) -> None:
    """A device would be passed for ever by others that came later and are no worse."""
    assert first.due_at is not None
    alike = replace(second, key=second.key + 10_000, live=first.live, risk=first.risk, points=first.points,
                    kind=first.kind, due_at=second.since + (first.due_at - first.since))  # fmt: skip
    earlier, later = sorted((first, alike), key=lambda w: (w.since, w.key))
    moment = NOW + timedelta(days=days)
    assert index_of(earlier, moment) >= index_of(later, moment)


@given(waitings, waitings)
def test_when_it_passes_is_when_it_passes(a: Waiting, b: Waiting) -> None:
    """The page would promise a day on which nothing happens."""
    ahead, behind = in_order([a, replace(b, key=b.key + 20_000)], NOW)
    at = passing(ahead, behind, NOW)
    if at is not None and not ahead.live:
        assert index_of(ahead, at) == pytest.approx(index_of(behind, at), rel=1e-6)
        assert index_of(behind, at + timedelta(days=1)) >= index_of(ahead, at + timedelta(days=1))


def test_nobody_starves() -> None:
    """A USB stick of a low risk case would wait behind every new phone until the end of time."""
    old = one(1, risk="low", points=0, kind="computer", given_=84)
    fresh = one(2, risk="very_high", points=40, kind="phone", given_=14)
    for days in range(0, 6000, 10):
        moment = old.since + timedelta(days=days)
        newest = Waiting(3, False, "very_high", 40, "phone", moment, moment, moment + timedelta(days=14))
        if in_order([newest, old], moment)[0] == old:
            break
    else:
        raise AssertionError("it never overtook a newcomer")
    assert fresh and days > 0


def test_the_numbers_are_data_with_a_source_and_every_word_of_the_product_has_one() -> None:
    """A kind of device or a level of risk without a number would be given one by chance."""
    from safelight.casework.devices.models import Device
    from safelight.triage.priority import BANDS

    assert set(RULE.cost) == set(load_standards().risks)
    assert set(RULE.days_of_work) == set(Device.Kind.values)
    assert {band for _, band in BANDS} <= set(RULE.found)
    assert RULE.clock in load_standards().clocks and RULE.source
    for text in ("", "name = 1", "x = [", 'name = "a"\norder = "b"\nclock = "c"\nsource = "d"\ncost = {a = 0}'):
        with pytest.raises(StandardsError, match="forensic_queue"):
            read_rule(text)
