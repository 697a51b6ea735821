"""The course of a case as a picture: what happened, lane by lane, and how long its clocks ran.

Made on the server and drawn in black on white by shape and fill, so that a photocopy says the same; the table beside it
says it in words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from safelight.casework.cases.chronology import title_of

LANES = ("Children", "Investigation", "Devices", "Running the case")
MOST, MOST_CLOCKS = 200, 12
_CHILD = ("contact_", "child_", "safeguarding_", "strategy_", "hold_", "live_contact", "section_", "conference")
_DEVICE = ("device_", "image_", "triage_", "graded", "submission_", "examination")
_RUNNING = (
    "risk_", "allocated", "unallocated", "reallocated", "review", "person_", "access_", "settled", "case_", "note",
    "message", "complexity",
)  # fmt: skip
_LEFT, _WIDTH, _LANE, _BAR, _TOP = 150, 900, 44, 22, 34


@dataclass(frozen=True)
class Scale:
    """Moments as places on the line."""

    start: datetime
    end: datetime

    def x(self, moment: datetime) -> float:
        share = (moment - self.start) / (self.end - self.start)
        return _LEFT + 10 + (_WIDTH - _LEFT - 30) * min(max(share, 0.0), 1.0)


def lane_of(kind: str) -> int:
    """The lane of a kind of entry; what no lane names is the investigation."""
    for lane, starts in ((0, _CHILD), (2, _DEVICE), (3, _RUNNING)):
        if kind.startswith(starts):
            return lane
    return 1


def course(case: Any, entries: Sequence[Any], clocks: Sequence[Any]) -> SafeString:
    """The picture of ``entries`` (of the chronology) and ``clocks`` (:class:`ClockView`); empty when nothing happened.

    Filled marks are meaningful actions. A clock is a line from its trigger to its end, its due time an upright stroke;
    what lies behind the stroke was late and is drawn thick.
    """
    if not entries:
        return SafeString("")
    now = case.closed_at or timezone.now()
    drawn = list(clocks)[:MOST_CLOCKS]
    moments = [entry.at for entry in entries] + [view.clock.triggered_at for view in drawn]
    ends = [view.due_at for view in drawn if view.due_at is not None]
    start, end = min(moments), max([now, *moments, *ends])
    scale = Scale(start, max(end, start + timedelta(hours=1)))
    below = _TOP + _LANE * len(LANES)
    height = below + _BAR * len(drawn) + 14
    parts = [_lanes(scale, below, height), *(_mark(scale, entry) for entry in entries)]
    parts += [_bar(scale, view, below + _BAR * (place + 1) - 6, now) for place, view in enumerate(drawn)]
    said = f"{len(entries)} entries and {len(drawn)} clocks of {case.reference}, from {_day(start)} to {_day(end)}"
    return format_html(
        '<svg class="sl-network" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" role="img"'
        ' aria-labelledby="course-title course-about" font-family="Arial, sans-serif">'
        '<title id="course-title">{}</title><desc id="course-about">The list and the table below say the same in words.'
        "</desc>{}</svg>",
        _WIDTH, height, said, format_html_join("", "{}", ((part,) for part in parts)),
    )  # fmt: skip


def _day(moment: datetime) -> str:
    local = timezone.localtime(moment)
    return f"{local.day} {local:%b %Y}"


def _lanes(scale: Scale, below: int, height: int) -> SafeString:
    rows = [
        (_TOP + _LANE * place + 26, name, _LEFT, _WIDTH - 20, _TOP + _LANE * place + 22)
        for place, name in enumerate(LANES)
    ]
    lines = format_html_join(
        "",
        '<text x="0" y="{0}" font-size="14" fill="#0b0c0c">{1}</text>'
        '<line x1="{2}" x2="{3}" y1="{4}" y2="{4}" stroke="#b1b4b6" stroke-width="1"/>',
        rows,
    )
    days = format_html(
        '<text x="{}" y="16" font-size="13" fill="#0b0c0c">{}</text>'
        '<text x="{}" y="16" font-size="13" text-anchor="end" fill="#0b0c0c">{}</text>',
        _LEFT + 10, _day(scale.start), _WIDTH - 20, _day(scale.end),
    )  # fmt: skip
    x = f"{scale.x(timezone.now()):.1f}"
    now = format_html(
        '<line x1="{}" x2="{}" y1="22" y2="{}" stroke="#505a5f" stroke-dasharray="3 4"/>', x, x, height - 8
    )
    return format_html("{}{}{}", days, lines, now if scale.end > timezone.now() else "")


def _mark(scale: Scale, entry: Any) -> SafeString:
    lane = lane_of(entry.kind)
    x, y = scale.x(entry.at), _TOP + _LANE * lane + 22
    fill = "#0b0c0c" if entry.meaningful else "#ffffff"
    shapes = {
        0: f"M{x - 7:.1f} {y}a7 7 0 1 0 14 0a7 7 0 1 0 -14 0Z",
        1: f"M{x - 6:.1f} {y - 6}h12v12h-12Z",
        2: f"M{x:.1f} {y - 8}l8 14h-16Z",
        3: f"M{x:.1f} {y - 8}l8 8l-8 8l-8 -8Z",
    }
    said = f"{title_of(entry.kind)}, {_day(entry.at)}"
    return format_html(
        '<path d="{}" fill="{}" stroke="#0b0c0c" stroke-width="2"><title>{}</title></path>', shapes[lane], fill, said
    )


def _bar(scale: Scale, view: Any, y: int, now: datetime) -> SafeString:
    clock = view.clock
    start, end = scale.x(clock.triggered_at), scale.x(clock.stopped_at or now)
    label = format_html(
        '<text x="0" y="{}" font-size="12" fill="#0b0c0c">{}</text>', y + 4,
        view.title if len(view.title) <= 24 else view.title[:23] + "…",
    )  # fmt: skip
    line = '<line x1="{:.1f}" x2="{:.1f}" y1="{}" y2="{}" stroke="#0b0c0c" stroke-width="{}"/>'
    if view.due_at is None:
        return format_html("{}{}", label, SafeString(line.format(start, end, y, y, 2)))
    due = scale.x(view.due_at)
    drawn = [line.format(start, min(end, due), y, y, 2), line.format(due, due, y - 7, y + 7, 2)]
    if end > due:
        drawn.append(line.format(due, end, y, y, 7))
    return format_html("{}{}", label, SafeString("".join(drawn)))
