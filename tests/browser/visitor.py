"""A person at a browser: finds things by what they are called, and notices what is wrong with every page."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request, Response, expect
from tests.browser.site import PASSWORD, Site

from safelight.web.navigation import NAVIGATION

PICTURES = Path(__file__).resolve().parents[2] / "test-results"
"""Screenshots of every page, to be looked at. Not committed."""
_EVIDENCE_SHOWN = "img, picture, video, audio, canvas, iframe, object, embed"
_numbers = itertools.count(1)
_axe = Axe()


def named(label: str) -> re.Pattern[str]:
    """The label as it stands, with or without '(optional)' behind it."""
    return re.compile(rf"^\s*{re.escape(label)}(\s*\(optional\))?\s*$")


def _bare(html: str) -> str:
    """The markup of a page without what it says: two pages that differ in nothing else break the same rules."""
    html = re.sub(r"<(script|style)\b.*?</\1>", "", html, flags=re.DOTALL)
    html = re.sub(r' (nonce|value|content|hx-headers)="[^"]*"', r' \1=""', html)
    return re.sub(r"\d+", "0", re.sub(r">\s*[^<\s][^<]*<", ">x<", html))


class Visitor:
    """One person's browser window.

    Every page that is arrived at is checked: axe, one heading, no picture, nothing from elsewhere, no error in the
    console (a breach of the content security policy is one), no page that fails. What is wrong is collected, and told
    all at once by :meth:`leave`.
    """

    def __init__(self, site: Site, context: BrowserContext, username: str, *, javascript: bool = True) -> None:
        self.site, self.context, self.username, self.javascript = site, context, username, javascript
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self._refusals: set[int] = set()
        self.page.set_default_timeout(15_000)
        context.on("request", self._on_request)
        self.page.on("response", self._on_response)
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self._complain(f"script error: {error}"))
        self.page.on("requestfailed", self._on_failed)

    # --- noticing ---------------------------------------------------------------------------------------------

    def _complain(self, text: str) -> None:
        self.complaints.append(f"{self.username} on {self.path}: {text}")

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith(f"{self.site.url}/"):
            self._complain(f"asked for {request.url}, which is elsewhere")

    def _on_response(self, response: Response) -> None:
        path = urlsplit(response.url).path
        if response.status >= 400 and response.status not in self._refusals:
            self._complain(f"{response.request.method} {path} answered {response.status}")
        if response.status == 200 and response.request.is_navigation_request() and response.request.method == "GET":
            self.site.shown.append((self.username, path))

    def _on_console(self, said: ConsoleMessage) -> None:
        refused = any(f"responded with a status of {code}" in said.text for code in self._refusals)
        if said.type == "error" and not refused:
            self._complain(f"console: {said.text}")

    def _on_failed(self, request: Request) -> None:
        # A download ends its own navigation; a page that is left may cancel its poll.
        if request.failure not in ("net::ERR_ABORTED", None):
            self._complain(f"{request.url} failed: {request.failure}")

    def look(self, name: str = "") -> None:
        """Check the page as it stands now, and take its picture."""
        page = self.page
        self.wait_until_quiet()
        for one in self._violations():
            for node in one["nodes"]:
                self._complain(f"axe {one['id']}: {one['help']}: {node['target']} {node['html'][:200]}")
        if (count := page.locator("h1").count()) != 1:
            self._complain(f"{count} first-level headings")
        for element in page.locator(_EVIDENCE_SHOWN).all():
            self._complain(f"shows {element.evaluate('e => e.outerHTML')[:120]}")
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            self._complain("scrolls sideways")
        slug = re.sub(r"[^a-z0-9]+", "-", (name or self.path).lower()).strip("-") or "front"
        PICTURES.mkdir(exist_ok=True)
        picture = PICTURES / f"{next(_numbers):03d}-{self.username}-{slug}.jpg"
        page.screenshot(path=picture, type="jpeg", quality=80, full_page=True)

    def _violations(self) -> list[dict[str, Any]]:
        """What axe finds; nothing on a page whose markup, apart from its words and numbers, it has seen already."""
        if not self.site.first_time(f"markup {self.javascript} {_bare(self.page.content())}"):
            return []
        if self.javascript:
            return list(_axe.run(self.page).response["violations"])
        # axe is a script itself, so it looks at a copy: what the page holds now, in a window where only axe may run.
        html = re.sub(r"<script\b.*?</script>", "", self.page.content(), flags=re.DOTALL)
        browser = self.context.browser
        assert browser is not None
        with browser.new_context(viewport=self.page.viewport_size) as copies:
            copy = copies.new_page()
            copy.route(self.page.url, lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8"))
            copy.goto(self.page.url)
            return list(_axe.run(copy).response["violations"])

    def wait_until_quiet(self) -> None:
        """Until the page and its scripts are there."""
        self.page.wait_for_load_state("load")
        if self.javascript:
            self.page.wait_for_function(
                "!document.querySelector('select[data-sl-search]')"
                " && document.body.classList.contains('govuk-frontend-supported')"
            )

    def leave(self) -> None:
        """Close the window; fails with everything that was wrong on the way."""
        self.context.close()
        assert not self.complaints, "\n".join(dict.fromkeys(self.complaints))

    # --- walking ----------------------------------------------------------------------------------------------

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    def go(self, path: str, name: str = "") -> None:
        """Type an address."""
        self.page.goto(self.site.url + path)
        self.look(name)

    def refused(self, path: str, status: int) -> None:
        """Type an address that must be refused; the refusal is a page like every other."""
        self._refusals.add(status)
        response = self.page.goto(self.site.url + path)
        assert response is not None and response.status == status, f"{path}: {response and response.status}"
        if self.site.first_time(f"refused with {status}"):
            self.look(f"refused-{status}")
        self._refusals.discard(status)

    def sign_in(self) -> None:
        """Ends on My work."""
        self.page.goto(self.site.url + "/")
        if self.site.first_time("sign-in"):
            self.look("sign-in")
        self.fill("User name", self.username)
        self.fill("Password", PASSWORD)
        self.page.get_by_role("button", name="Sign in", exact=True).click()
        self.page.wait_for_url("**/work/")
        if self.javascript:
            self.look("my-work")

    def sign_out(self) -> None:
        self.press("Sign out", "signed-out")
        assert self.path == "/sign-in/"

    def menu(self, text: str) -> None:
        """A place of the navigation at the top: in its first row, or behind its group in the second."""
        first = self.page.get_by_role("navigation", name="Safelight").get_by_role("link", name=text, exact=True)
        if first.count():
            self._click(first)
            return
        head = self.page.get_by_role("navigation", name="Safelight")
        places = [item.group for item in NAVIGATION if item.text == text]
        for group in places:
            if not head.get_by_role("link", name=group, exact=True).count():
                continue
            self._click(head.get_by_role("link", name=group, exact=True))
            place = self.page.get_by_role("navigation", name=f"{group}: pages").get_by_role(
                "link", name=text, exact=True
            )
            if place.count():
                self._click(place)
                return
        raise AssertionError(f"The navigation has no {text}.")

    def tab(self, text: str) -> None:
        """A part of the case."""
        self._click(self.page.get_by_role("navigation", name="Parts of the case").get_by_role("link", name=text))

    def follow(self, text: str | re.Pattern[str], name: str = "", *, first: bool = False) -> None:
        """Click a link of the page."""
        links = self.page.get_by_role("link", name=text, exact=isinstance(text, str))
        self._click(links.first if first else links, name)

    def press(self, text: str | re.Pattern[str], name: str = "") -> None:
        """Click a button (or a link that is drawn as one) and arrive at the next page."""
        exact = isinstance(text, str)
        button = self.page.get_by_role("button", name=text, exact=exact)
        self._click(button, name)

    def _click(self, target: Locator, name: str = "") -> None:
        target.click()
        self.page.wait_for_load_state("load")
        self.look(name)

    # --- answering --------------------------------------------------------------------------------------------

    def box(self, label: str, within: Locator | None = None) -> Locator:
        return (within or self.page).get_by_label(named(label))

    def group(self, legend: str) -> Locator:
        return self.page.get_by_role("group", name=named(legend))

    def fill(self, label: str, text: str) -> None:
        self.box(label).fill(text)

    def choose(self, legend: str, answer: str) -> None:
        """A radio button or a tick box in a group."""
        self.group(legend).get_by_label(answer, exact=True).check()

    def tick(self, label: str) -> None:
        self.page.get_by_role("checkbox", name=label, exact=True).check()

    def select(self, label: str, text: str) -> None:
        """An entry of a list, whether the browser draws it plain or with a search box."""
        box = self.box(label)
        if box.evaluate("element => element.tagName") == "SELECT":
            box.select_option(label=text)
            return
        box.fill(text)
        self.page.get_by_role("option", name=text, exact=True).first.click()

    def when(self, legend: str, moment: Any) -> None:
        """Day, month, year and (for a moment) the time, each in its box."""
        boxes = self.group(legend)
        for label, text in (("Day", moment.day), ("Month", moment.month), ("Year", moment.year)):
            boxes.get_by_label(label, exact=True).fill(str(text))
        if hasattr(moment, "hour"):
            boxes.get_by_label(re.compile(r"^\s*Time")).fill(f"{moment:%H:%M}")

    # --- seeing -----------------------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """What a person reads on the page."""
        return self.page.locator("body").inner_text()

    def sees(self, *texts: str, within: float = 15.0) -> None:
        """Each text is on the page, or comes to it within so many seconds."""
        for text in texts:
            expect(self.page.locator("body")).to_contain_text(text, timeout=within * 1000)

    def does_not_see(self, *texts: str) -> None:
        for text in texts:
            expect(self.page.locator("body")).not_to_contain_text(text)

    def told(self, text: str) -> None:
        """An alert at the top of the page."""
        expect(self.page.locator("main").get_by_role("region").filter(has_text=text).first).to_be_visible()

    def is_told_of_a_problem(self, *texts: str) -> None:
        """The error summary names each fault, and its links lead to the boxes."""
        summary = self.page.get_by_role("alert").filter(has_text="There is a problem")
        expect(summary).to_be_visible()
        assert self.page.title().startswith("Error: "), self.page.title()
        for text in texts:
            link = summary.get_by_role("link").filter(has_text=text)
            expect(link, f"the summary links to: {text}").to_have_count(1)
            target = (link.get_attribute("href") or "").removeprefix("#")
            expect(self.page.locator(f'[id="{target}"]')).to_have_count(1)
            if self.javascript:
                link.click()
                assert self.page.evaluate("document.activeElement.id") == target, f"{text} leads to no box"

    def row(self, text: str) -> Locator:
        return self.page.get_by_role("row").filter(has_text=text)
