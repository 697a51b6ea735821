"""A parser that was taken over tries 52 ways out, of the whole sandbox and of its inner half alone."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from pathlib import Path

import pytest
from tests.triage.sandbox import prisoner

from safelight.triage import TriageSettings, triage_device
from safelight.triage.pipeline import Bench
from safelight.triage.sandbox import Sandbox, SandboxError, device_files, outer
from safelight.triage.wire import Child

WAYS = sorted(
    prisoner.attempts(dict.fromkeys(("evidence", "beside", "database", "source"), "") | {"parent": 0, "port": 0})
)


class Prisoner(Child):
    """A child whose program lies outside the package."""

    def _command(self) -> list[str]:
        return [sys.executable, "-P", "-s", self._module]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict:
    cases = tmp_path_factory.mktemp("cases")
    for name in ("this.raw", "other.raw"):
        (cases / name).write_text(name)
    database = tmp_path_factory.mktemp("data") / "safelight.sqlite3"
    database.write_text("database")
    return {"evidence": str(cases / "this.raw"), "beside": str(cases / "other.raw"), "database": str(database)}


def tried(places: dict, tmp_path_factory: pytest.TempPathFactory, mode: str = "auto") -> dict:
    with socket.create_server(("127.0.0.1", 0)) as server:
        script = tmp_path_factory.mktemp("prisoner") / "prisoner.py"
        script.write_bytes(Path(prisoner.__file__).read_bytes())
        child = Prisoner(str(script), sandbox=Sandbox(mode, (places["evidence"], str(script))))
        try:
            child.send({**places, "parent": os.getpid(), "port": server.getsockname()[1],
                        "source": str(Path(outer.__file__).resolve().parents[3])})  # fmt: skip
            answer = child.receive(150)
            assert answer is not None
            return {**answer[0], "confinement": child.confinement}
        finally:
            child.stop()


@pytest.fixture(scope="module")
def whole(places: dict, tmp_path_factory: pytest.TempPathFactory) -> dict:
    return tried(places, tmp_path_factory, "strict")


@pytest.fixture(scope="module")
def inner_half(places: dict, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """As in a container, where bubblewrap cannot make name spaces."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outer, "why_no_bubblewrap", lambda: "there are no name spaces here")
        return tried(places, tmp_path_factory)


@pytest.mark.parametrize("way", WAYS)
def test_no_way_out(whole: dict, way: str) -> None:
    """One hostile file would own the workstation, and with it every case."""
    assert whole["said"][way].startswith("stopped"), whole["said"][way]


@pytest.mark.parametrize("way", WAYS)
def test_no_way_out_without_name_spaces(inner_half: dict, way: str) -> None:
    """In a container the sandbox would be a word in the report."""
    assert inner_half["said"][way].startswith("stopped"), inner_half["said"][way]


def test_a_parser_can_still_do_its_work(whole: dict, inner_half: dict) -> None:
    """A sandbox that is in the way would be switched off."""
    for said in (whole, inner_half):
        assert said["honest"]["evidence"] == "this.raw" and said["honest"]["thread"] == "ran"
        assert said["honest"]["kernel"].isdecimal()


def test_what_was_in_force_is_told(whole: dict, inner_half: dict) -> None:
    """A report would claim a sandbox that was not there."""
    assert whole["confinement"].layers == ("bubblewrap", "landlock", "seccomp")
    assert whole["confinement"].sentence == (
        "The programs that parse the evidence were shut in by bubblewrap, landlock and seccomp."
    )
    assert inner_half["confinement"].layers == ("landlock", "seccomp")
    assert "missing: bubblewrap: there are no name spaces here" in inner_half["confinement"].sentence


def test_nothing_is_parsed_without_the_sandbox_that_was_asked_for(
    places: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A workstation set up badly would open hostile evidence unprotected, and nobody would know."""
    monkeypatch.setattr(outer, "why_no_bubblewrap", lambda: "there are no name spaces here")
    child = Child("safelight.triage.reader", str(2 << 30), sandbox=Sandbox("strict", (places["evidence"],)))
    with pytest.raises(SandboxError, match=r"no evidence was opened.*no name spaces here.*`auto` takes what there is"):
        child.send({"do": "list", "filesystem": 0})
        child.receive(150)
    assert not child.running


def test_without_a_sandbox_only_when_told_so_and_said(places: dict) -> None:
    """The weakest setting would look like the strongest in the report."""
    child = Child("safelight.triage.reader", str(2 << 30), sandbox=Sandbox("off"))
    child.send({"do": "list", "filesystem": 0})
    child.receive(150)
    child.stop()
    assert child.confinement is not None and not child.confinement.layers
    assert "WITHOUT a sandbox" in child.confinement.sentence


def test_a_program_that_keeps_silent_about_its_sandbox_is_ended(places: dict) -> None:
    """A new parser whose author forgot to shut it in would run open."""
    child = Child("json.tool")
    child.start()
    child._buffer += b"\0\0\0\x02\0\0\0\0{}"
    with pytest.raises(SandboxError, match="does not say how it is shut in"):
        child.receive(5)


def test_a_device_is_its_own_files_and_those_it_names(tmp_path: Path) -> None:
    """A parser that was taken over could read the next exhibit, or a disk with parents could not be opened."""
    head = b"conectix" + bytes(600) + "base.vhd".encode("utf-16-le")
    (tmp_path / "child.vhd").write_bytes(head)
    (tmp_path / "base.vhd").write_bytes(b"conectix" + bytes(600))
    (tmp_path / "other.vhd").write_bytes(b"conectix")
    for number in (1, 2, 3):
        (tmp_path / f"disk.00{number}").write_bytes(bytes(512))
    (tmp_path / "note.txt").write_text("base.vhd other.vhd")

    def names(name: str) -> set[str]:
        return {Path(p).name for p in device_files([tmp_path / name])}

    assert names("child.vhd") == {"child.vhd", "base.vhd"}
    assert names("disk.001") == {"disk.001", "disk.002", "disk.003"}
    assert names("note.txt") == {"note.txt"}


def test_an_unknown_sandbox_is_refused() -> None:
    """A misspelt setting would mean 'none'."""
    with pytest.raises(SandboxError, match="strict, auto, off"):
        Sandbox("on")


def test_another_disk_at_the_same_path_is_seen(tmp_path: Path) -> None:
    """The next exhibit, mounted where the last one was, would be read as an empty folder, and called complete."""
    place, read = tmp_path / "mounted", []
    with Bench(TriageSettings(picture_workers=1)) as bench:
        for names in (("a",), ("b", "c")):
            place.mkdir()
            for name in names:
                (place / name).write_text(name)
            read.append(triage_device([place], hash_sets=[], operator="Demo", bench=bench).counts.files)
            shutil.rmtree(place)
    assert read == [1, 2]
