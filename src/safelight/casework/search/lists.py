"""The lists that can be taken out: their columns and their rows, page by page through what the person may see."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import QueryDict
from django.utils import timezone

from safelight.casework.cases.filters import filters_from
from safelight.casework.cases.queries import case_page
from safelight.casework.clocks.queries import clock_page
from safelight.casework.devices import queries as devices
from safelight.casework.people.lists import PeopleFilters, people_page
from safelight.casework.workforce.models import Unit

MOST = 10_000


def moment(value: datetime | None) -> str:
    """A time as sheets sort it, in the site's time zone."""
    return f"{timezone.localtime(value):%Y-%m-%d %H:%M}" if value else ""


@dataclass(frozen=True)
class Listed:
    """One list: its title, the permission that opens its page, the page, its columns, and its rows for a user and the
    filters of the address. The first column is the reference."""

    title: str
    rule: str
    page: str
    head: tuple[str, ...]
    rows: Callable[[Any, QueryDict], Iterator[list[Any]]]


def _cases(user: Any, asked: QueryDict) -> Iterator[list[Any]]:
    units = list(Unit.objects.values_list("code", flat=True))
    filters, before = filters_from(asked, units), None
    while True:
        found = case_page(user, filters, before=before, size=500)
        for row in found.rows:
            case, clock = row.case, row.clock
            yield [
                case.reference, case.title, case.risk, case.unit.name, row.stage, case.get_status_display(),
                str(case.investigator or ""), case.live_contact, moment(case.opened_at), moment(case.last_action_at),
                clock.title if clock else "", moment(clock.due_at) if clock else "",
            ]  # fmt: skip
        before = found.before
        if before is None:
            return


def _clocks(user: Any, asked: QueryDict) -> Iterator[list[Any]]:
    after = ""
    while True:
        found = clock_page(
            user, state=asked.get("state", ""), area=asked.get("area", ""), mine=asked.get("mine") == "1", after=after,
            size=500,
        )  # fmt: skip
        for view in found.rows:
            clock = view.clock
            yield [
                clock.subject_label, view.title, view.state, clock.case.reference if clock.case else "",
                str(clock.owner or ""), moment(clock.triggered_at), moment(view.due_at), view.source,
            ]  # fmt: skip
        after = found.after
        if not after:
            return


def _devices(user: Any, asked: QueryDict) -> Iterator[list[Any]]:
    after = ""
    while True:
        found = devices.queue(
            user, standing=asked.get("state", ""), risk=asked.get("risk", ""), kind=asked.get("kind", ""), after=after
        )
        for device in found.rows:
            words, _ = devices.STANDINGS[devices.standing_of(device)]
            yield [
                device.reference, device.exhibit, device.get_kind_display(), device.description, device.case.reference,
                device.case.risk, words, moment(device.seized_at), moment(device.booked_in_at),
            ]  # fmt: skip
        after = found.after
        if not after:
            return


def _people(user: Any, asked: QueryDict) -> Iterator[list[Any]]:
    filters, before = PeopleFilters.of(asked), None
    while True:
        found = people_page(user, filters, before=before, size=500)
        for person in found.rows:
            yield [
                person.reference, person.family_name, person.given_names, person.born_words, person.get_sex_display(),
                person.address, person.postcode, person.borough,
            ]  # fmt: skip
        before = found.before
        if before is None:
            return


LISTS = {
    "cases": Listed(
        "Cases", "cases.view", "cases:index",
        ("Case", "Title", "Risk", "Unit", "Stage", "Status", "Investigator", "Live contact", "Opened", "Last action",
         "Next clock", "Due"),
        _cases,
    ),
    "clocks": Listed(
        "Clocks", "clocks.view", "clocks:index",
        ("About", "Clock", "State", "Case", "Owner", "Began", "Due", "Source"), _clocks,
    ),
    "devices": Listed(
        "Devices", "devices.queue", "devices:index",
        ("Device", "Exhibit", "Kind", "Description", "Case", "Risk", "Standing", "Seized", "Booked in"), _devices,
    ),
    "people": Listed(
        "People", "people.view", "people:index",
        ("Person", "Family name", "Given names", "Born", "Sex", "Address", "Postcode", "Borough"), _people,
    ),
}  # fmt: skip
