"""Evidence for the triage tests: public images that none of us made, and devices that the tests make themselves."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from safelight.demo.diskimages import DiskImage, build_disk_images
from safelight.demo.hashsets import write_hash_sets
from safelight.matching import HashSet, HashSetEntry, read_hash_set
from safelight.triage import TriageSettings
from safelight.triage.pipeline import Bench

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "evidence"


def _shared(folder: str) -> Path:
    path = SHARED / folder
    if not path.is_dir():
        pytest.fail(f"The public test evidence is not at {path}: these tests need it beside the project (../shared).")
    return path


@pytest.fixture(scope="session")
def images() -> Path:
    """The folder of public disk images."""
    return _shared("images")


@pytest.fixture(scope="session")
def archives() -> Path:
    """The folder of public archives, some of them hostile or damaged."""
    return _shared("archives")


@pytest.fixture(scope="session")
def pictures() -> Path:
    """The folder of public pictures: one bridge and its modified copies."""
    return _shared("pictures")


@pytest.fixture(scope="session")
def bench() -> Iterator[Bench]:
    """One set of child processes for many runs, as the command line uses it."""
    with Bench(TriageSettings(stall_seconds=5, picture_workers=1)) as shared:
        yield shared


@pytest.fixture(scope="session")
def demo_devices(tmp_path_factory: pytest.TempPathFactory) -> dict[str, DiskImage]:
    """FAT32, ext4 and NTFS devices with live, deleted and renamed files, by name, each with its truth."""
    folder = tmp_path_factory.mktemp("devices")
    return {image.name: image for image in build_disk_images(folder, e01=True)}


@pytest.fixture(scope="session")
def demo_sets(tmp_path_factory: pytest.TempPathFactory) -> list[HashSet]:
    """The synthetic hash sets that know some of the demo's pictures."""
    written = write_hash_sets(tmp_path_factory.mktemp("sets"))
    letters = {1: "A", 2: "B", 3: "C"}
    return [
        read_hash_set(path, category_of=lambda context, number: letters.get(number or 0)).hash_set
        for path in (written.vics, written.csv)
    ]


def make_ext(path: Path, files: dict[str, bytes], *, kind: str = "ext4", size: str = "4M") -> Path:
    """An ext file system with these files, made by e2fsprogs."""
    source = path.with_suffix(".files")
    source.mkdir()
    for name, body in files.items():
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)
    subprocess.run(["mke2fs", "-q", "-t", kind, "-d", str(source), str(path), size], check=True, capture_output=True)
    shutil.rmtree(source)
    return path


def known_set(*, name: str = "SYNTHETIC", category: str | None = "A", kind: str = "known", **digests: bytes) -> HashSet:
    """A hash set with one entry."""
    entry = HashSetEntry(category=category, **digests)
    return HashSet.from_entries([entry], name=name, kind=kind)
