"""``safelight audit figures``: the terminal shows what was published, and what cannot be said."""

from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from safelight.cli.audit import register
from safelight.measures import MeasuresError, published_figures


def run(*args: str) -> str:
    app = typer.Typer()
    register(app)
    app.command("other")(lambda: None)
    result = CliRunner().invoke(app, ["audit", "figures", *args], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


def test_the_table_shows_every_count_whole() -> None:
    """Lost: a count cut off at the edge of its column, so that 278 of 384 reads 278 of 38."""
    text = run()
    assert max(map(len, text.splitlines())) <= 100
    for row in published_figures().figures:
        if row.k is not None:
            assert f"{row.k}/{row.n} " in text
    assert "69.7 to 78.5" in text and "no n given" in text and "full count" in text
    assert "Inconsistencies" in text and "374 or 384 cases" in text
    joined = " ".join(text.split())
    assert "p = 0.147: a change is not shown." in joined
    assert "at least 74 of 132 cases (56 %)" in joined and "kappa cannot exceed 0.146" in joined
    assert "10.2 (E-value)" in joined


def test_exact_intervals_on_request() -> None:
    """Lost: the interval that a court would ask for."""
    assert "86.8 to 99.9" in run("--exact") and "86.8 to 99.9" not in run()


def test_json_carries_everything() -> None:
    """Lost: the figures for somebody else's program."""
    data = json.loads(run("--json"))
    assert len(data["figures"]) == 43 and len(data["inconsistencies"]) == 10 and len(data["inspections"]) == 10
    first = data["figures"][0]
    assert first["interval"]["method"] == "Wilson score" and first["interval"]["low"] == pytest.approx(0.697, abs=5e-4)
    assert data["bound_from_margins"]["at_least"] == 74
    assert data["years"][1]["change"]["shown"] is False
    assert "not shown" in data["comparison"]


def test_one_status_only() -> None:
    """Lost: the list of what still has to be confirmed."""
    data = json.loads(run("--status", "unconfirmed", "--json"))
    assert {row["id"] for row in data["figures"]} == {"charged_specialist", "charged_non_specialist"}
    with pytest.raises(MeasuresError, match="--status x is unknown"):
        run("--status", "x")
