"""A newcomer's first minute: a taken port, a full disk or a wrong folder must say what to do, never a trace."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from safelight import __version__
from safelight.cli import demo
from safelight.errors import SafelightError

ROOT = Path(__file__).resolve().parents[2]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "safelight.cli.main", *words], capture_output=True, text=True, cwd=ROOT, timeout=60
    )


def test_a_taken_port_is_named_before_anything_is_built(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run("demo", "--data", str(tmp_path / "demo"), "--port", str(port))
    assert result.returncode == 2
    assert f"Port {port} on 127.0.0.1 is taken" in result.stderr
    assert "--port" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "demo").exists()


def test_a_folder_with_somebody_s_files_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("mine")
    with pytest.raises(SafelightError, match="not made by the demo"):
        demo._make_room(tmp_path, fresh=True)
    assert precious.read_text() == "mine"


def test_a_full_disk_is_said_in_megabytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 10, 5 * 2**20))
    with pytest.raises(SafelightError, match="has 5 MB free; the demo needs 1500 MB"):
        demo._make_room(tmp_path / "demo", fresh=False)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("a file, not a folder")
    with pytest.raises(SafelightError, match="cannot be written"):
        demo._make_room(blocked / "demo", fresh=False)


def test_an_interrupted_build_is_built_again_and_a_complete_one_is_kept(tmp_path: Path) -> None:
    data = tmp_path / "demo"
    assert demo._make_room(data, fresh=False) is True
    assert demo._make_room(data, fresh=False) is True  # interrupted: the mark is not complete
    (data / demo.MARK).write_text(json.dumps({"version": __version__, "complete": True}))
    (data / "safelight.sqlite3").write_text("kept")
    assert demo._make_room(data, fresh=False) is False
    assert (data / "safelight.sqlite3").exists()
    assert demo._make_room(data, fresh=True) is True
    assert not (data / "safelight.sqlite3").exists()


def test_the_demo_always_uses_its_own_embedded_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"DATABASE_URL": "postgres://somewhere/real"})
    demo._environment(tmp_path)
    assert "DATABASE_URL" not in os.environ
    assert os.environ["SAFELIGHT_DEMO"] == "1"
    assert Path(os.environ["SAFELIGHT_SITE_STANDARDS"]).is_file()
