"""One site and one Chromium for all the walks: building them is what costs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright
from tests.browser.site import Site, whole_site
from tests.browser.visitor import PICTURES, Visitor

SCREEN = {"width": 1200, "height": 900}


@pytest.fixture(scope="package")
def site(
    django_test_environment: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """It has its own database for the whole package: no test of this folder may ask for ``db``."""
    for old in PICTURES.glob("*.jpg"):
        old.unlink()
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock():
        # Playwright runs an event loop in this thread; the tests' own questions to the database come between its steps.
        patch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        with whole_site(tmp_path_factory.mktemp("site")) as made:
            yield made


@pytest.fixture(scope="package")
def chromium(site: Site) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--headless", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture
def visit(site: Site, chromium: Browser) -> Callable[..., AbstractContextManager[Visitor]]:
    """``with visit("desk") as desk:`` signs a person in; at the end everything wrong with the pages is told."""

    @contextmanager
    def made(username: str, *, javascript: bool = True, sign_in: bool = True) -> Iterator[Visitor]:
        context = chromium.new_context(viewport=SCREEN, java_script_enabled=javascript, locale="en-GB")
        visitor = Visitor(site, context, username, javascript=javascript)
        try:
            if sign_in:
                visitor.sign_in()
            yield visitor
        except Exception as error:
            visitor.page.screenshot(path=PICTURES / f"000-failed-{username}.jpg", type="jpeg", full_page=True)
            for complaint in dict.fromkeys(visitor.complaints):
                error.add_note(complaint)
            context.close()
            raise
        visitor.leave()

    return made
