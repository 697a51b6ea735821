"""What the pages of the fleet read: every device of the force, by where it stands, how old it is, and what is known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Case, CharField, Count, F, Q, QuerySet, Subquery, Value, When
from django.utils import timezone

from safelight.casework.devices import queries as devices
from safelight.casework.devices.models import Device, TriageRun
from safelight.casework.fleet.keeping import priority_of
from safelight.casework.fleet.models import FirstLook
from safelight.triage.priority import Priority

WAITING, RUNNING, DONE, BLOCKED, LEFT = "waiting", "running", "done", "blocked", "left"
#: Words, colour of the tag, colour in the picture.
GROUPS = {
    WAITING: ("Waiting for triage", "yellow", "#ffdd00"),
    RUNNING: ("Triage running", "blue", "#1d70b8"),
    DONE: ("Triaged", "green", "#00703c"),
    BLOCKED: ("Blocked", "red", "#d4351c"),
    LEFT: ("Not to be triaged", "grey", "#b1b4b6"),
}
WHY_BLOCKED = {
    devices.NO_IMAGE: "no image yet",
    devices.FAILED: "the image could not be read",
    devices.UNREAD: "parts not read, not accounted for",
}
#: Age since seizure: code, words, from and to in days.
AGES = (
    ("month", "Up to 1 month", 0, 31),
    ("quarter", "1 to 3 months", 31, 92),
    ("half", "3 to 6 months", 92, 183),
    ("year", "6 to 12 months", 183, 366),
    ("older", "Over a year", 366, None),
)
ORDERS = {"priority": "Priority", "age": "Longest seized"}


def with_group(found: QuerySet[Device]) -> QuerySet[Device]:
    """Devices with ``group`` (a key of GROUPS) and everything that :func:`devices.with_standing` adds."""
    newest = devices.newest_run()
    return (
        devices.with_standing(found)
        .annotate(latest_accepted=Subquery(newest.values("accepted_at")[:1]))
        .annotate(
            group=Case(
                When(latest_state="running", then=Value(RUNNING)),
                When(decision="not_triaged", then=Value(LEFT)),
                When(has_image=False, then=Value(BLOCKED)),
                When(latest_state="finished", then=Value(DONE)),
                When(latest_state__in=["failed", "unread_parts"], latest_accepted=None, then=Value(BLOCKED)),
                When(latest_state__in=["failed", "unread_parts"], then=Value(DONE)),
                default=Value(WAITING),
                output_field=CharField(),
            )
        )
    )


def age_filter(code: str) -> Q:
    """Devices of one age band."""
    _, _, low, high = next(row for row in AGES if row[0] == code)
    now = timezone.now()
    chosen = Q(seized_at__lte=now - timedelta(days=low)) if low else Q()
    return chosen & Q(seized_at__gt=now - timedelta(days=high)) if high is not None else chosen


@dataclass(frozen=True)
class Row:
    """A device as the table shows it. `unread_share` in percent, None where nothing was read or no size is known."""

    device: Any
    words: str
    colour: str
    why: str
    priority: Priority
    unread_share: int | None
    look: FirstLook | None


def fleet(user: Any, chosen: dict[str, str], *, after: str = "") -> devices.Rows:
    """One page of the devices of open cases that ``user`` sees. Four queries, however many devices there are."""
    found = with_group(Device.objects.visible_to(user)).filter(case__status="open")
    if chosen.get("group"):
        found = found.filter(group=chosen["group"])
    if chosen.get("age"):
        found = found.filter(age_filter(chosen["age"]))
    for name, lookup in (("risk", "case__risk"), ("kind", "kind"), ("unit", "case__unit__code")):
        if chosen.get(name):
            found = found.filter(**{lookup: chosen[name]})
    if chosen.get("first"):
        some = FirstLook.objects.filter(state="finished").values("device")
        found = found.filter(pk__in=some) if chosen["first"] == "yes" else found.exclude(pk__in=some)
    by_age = chosen.get("order") == "age"
    page = devices.page_of(found, after, by_age=by_age)
    runs = TriageRun.objects.in_bulk([d.latest_pk for d in page.rows if d.latest_pk])
    looks: dict[int, FirstLook] = {}
    for look in FirstLook.objects.filter(device__in=[d.pk for d in page.rows], state="finished").order_by("pk"):
        looks[look.device_id] = look
    rows = [_row(device, runs.get(device.latest_pk), looks.get(device.pk)) for device in page.rows]
    return devices.Rows(rows, page.after)


def _row(device: Any, run: TriageRun | None, look: FirstLook | None) -> Row:
    words, colour, _ = GROUPS[device.group]
    why = WHY_BLOCKED.get(devices.standing_of(device), "") if device.group == BLOCKED else ""
    share = None
    if run is not None and run.summary.get("media_size"):
        share = min(100, -(-100 * run.unread_bytes // int(run.summary["media_size"])))
    return Row(device, words, colour, why, priority_of(device), share, look)


@dataclass(frozen=True)
class Piece:
    """A piece of a bar: where it begins and how long it is, of 700; what it stands for."""

    start: float
    length: float
    fill: str
    number: int


def picture(user: Any) -> tuple[list[tuple[str, dict[str, int], list[Piece], int]], dict[str, int]]:
    """How many devices of each age stand where: a bar for each age with its numbers and pieces, and the sums."""
    now = timezone.now()
    bands = [When(seized_at__gt=now - timedelta(days=high), then=Value(code)) for code, _, _, high in AGES if high]
    counted = (
        with_group(Device.objects.visible_to(user))
        .filter(case__status="open")
        .annotate(age=Case(*bands, default=Value("older"), output_field=CharField()))
        .order_by()
        .values("age", "group")
        .annotate(number=Count("pk"))
    )
    numbers: dict[str, dict[str, int]] = {code: dict.fromkeys(GROUPS, 0) for code, *_ in AGES}
    for row in counted:
        numbers[row["age"]][row["group"]] += row["number"]
    longest = max((sum(n.values()) for n in numbers.values()), default=0) or 1
    bars = []
    for code, words, *_ in AGES:
        at, pieces = 0.0, []
        for group, number in numbers[code].items():
            length = 700 * number / longest
            if number:
                pieces.append(Piece(round(at, 1), round(length, 1), GROUPS[group][2], number))
            at += length
        bars.append((words, numbers[code], pieces, sum(numbers[code].values())))
    return bars, {group: sum(n[group] for n in numbers.values()) for group in GROUPS}


def looks_of(device: Device) -> list[FirstLook]:
    """The first answers about a device, newest first (at most 20)."""
    return list(device.first_looks.select_related("image", "asked_by", "bench_report__imported_by")[:20])


def units(user: Any) -> list[tuple[str, str]]:
    """Code and name of the units whose devices ``user`` sees."""
    seen = Device.objects.visible_to(user).filter(case__status="open").order_by()
    return sorted(seen.values_list("case__unit__code", F("case__unit__name")).distinct())
