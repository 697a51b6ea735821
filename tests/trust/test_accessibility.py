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
    assert {one.rule for one in said} >= {"image-alt", "label"}
    (one,) = [one for one in said if one.rule == "image-alt"]
    assert str(one).startswith('image-alt (critical) at img <img src="x.png">. Fix any of the following:')


def test_each_broken_rule_is_told_with_its_page_and_element(monkeypatch):
    """Whoever mends it would be told a number; or three of forty elements, and think that was all."""
    pictures = "".join(f"<img id='p{n}' src='x.png'>" for n in range(5))
    page = f"<html lang='en'><title>x</title><main><h1>x</h1>{pictures}</main></html>"
    monkeypatch.setattr(accessibility, "drawn", lambda where, size, without: [("GET planted as auditor", page)])
    monkeypatch.setattr("tests.casework.everything.everything", lambda folder, settings: None)
    result = accessibility.run("small")
    (said,) = [one for one in result.failures if "image-alt" in one]
    assert said.startswith("GET planted as auditor: image-alt (critical) at #p0 <img") and ", and 2 more. Fix" in said
    assert ("rule image-alt (critical)", "5 elements on 1 pages") in {(one.what, one.value) for one in result.figures}
    assert not result.held
