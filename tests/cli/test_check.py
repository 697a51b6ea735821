"""An administrator asks one command whether the installation is fit for real cases, and so do their scripts."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from safelight.cli.main import app
from safelight.web.production import checking
from safelight.web.production.finding import Report, advice, unsafe


def answer(monkeypatch: pytest.MonkeyPatch, *found: object, words: tuple[str, ...] = ()) -> tuple[int, str]:
    monkeypatch.setattr("safelight.web.production.check", lambda: Report(list(found), ["a", "b"]))  # type: ignore[arg-type]
    result = CliRunner().invoke(app, ["check", *words])
    return result.exit_code, result.output


def test_what_is_unsafe_ends_with_1_and_stands_first(monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = answer(monkeypatch, advice("x.y", "Hm.", "there", "Think."), unsafe("a.b", "Bad.", "here", "Mend it."))
    assert code == 1
    lines = said.splitlines()
    assert lines[:3] == ["UNSAFE  a.b: Bad.", "        where: here", "        mend:  Mend it."]
    assert lines[-1] == "2 things looked at: 1 unsafe, 1 to think about. Not fit for real cases."


def test_advice_alone_ends_with_0(monkeypatch: pytest.MonkeyPatch) -> None:
    assert answer(monkeypatch, advice("x.y", "Hm.", "there", "Think."))[0] == 0


def test_programs_read_the_same_as_people(monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = answer(monkeypatch, unsafe("a.b", "Bad.", "here", "Mend it."), words=("--json",))
    assert code == 1
    told = json.loads(said)
    assert told["safe"] is False and told["looked_at"] == ["a", "b"]
    assert told["findings"] == [{"code": "a.b", "level": "unsafe", "what": "Bad.", "where": "here", "fix": "Mend it."}]


@pytest.mark.django_db
def test_the_whole_check_runs_here_and_finds_that_these_are_tests() -> None:
    report = checking.check()
    assert "settings.testing" in {f.code for f in report.findings} and not report.safe
    assert len(report.looked_at) == sum(len(looks) for _, looks in checking.SIDES)


def test_a_look_that_cannot_be_made_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gap in the check would read as safety."""

    def broken() -> list[object]:
        raise OSError("the folder is gone")

    monkeypatch.setattr(checking, "SIDES", (("places", (broken,)),))
    (finding,) = checking.check().findings
    assert finding.code == "check.failed" and "the folder is gone" in finding.what
