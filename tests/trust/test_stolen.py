"""A copied database that tells where a child lives, or whose telephone number a suspect has."""

from __future__ import annotations

import pytest

from trust import stolen


@pytest.mark.django_db(transaction=True)
def test_a_stolen_database_tells_no_contact_details() -> None:
    result = stolen.run("small")
    assert result.held, [row for row in result.rows if not row.held] + result.failures


def test_what_is_looked_for_is_found_in_every_form() -> None:
    """A search that finds nothing anywhere proves nothing."""
    stem = "qzcanarymail"
    for text in (b"x QZCanaryMail1@y", "xqzcanarymail1".encode("utf-16-le"), b"Qzcanarymail".hex().encode()):
        assert any(one in text.lower() for one in stolen.forms(stem)), text
    for ahead in range(3):
        import base64

        data = base64.b64encode(b"x" * ahead + b"Qzcanarymail1@y")
        assert any(one in data for one in stolen.coded(stem)), ahead
