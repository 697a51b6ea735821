"""A program of a platform sends nonsense: it would take the look-ups of all others down, or get something accepted."""

from __future__ import annotations

import pytest

from trust import platform_calls

pytestmark = pytest.mark.django_db


def test_no_call_breaks_and_no_nonsense_is_taken() -> None:
    """Full size: `scripts/trust platform-calls`."""
    result = platform_calls.run("small")
    assert result.held, "\n".join(result.failures)
    assert len(result.rows) > 20
