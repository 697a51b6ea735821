"""Every page that stands in the URL table without a record, as a list is met: empty, with each of its filters, and with
an address that somebody bent. The pages come from the table, their filters from what they show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from django.urls import reverse
from tests.casework.asking import ask
from tests.casework.everything import address, everything, pages, people_in
from tests.casework.factories import make_user

from safelight.casework.base.permissions import PUBLIC, YES, permissions
from safelight.casework.base.routes import Route

pytestmark = pytest.mark.django_db

NO_LIST = ("search:export", "cases:open")
"""A file, and a form about the referral that its address names."""
BENT = ("before=²", "after=9" + "9" * 30, "state=%00")


def lists() -> Iterator[tuple[Route, str]]:
    """(page, a role that may open it) of every page without a record in its address."""
    for route in pages():
        row = permissions().routes[route.name]
        if route.takes or "GET" not in row.steps or row.rule == PUBLIC or route.name in NO_LIST:
            continue
        access = row.steps["GET"].access
        who = [role for role in permissions().roles if permissions().answer(access, role, "own") == YES]
        assert who, f"nobody may open {route.name}"
        yield route, "supervisor" if "supervisor" in who else who[0]


class Filters(HTMLParser):
    """The boxes of every form on a page that asks the same page again (``method="get"``)."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.choices: dict[str, list[str]] = {}  # of each select, what it offers
        self.picked: dict[str, str] = {}
        self.ticks: dict[str, bool] = {}
        self._form = False
        self._select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        had = dict(attrs)
        if tag == "form":
            self._form = had.get("method", "get").lower() == "get" and not had.get("action")
        elif self._form and tag == "select" and had.get("name"):
            self._select = had["name"]
            self.choices.setdefault(self._select, [])
        elif self._form and tag == "option" and self._select:
            self.choices[self._select].append(had.get("value") or "")
            if "selected" in had:
                self.picked[self._select] = had.get("value") or ""
        elif self._form and tag == "input" and had.get("type") == "hidden" and had.get("name"):
            self.picked[had["name"]] = had.get("value") or ""
        elif self._form and tag == "input" and had.get("type") == "checkbox" and had.get("name"):
            self.ticks[had["name"]] = "checked" in had

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = False
        elif tag == "select":
            self._select = ""


def shown(user: Any, place: str, data: dict[str, Any] | None = None) -> tuple[int, str]:
    answer = ask(user, "GET", place, data)
    html = not answer.streaming and answer.headers.get("Content-Type", "").startswith("text/html")
    return answer.status_code, answer.content.decode() if html else ""


def test_a_list_without_a_row_says_so_in_words(tmp_path, settings) -> None:
    """On the first day, and after a filter that fits nothing, an empty table tells nobody whether it is true."""
    settings.EVIDENCE_ROOT = tmp_path
    people: dict[str, Any] = {}
    count, wrong = 0, []
    for route, role in lists():
        user = people.setdefault(role, make_user(role, "CN" if role in ("supervisor", "investigator") else None))
        status, page = shown(user, reverse(route.name))
        if status != 200:
            wrong += [f"{route.name} as {role}: {status}"] if status >= 400 else []
            continue
        count += 1
        for what in ("tbody", "ul", "ol", "dl", "select"):
            if re.search(rf"<{what}\b[^>]*>\s*</{what}>", page):
                wrong.append(f"{route.name}: an empty <{what}>")
        main = page.partition("<main")[2].partition("</main>")[0]
        if page and len(re.sub(r"<[^>]+>|\s+", " ", unescape(main)).split()) < 4:
            wrong.append(f"{route.name}: says nothing")
    assert not wrong, "\n".join(wrong)
    assert count > 60


def test_every_filter_stands_in_the_address_and_bent_addresses_break_nothing(tmp_path, settings) -> None:
    """A filtered list that is sent to a colleague, or opened again tomorrow, would be another list."""
    where = everything(tmp_path, settings)
    people = dict(people_in(where, "own"))
    count, wrong = 0, []
    for route, role in lists():
        user = people[role]
        place = address(where, route.name, user)
        status, page = shown(user, place)
        if status != 200 or not page:
            continue
        offered = Filters(page)
        for name, values in offered.choices.items():
            for value in values[:4]:
                count += 1
                status, again = shown(user, place, {name: value})
                if status != 200:
                    wrong.append(f"{route.name}?{name}={value}: {status}")
                elif value and Filters(again).picked.get(name, value if values[0] == value else None) != value:
                    wrong.append(f"{route.name}?{name}={value}: the page shows {Filters(again).picked.get(name)!r}")
        for name in offered.ticks:
            count += 1
            status, again = shown(user, place, {name: "1"})
            if status != 200 or not Filters(again).ticks.get(name):
                wrong.append(f"{route.name}?{name}=1: {status}, and its box is not ticked")
        for query in BENT:
            status, _ = shown(user, f"{place}{'&' if '?' in place else '?'}{query}")
            if status >= 500:
                wrong.append(f"{route.name}?{query[:30]}: {status}")
    assert not wrong, "\n".join(wrong)
    assert count > 90
