"""A force would run what nobody may use, or something other than what was built, and could not tell."""

from __future__ import annotations

import hashlib
import importlib.machinery
import importlib.util
import re
import subprocess
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def chain() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("supply_chain", str(ROOT / "scripts/supply-chain"))
    spec = importlib.util.spec_from_loader("supply_chain", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    __import__("sys").modules["supply_chain"] = module
    loader.exec_module(module)
    return module


def test_every_package_has_a_licence_that_may_be_used_and_stands_on_the_page(chain: ModuleType) -> None:
    """Packages of fuzzing are installed by hand only: their licences are stated."""
    rows = chain.packages()
    assert [row for row in rows if row.fault] == []
    assert (ROOT / "docs/licences.md").read_text(encoding="utf-8") == chain.page(rows)


@pytest.mark.parametrize(
    ("said", "may"),
    [
        ({"License-Expression": "AGPL-3.0-or-later"}, False),
        ({"License-Expression": "GPL-2.0-only"}, False),
        ({"License-Expression": "GPL-2.0-only OR MIT"}, True),
        ({"License-Expression": "LGPL-3.0-only"}, True),
        ({"Classifier": "License :: OSI Approved :: GNU General Public License v3 (GPLv3)"}, False),
        ({"Classifier": "License :: OSI Approved :: GNU Affero General Public License v3"}, False),
        ({"Classifier": "License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)"}, True),
        ({"License": "Commercial, ask us"}, False),
        ({}, False),
        ({"License": "MIT"}, True),
    ],
)
def test_the_gpl_and_the_unknown_are_refused(
    chain: ModuleType, monkeypatch: pytest.MonkeyPatch, said: dict[str, str], may: bool
) -> None:
    from email.message import Message

    about = Message()
    for name, value in said.items():
        about[name] = value
    monkeypatch.setattr(chain, "distribution", lambda name: type("D", (), {"metadata": about})())
    assert (chain.licence_of("some-package")[1] == "") is may


def test_every_locked_package_has_its_hash(chain: ModuleType) -> None:
    for path in sorted((ROOT / "requirements").glob("*.txt")):
        names = re.findall(r"^[a-z0-9][a-z0-9._-]*==", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert len(chain.locked(path.stem)) == len(names) > 0


def test_two_builds_of_one_commit_are_the_same_bytes_and_hold_every_file(chain: ModuleType, tmp_path: Path) -> None:
    digests = set()
    for name in ("one", "another/deeper"):
        (tmp_path / name).mkdir(parents=True)
        moment = chain.export(tmp_path / name)
        made = chain.build(tmp_path / name, tmp_path / f"{name}-out", moment)
        digests.add(hashlib.sha256(made.read_bytes()).hexdigest())
    assert len(digests) == 1
    said = subprocess.run(
        ["git", "ls-tree", "-r", "--name-only", "HEAD", "src/safelight"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    wanted = {name.removeprefix("src/") for name in said.stdout.splitlines()}
    with zipfile.ZipFile(made) as packed:
        names = set(packed.namelist())
    assert wanted <= names
    assert any(name.endswith("clocks.toml") for name in names) and any("/templates/" in name for name in names)
    assert not any("__pycache__" in name for name in names)


def test_what_is_over_its_time_is_named(chain: ModuleType) -> None:
    """A library with a hole from last year would go on being shipped, because nothing asks for its age."""
    now, most = datetime(2026, 11, 30, tzinfo=UTC), chain.most_days()
    assert most == {"locks": 35, "toolkits": 180}
    fresh = {place: now - timedelta(days=most[what]) for place, what in chain.AGES.items()}
    assert chain.over_time(fresh, now) == []
    old = {place: when - timedelta(days=1) for place, when in fresh.items()}
    assert len(chain.over_time(old, now)) == 2 and "36 days ago; 35 are allowed" in chain.over_time(old, now)[0]


def test_the_times_of_mending_are_written_down() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    days = [int(one) for one in re.findall(r"\| (\d+) days \|", text)]
    assert days == sorted(days) == [2, 7, 30, 90]


def test_the_list_of_components_is_made_of_the_lock_and_nothing_is_left_out(chain: ModuleType) -> None:
    """A force would search its list for a library with a hole, and not find what it runs."""
    source = (ROOT / "scripts/supply-chain").read_text(encoding="utf-8")
    assert '"requirements/base.txt"' in source and "JsonStrictValidator" in source
    declared = re.findall(
        r"^([A-Za-z0-9._-]+)", (ROOT / "requirements/base.in").read_text(encoding="utf-8"), re.MULTILINE
    )
    names = {re.sub(r"[-_.]+", "-", name).lower() for name in declared}
    assert names and names <= set(chain.locked("base"))
