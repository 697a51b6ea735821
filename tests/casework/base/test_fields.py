"""What a person would lose: a date of birth or a time of seizure taken as they meant it, or refused."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django import forms
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from safelight.casework.base.fields import DayField, MomentField


class Form(forms.Form):
    born = DayField()
    seized = MomentField(required=False)


def posted(day: str, month: str, year: str, **more: str) -> Form:
    return Form({"born-day": day, "born-month": month, "born-year": year, **more})


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 1, 1)))
def test_every_real_day_is_taken_as_written(day):
    form = posted(str(day.day), str(day.month), str(day.year))
    assert form.is_valid() and form.cleaned_data["born"] == day


@pytest.mark.parametrize(
    "typed", [("31", "2", "2026"), ("1", "13", "2026"), ("3", "11", "26"), ("x", "1", "2026"), ("٣", "1", "2026")]
)
def test_what_is_no_real_day_is_refused(typed):
    form = posted(*typed)
    assert not form.is_valid()
    assert form["born"].value()["day"] == typed[0], "what was typed comes back"


def test_a_part_left_out_is_asked_for():
    assert "day, a month and a year" in posted("3", "", "2026").errors["born"][0]


def test_an_empty_required_date_is_asked_for():
    assert posted("", "", "").errors["born"] == ["Enter a date"]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("14:05", (14, 5)), ("14.05", (14, 5)), ("1405", (14, 5)), ("2pm", (14, 0)), ("12:30am", (0, 30))],
)
def test_times_as_people_write_them(typed, expected):
    taken = MomentField().clean({"day": "3", "month": "11", "year": "2026", "time": typed})
    assert (taken.astimezone(UTC).hour, taken.minute) == expected


@pytest.mark.parametrize("typed", ["", "25:00", "14", "13pm", "noon", "1:5"])
def test_a_time_that_is_not_one_is_refused(typed):
    with pytest.raises(ValidationError):
        MomentField().clean({"day": "3", "month": "11", "year": "2026", "time": typed})


@pytest.mark.parametrize(("day", "month"), [("29", "3"), ("25", "10")])
def test_a_time_that_the_clocks_skip_or_repeat_is_not_guessed(day, month):
    """29 March 2026 01:30 never was, 25 October 2026 01:30 was twice: a clock for a child must not start on a guess."""
    with pytest.raises(ValidationError):
        MomentField().clean({"day": day, "month": month, "year": "2026", "time": "01:30"})


def test_a_stored_moment_is_shown_in_london_time():
    values = MomentField().widget.part_values(datetime(2026, 7, 3, 23, 30, tzinfo=UTC))
    assert values == {"day": "4", "month": "7", "year": "2026", "time": "00:30"}


def test_unchanged_is_unchanged():
    form = Form({"born-day": "3", "born-month": "11", "born-year": "1980"}, initial={"born": date(1980, 11, 3)})
    assert form.changed_data == []
