"""`scripts/trust` writes down what came out, above all when it failed: otherwise the pages show only the good days."""

from __future__ import annotations

import json
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

from trust import Progress, Result

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    loader = SourceFileLoader("trust_script", str(ROOT / "scripts/trust"))
    module = module_from_spec(spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    monkeypatch.setattr(module, "PAGES", tmp_path)
    return module


def result(right: int) -> Result:
    made = Result()
    made.add("Things tried", 10, right, "as | seen")
    made.measured("time", "3 s", "1 s", met=False)
    return made


def test_a_part_holds_only_if_everything_tried_ended_right():
    assert result(10).held
    assert not result(9).held
    assert not Result().held, "nothing tried proves nothing"
    broken = result(10)
    broken.fail("Something else went wrong.")
    assert not broken.held
    assert Result.from_json(json.loads(json.dumps(broken.as_json()))) == broken


def test_a_failure_is_written_down_and_a_later_run_of_the_same_command_takes_its_place(frame, tmp_path):
    part = next(one for one in frame.parts() if one.name == "worker-kills")
    for database, right in (("sqlite", 9), ("postgresql", 10)):
        page = frame.write(part, *frame.section(part, "full", database, result(right), 61, "abc"))
    text = page.read_text()
    assert page == tmp_path / "worker-kills.md"
    assert text.startswith("# Workers killed at random\n\nWorkers killed (SIGKILL)")
    assert "**FAILED.**" in text
    assert "| Things tried | 10 | 9 **(failed)** | as \\| seen |" in text
    assert "| time | 3 s | 1 s **(missed)** |" in text
    frame.write(part, *frame.section(part, "full", "sqlite", result(10), 61, "def"))
    again = page.read_text()
    assert "FAILED" not in again
    assert again.count("## `scripts/trust worker-kills` on SQLite") == 1
    assert again.index("on SQLite") < again.index("on PostgreSQL")


def test_a_part_that_breaks_is_a_failure_with_its_reason(frame, tmp_path):
    """An exception in a part would otherwise leave the last good result standing."""
    output = tmp_path / "out.json"
    assert frame.child("no_such_part", "small", "", tmp_path, output) == 0
    broken = Result.from_json(json.loads(output.read_text()))
    assert "No module named" in broken.failures[0]
    assert not broken.held


def test_every_part_says_what_it_is_about(frame):
    for part in frame.parts():
        assert part.about, part.name
        assert set(part.databases) <= {"", "sqlite", "postgresql"}


def test_progress_says_how_far_it_is(capsys):
    step = Progress("trials", 4, every=0)
    step(2)
    assert "trials: 2 of 4" in capsys.readouterr().err
