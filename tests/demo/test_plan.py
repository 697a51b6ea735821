"""The plan that the demo brings along."""

from __future__ import annotations

import pytest
from tests.casework.factories import make_user

from safelight.casework.plans.models import WhatIf
from safelight.demo.build import _plan

pytestmark = pytest.mark.django_db


def test_the_demo_brings_a_comparison_that_is_worked_out() -> None:
    """A visitor's first look at planning must be an answer, not a bar that waits."""
    _plan(make_user("supervisor"))
    row = WhatIf.objects.get()
    assert row.state == "done", row.failure
    assert [one["name"] for one in row.result["scenarios"]][:2] == ["As it is", "40 leave"]
    assert len(row.result["scenarios"]) == 3 and row.result["charts"]
