"""Images in several files, and overlays, that lie on a device are put together where they lie."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.triage.conftest import make_ext
from tests.triage.evidence.test_ewf2 import write_ex01

from safelight.errors import EvidenceError
from safelight.triage.evidence import Device, open_evidence
from safelight.triage.evidence.inner import Inside
from safelight.triage.model import FileEntry

BODY = random.Random(31).randbytes(200_000)


def _expand(device: Device, path: str) -> tuple[FileEntry, Inside]:
    entry = next(e for f in device.filesystems for e in f.entries() if e.path == path)
    return entry, device.nest.expand(entry, 1000, lambda now: None)


def _body(image: Path, inside: Inside, end: str) -> bytes:
    """A file inside, read by a process that has not opened its container before."""
    entry = next(e for e in inside.entries if e.path.endswith(end))
    with open_evidence([image]) as evidence:
        content = Device(evidence).nest.content(entry.filesystem, entry.locator)
        assert not list(content.holes())
        return content.read(0, content.size)


@pytest.mark.parametrize("kind", ["E01", "Ex01"])
def test_a_set_inside_a_device_is_put_together(images: Path, tmp_path: Path, kind: str) -> None:
    """An image of a phone on the suspect's own disk would be left unread because it has two parts."""
    if kind == "E01":
        names = ["ext2.split.E01", "ext2.split.E02"]
        files = {f"cases/{name}": (images / name).read_bytes() for name in names}
        ending = "passwords.txt"
    else:
        plain = make_ext(tmp_path / "e.img", {"a.bin": BODY}, size="2M").read_bytes()
        paths = write_ex01(tmp_path, plain, parts=3)
        names, ending = [p.name for p in paths], "a.bin"
        files = {f"cases/{p.name}": p.read_bytes() for p in paths}
    image = make_ext(tmp_path / "outer.img", files, size="16M")
    with open_evidence([image]) as evidence:
        device = Device(evidence)
        _, inside = _expand(device, f"cases/{names[0]}")
        assert not inside.unread and any(e.path == f"cases/{names[0]}/{ending}" for e in inside.entries)
        _, second = _expand(device, f"cases/{names[1]}")
        assert not second.entries and not second.unread and "part of an image" in second.kind
    body = _body(image, inside, ending)
    if kind == "Ex01":
        assert body == BODY
    else:
        with open_evidence([images / names[0]]) as whole:
            (filesystem,) = Device(whole).filesystems
            entry = next(e for e in filesystem.entries() if e.path == ending)
            assert body == filesystem.content(entry.locator).read(0, entry.size)
    alone = make_ext(tmp_path / "alone.img", {names[1]: files[f"cases/{names[1]}"]}, size="16M")
    with open_evidence([alone]) as evidence, pytest.raises(EvidenceError, match="first part does not lie beside it"):
        _expand(Device(evidence), names[1])


def test_an_overlay_inside_a_folder_is_laid_on_its_parent(tmp_path: Path) -> None:
    """A virtual machine in a folder of exhibits would stay unread, for all that its base lies beside it."""
    folder = tmp_path / "exhibit" / "vm"
    folder.mkdir(parents=True)
    base = make_ext(folder / "base.raw", {"a.bin": BODY}, size="2M")
    subprocess.run(["qemu-img", "create", "-f", "qcow2", "-b", base, "-F", "raw", folder / "top.qcow2"], check=True)
    with open_evidence([tmp_path / "exhibit"]) as evidence:
        _, inside = _expand(Device(evidence), "vm/top.qcow2")
        assert not inside.unread
    assert _body(tmp_path / "exhibit", inside, "a.bin") == BODY


def test_a_set_inside_an_archive_is_put_together(images: Path, tmp_path: Path) -> None:
    """The same, one level further down."""
    for name in ("ext2.split.E01", "ext2.split.E02"):
        shutil.copy(images / name, tmp_path / name)
    archive = tmp_path / "a.tar"
    subprocess.run(["tar", "-cf", archive, "-C", tmp_path, "ext2.split.E01", "ext2.split.E02"], check=True)
    with open_evidence([archive]) as evidence:
        _, inside = _expand(Device(evidence), "ext2.split.E01")
        assert not inside.unread and len(inside.entries) == 3
    outer = tmp_path / "outer"
    outer.mkdir()
    shutil.copy(archive, outer)
    with open_evidence([outer]) as evidence:
        device = Device(evidence)
        _, first = _expand(device, "a.tar")
        part = next(e for e in first.entries if e.path.endswith("E01"))
        inside = device.nest.expand(part, 1000, lambda now: None)
        assert not inside.unread and len(inside.entries) == 3
    assert len(_body(outer, inside, "passwords.txt")) == 116
