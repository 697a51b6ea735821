"""Shared by the tests of the case work: the demo standards, and a browser that is signed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from tests.support.flush import emptying_allowed

import safelight.standards

DEMO_SITE = Path(safelight.standards.__file__).parent / "data" / "demo_site.toml"


@pytest.fixture(scope="session", autouse=True)
def tables_may_be_emptied_between_tests() -> Iterator[None]:
    """Tests with real transactions end with every table emptied, which the ledger otherwise refuses."""
    with emptying_allowed():
        yield


@pytest.fixture(autouse=True)
def site_standards(settings: Any) -> None:
    """The values that a force must set itself, as the demo sets them."""
    settings.SITE_STANDARDS = DEMO_SITE


@pytest.fixture
def sign_in() -> Callable[[Any], Client]:
    """``sign_in(user)`` gives a test client in which that user is signed in."""

    def make(user: Any) -> Client:
        client = Client()
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return make
