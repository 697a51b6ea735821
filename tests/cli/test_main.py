"""The command must start quickly, list what it can do, and keep its promise about exit codes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from safelight import __version__
from safelight.cli.main import COMMANDS, app, run
from safelight.errors import SafelightError

ROOT = Path(__file__).resolve().parents[2]


def safelight(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "safelight.cli.main", *words], capture_output=True, text=True, cwd=ROOT, timeout=60
    )


def test_the_version_is_the_package_s_own() -> None:
    assert safelight("--version").stdout.strip() == f"safelight {__version__}"


def test_every_command_is_listed_and_explained_in_the_readme() -> None:
    listed = safelight("--help").stdout
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in (module.replace("_", "-") for module in COMMANDS):
        assert f"\n  {command} " in listed
        assert command in readme


def test_starting_the_command_loads_neither_django_nor_the_numeric_engines() -> None:
    """An examiner at a bench waits for every import."""
    code = (
        "import sys; import safelight.cli.main; "
        "print([m for m in ('django', 'numba', 'numpy', 'pytsk3', 'PIL') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.stdout.strip() == "[]"


def test_bad_input_is_one_line_and_exit_code_2(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    def refuse() -> None:
        raise SafelightError("phone.E01 is not a forensic image.", fix="Name the first part of the set.")

    monkeypatch.setattr("safelight.cli.main.app", refuse)
    with pytest.raises(SystemExit) as ending:
        run()
    assert ending.value.code == 2
    assert capsys.readouterr().err == "safelight: phone.E01 is not a forensic image. Name the first part of the set.\n"
    assert app is not refuse
