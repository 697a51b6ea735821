"""Whoever answers for access reads the policy as a sheet, as a page, or for one role."""

from __future__ import annotations

import csv
import io

import pytest
from typer.testing import CliRunner

from safelight.casework.base.permissions import permissions
from safelight.cli.main import app
from safelight.errors import CaseworkError


def output(*words: str) -> str:
    result = CliRunner().invoke(app, ["policy", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_sheet_has_a_line_for_each_method_and_a_column_for_each_role() -> None:
    """An access review would be made from a part of the pages."""
    rows = list(csv.DictReader(io.StringIO(output("--format", "csv"))))
    assert len(rows) == sum(len(row.steps) for row in permissions().routes.values())
    assert set(permissions().roles) <= set(rows[0])
    line = next(row for row in rows if row["route"] == "cases:access" and row["method"] == "POST")
    assert (line["supervisor"], line["investigator"]) == ("own, named; else hidden/no", "no")
    assert "alteration" in line["records"]


def test_one_role_has_only_its_own_pages() -> None:
    text = output("--role", "partner")
    assert "sharing:received" in text and "cases:detail" not in text


def test_checking_says_that_code_and_file_agree() -> None:
    assert "0 differences" in output("--check")


@pytest.mark.parametrize("words", [("--format", "xml"), ("--role", "inspector")])
def test_what_is_unknown_is_said_with_what_is_known(words) -> None:
    with pytest.raises(CaseworkError, match="Use one of"):
        CliRunner().invoke(app, ["policy", *words], catch_exceptions=False)
