"""What the pages of the forensic queue read: places and reasons, and how old everything is, from seizure and from
submission. Waiting, in progress, blocked and complete are counted as domain facts define them: waiting is what no
examiner has taken, blocked is out of both until it is lifted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, CharField, Count, F, Min, Prefetch, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.queries import ClockView, views_of
from safelight.casework.devices.models import Device
from safelight.casework.devices.queries import NOT_WORKED_OUT, Rows
from safelight.casework.fleet.models import Block, Examination
from safelight.casework.fleet.order import Place, Waiting, in_order, place_of, sort_key
from safelight.casework.fleet.queries import AGES, Piece
from safelight.standards.forensic_queue import queue_rule

PAGE = 50
State = Examination.State
#: Words, colour of the tag, colour in the picture.
STATES = {
    State.WAITING: ("Waiting", "yellow", "#ffdd00"),
    State.IN_PROGRESS: ("In progress", "blue", "#1d70b8"),
    State.BLOCKED: ("Blocked", "red", "#d4351c"),
    State.COMPLETE: ("Complete", "green", "#00703c"),
}
FROM = {"seized": "device__seized_at", "submitted": "submitted_at"}
_DAY = 86_400


@dataclass(frozen=True)
class Row:
    """An examination as the table shows it; ``place`` for one that waits, ``block`` for one that is blocked."""

    examination: Examination
    place: Place | None
    block: Block | None
    clock: ClockView | None

    @property
    def words(self) -> str:
        return STATES[State(self.examination.state)][0]

    @property
    def colour(self) -> str:
        return STATES[State(self.examination.state)][1]


def waiting_now(user: Any) -> list[Waiting]:
    """Everything that waits in the whole force, as the rule sees it; of restricted cases only what ``user`` sees, so
    that no gap between two places tells of them. Two queries."""
    known = Q(device__case__restricted=False) | Q(Device.objects.visible_to(user).holding("device"))
    rows = Examination.objects.filter(known, state=State.WAITING, device__case__status="open").values_list(
        "pk", "device", "device__case__live_contact", "device__case__risk",
        Coalesce("device__priority__score", NOT_WORKED_OUT), "device__kind", "device__seized_at",
        "device__booked_in_at",
    )  # fmt: skip
    clocks = Clock.objects.open().filter(rule=queue_rule().clock, subject_type="devices.device")
    times = {key: (since, due) for key, since, due in clocks.values_list("subject_id", "triggered_at", "due_at")}
    made = []
    for pk, device, live, risk, points, kind, seized, booked in rows:
        since, due = times.get(device, (booked, None))
        made.append(Waiting(pk, live, risk, points, kind, seized, since, due))
    return made


def listed(user: Any, chosen: dict[str, str], *, after: str = "", now: datetime | None = None) -> Rows:
    """One page of examinations that ``user`` sees.

    Those that wait come in the order of the rule, with their place in the whole force's queue; then what is blocked and
    in progress by age; what is complete only where it is asked for, latest first. ``after`` is the key of the page
    before: the moment at which its order was worked out, and its last row.
    """
    moment, last = _key(after, now or timezone.now())
    found = _chosen(Examination.objects.visible_to(user), chosen, moment)
    state = chosen.get("state") or ""
    if state == State.COMPLETE:
        found = found.filter(state=State.COMPLETE).order_by("-pk")
        if last:
            found = found.filter(pk__lt=last[-1])
        done = [Row(row, None, None, None) for row in _with_all(found)[: PAGE + 1]]
        return _page(done, moment, [(0, 0, 0.0, 0.0, row.examination.pk) for row in done])
    found = found.filter(device__case__status="open", state__in=[state] if state else Examination.OPEN)
    rule = queue_rule()
    queue = in_order(waiting_now(user), moment, rule)
    numbers = {one.key: number for number, one in enumerate(queue)}
    keys = sorted(
        (0, *sort_key(queue[numbers[pk]], moment, rule))
        if pk in numbers
        else (_ORDER[State(standing)], 0, submitted.timestamp(), 0.0, pk)
        for pk, standing, submitted in found.values_list("pk", "state", "submitted_at")
    )
    wanted = [key for key in keys if key > last][: PAGE + 1] if last else keys[: PAGE + 1]
    by_key = {row.pk: row for row in _with_all(Examination.objects.filter(pk__in=[key[-1] for key in wanted]))}
    clocks = _clocks([row.device_id for row in by_key.values()], moment)
    rows = []
    for key in wanted:
        row = by_key[key[-1]]
        place = place_of(queue, numbers[row.pk], moment, rule) if row.pk in numbers else None
        block = row.live_blocks[0] if row.live_blocks else None
        rows.append(Row(row, place, block, clocks.get(row.device_id)))
    return _page(rows, moment, wanted)


_ORDER = {State.WAITING: 0, State.BLOCKED: 1, State.IN_PROGRESS: 2}
#: Group, 0 for live contact, what is sorted by in the group, a second of it, the key.
Key = tuple[int, int, float, float, int]


def _key(after: str, now: datetime) -> tuple[datetime, Key | None]:
    """The moment and the last row that an address names; what makes no sense begins anew."""
    parts = after.split("~")
    try:
        at, (group, live, first, second, pk) = int(parts[0]), parts[1:]
        moment = datetime.fromtimestamp(at, tz=now.tzinfo)
        key = (int(group), int(live), float(first), float(second), int(pk))
    except (ValueError, OverflowError, OSError):
        return now.replace(microsecond=0), None
    if not now - timedelta(days=1) < moment <= now or not 0 < key[-1] < 2**63:
        return now.replace(microsecond=0), None
    return moment, key


def _page(rows: list[Row], moment: datetime, keys: list[Key]) -> Rows:
    more = "~".join(str(part) for part in (int(moment.timestamp()), *keys[PAGE - 1])) if len(rows) > PAGE else ""
    return Rows(rows[:PAGE], more)


def _with_all(found: QuerySet[Examination]) -> QuerySet[Examination]:
    blocks = Prefetch("blocks", queryset=Block.objects.filter(until=None), to_attr="live_blocks")
    return found.select_related("device__case__unit", "examiner", "submitted_by").prefetch_related(blocks)


def _clocks(devices: Iterable[int], now: datetime) -> dict[int, ClockView]:
    found = Clock.objects.open().filter(
        rule=queue_rule().clock, subject_type="devices.device", subject_id__in=list(devices)
    )
    return {view.clock.subject_id: view for view in views_of(found, now)}


def _chosen(found: QuerySet[Examination], chosen: dict[str, str], now: datetime) -> QuerySet[Examination]:
    columns = {"unit": "device__case__unit__code", "risk": "device__case__risk", "kind": "device__kind"}
    for name, lookup in columns.items():
        if chosen.get(name):
            found = found.filter(**{lookup: chosen[name]})
    for name, column in FROM.items():
        if chosen.get(name):
            _, _, low, high = next(row for row in AGES if row[0] == chosen[name])
            if low:
                found = found.filter(**{f"{column}__lte": now - timedelta(days=low)})
            if high is not None:
                found = found.filter(**{f"{column}__gt": now - timedelta(days=high)})
    return found


@dataclass(frozen=True)
class Ageing:
    """How many examinations of each age stand where, counted from one event."""

    words: str
    bars: list[tuple[str, dict[str, int], list[Piece], int]]
    sums: dict[str, int]


def ageing(user: Any, since: str, chosen: dict[str, str], now: datetime | None = None) -> Ageing:
    """Open examinations by age and state.

    Args:
        since: ``seized`` or ``submitted``: from when the age counts.
        chosen: filters; only those of unit, risk and kind count here.
    """
    now = now or timezone.now()
    column = FROM[since]
    found = _open(user, chosen, now)
    bands = [When(**{f"{column}__gt": now - timedelta(days=high)}, then=Value(code)) for code, *_, high in AGES if high]
    counted = (
        found.annotate(age=Case(*bands, default=Value("older"), output_field=CharField()))
        .order_by()
        .values("age", "state")
        .annotate(number=Count("pk"))
    )
    states = [State.WAITING, State.IN_PROGRESS, State.BLOCKED]
    numbers: dict[str, dict[str, int]] = {code: dict.fromkeys(states, 0) for code, *_ in AGES}
    for row in counted:
        numbers[row["age"]][row["state"]] += row["number"]
    longest = max((sum(row.values()) for row in numbers.values()), default=0) or 1
    bars = []
    for code, words, *_ in AGES:
        at, pieces = 0.0, []
        for state in states:
            number = numbers[code][state]
            length = 640 * number / longest
            if number:
                pieces.append(Piece(round(at, 1), round(length, 1), STATES[state][2], number))
            at += length
        bars.append((words, numbers[code], pieces, sum(numbers[code].values())))
    words = "Since seizure" if since == "seized" else "Since submission for examination"
    return Ageing(words, bars, {state: sum(row[state] for row in numbers.values()) for state in states})


def _open(user: Any, chosen: dict[str, str], now: datetime) -> QuerySet[Examination]:
    kept = {name: value for name, value in chosen.items() if name in ("unit", "risk", "kind")}
    found = _chosen(Examination.objects.visible_to(user).open(), kept, now)
    return found.filter(device__case__status="open")


@dataclass(frozen=True)
class UnitRow:
    """One unit: how many stand where, and the oldest open one in days from seizure and from submission."""

    name: str
    waiting: int
    in_progress: int
    blocked: int
    complete: int
    late: int
    oldest_seized: int
    oldest_submitted: int


def by_unit(user: Any, now: datetime | None = None) -> list[UnitRow]:
    """Every unit whose examinations ``user`` sees. Complete: within the last 365 days. Two queries."""
    now = now or timezone.now()
    is_open = Q(state__in=Examination.OPEN, device__case__status="open")
    rows = (
        Examination.objects.visible_to(user)
        .order_by()
        .values(name=F("device__case__unit__name"), code=F("device__case__unit__code"))
        .annotate(
            waiting=Count("pk", filter=Q(state=State.WAITING, device__case__status="open")),
            in_progress=Count("pk", filter=Q(state=State.IN_PROGRESS, device__case__status="open")),
            blocked=Count("pk", filter=Q(state=State.BLOCKED, device__case__status="open")),
            complete=Count("pk", filter=Q(state=State.COMPLETE, ended_at__gte=now - timedelta(days=365))),
            seized=Min("device__seized_at", filter=is_open),
            submitted=Min("submitted_at", filter=is_open),
        )
    )
    seen = Examination.objects.visible_to(user).filter(is_open).values("device")
    late = dict(
        Clock.objects.breached(now)
        .filter(rule=queue_rule().clock, subject_type="devices.device", subject_id__in=seen)
        .order_by()
        .values_list("case__unit__code")
        .annotate(Count("pk"))
    )
    return sorted(
        (
            UnitRow(
                row["name"], row["waiting"], row["in_progress"], row["blocked"], row["complete"],
                late.get(row["code"], 0), _age(row["seized"], now), _age(row["submitted"], now),
            )
            for row in rows
        ),
        key=lambda row: row.name,
    )  # fmt: skip


def _age(since: datetime | None, now: datetime) -> int:
    return (now - since).days if since else 0


def examinations_of(device: Any, user: Any) -> list[Row]:
    """The examinations of a device, newest first, with the place of one that waits."""
    rows = list(_with_all(device.examinations.order_by("-pk"))[:20])
    if not rows:
        return []
    now = timezone.now()
    queue = in_order(waiting_now(user), now) if any(row.state == State.WAITING for row in rows) else []
    numbers = {one.key: number for number, one in enumerate(queue)}
    return [
        Row(
            row,
            place_of(queue, numbers[row.pk], now) if row.pk in numbers else None,
            row.live_blocks[0] if row.live_blocks else None,
            None,
        )
        for row in rows
    ]
