"""Names of children would lie open on a shared machine, or evidence could be written to, and nothing would say so."""

from __future__ import annotations

import os
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from safelight.triage.sandbox import Confinement, SandboxError
from safelight.web.production import places

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def house(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A safe place: private data, evidence that cannot be written to, the files of the pages gathered."""
    settings.DATA, settings.EVIDENCE_ROOT = tmp_path / "data", tmp_path / "evidence"
    settings.STATIC_ROOT = settings.DATA / "static"
    settings.WHITENOISE_USE_FINDERS = False
    settings.TRIAGE_SANDBOX = "auto"
    file = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(settings.DATA / "x.sqlite3")}
    monkeypatch.setitem(settings.DATABASES, "default", file)
    settings.DATA.mkdir(mode=0o700)
    settings.EVIDENCE_ROOT.mkdir()
    settings.STATIC_ROOT.mkdir()
    (settings.STATIC_ROOT / "app.css").touch()
    monkeypatch.setattr(places, "_can_write", lambda place: place != settings.EVIDENCE_ROOT)
    monkeypatch.setattr(places, "_clock_state", lambda: 0)
    monkeypatch.setattr(places, "_file_system", lambda place: "ext4")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: Usage(100 << 30, 50 << 30, 50 << 30))
    monkeypatch.setattr(places, "what_there_is", lambda mode: Confinement(mode, ("bubblewrap", "landlock", "seccomp")))
    return tmp_path


def codes() -> set[str]:
    found = [finding for look in places.LOOKS for finding in look()]
    assert all(f.what and f.where and f.fix for f in found)
    return {f.code for f in found}


def test_a_safe_place_has_no_finding(house: Path) -> None:
    assert codes() == set()


def test_an_open_data_folder_is_named(house: Path, settings: Any) -> None:
    settings.DATA.chmod(0o750)
    assert codes() == {"data.mode"}


def test_a_data_folder_that_is_not_there_or_cannot_be_written_is_named(
    house: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "_can_write", lambda place: False)
    assert codes() == {"data.read_only"}
    shutil.rmtree(settings.DATA)
    assert "data.missing" in codes()


def test_a_key_that_others_may_read_is_named(house: Path, settings: Any) -> None:
    key = settings.DATA / "exchange" / "fingerprint.key"
    key.parent.mkdir()
    key.touch()
    key.chmod(0o640)
    assert codes() == {"keys.mode"}
    key.chmod(0o600)
    assert codes() == set()


def test_evidence_that_is_missing_or_can_be_written_is_named(
    house: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    assert {f.code for f in places.evidence()} == {"evidence.writable"} or os.geteuid() != 0
    settings.EVIDENCE_ROOT = house / "nowhere"
    assert {f.code for f in places.evidence()} == {"evidence.missing"}
    settings.EVIDENCE_ROOT = settings.DATA / "evidence"
    assert {f.code for f in places.evidence()} == {"evidence.missing", "evidence.in_data"}


def test_pages_without_their_files_are_named(house: Path, settings: Any) -> None:
    (settings.STATIC_ROOT / "app.css").unlink()
    assert codes() == {"static.missing"}


def test_root_is_named(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert codes() == {"machine.root"}


@pytest.mark.parametrize(("free", "code"), [(10, "disk.little"), (3, "disk.full")])
def test_a_disk_that_fills_up_is_named(house: Path, monkeypatch: pytest.MonkeyPatch, free: int, code: str) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: Usage(100 << 30, 0, free << 30))
    assert codes() == {code}


def test_sqlite_on_a_network_disk_is_named(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "_file_system", lambda place: "nfs4")
    assert codes() == {"database.network_disk"}


def test_a_clock_that_nobody_sets_is_named(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "_clock_state", lambda: 5)
    assert codes() == {"machine.clock"}
    monkeypatch.setattr(places, "_clock_state", lambda: -1)
    assert codes() == {"machine.clock_unknown"}


def test_the_kernel_is_really_asked() -> None:
    """A made-up answer would be worse than none: the numbers are those of adjtimex(2), the names those of mounts."""
    assert -1 <= places._clock_state() <= 5
    assert places._file_system(Path("/proc/self")) == "proc"


def test_a_sandbox_that_is_off_weak_or_impossible_is_named(
    house: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TRIAGE_SANDBOX = "off"
    assert codes() == {"sandbox.off"}
    settings.TRIAGE_SANDBOX = "auto"
    weak = Confinement("auto", ("landlock", "seccomp"), {"bubblewrap": "not installed"})
    monkeypatch.setattr(places, "what_there_is", lambda mode: weak)
    assert codes() == {"sandbox.layer"}

    def refuse(mode: str) -> Confinement:
        raise SandboxError("No.", fix="Mend it.")

    monkeypatch.setattr(places, "what_there_is", refuse)
    assert codes() == {"sandbox.missing"}


def test_the_sandbox_is_asked_of_a_real_child() -> None:
    from safelight.triage.confinement import what_there_is

    there = what_there_is("auto")
    assert there.enough and there.mode == "auto"
