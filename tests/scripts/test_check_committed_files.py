"""scripts/check-committed-files: a picture or a registry address never slips into the repository."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from safelight.demo.pictures import encode_picture, make_picture

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "check-committed-files"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "scripts").mkdir()
    shutil.copy(SCRIPT, tmp_path / "scripts")
    return tmp_path


def _check(project: Path, *names: str) -> tuple[int, str]:
    script = project / "scripts" / SCRIPT.name
    done = subprocess.run([sys.executable, str(script), *names], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


@pytest.mark.parametrize(("extension", "name"), [("jpg", "notes.txt"), ("png", "a.png"), ("webp", "x"), ("tif", "y")])
def test_a_picture_is_refused_whatever_its_name(project: Path, extension: str, name: str) -> None:
    (project / name).write_bytes(encode_picture(make_picture(1, (320, 240)), extension))
    code, said = _check(project, name)
    assert code == 1
    assert f"{name}: a picture or video" in said


def test_a_screenshot_in_its_place_and_plain_text_pass(project: Path) -> None:
    (project / "docs" / "screenshots").mkdir(parents=True)
    (project / "docs" / "screenshots" / "a.png").write_bytes(encode_picture(make_picture(1, (320, 240)), "png"))
    (project / "readme.md").write_text("Plain words.")
    assert _check(project, "docs/screenshots/a.png", "readme.md") == (0, "")


def test_a_registry_address_is_refused_with_its_line(project: Path) -> None:
    (project / "requirements.txt").write_text(
        "# one\n--index-url https://" + ".".join(["py" + "pi", "org"]) + "/simple\n"
    )
    code, said = _check(project, "requirements.txt")
    assert code == 1
    assert said.startswith("requirements.txt:2: names the package registry host")
