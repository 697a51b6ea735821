"""Axe, a tester for WCAG 2.2, over every page of the site as somebody who may open it, with the records of one whole
case; and over every form sent empty, which is how its errors are met.

The pages come from the URL table. Axe finds perhaps half of what can be wrong; what a person finds with a screen reader
it does not.
"""

from __future__ import annotations

import mimetypes
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Violation:
    """One rule of axe, broken on one page: how much it matters, at which elements, and what axe says of the first."""

    rule: str
    impact: str
    elements: tuple[str, ...]
    why: str

    def __str__(self) -> str:
        more = f", and {len(self.elements) - 3} more" if len(self.elements) > 3 else ""
        return f"{self.rule} ({self.impact}) at {'; '.join(self.elements[:3])}{more}. {self.why}"


def drawn(where: Any, size: Size, without: Counter[str] | None = None) -> Iterator[tuple[str, str]]:
    """(page, its HTML) of every page of the URL table, and of every form sent with nothing in it.

    ``without`` counts the answers that are no page: "POST 302" and so on.
    """
    from tests.casework.asking import ask
    from tests.casework.everything import address, pages, people_in

    from safelight.casework.base.permissions import YES, permissions

    without = Counter() if without is None else without
    people = {(role, one): user for one in ("own", "holder") for role, user in people_in(where, one)}
    for route in pages():
        if size == "small" and crc32(route.name.encode()) % EVERY:
            continue
        for method, step in permissions().routes[route.name].steps.items():
            who = [one for one in people if permissions().answer(step.access, *one) == YES]
            if not who:
                without[f"{method} that none of the people in it may"] += 1
                continue
            user = people[who[0]]
            answer = ask(user, method, address(where, route.name, user))
            html = not answer.streaming and answer.headers.get("Content-Type", "").startswith("text/html")
            page = answer.content.decode() if html else ""
            if answer.status_code in (200, 422) and "<main" in page:
                yield f"{method} {route.name} as {who[0][0]}", page
            else:
                without[f"{method} answered {answer.status_code}{'' if html else ' with no HTML'}"] += 1


def violations(pages: list[tuple[str, str]]) -> Iterator[tuple[str, list[Violation]]]:
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
            yield name, [_violation(one) for one in said]
        chromium.close()


def _violation(one: Any) -> Violation:
    elements = tuple(f"{' '.join(map(str, node['target']))} {node['html'][:120]}" for node in one["nodes"])
    why = " ".join(str(one["nodes"][0].get("failureSummary") or one["help"]).split())
    return Violation(one["id"], str(one["impact"]), elements, why)


def run(size: Size) -> Result:
    """Every page, one after the other; everything is taken back."""
    from django.conf import settings
    from django.db import transaction
    from tests.casework.conftest import DEMO_SITE
    from tests.casework.everything import everything

    settings.SITE_STANDARDS = DEMO_SITE
    result = Result()
    without: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder, transaction.atomic():
        pages = list(drawn(everything(Path(folder), settings), size, without))
        transaction.set_rollback(True)
    clean = {"GET": [0, 0], "POST": [0, 0]}
    broken: dict[str, list[int]] = {}
    with Progress("pages", len(pages)) as step:
        for name, said in violations(pages):
            count = clean[name.partition(" ")[0]]
            count[0] += 1
            count[1] += not said
            step()
            for one in said:
                result.fail(f"{name}: {one}")
                at = broken.setdefault(f"{one.rule} ({one.impact})", [0, 0])
                at[0], at[1] = at[0] + len(one.elements), at[1] + 1
    result.add("Pages as they open", *clean["GET"])
    result.add("Forms sent empty, with their errors", *clean["POST"])
    for rule, (elements, places) in sorted(broken.items()):
        result.measured(f"rule {rule}", f"{elements:,} elements on {places:,} pages", "none", met=False)
    for kind, number in sorted(without.items()):
        result.measured(f"not looked at: {kind}", f"{number:,}")
    return result
