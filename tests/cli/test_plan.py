"""`safelight plan`: scenarios beside each other with intervals, and what the answer does not say."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
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


def test_the_smallest_staffing_is_found_and_shown_with_one_fewer() -> None:
    small = ("--set", "referrals.per_year=400", "--set", "staff.desk=3")
    found = run(*small, "--smallest", *QUICK)
    assert found.exit_code == 0, found.output
    assert "The smallest staffing that keeps 95% of very high risk inside the safeguarding clock" in found.output
    assert "One fewer" in found.output and "not kept" in found.output
    data = json.loads(run(*small, "--smallest", "--json", *QUICK).stdout)
    assert data["breached"]["high"] <= 0.05
    assert data["one_fewer"]["staff.desk"]["words"] or data["one_fewer"]["staff.desk"]["high"] > 0.05
    wrong = run("--smallest", "--lever", "teams", *QUICK)
    assert isinstance(wrong.exception, PlanningError)


def test_csv_is_printed() -> None:
    rows = run("--csv", *QUICK).stdout.splitlines()
    assert rows[0].startswith("scenario,rule,question,mean")
    assert rows[1].startswith("As it is,growing,Children whose case waits")


def test_ctrl_c_leaves_what_is_done() -> None:
    """A planner who has seen enough after a minute must not lose the minute."""
    code = "from safelight.cli.main import run; run()"
    words = [sys.executable, "-c", code, "plan", "--replications", "100000", "--years", "0.5", "--json"]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    beside = Path(f"/proc/{child.pid}/task/{child.pid}/children")
    until = time.monotonic() + 60
    while (
        child.poll() is None and not beside.read_text().split()
    ):  # its runs have begun when it has a process beside it
        assert time.monotonic() < until
        time.sleep(0.05)
    time.sleep(0.5)
    os.killpg(child.pid, signal.SIGINT)  # as a terminal does: to every process of the group
    output, errors = child.communicate(timeout=60)
    assert child.returncode == 0, errors
    data = json.loads(output)
    assert data["stopped"]
    assert 1 <= data["scenarios"][0]["runs"] < 100000
