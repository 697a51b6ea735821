"""The demo's colleagues: every page of supervision and workforce has something to show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.casework.factories import SKILL, make_allocation, make_case, make_unit, make_user

import safelight.standards
from safelight.casework.allocation.handing_over import handing_over
from safelight.casework.allocation.models import Conflict
from safelight.casework.supervision.mornings import morning
from safelight.casework.workforce.audit import audit
from safelight.casework.workforce.welfare import own, states
from safelight.demo.force import Force
from safelight.demo.sign_in import HOME_UNIT
from safelight.demo.staff import build_staff

pytestmark = pytest.mark.django_db


def small_force() -> Force:
    """One unit with six investigators, each with a case, and an examiner."""
    units = {code: make_unit(code) for code in (HOME_UNIT, "AS", "OCSAE")}
    supervisor = make_user("supervisor", HOME_UNIT)
    people = [make_user(unit=HOME_UNIT, skills=[SKILL, "image_grading"]) for _ in range(6)]
    for place, person in enumerate(people):
        for risk in ("very_high", "high", "low")[: 1 + place % 3]:
            make_allocation(make_case(actor=supervisor, risk=risk), person, supervisor)
    return Force(
        units,
        examiners=[make_user("examiner", "OCSAE", skills=["image_grading"])],
        supervisors={HOME_UNIT: supervisor},
        investigators={HOME_UNIT: people},
    )


def test_everything_has_something_to_show(settings: Any) -> None:
    """Otherwise a visitor of the demo meets seven empty pages."""
    settings.SITE_STANDARDS = Path(safelight.standards.__file__).parent / "data" / "demo_site.toml"
    force = small_force()
    supervisor, people = force.supervisors[HOME_UNIT], force.investigators[HOME_UNIT]
    build_staff(force)
    codes = {one.code for leaver in handing_over(supervisor) for one in leaver.waiting}
    assert codes == {"absent", "posted"}
    found = morning(supervisor)
    assert found.actions
    assert any(task.item.group == "Handing over" for task in found.waiting)
    assert Conflict.objects.live().count() == 1
    assert audit(supervisor).cells
    assert any(state.clock for state in states(supervisor.unit))
    assert own(people[0]).days
