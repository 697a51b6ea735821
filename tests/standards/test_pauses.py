"""Pauses, held against a model that walks through time minute by minute and day by day."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.errors import StandardsError
from safelight.standards import LONDON, Duration, due_after_pauses, load_standards
from safelight.standards.clocks import ClockCase, ClockRule
from safelight.standards.duration import UNITS, duration_from_text
from safelight.standards.pauses import Pause, joined

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
HOLIDAYS = {(1, 1), (3, 29), (4, 1), (12, 25), (12, 26)}  # of 2024, as far as the walks below go
FAR = 400


def rule(duration: Duration, calendar: str) -> ClockRule:
    return ClockRule(
        id="synthetic", title="Synthetic", kind="local", status="draft", source="Synthetic", area="offenders",
        trigger="x", calendar=calendar, subject="offender", applies_to="x", owner="offender_manager",
        escalation=("supervisor",), cases=(ClockCase(duration=duration),),
    )  # fmt: skip


def is_paused(minute: datetime, pauses: list[Pause]) -> bool:
    return any(start <= minute and (end is None or minute < end) for start, end in pauses)


def slow_hours(moment: datetime, hours: int, pauses: list[Pause]) -> datetime | None:
    """Mark every paused minute on a long strip, then count free minutes until there are enough."""
    strip = bytearray(120 * 24 * 60)
    for start, end in pauses:
        first = max((start - moment) // MINUTE, 0)
        last = len(strip) if end is None else max((end - moment) // MINUTE, 0)
        strip[first:last] = b"p" * len(strip[first:last])
    left = hours * 60
    for minute, paused in enumerate(strip):
        left -= not paused
        if not left:
            return moment + (minute + 1) * MINUTE
    return None


def slow_days(moment: datetime, count: int, calendar: str, pauses: list[Pause]) -> datetime | None:
    """Walk from one midnight in London to the next and count the days at whose last minute nothing is paused."""
    day = moment.astimezone(LONDON).date()
    if calendar != "calendar_beginning_with":
        day += DAY
    for _ in range(FAR):
        last_minute = datetime.combine(day, time(23, 59), tzinfo=LONDON).astimezone(UTC)
        worked = day.weekday() < 5 and (day.month, day.day) not in HOLIDAYS
        if not is_paused(last_minute, pauses) and (calendar != "working" or worked):
            count -= 1
        if not count:
            return last_minute + timedelta(seconds=59)
        day += DAY
    return None


# Winter to spring 2024: a leap day, the night when the clocks change, Easter.
MOMENTS = st.integers(0, 60 * 24 * 60).map(lambda minutes: datetime(2024, 2, 10, tzinfo=UTC) + minutes * MINUTE)


@st.composite
def pauses(draw: st.DrawFn) -> list[Pause]:
    made: list[Pause] = []
    for _ in range(draw(st.integers(0, 4))):
        start = draw(MOMENTS)
        length = draw(st.one_of(st.none(), st.integers(0, 20 * 24 * 60)))
        made.append((start, None if length is None else start + length * MINUTE))
    return made


def fast(rule_: ClockRule, duration: Duration, moment: datetime, spans: list[Pause], **more: object) -> datetime | None:
    due = rule_.due_at(moment)
    with_day = rule_.calendar == "calendar_beginning_with"
    return due_after_pauses(due, moment, spans, duration=duration, beginning_with=with_day, **more)  # type: ignore[arg-type]


@given(moment=MOMENTS, hours=st.integers(1, 200), spans=pauses())
def test_hours_agree_with_counting_minutes(moment: datetime, hours: int, spans: list[Pause]) -> None:
    """A pause of an hour would cost an offender a day, or give one."""
    duration = Duration(hours, "hours")
    expected = slow_hours(moment, hours, [(max(start, moment), end) for start, end in spans])
    assert fast(rule(duration, "elapsed"), duration, moment, spans) == expected


@given(
    moment=MOMENTS,
    count=st.integers(1, 20),
    calendar=st.sampled_from(["calendar", "calendar_beginning_with", "working"]),
    spans=pauses(),
)
def test_days_agree_with_walking_the_days(moment: datetime, count: int, calendar: str, spans: list[Pause]) -> None:
    """Somebody would be charged with a breach on a day that the law does not count."""
    duration = Duration(count, "working_days" if calendar == "working" else "calendar_days")
    expected = slow_days(moment, count, calendar, [(max(start, moment), end) for start, end in spans])
    assert fast(rule(duration, calendar), duration, moment, spans) == expected


@given(moment=MOMENTS, spans=pauses(), data=st.data())
def test_how_pauses_arrive_changes_nothing(moment: datetime, spans: list[Pause], data: st.DataObject) -> None:
    """A message told twice or late would move a due time."""
    duration = Duration(3, "calendar_days")
    three = rule(duration, "calendar_beginning_with")
    due = fast(three, duration, moment, spans)
    assert fast(three, duration, moment, data.draw(st.permutations(spans * 2))) == due
    assert fast(three, duration, moment, joined(spans)) == due


@given(moment=MOMENTS, spans=pauses())
def test_a_pause_never_makes_anything_due_earlier(moment: datetime, spans: list[Pause]) -> None:
    for unit, calendar in (("hours", "elapsed"), ("calendar_days", "calendar"), ("months", "calendar")):
        duration = Duration(2, unit)  # type: ignore[arg-type]
        plain = rule(duration, calendar)
        due = fast(plain, duration, moment, spans)
        assert due is None or due >= plain.due_at(moment)  # type: ignore[operator]


@given(moment=MOMENTS, spans=pauses(), count=st.integers(1, 40))
def test_run_on_agrees_with_walking(moment: datetime, spans: list[Pause], count: int) -> None:
    """s.85(3): what would run out in custody runs out three days after it, and nothing else moves."""
    duration, after = Duration(count, "calendar_days"), Duration(3, "calendar_days")
    found = fast(rule(duration, "calendar"), duration, moment, spans, after_pause=after)
    due = slow_days(moment, count, "calendar", [])
    assert due is not None
    # Walk on minute by minute: at the due time one is in a pause (then the first free day is day 1), or one is not.
    clipped = [(max(start, moment), end) for start, end in spans if end is None or end > max(start, moment)]
    for _ in range(20):
        if not is_paused(due, clipped):
            break
        minute = due
        for _ in range(FAR * 24 * 60):
            if not is_paused(minute, clipped):
                break
            open_end = any(start <= minute and end is None for start, end in clipped)
            if open_end:
                assert found is None
                return
            minute += MINUTE
        free = min(end for start, end in joined(clipped) if end is not None and end > due)
        due = slow_days(free, 3, "calendar_beginning_with", [])
        assert due is not None
    assert found == due


EXAMPLES = {
    "convicted and remanded at once, freed on Thursday: Thursday is day 1": (
        "2026-11-02 14:00", [("2026-11-02 14:00", "2026-11-05 10:00")], "2026-11-07",
    ),
    "an hour free on Monday does not use up a day": (
        "2026-11-02 14:00", [("2026-11-02 15:00", "2026-11-05 10:00")], "2026-11-07",
    ),
    "a night in custody that ends before midnight costs nothing": (
        "2026-11-02 14:00", [("2026-11-03 01:00", "2026-11-03 23:00")], "2026-11-04",
    ),
    "in custody at the end of the last day: that day is still to come": (
        "2026-11-02 14:00", [("2026-11-04 12:00", "2026-11-10 10:00")], "2026-11-10",
    ),
    "after it ran out nothing helps": (
        "2026-11-02 14:00", [("2026-11-05 00:00", "2026-11-09 10:00")], "2026-11-04",
    ),
    "custody before the conviction does not count": (
        "2026-11-02 14:00", [("2026-10-01 00:00", "2026-11-02 13:00")], "2026-11-04",
    ),
    "across the night when the clocks go back": (
        "2026-10-24 12:00", [("2026-10-24 20:00", "2026-10-25 20:00")], "2026-10-27",
    ),
    "over a leap day": ("2028-02-28 12:00", [("2028-02-29 12:00", "2028-03-01 12:00")], "2028-03-02"),
}  # fmt: skip


def at(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=LONDON).astimezone(UTC)


@pytest.mark.parametrize("name", EXAMPLES)
def test_rso_initial_notify_worked_by_hand(name: str) -> None:
    moment, spans, last_day = EXAMPLES[name]
    initial = load_standards().clocks["rso_initial_notify"]
    duration = initial.duration_for()
    assert duration is not None
    due = due_after_pauses(
        initial.due_at(at(moment)), at(moment), [(at(a), at(b)) for a, b in spans],
        duration=duration, beginning_with=True, after_pause=initial.after_pause,
    )  # fmt: skip
    assert due is not None
    assert f"{due.astimezone(LONDON):%Y-%m-%d %H:%M:%S}" == f"{last_day} 23:59:59"


def test_rso_annual_moves_only_when_it_would_run_out_in_custody() -> None:
    annual = load_standards().clocks["rso_annual"]
    begun = at("2026-03-01 10:00")
    arguments = {"duration": Duration(1, "years"), "after_pause": annual.after_pause}
    due = annual.due_at(begun)
    served = [(at("2026-04-01 09:00"), at("2026-11-01 09:00"))]
    assert due_after_pauses(due, begun, served, **arguments) == due  # type: ignore[arg-type]
    longer = [(at("2026-04-01 09:00"), at("2027-05-03 09:00"))]
    moved = due_after_pauses(due, begun, longer, **arguments)  # type: ignore[arg-type]
    assert moved is not None
    assert f"{moved.astimezone(LONDON):%Y-%m-%d}" == "2027-05-05", "three days beginning with the release"
    assert due_after_pauses(due, begun, [(at("2026-04-01 09:00"), None)], **arguments) is None  # type: ignore[arg-type]


def test_after_a_pause_only_days_can_be_counted() -> None:
    begun = at("2026-03-01 10:00")
    with pytest.raises(StandardsError, match="calendar days"):
        due_after_pauses(begun, begun, [], duration=Duration(1, "years"), after_pause=Duration(3, "hours"))
    assert due_after_pauses(None, begun, [], duration=Duration(1, "years")) is None


@given(count=st.integers(1, 5000), unit=st.sampled_from(UNITS))
def test_a_duration_kept_as_words_is_read_back(count: int, unit: str) -> None:
    """A clock that began under an older standard could not be worked out again."""
    assert duration_from_text(str(Duration(count, unit))) == Duration(count, unit)  # type: ignore[arg-type]
    assert duration_from_text("") is duration_from_text("soon") is duration_from_text("² hours") is None


@pytest.mark.parametrize("clock", load_standards().clocks.values(), ids=lambda one: one.id)
def test_no_clock_that_protects_a_child_can_be_paused(clock: ClockRule) -> None:
    """An investigation, or an absence, would again be a reason to wait."""
    if clock.area == "safeguarding" or clock.child_at_risk or clock.cannot_extend:
        assert not clock.pause_reasons
    assert not (clock.cannot_extend and clock.rebase_on)
