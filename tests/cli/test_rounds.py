"""`safelight rounds`: from two files to a list, a table and a picture."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from safelight.cli.main import app
from safelight.planning import PlanningError

VISITS = "key,latitude,longitude,risk,must\nO-1,51.52,-0.10,high,yes\nO-2,51.50,-0.15,low,\nO-3,51.48,-0.08,medium,\n"
CREWS = "name,officers\nA,PC One + PC Two\n"


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    (tmp_path / "visits.csv").write_text(VISITS)
    (tmp_path / "crews.csv").write_text(CREWS)
    return [
        str(tmp_path / "visits.csv"),
        "--crews",
        str(tmp_path / "crews.csv"),
        "--base",
        "51.5,-0.1",
        "--seconds",
        "0.5",
    ]


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["rounds", *words])


def test_a_week_is_written_for_the_officers(files: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    found = run(*files, "--from", "2026-12-01", "--days", "5", "--seed", "1", "--out", str(out))
    assert found.exit_code == 0, found.output
    assert "For the officers of these rounds only" in found.output and "O-1" in found.output
    assert sorted(path.name for path in out.iterdir()) == ["list.txt", "map.svg", "rounds.csv", "rounds.json"]
    assert len(json.loads((out / "rounds.json").read_text())["in_no_round"]) == 0


def test_without_a_seed_nobody_foresees_the_plan(files: list[str]) -> None:
    plans = {run(*files, "--days", "5", "--json").stdout for _ in range(3)}
    assert len(plans) > 1


def test_a_visit_that_must_be_made_and_is_not_ends_with_three(files: list[str], tmp_path: Path) -> None:
    (tmp_path / "visits.csv").write_text("key,latitude,longitude,must,opens,closes\nO-1,53.5,-2.2,yes,08:00,08:10\n")
    found = run(*files)
    assert found.exit_code == 3
    assert "must be made is in no round" in found.output


def test_bad_input_is_refused(files: list[str]) -> None:
    assert run(*files[:3], "--base", "London").exit_code == 2
    assert run(*files, "--from", "soon").exit_code == 2
    assert isinstance(run("none.csv", *files[1:]).exception, PlanningError)
