"""When something is due: every clock against an independent, slow model that walks hour by hour and day by day."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from safelight.errors import StandardsError
from safelight.standards import ENGLAND_AND_WALES, ClockCase, ClockRule, Duration, load_standards

LONDON = ZoneInfo("Europe/London")
S = load_standards()
MOMENTS = st.datetimes(datetime(2012, 1, 1), datetime(2045, 1, 1), timezones=st.just(UTC))
COUNTS = {"hours": 400, "working_days": 50, "calendar_days": 120, "months": 40, "years": 12}


def rule(
    calendar: str, duration: Duration, sense: str = "deadline", hours: tuple[time, time] | None = None
) -> ClockRule:
    base = S.clocks["hmicfrs_action_plan"]
    case = ClockCase(duration=duration)
    return replace(base, calendar=calendar, cases=(case,), sense=sense, working_hours=hours)


@st.composite
def rules(draw: st.DrawFn) -> ClockRule:
    calendar, unit = draw(
        st.sampled_from(
            [
                ("elapsed", "hours"),
                ("working", "working_days"),
                *[("calendar", u) for u in ("hours", "calendar_days", "months", "years")],
                *[("calendar_beginning_with", u) for u in ("calendar_days", "months", "years")],
            ]
        )
    )
    hours = (
        draw(st.sampled_from([None, (time(9), time(17)), (time(8, 30), time(13))])) if calendar == "working" else None
    )
    return rule(calendar, Duration(draw(st.integers(1, COUNTS[unit])), unit), hours=hours)


def slow(rule: ClockRule, moment: datetime) -> datetime:
    """The same by walking; shares nothing with the code under test but the holiday list."""
    duration = rule.cases[0].duration
    if duration.unit == "hours":
        for _ in range(duration.count):
            moment = moment + timedelta(minutes=60)
        return moment
    local = moment.astimezone(LONDON)
    day = date(local.year, local.month, local.day)
    one = timedelta(days=1)

    def worked(d: date) -> bool:
        return d.isoweekday() <= 5 and d not in ENGLAND_AND_WALES.bank_holidays(d.year)

    if duration.unit == "working_days":
        if rule.working_hours and (not worked(day) or local.time() >= rule.working_hours[1]):
            day += one
            while not worked(day):
                day += one
        left = duration.count
        while left > 0:
            day += one
            if worked(day):
                left -= 1
    elif duration.unit == "calendar_days":
        counted = 1 if rule.calendar == "calendar_beginning_with" else 0
        while counted < duration.count:
            day += one
            counted += 1
    else:
        months = duration.count * (12 if duration.unit == "years" else 1)
        number, clamped = day.day, False
        passed = 0
        while passed < months:
            day = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
            passed += 1
        last = monthrange(day.year, day.month)[1]
        clamped = number > last
        day = day.replace(day=last if clamped else number)
        if rule.calendar == "calendar_beginning_with" and not clamped:
            day -= one
    # The last whole second that is still that day in London, found from the next midnight.
    following = day + one
    midnight = datetime(following.year, following.month, following.day, tzinfo=LONDON).astimezone(UTC)
    return midnight - timedelta(seconds=1)


@given(rules(), MOMENTS)
def test_due_times_agree_with_the_slow_model(rule: ClockRule, moment: datetime) -> None:
    """Lost: any faith in a due time."""
    assert rule.due_at(moment) == slow(rule, moment)


@given(rules(), MOMENTS, st.timedeltas(timedelta(0), timedelta(days=400)))
@example(
    rule("calendar_beginning_with", Duration(1, "months")), datetime(2025, 1, 28, 12, tzinfo=UTC), timedelta(days=1)
)
@example(
    rule("calendar_beginning_with", Duration(1, "months")), datetime(2025, 1, 31, 12, tzinfo=UTC), timedelta(days=1)
)
def test_a_later_trigger_is_never_due_earlier(rule: ClockRule, moment: datetime, later: timedelta) -> None:
    """Lost: an event entered late would jump the queue, or a re-based duty would shorten."""
    first, second = rule.due_at(moment), rule.due_at(moment + later)
    assert first is not None and second is not None and first <= second


@given(rules(), MOMENTS)
def test_a_longer_duration_is_never_due_earlier(rule: ClockRule, moment: datetime) -> None:
    duration = rule.cases[0].duration
    longer = replace(rule, cases=(ClockCase(duration=Duration(duration.count + 1, duration.unit)),))
    assert rule.due_at(moment) < longer.due_at(moment)


@given(rules(), MOMENTS)
def test_nothing_but_beginning_with_is_due_before_its_trigger(rule: ClockRule, moment: datetime) -> None:
    due = rule.due_at(moment)
    assert due is not None and due.tzinfo is UTC
    assert due >= moment.replace(microsecond=0)


@given(MOMENTS, st.sampled_from(["America/New_York", "Asia/Tokyo", "Europe/London", "UTC"]))
def test_the_same_instant_in_another_zone_is_due_at_the_same_time(moment: datetime, zone: str) -> None:
    """Lost: the due time of a report whose time came from abroad."""
    for clock in ("police_referral_to_csc", "csc_referral_decision", "rso_initial_notify", "rso_annual"):
        assert S.clocks[clock].due_at(moment.astimezone(ZoneInfo(zone))) == S.clocks[clock].due_at(moment)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-03-28T20:00:00+00:00", "2026-03-29T20:00:00+00:00"),  # clocks go forward that night
        ("2026-10-24T20:00:00+00:00", "2026-10-25T20:00:00+00:00"),  # clocks go back that night
    ],
)
def test_24_hours_are_24_hours_on_the_nights_when_the_clocks_change(start: str, end: str) -> None:
    """Lost: an hour of a child's safety, or an hour of credit that nobody has."""
    clock = S.clocks["police_referral_to_csc"]
    assert clock.due_at(datetime.fromisoformat(start)) == datetime.fromisoformat(end)


def test_police_protection_ends_after_72_real_hours() -> None:
    """CA 1989 s.46: from the moment taken, over the change to winter time."""
    taken = datetime(2026, 10, 24, 1, 30, tzinfo=LONDON)
    due = S.clocks["police_protection_max"].due_at(taken)
    assert due == taken.astimezone(UTC) + timedelta(hours=72)
    assert due.astimezone(LONDON).time() == time(0, 30)


@pytest.mark.parametrize(
    ("clock", "event", "last_second"),
    [
        # SOA 2003 s.83: three days beginning with the day: Monday, Tuesday, Wednesday.
        ("rso_initial_notify", "2026-06-01T10:00+01:00", "2026-06-03T22:59:59+00:00"),
        ("rso_initial_notify", "2024-02-28T23:59+00:00", "2024-03-01T23:59:59+00:00"),
        ("rso_initial_notify", "2025-02-28T00:00+00:00", "2025-03-02T23:59:59+00:00"),
        # SOA 2003 s.85: one year, also from a leap day.
        ("rso_annual", "2024-02-29T12:00+00:00", "2025-02-28T23:59:59+00:00"),
        ("rso_annual", "2026-11-22T12:00+00:00", "2027-11-22T23:59:59+00:00"),
        # One working day over a weekend, over Easter, over Christmas with its substitute day.
        ("csc_referral_decision", "2026-11-20T18:00+00:00", "2026-11-23T23:59:59+00:00"),
        ("csc_referral_decision", "2026-04-02T15:00+01:00", "2026-04-07T22:59:59+00:00"),
        ("csc_referral_decision", "2026-12-24T15:00+00:00", "2026-12-29T23:59:59+00:00"),
        ("icpc", "2026-12-14T15:00+00:00", "2027-01-07T23:59:59+00:00"),
        ("review_conf_1", "2026-11-30T15:00+00:00", "2027-02-28T23:59:59+00:00"),
        # Seven days' notice before departure; eight years until an application is possible, from its midnight.
        ("rso_travel", "2026-08-20T06:00+01:00", "2026-08-13T22:59:59+00:00"),
        ("rso_indef_review_under_18", "2020-07-01T12:00+01:00", "2028-06-30T23:00:00+00:00"),
        ("hmicfrs_action_plan_immediate", "2026-11-25T00:01+00:00", "2026-11-25T00:01:00+00:00"),
        ("pace_review_1", "2026-11-22T22:00+00:00", "2026-11-23T04:00:00+00:00"),
        ("pace_review_next", "2026-11-23T04:00+00:00", "2026-11-23T13:00:00+00:00"),
    ],
)
def test_worked_examples(clock: str, event: str, last_second: str) -> None:
    """Counted by hand, each from its own rule."""
    assert S.clocks[clock].due_at(datetime.fromisoformat(event)) == datetime.fromisoformat(last_second)


NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_an_unknown_risk_level_counts_as_the_most_urgent() -> None:
    """Lost: a case whose risk nobody recorded would wait longest of all."""
    for clock in S.clocks.values():
        if clock.by_risk:
            for stage in ("first", "next"):
                known = [clock.due_at(NOW, risk=risk, stage=stage) for risk in S.risks]
                assert clock.due_at(NOW, stage=stage) == min(due for due in known if due)
                assert known == sorted(known), f"{clock.id}: a higher risk is due later than a lower one"


def test_first_and_next_differ_where_the_rule_says_so() -> None:
    review = S.clocks["supervisor_review"]
    assert str(review.duration_for(risk="very_high", stage="first")) == "24 hours"
    assert str(review.duration_for(risk="very_high", stage="next")) == "7 calendar days"
    assert str(review.duration_for(risk="low", stage="next")) == "28 calendar days"


def test_a_borough_has_its_own_duration_and_others_the_general_one() -> None:
    """Lost: a Red contact in Merton would be looked for after four hours, not two."""
    red = S.clocks["mash_rag_red"]
    assert red.duration_for(borough="Merton") == Duration(2, "hours")
    assert red.duration_for(borough="Camden") == red.duration_for(borough="Elsewhere") == Duration(4, "hours")


def test_a_required_clock_that_nobody_set_is_never_due() -> None:
    """It says so instead of inventing a limit."""
    caid = S.clocks["caid_upload"]
    assert not caid.is_set
    assert caid.due_at(NOW) is None and caid.duration_for() is None
    assert caid.duration_text == "not set"


def test_a_plan_gives_its_own_duration_only_where_the_rule_says_so() -> None:
    visit = S.clocks["rso_visit_current"]
    assert visit.is_set and visit.due_at(NOW) is None
    assert visit.due_at(NOW, own=Duration(1, "months")) == datetime(2026, 12, 20, 23, 59, 59, tzinfo=UTC)
    with pytest.raises(StandardsError, match="no duration of its own"):
        S.clocks["police_protection_max"].due_at(NOW, own=Duration(96, "hours"))


def test_wrong_questions_are_refused() -> None:
    """Lost: a misspelt level would silently get some other level's time."""
    with pytest.raises(StandardsError, match="no time zone"):
        S.clocks["icpc"].due_at(datetime(2026, 1, 1))
    with pytest.raises(StandardsError, match="no stage"):
        S.clocks["icpc"].due_at(NOW, stage="third")
    with pytest.raises(StandardsError, match="no risk level"):
        S.clocks["supervisor_review"].due_at(NOW, risk="hihg")


@given(st.sampled_from(list(S.clocks.values())), MOMENTS, st.sampled_from([None, *S.risks]))
def test_every_shipped_clock_gives_a_time_or_says_it_is_not_set(
    clock: ClockRule, moment: datetime, risk: str | None
) -> None:
    due = clock.due_at(moment, risk=risk)
    assume(clock.basis == "fixed")
    assert (due is not None) == clock.is_set


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (Duration(24, "hours"), "24 hours"),
        (Duration(1, "working_days"), "1 working day"),
        (Duration(1, "years"), "1 year"),
        (Duration(6, "months"), "6 months"),
        (Duration(3, "calendar_days"), "3 calendar days"),
    ],
)
def test_durations_read_as_words(duration: Duration, text: str) -> None:
    assert str(duration) == text
