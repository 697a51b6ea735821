"""Chromium and axe over every component: what a person with a screen reader, a keyboard or no JavaScript would lose."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.one_database("how components are drawn and answer to a keyboard"),
]


@contextmanager
def a_page(**context: Any) -> Iterator[tuple[Page, list[str]]]:
    """A page and what it complained about. Closed before the database is cleaned: playwright runs an event loop."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--headless", "--disable-gpu"]
        )
        page = browser.new_context(viewport={"width": 1100, "height": 900}, **context).new_page()
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(request.url))
        yield page, complaints
        browser.close()


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['help']} {[node['target'] for node in one['nodes']]}" for one in found]


def test_axe_finds_nothing_and_the_policy_blocks_nothing(live_server):
    with a_page() as (page, complaints):
        for address in ("/styleguide/", "/styleguide/?errors", "/sign-in/"):
            page.goto(live_server.url + address)
            assert violations(page) == [], address
        assert complaints == []


def test_axe_finds_nothing_on_a_telephone(live_server):
    with a_page() as (page, complaints):
        page.set_viewport_size({"width": 360, "height": 740})
        page.goto(live_server.url + "/styleguide/")
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, "the page itself must not scroll sideways"


def test_signing_in_and_the_standards_with_the_keyboard_alone(live_server, make_user):
    make_user("supervisor")
    with a_page() as (page, complaints):
        page.goto(live_server.url + "/standards/")
        page.focus("#id_login")
        page.keyboard.type("sam")
        page.keyboard.press("Tab")
        page.keyboard.type("demo-demo-demo")
        page.keyboard.press("Enter")
        page.wait_for_selector("h1:has-text('Standards')")
        assert violations(page) == []
        assert complaints == []


def test_dependent_questions_follow_the_answer(live_server):
    with a_page() as (page, _):
        page.goto(live_server.url + "/styleguide/")
        assert not page.is_visible("#id_how_many")
        page.check("#id_child")
        assert page.is_visible("#id_how_many")


def test_everything_can_be_answered_without_javascript(live_server, make_user):
    make_user()
    with a_page(java_script_enabled=False) as (page, complaints):
        page.goto(live_server.url + "/styleguide/")
        assert page.is_visible("#id_how_many"), "a question that never shows can never be answered"
        assert page.is_visible("#id_borough")
        page.goto(live_server.url + "/standards/")
        page.fill("#id_login", "sam")
        page.fill("#id_password", "demo-demo-demo")
        page.click("button:has-text('Sign in')")
        page.select_option("#kind", "statute")
        page.click("button:has-text('Show')")
        assert "kind=statute" in page.url
        page.click("button:has-text('Sign out')")
        assert page.url.endswith("/sign-in/")
        assert complaints == []
