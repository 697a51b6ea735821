"""``safelight standards``: the terminal shows what the pages show."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from safelight.cli.standards import register
from safelight.errors import StandardsError
from safelight.standards import demo_site_path, load_standards


def run(*args: str) -> str:
    app = typer.Typer()
    register(app)
    app.command("other")(lambda: None)
    result = CliRunner().invoke(app, ["standards", *args], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(autouse=True)
def no_site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAFELIGHT_SITE_STANDARDS", raising=False)
    monkeypatch.setenv("COLUMNS", "100")


def test_everything_is_listed_within_100_columns() -> None:
    """Lost: a table that a narrow terminal tears apart."""
    text = run()
    assert max(map(len, text.splitlines())) <= 100
    for row in load_standards().clocks.values():
        assert row.id in text
    assert "25 rows must still be set by the force" in text


def test_required_lists_what_the_force_must_set() -> None:
    text = run("--required", "--table", "clocks")
    assert "caid_upload" in text and "police_protection_max" not in text
    assert "0 rows;" in run("--required", "--site", str(demo_site_path()))


def test_filters_go_together() -> None:
    text = run("--kind", "statute", "--status", "draft")
    assert "epo_max" in text and "police_protection_max" not in text and "icpc" not in text


def test_one_row_in_full() -> None:
    """Source, status, owner and every borough's own figure."""
    text = run("mash_rag_red")
    for expected in ("Merton", "2 hours", "general knowledge, no source read", "referral desk", "supervisor"):
        assert expected in text


def test_a_site_value_shows_who_set_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFELIGHT_SITE_STANDARDS", str(demo_site_path()))
    text = run("caid_upload")
    assert "72 hours" in text and "Demo value, not policy" in text and "not set" in text


def test_json_holds_every_row_for_other_programs() -> None:
    data = json.loads(run("--json"))
    assert data["version"] == load_standards().version
    assert len(data["rows"]) == len(list(load_standards().rows()))
    one = next(row for row in data["rows"] if row["id"] == "rso_visit_legacy")
    assert (one["table"], one["effective_to"], one["is_set"]) == ("clocks", "2017-06-28", True)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["caid_uplod"], "Did you mean 'caid_upload'"),
        (["--kind", "law"], "--kind law is unknown"),
        (["--status", "fine"], "Use one of verified, draft, required"),
        (["icpc", "--table", "roles"], "with these options"),
        (["--site", "/nowhere.toml"], "cannot be read"),
    ],
)
def test_a_wrong_question_gets_a_sentence(args: list[str], message: str) -> None:
    with pytest.raises(StandardsError, match=message):
        run(*args)


def test_a_bad_site_file_gives_one_line_for_each_fault(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text("[clocks.nope]\nlabel='L'\n[policy.nope]\nlabel='L'\n")
    with pytest.raises(StandardsError) as caught:
        run("--site", str(path))
    assert len(str(caught.value).splitlines()) == 2
