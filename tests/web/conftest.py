"""A user of each kind, and a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from tests.support.flush import emptying_allowed


@pytest.fixture(scope="session", autouse=True)
def tables_may_be_emptied_between_tests() -> Iterator[None]:
    with emptying_allowed():
        yield


@pytest.fixture
def make_user(db: None) -> Callable[..., Any]:
    """``make_user("supervisor")``: a synthetic person with the password 'demo-demo-demo'."""

    def make(role: str = "investigator", username: str = "sam") -> Any:
        user = get_user_model()(username=username, name="Sam Synthetic", role=role)
        user.set_password("demo-demo-demo")
        user.save()
        return user

    return make
