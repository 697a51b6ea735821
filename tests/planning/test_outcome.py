"""A plan that is run: the numbers of the page, the JSON and the CSV are the same; a stopped one keeps what is done."""

from __future__ import annotations

import csv
import io
import json

import pytest

from safelight.planning.outcome import COLUMNS, as_csv, as_data, run_plan
from safelight.planning.scenario import plan

NUMBERS = {"years": 0.5, "warmup_days": 30.0, "replications": 3}


def test_data_and_table_agree_and_changes_are_against_the_first() -> None:
    """Two files of one answer that differ would be quoted against each other."""
    asked = plan(
        "T", {}, [{"name": "=One team", "changes": {"teams": 1, "staff.specialists": "-4"}}], "growing", NUMBERS
    )
    data = as_data(run_plan(asked, processes=1))
    again = json.loads(json.dumps(data, allow_nan=False))
    base, other = again["scenarios"]
    assert base["changes"] == {} and other["changes"] == {"teams": 1, "staff.specialists": "-4"}
    assert all(answer["change"] is None for answer in base["answers"])
    cost = [answer for answer in other["answers"] if answer["title"].startswith("Cost")][0]
    assert cost["change"]["mean"] == pytest.approx(-4 * 50.257 * 1.4)
    assert cost["change"]["text"] == "-281"
    rows = list(csv.DictReader(io.StringIO(as_csv(data))))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == len(base["answers"]) * 2
    assert rows[-1]["scenario"] == "'=One team", "a spreadsheet must not run a name as a formula"
    for row, answer in zip(rows, [*base["answers"], *other["answers"]], strict=True):
        assert row["question"] == answer["title"]
        assert (float(row["mean"]) if row["mean"] else None) == answer["mean"]
    waits = base["series"]["Cases that wait for a person"]
    assert len(waits) >= 6 and all(point[0] >= 0 for point in waits)


def test_a_stopped_plan_keeps_what_is_done_and_says_what_is_not() -> None:
    done: list[int] = []
    asked = plan("T", {}, [{"name": "Never", "changes": {"teams": 1}}], "fifo", {**NUMBERS, "replications": 50})
    outcome = run_plan(
        asked, processes=1, on_progress=lambda _, progress: done.append(progress.done), stop=lambda: len(done) >= 2
    )
    data = as_data(outcome)
    assert data["stopped"] and data["not_run"] == ["Never"]
    assert data["scenarios"][0]["runs"] == 2
