"""`safelight plan`: scenarios beside each other with intervals, and what the answer does not say."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from safelight.cli.main import app
from safelight.planning import PlanningError


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["plan", *words])


QUICK = ("--years", "0.5", "--replications", "2", "--processes", "1")


def test_a_change_stands_beside_the_force_as_it_is() -> None:
    """A planner asks one question and gets both sides, the difference, the doubt and the limits."""
    found = run("--set", "teams=1", "--set", "staff.specialists=-10", *QUICK)
    assert found.exit_code == 0, found.output
    for words in (
        "As it is",
        "Changed",
        "change ",
        "Children whose case waits",
        "What this does not say",
        "assumptions",
    ):
        assert words in found.output
    assert "95 % interval" in found.output


def test_a_file_and_json(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text('title = "T"\n[[scenario]]\nname = "All"\nchanges.devices.cap = 0\n', encoding="utf-8")
    data = json.loads(run(str(path), "--json", *QUICK).stdout)
    assert [one["name"] for one in data["scenarios"]] == ["As it is", "All"]
    words = [answer["words"] for answer in data["scenarios"][1]["answers"]]
    assert "grows without limit" in words
    assert data["scenarios"][1]["warnings"] and data["does_not_say"]


def test_parameters_are_listed_with_their_sources() -> None:
    text = run("--parameters").stdout
    assert "referrals.per_year" in text and "assumption" in text and "PCD 767" in text
    rows = json.loads(run("--parameters", "--json").stdout)
    assert {"id", "unit", "value", "low", "high", "source"} <= set(rows[0])


def test_bad_changes_are_refused_with_their_name() -> None:
    found = run("--set", "staff.dog=1", *QUICK)
    assert isinstance(found.exception, PlanningError) and found.exception.field == "staff.dog"
    assert run("--set", "teams", *QUICK).exit_code == 2
    assert run("--set", "teams=two", *QUICK).exit_code == 2
    assert run("plan.toml", "--rule", "fifo").exit_code == 2
