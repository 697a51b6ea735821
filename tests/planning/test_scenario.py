"""Scenario files, and what their answers say and do not hide."""

from __future__ import annotations

from pathlib import Path

import pytest

from safelight.planning import GROWS, PlanningError, simulate
from safelight.planning.scenario import AS_IT_IS, LIMITS, answers, plan, read_plan, warnings

FILE = """
title = "What would fix it"
years = 2
replications = 7
seed = 3
rule = "deadline"

[changes]
"staff.specialists" = 90

[[scenario]]
name = "One team, all devices"
rule = "c-mu"
[scenario.changes]
teams = 1
devices.cap = 0
staff.caid = "+2"
clock.triage.high = 5
"""


def test_a_file_becomes_scenarios(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(FILE, encoding="utf-8")
    found = read_plan(path)
    assert (found.title, found.years, found.replications, found.seed) == ("What would fix it", 2.0, 7, 3)
    base, other = found.scenarios
    assert (base.name, base.rule, other.rule) == (AS_IT_IS, "deadline", "c-mu")
    assert base.parameters.number("staff.specialists") == other.parameters.number("staff.specialists") == 90
    assert (base.parameters.number("teams"), other.parameters.number("teams")) == (12, 1)
    assert other.parameters.number("devices.cap") == 0
    assert other.parameters.number("staff.caid") == base.parameters.number("staff.caid") + 2
    assert other.parameters.risk("clock.triage", "high") == 5


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("years = [", "plan.toml"),
        ("year = 3", "year"),
        ('years = "three"', "years"),
        ('rule = "luck"', "rule"),
        ("changes = 3", "changes"),
        ("[changes]\nstaff.desk = -4", "staff.desk"),
        ("[changes]\nstaff.dog = 4", "staff.dog"),
        ("scenario = 3", "scenario"),
        ('[[scenario]]\ncolour = "red"', "scenario 1"),
        (f'[[scenario]]\nname = "{AS_IT_IS}"', "scenario 1"),
    ],
)
def test_a_bad_file_names_its_field(tmp_path: Path, text: str, field: str) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PlanningError) as caught:
        read_plan(path)
    assert caught.value.field.endswith(field)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(PlanningError, match="cannot be read"):
        read_plan(tmp_path / "none.toml")


def test_children_come_first_and_a_stuck_laboratory_is_not_sold_as_progress() -> None:
    """With all devices and no more people the laboratory blocks every case behind it: fewer cases then wait for an
    officer, and that must not look like good news."""
    found = plan("x", {"referrals.growth": 0}, [{"name": "all devices", "changes": {"devices.cap": 0}}])
    base, every = (
        simulate(scenario.network(1.0, 200.0), replications=2, processes=1).tally for scenario in found.scenarios
    )
    first, then = (
        answers(tally, scenario.parameters) for tally, scenario in zip((base, every), found.scenarios, strict=True)
    )
    assert first[0].title.startswith("Children") and first[0].found.mean is not None
    assert first[1].found.mean > first[0].found.mean  # type: ignore[operator]
    assert len(first[0].values) == 2
    assert then[1].text == GROWS
    assert not warnings(base)
    assert "triage grows without limit" in warnings(every)[0]
    assert "no longer gets there" in warnings(every)[-1]
    assert any("assumptions" in sentence for sentence in LIMITS)
