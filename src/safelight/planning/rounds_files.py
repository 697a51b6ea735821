"""Files of rounds: visits and crews from CSV or JSON, travel times from CSV; the list for the officers and the map."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import date
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from safelight.cells import safe_cell
from safelight.planning.errors import PlanningError
from safelight.planning.rounds import Crew, Place, Rounds, Travel, Visit, clock

VISIT_COLUMNS = (
    "key", "latitude", "longitude", "risk", "minutes", "opens", "closes", "must", "due", "last", "announced",
)  # fmt: skip
CREW_COLUMNS = ("name", "officers", "begins", "ends")
BASE = "base"
COLOURS = ("#1d70b8", "#d4351c", "#00703c", "#4c2c92", "#b58840", "#d53880", "#28a197", "#505a5f")


def read_visits(path: Path) -> list[Visit]:
    """Visits from CSV with a header, or from a JSON list of objects; columns are those of `Visit`.

    Raises:
        PlanningError: the file, a column or a value cannot be used; it names the row.
    """
    found = []
    for where, row in _rows(path, VISIT_COLUMNS, ("key", "latitude", "longitude")):
        announced = str(row.get("announced") or "").strip()
        found.append(
            Visit(
                key=str(row["key"]).strip(),
                place=Place(_number(where, row, "latitude", None), _number(where, row, "longitude", None)),
                risk=str(row.get("risk") or "medium").strip().lower().replace(" ", "_"),
                minutes=_number(where, row, "minutes", 45.0),
                opens=_time(where, row, "opens", 7 * 60.0),
                closes=_time(where, row, "closes", 20 * 60.0),
                must=_yes(where, row, "must"),
                due=_day(where, row, "due"),
                last=_day(where, row, "last"),
                announced=announced,
            )
        )
        if announced.lower() in ("yes", "true", "1", "y"):
            raise PlanningError(f"{where}, announced", "it says that, not why.", fix="Write the reason, or nothing.")
    return found


def read_crews(path: Path) -> list[Crew]:
    """Crews from CSV or JSON: name, officers (joined by + or ;), begins, ends.

    Raises:
        PlanningError: as `read_visits`.
    """
    found = []
    for where, row in _rows(path, CREW_COLUMNS, CREW_COLUMNS[:2]):
        officers = row["officers"]
        names = officers if isinstance(officers, list) else str(officers).replace(";", "+").split("+")
        people = tuple(str(name).strip() for name in names if str(name).strip())
        found.append(
            Crew(str(row["name"]).strip(), people, _time(where, row, "begins", 480.0), _time(where, row, "ends", 960.0))
        )
    return found


def read_travel(path: Path, visits: Sequence[Visit]) -> Travel:
    """Travel times in minutes from CSV with columns from, to, minutes; the base is called ``base``.

    A pair that stands in one direction only counts for both.

    Raises:
        PlanningError: the file cannot be read, a time is no number, or a pair is missing.
    """
    names = [BASE, *(visit.key for visit in visits)]
    place = {name: number for number, name in enumerate(names)}
    minutes = np.full((len(names), len(names)), np.nan)
    np.fill_diagonal(minutes, 0.0)
    for where, row in _rows(path, ("from", "to", "minutes"), ("from", "to", "minutes")):
        one, other = str(row["from"]).strip(), str(row["to"]).strip()
        if one in place and other in place:
            minutes[place[one], place[other]] = _number(where, row, "minutes", None)
    minutes = np.where(np.isnan(minutes), minutes.T, minutes)
    if np.isnan(minutes).any():
        a, b = np.argwhere(np.isnan(minutes))[0]
        total = int(np.isnan(minutes).sum())
        raise PlanningError(
            path.name, f"no time from {names[a]} to {names[b]} ({total} pairs are missing).", fix="Add the rows."
        )
    return Travel(minutes, f"travel times of {path.name}")


def officers_list(plan: Rounds) -> str:
    """What each crew takes along, as text. It is for the officers alone: a visit that is known is no visit."""
    lines = ["For the officers of these rounds only. Visits are unannounced unless the line says otherwise.", ""]
    for one in plan.rounds:
        who = " and ".join(one.crew.officers)
        lines.append(f"{one.day:%A %d %B %Y}, {one.crew.name}: {who}. Leave the base at {clock(one.leaves)}.")
        for number, stop in enumerate(one.stops, 1):
            must = ", must be made" if stop.visit.must else ""
            said = f", ANNOUNCED: {stop.visit.announced}" if stop.visit.announced else ""
            risk = stop.visit.risk.replace("_", " ")
            when = f"{clock(stop.arrives)} to {clock(stop.leaves)}"
            lines.append(f"  {number}. {when}  {stop.visit.key} ({risk} risk{must}{said})")
        lines += [f"  Back at the base about {clock(one.returns)}; {one.travel:.0f} minutes on the road.", ""]
    if plan.left:
        lines.append("In no round:")
        for left in plan.left:
            must = ", MUST be made" if left.visit.must else ""
            lines.append(f"  {left.visit.key} ({left.visit.risk.replace('_', ' ')} risk{must}): {left.reason}")
        lines.append("")
    lines.append(f"Travel: {plan.travel_source}; {plan.travel:.0f} minutes in all.")
    return "\n".join(lines) + "\n"


def as_csv(plan: Rounds) -> str:
    """The rounds as a table: one row for each visit in its order."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["day", "crew", "officers", "order", "arrives", "leaves", "key", "risk", "must", "announced"])
    for one in plan.rounds:
        for number, stop in enumerate(one.stops, 1):
            visit = stop.visit
            row = [one.day.isoformat(), one.crew.name, " + ".join(one.crew.officers), number, clock(stop.arrives)]
            row += [clock(stop.leaves), visit.key, visit.risk, "yes" if visit.must else "", visit.announced]
            writer.writerow([safe_cell(cell) for cell in row])
    return text.getvalue()


def map_svg(plan: Rounds, width: int = 900) -> str:
    """The rounds as a picture: a line for each, numbered doors, the base as a square. No map service is asked."""
    places = [plan.base, *(stop.visit.place for one in plan.rounds for stop in one.stops)]
    places += [one.visit.place for one in plan.left]
    lon, lat = [one.longitude for one in places], [one.latitude for one in places]
    squeeze = float(np.cos(np.radians(np.mean(lat))))
    wide, high = max((max(lon) - min(lon)) * squeeze, 1e-4), max(max(lat) - min(lat), 1e-4)
    scale = (width - 80) / max(wide, high)
    height, key = round(high * scale + 80), 24 * len(plan.rounds) + 20

    def at(one: Place) -> tuple[float, float]:
        return 40 + (one.longitude - min(lon)) * squeeze * scale, 40 + (max(lat) - one.latitude) * scale

    made = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height + key}" width="{width}" role="img" '
        f'font-family="arial, sans-serif" font-size="12"><title>Rounds of visits</title>'
        f'<rect width="{width}" height="{height + key}" fill="white"/>'
    ]
    bx, by = at(plan.base)
    for number, one in enumerate(plan.rounds):
        colour = COLOURS[number % len(COLOURS)]
        dash = ' stroke-dasharray="6 3"' if number // len(COLOURS) % 2 else ""
        points = [(bx, by), *(at(stop.visit.place) for stop in one.stops), (bx, by)]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        made.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        for place, (x, y) in enumerate(points[1:-1], 1):
            made.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="9" fill="{colour}"/>')
            made.append(f'<text x="{x:.1f}" y="{y + 4:.1f}" text-anchor="middle" fill="white">{place}</text>')
        y = height + 24 * number + 10
        words = f"{one.day:%a %d %b}, {one.crew.name}: {len(one.stops)} visits, {one.travel:.0f} minutes on the road"
        said = escape(words)
        made.append(f'<line x1="40" x2="80" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="4"{dash}/>')
        made.append(f'<text x="90" y="{y + 4}" font-size="14">{said}</text>')
    for left in plan.left:
        x, y_left = at(left.visit.place)
        made.append(f'<circle cx="{x:.1f}" cy="{y_left:.1f}" r="6" fill="none" stroke="#505a5f" stroke-width="2"/>')
    made.append(f'<rect x="{bx - 8:.1f}" y="{by - 8:.1f}" width="16" height="16" fill="#0b0c0c"/></svg>')
    return "".join(made)


def as_data(plan: Rounds) -> dict[str, Any]:
    """The rounds as JSON can hold them."""
    return {
        "rounds": [
            {
                "day": one.day.isoformat(),
                "crew": one.crew.name,
                "officers": list(one.crew.officers),
                "leaves": clock(one.leaves),
                "returns": clock(one.returns),
                "travel_minutes": round(one.travel, 1),
                "visits": [
                    {"key": stop.visit.key, "arrives": clock(stop.arrives), "leaves": clock(stop.leaves)}
                    for stop in one.stops
                ],
            }
            for one in plan.rounds
        ],
        "in_no_round": [{"key": one.visit.key, "must": one.visit.must, "reason": one.reason} for one in plan.left],
        "travel": plan.travel_source,
        "travel_minutes": round(plan.travel, 1),
    }


def _rows(path: Path, columns: Sequence[str], needed: Sequence[str]) -> list[tuple[str, Mapping[str, Any]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise PlanningError(str(path), f"it cannot be read: {error.strerror}.", fix="Check the path.") from error
    except UnicodeDecodeError as error:
        raise PlanningError(str(path), "it is not UTF-8 text.", fix="Save it as CSV UTF-8 or as JSON.") from error
    if path.suffix.lower() == ".json":
        try:
            data = json.loads(text)
        except json.JSONDecodeError as error:
            raise PlanningError(path.name, f"it is not JSON: {error}.", fix="Check it, or give CSV.") from error
        if not isinstance(data, list) or not all(isinstance(one, dict) for one in data):
            raise PlanningError(path.name, "it is not a list of objects.", fix='Begin with [{"key": ...}].')
        rows: list[tuple[str, Mapping[str, Any]]] = [(f"{path.name}, entry {n}", one) for n, one in enumerate(data, 1)]
    else:
        rows = [(f"{path.name}, line {n}", one) for n, one in enumerate(csv.DictReader(io.StringIO(text)), 2)]
    if not rows:
        raise PlanningError(path.name, "there is nothing in it.", fix=f"Give rows with {', '.join(columns)}.")
    for where, row in rows:
        unknown = [str(name) for name in row if name not in columns]
        if unknown:
            raise PlanningError(where, f"there is no column {unknown[0]!r}.", fix=f"Use {', '.join(columns)}.")
        missing = [name for name in needed if not str(row.get(name) if row.get(name) is not None else "").strip()]
        if missing:
            raise PlanningError(where, f"{missing[0]} is missing.", fix=f"Every row needs {', '.join(needed)}.")
    return rows


def _number(where: str, row: Mapping[str, Any], name: str, default: float | None) -> float:
    text = str(row.get(name) if row.get(name) is not None else "").strip()
    if not text and default is not None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise PlanningError(f"{where}, {name}", f"{text!r} is not a number.", fix="Give a number.")
    return value


def _time(where: str, row: Mapping[str, Any], name: str, default: float) -> float:
    text = str(row.get(name) or "").strip()
    if not text:
        return default
    hours, colon, rest = text.partition(":")
    if colon and hours.isdecimal() and rest.isdecimal() and int(hours) <= 24 and int(rest) < 60:
        return int(hours) * 60.0 + int(rest)
    raise PlanningError(f"{where}, {name}", f"{text!r} is not a time.", fix="Write it as 09:30.")


def _day(where: str, row: Mapping[str, Any], name: str) -> date | None:
    text = str(row.get(name) or "").strip()
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise PlanningError(f"{where}, {name}", f"{text!r} is not a day.", fix="Write it as 2026-12-01.") from error


def _yes(where: str, row: Mapping[str, Any], name: str) -> bool:
    text = str(row.get(name) if row.get(name) is not None else "").strip().lower()
    if text in ("", "no", "false", "0", "n"):
        return False
    if text in ("yes", "true", "1", "y"):
        return True
    raise PlanningError(f"{where}, {name}", f"{text!r} is neither yes nor no.", fix="Write yes or no.")
