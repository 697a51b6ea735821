"""Form fields for days and moments, entered the way people write them: day, month, year (and time) in separate boxes.

A browser's own date picker is slow for a date of birth and unreadable for some screen readers; three boxes work for
everyone and without JavaScript (GOV.UK Design System, date input). The templates of :mod:`safelight.web` draw them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import from_current_timezone
from django.utils import timezone
from django.utils.html import format_html_join

_TIME = re.compile(r"^(?P<hour>\d{1,2})(?:[:.]?(?P<minute>\d{2}))?\s*(?P<half>am|pm)?$", re.IGNORECASE)
_EARLIEST_YEAR = 1900


class DayWidget(forms.Widget):
    """Three boxes: ``name-day``, ``name-month``, ``name-year``."""

    parts: tuple[tuple[str, str, int], ...] = (("day", "Day", 2), ("month", "Month", 2), ("year", "Year", 4))
    use_fieldset = True

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> dict[str, str] | None:
        typed = {part: (data.get(f"{name}-{part}") or "").strip() for part, _, _ in self.parts}
        return typed if any(typed.values()) else None

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return not any(f"{name}-{part}" in data for part, _, _ in self.parts)

    def id_for_label(self, id_: str, index: str | None = None) -> str:
        return f"{id_}-day"

    def part_values(self, value: Any) -> dict[str, str]:
        """What stands in each box for ``value``: a date or datetime, what was typed, or nothing."""
        if isinstance(value, Mapping):
            return {part: str(value.get(part, "")) for part, _, _ in self.parts}
        if isinstance(value, datetime) and timezone.is_aware(value):
            value = timezone.localtime(value)
        if isinstance(value, date):
            known = {"day": str(value.day), "month": str(value.month), "year": str(value.year)}
            if isinstance(value, datetime):
                known["time"] = value.strftime("%H:%M")
            return {part: known.get(part, "") for part, _, _ in self.parts}
        return {part: "" for part, _, _ in self.parts}

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        values = self.part_values(value)
        return format_html_join(
            " ",
            '<label>{} <input name="{}-{}" size="{}" value="{}"></label>',
            ((label, name, part, width, values[part]) for part, label, width in self.parts),
        )


class MomentWidget(DayWidget):
    """Four boxes: those of :class:`DayWidget` and ``name-time`` (24 hours, such as 14:05)."""

    parts = (*DayWidget.parts, ("time", "Time, such as 14:05", 5))


class DayField(forms.Field):
    """A date. ``clean`` gives a :class:`datetime.date`; raises ValidationError for anything that is no real date."""

    widget = DayWidget
    default_error_messages = {
        "required": "Enter a date",
        "incomplete": "Enter a day, a month and a year",
        "invalid": "Enter a real date, such as 3 11 2026",
    }

    def to_python(self, value: Any) -> date | None:
        if value in self.empty_values:
            return None
        if isinstance(value, datetime):
            return value.date()
        if isinstance(value, date):
            return value
        return self._day(value)

    def _day(self, value: Mapping[str, str]) -> date:
        typed = [value.get(part, "") for part in ("day", "month", "year")]
        if not all(typed):
            raise ValidationError(self.error_messages["incomplete"], code="incomplete")
        if not all(part.isascii() and part.isdigit() for part in typed):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        day, month, year = (int(part) for part in typed)
        if year < _EARLIEST_YEAR:
            raise ValidationError("Enter the year with four digits, such as 2026", code="invalid")
        try:
            return date(year, month, day)
        except (ValueError, OverflowError) as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error


class MomentField(DayField):
    """A date and a time. ``clean`` gives an aware :class:`datetime.datetime` in the site's time zone.

    A time that the clocks skip or repeat (the last Sundays of March and October) is refused, not guessed.
    """

    widget = MomentWidget
    default_error_messages = {
        "required": "Enter a date and a time",
        "no_time": "Enter a time, such as 14:05",
        "invalid_time": "Enter a real time, such as 14:05",
    }

    def to_python(self, value: Any) -> datetime | None:  # type: ignore[override]
        if value in self.empty_values:
            return None
        if isinstance(value, datetime):
            return value
        if isinstance(value, date):
            return from_current_timezone(datetime.combine(value, time()))
        day = self._day(value)
        typed = value.get("time", "")
        if not typed:
            raise ValidationError(self.error_messages["no_time"], code="no_time")
        return from_current_timezone(datetime.combine(day, self._time(typed)))

    def _time(self, typed: str) -> time:
        found = _TIME.match(typed.strip())
        if found is None:
            raise ValidationError(self.error_messages["invalid_time"], code="invalid_time")
        hour, minute, half = int(found["hour"]), int(found["minute"] or 0), (found["half"] or "").lower()
        if half and not 1 <= hour <= 12:
            raise ValidationError(self.error_messages["invalid_time"], code="invalid_time")
        if half:
            hour = hour % 12 + (12 if half == "pm" else 0)
        elif found["minute"] is None:
            # "14" alone may be an hour or a slip; ask.
            raise ValidationError(self.error_messages["invalid_time"], code="invalid_time")
        try:
            return time(hour, minute)
        except ValueError as error:
            raise ValidationError(self.error_messages["invalid_time"], code="invalid_time") from error
