"""Somebody in each state of signing in, and what a page answers them before anybody asks which role they have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.test import Client
from django.urls import reverse
from django.utils import timezone
from tests.web.security.people import BACKEND, give_password, make_person, signed_in, with_app

from safelight.casework.base.permissions import permissions
from safelight.casework.base.routes import Route, routes

LEADS = {"/sign-in/": "sign-in", "/my-sign-in/password/": "password", "/my-sign-in/needed/": "factor"}
VALUES = {"IntConverter": 1, "StringConverter": "x", "SlugConverter": "x", "PathConverter": "x"}


def asked() -> Iterator[tuple[Route, str, str]]:
    """(page, method, address) of every page of the site: GET where it has one."""
    for route in routes():
        row = permissions().routes.get(route.name)
        if row is not None:
            method = "GET" if "GET" in row.steps else next(iter(row.steps))
            kwargs = {name: VALUES[type(kind).__name__] for name, kind in _converters(route).items()}
            yield route, method, reverse(route.name, kwargs=kwargs or None)


def _converters(route: Route) -> dict[str, Any]:
    from django.urls import get_resolver

    def found(resolver: Any) -> Iterator[tuple[Any, dict[str, Any]]]:
        for one in resolver.url_patterns:
            if hasattr(one, "url_patterns"):
                yield from found(one)
            else:
                yield one.callback, one.pattern.converters

    return next(kinds for view, kinds in found(get_resolver()) if view is route.view and set(kinds) == set(route.takes))


def told(answer: Any) -> str:
    """What a page answered, in the words of the policy file."""
    if answer.status_code == 302:
        return LEADS.get(urlsplit(answer.headers["Location"]).path, "away")
    return {200: "opens", 403: "no", 404: "hidden"}.get(answer.status_code, str(answer.status_code))


def people() -> dict[str, Callable[[], Client]]:
    """State to what makes a browser in it. One browser serves as long as its session lasts."""
    enrolled, late = make_person("enrolled", "administrator"), make_person("late", "administrator")
    secret = with_app(enrolled)
    given = make_person("given", "administrator", given_password_until=timezone.now() + timedelta(days=1))
    owing = make_person("owing", "administrator")
    with_app(late)

    def half() -> Client:
        browser = Client()
        give_password(browser, "enrolled")
        return browser

    def bare() -> Client:
        browser = Client()
        browser.force_login(late, backend=BACKEND)
        return browser

    whole = signed_in(enrolled, secret)
    return {
        "anonymous": Client, "half": half, "given": lambda: signed_in(given), "owing": lambda: signed_in(owing),
        "bare": bare, "full": lambda: whole,
    }  # fmt: skip


def differences(*, every: int = 1) -> tuple[int, list[str]]:
    """How many answers were looked at, and those that are otherwise than declared.

    Args:
        every: of the pages that have no row of their own in [sign_in], ask each so-many-th.
    """
    said, count, wrong = permissions().sign_in, 0, []
    for state, make in people().items():
        browser = make()
        for place, (route, method, address) in enumerate(asked()):
            own = route.name in said
            if not own and (state == "full" or place % every):
                continue
            count += 1
            found = told(browser.generic(method, address))
            wanted = said[route.name if own else "*"][state]
            if found != wanted:
                wrong.append(f"{method} {route.name}, {state}: declared {wanted}, answers {found}")
            if state == "bare" or (found in ("away", "opens") and "out" in route.name):
                browser = make()  # the session is gone
    return count, wrong
