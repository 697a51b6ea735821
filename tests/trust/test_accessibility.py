"""A share of `scripts/trust accessibility`: a page that a screen reader cannot make sense of shuts an officer out."""

from __future__ import annotations

import pytest

from trust import accessibility

pytestmark = pytest.mark.django_db


def test_axe_finds_nothing_on_a_share_of_all_pages_and_of_their_errors():
    result = accessibility.run("small")
    assert result.held, result.failures
    assert sum(row.tried for row in result.rows) > 15


def test_axe_is_heard_when_it_finds_something():
    """A test of accessibility that cannot fail would call every page fit."""
    page = "<html lang='en'><title>x</title><main><h1>x</h1><img src='x.png'><input type='text'></main></html>"
    ((_, said),) = accessibility.violations([("GET planted", page)])
    assert {one.partition(":")[0] for one in said} >= {"image-alt", "label"}
