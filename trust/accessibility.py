"""Axe, a tester for WCAG 2.2, over every page of the site as somebody who may open it, with the records of one whole
case; and over every form sent empty, which is how its errors are met.

The pages come from the URL table. Axe finds perhaps half of what can be wrong; what a person finds with a screen reader
it does not.
"""

from __future__ import annotations

import mimetypes
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

from trust import Progress, Result, Size

TITLE = "Accessibility: axe over every page"
DATABASES = ("sqlite",)
ORDER = 30
EVERY = 16
"""The tests take one page of so many."""
_SITE = "http://safelight.test"
_SCREEN = {"width": 1200, "height": 900}


def drawn(where: Any, size: Size) -> Iterator[tuple[str, str]]:
    """(page, its HTML) of every page of the URL table, and of every form sent with nothing in it."""
    from tests.casework.asking import ask
    from tests.casework.everything import address, pages, people_in

    from safelight.casework.base.permissions import YES, permissions

    people = {(role, one): user for one in ("own", "holder") for role, user in people_in(where, one)}
    for route in pages():
        if size == "small" and crc32(route.name.encode()) % EVERY:
            continue
        for method, step in permissions().routes[route.name].steps.items():
            who = [one for one in people if permissions().answer(step.access, *one) == YES]
            if not who:
                continue
            user = people[who[0]]
            answer = ask(user, method, address(where, route.name, user))
            html = not answer.streaming and answer.headers.get("Content-Type", "").startswith("text/html")
            page = answer.content.decode() if html else ""
            if answer.status_code in (200, 422) and "<main" in page:
                yield f"{method} {route.name} as {who[0][0]}", page


def violations(pages: list[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """(page, what axe says of it). Its scripts do not run; its style is the site's own."""
    from axe_playwright_python.sync_playwright import Axe
    from django.contrib.staticfiles import finders
    from playwright.sync_api import Route, sync_playwright

    now = [""]

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(_SITE)
        if not path.startswith("/static/"):
            route.fulfill(body=now[0], content_type="text/html; charset=utf-8")
        elif (found := finders.find(path.removeprefix("/static/"))) and not path.endswith(".js"):
            route.fulfill(path=found, content_type=mimetypes.guess_type(path)[0] or "application/octet-stream")
        else:
            route.abort()

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--headless", "--disable-gpu"]
        )
        page = chromium.new_context(viewport=_SCREEN, locale="en-GB").new_page()
        page.route("**/*", answer)
        for name, html in pages:
            now[0] = html
            page.goto(f"{_SITE}/page/")
            said = Axe().run(page).response["violations"]
            yield name, [f"{one['id']}: {node['html'][:160]}" for one in said for node in one["nodes"][:3]]
        chromium.close()


def run(size: Size) -> Result:
    """Every page, one after the other; everything is taken back."""
    from django.conf import settings
    from django.db import transaction
    from tests.casework.conftest import DEMO_SITE
    from tests.casework.everything import everything

    settings.SITE_STANDARDS = DEMO_SITE
    result = Result()
    with tempfile.TemporaryDirectory() as folder, transaction.atomic():
        pages = list(drawn(everything(Path(folder), settings), size))
        transaction.set_rollback(True)
    clean = {"GET": [0, 0], "POST": [0, 0]}
    with Progress("pages", len(pages)) as step:
        for name, said in violations(pages):
            count = clean[name.partition(" ")[0]]
            count[0] += 1
            count[1] += not said
            step()
            if said:
                result.fail(f"{name}: " + "; ".join(said[:5]))
    result.add("Pages as they open", *clean["GET"])
    result.add("Forms sent empty, with their errors", *clean["POST"])
    return result
