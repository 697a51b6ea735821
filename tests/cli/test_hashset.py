"""``safelight hashset``: what a person at a terminal meets."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.casework.factories import make_user
from typer.testing import CliRunner

from safelight.cli.hashset import register
from safelight.errors import SafelightError
from safelight.standards.loader import load_standards

A, B = "0" * 31 + "a", "0" * 31 + "b"
ABOUT = ["--name", "Example list", "--version", "1", "--source", "Publisher", "--basis", "A test"]


@pytest.fixture
def run(settings: Any, tmp_path: Path) -> Any:
    settings.DATA = tmp_path / "data"
    app = typer.Typer()
    register(app)

    def call(*arguments: str) -> Any:
        return CliRunner().invoke(app, ["hashset", *arguments])

    return call


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    path = tmp_path / "list.csv"
    path.write_text(f"md5,category\n{A},A\nshort,A\n{B},B\n")
    return path


@pytest.mark.django_db
def test_import_info_and_verify(run: Any, listed: Path, settings: Any) -> None:
    """Large lists come in at the terminal; what was left out must be said there too."""
    user = make_user("examiner")
    done = run("import", str(listed), *ABOUT, "--by", user.username)
    assert done.exit_code == 0, done.output
    assert "2 entries" in done.output and "Left out: row 3" in done.output
    shown = run("info", "Example list")
    assert "A 1, B 1" in shown.output and "Basis: A test" in shown.output
    assert "as recorded" in run("verify").output
    (file,) = settings.DATA.glob("hashsets/*/hashset.slh")
    folder = run("info", str(file.parent))
    assert "A 1, B 1" in folder.output
    data = bytearray(file.read_bytes())
    data[-3] ^= 1
    file.chmod(0o644)
    file.write_bytes(data)
    broken = run("verify")
    assert broken.exit_code == 1 and "FAULT" in broken.output


@pytest.mark.django_db
def test_an_import_has_a_name_behind_it(run: Any, listed: Path) -> None:
    """A list that nobody brought in has no provenance."""
    done = run("import", str(listed), *ABOUT, "--by", "nobody-at-all")
    assert isinstance(done.exception, SafelightError)
    assert "--by" in str(done.exception)
    assert isinstance(run("info", "no such thing").exception, SafelightError)


def test_info_of_a_file_needs_no_database(listed: Path, tmp_path: Path) -> None:
    """On a bench without the product's database one still wants to know what a list holds."""
    code = (
        "import sys, typer; from safelight.cli.hashset import register; app = typer.Typer(); register(app); "
        f"app(['hashset', 'info', {str(listed)!r}], standalone_mode=False); assert 'django' not in sys.modules"
    )
    src = Path(load_standards.__code__.co_filename).parents[2]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(src)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "2 entries" in done.stdout and "Rows left out: 1" in done.stdout


def test_a_set_in_a_folder_needs_no_database_and_says_what_is_missing(run: Any, listed: Path, tmp_path: Path) -> None:
    """A bench without the product prepares a national list once, and opens it at once ever after."""
    done = run("import", str(listed), "--store", str(tmp_path / "set"), "--name", "National", "--source", "Publisher")
    assert done.exit_code == 0, done.output
    assert "National" in done.output and "2 entries" in done.output and "Left out: row 3" in done.output
    assert "triage IMAGE --hash-set" in done.output
    assert "short" in (tmp_path / "set" / "quarantine.jsonl").read_text()
    assert "A 1, B 1" in run("info", str(tmp_path / "set")).output
    other = tmp_path / "other.txt"
    other.write_text("d41d8cd98f00b204e9800998ecf8427e\n")
    twice = run("import", str(other), "--store", str(tmp_path / "set"), "--name", "Other")
    assert twice.exit_code != 0 and "holds the list National" in str(twice.exception), "the first list was replaced"
    assert "--replace" in str(twice.exception) and "A 1, B 1" in run("info", str(tmp_path / "set")).output
    replaced = run("import", str(other), "--store", str(tmp_path / "set"), "--name", "Other", "--replace")
    assert replaced.exit_code == 0 and "Replaced when this import is done: the list National" in replaced.output
    assert "Other" in run("info", str(tmp_path / "set")).output
    refused = run("import", str(listed))
    assert "--name, --version, --source, --basis" in str(refused.exception) and "--store" in str(refused.exception)
