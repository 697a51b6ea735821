"""safelight.demo.ntfs: folders and deletions are what a real driver would have left."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from safelight.demo.ntfs import NtfsVolume
from safelight.demo.tools import find_tool, run_tool
from safelight.errors import SafelightError


def _check(volume: Path) -> None:
    program = find_tool("ntfsresize")
    assert program is not None, "ntfsresize is missing: make system"
    done = subprocess.run([program, "-i", "-f", "-P", str(volume)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _names(volume: Path, folder: str) -> set[str]:
    program = find_tool("ntfsls")
    assert program is not None
    said = subprocess.run([program, "-p", folder, str(volume)], capture_output=True, text=True, check=True).stdout
    return set(said.split("\n")) - {"", ".", ".."}


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    path = tmp_path / "volume"
    with path.open("wb") as out:
        out.truncate(16 << 20)
    run_tool("mkntfs", "-F", "-Q", "-q", "-s", "512", "-c", "4096", "-p", "2048", "-H", "16", "-S", "63", path)
    (tmp_path / "empty").write_bytes(b"")
    run_tool("ntfscp", "-q", path, tmp_path / "empty", "Folder")
    with NtfsVolume(path) as ntfs:
        ntfs.make_folder("Folder")
    return path


@pytest.mark.parametrize("count", [1, 4, 18])
def test_files_go_in_and_out_of_a_folder_whatever_its_index_looks_like(
    volume: Path, tmp_path: Path, count: int
) -> None:
    """Few entries lie in the folder's record, more of them in a block of their own: both are edited."""
    names = [f"file number {n} ü.bin" for n in range(count)]
    for n, name in enumerate(names):
        (tmp_path / name).write_bytes(bytes([n]) * (10_000 * n + 5))
        run_tool("ntfscp", "-q", volume, tmp_path / name, f"Folder/{name}")
    _check(volume)
    assert _names(volume, "Folder") == set(names)
    with NtfsVolume(volume) as ntfs:
        for name in names[::2]:
            ntfs.delete(f"Folder/{name}")
    _check(volume)
    assert _names(volume, "Folder") == set(names[1::2])
    run_tool("ntfscp", "-q", volume, tmp_path / names[0], "Folder/a new one.bin")  # the driver still writes to it
    _check(volume)


def test_what_is_not_there_or_not_ntfs_is_said(volume: Path, tmp_path: Path) -> None:
    with NtfsVolume(volume) as ntfs:
        with pytest.raises(SafelightError, match="has no 'nobody'"):
            ntfs.delete("Folder/nobody")
        with pytest.raises(SafelightError, match="not an empty file"):
            ntfs.make_folder("Folder")
    (tmp_path / "text").write_text("not a volume" * 100)
    with pytest.raises(SafelightError, match="does not hold an NTFS volume"):
        NtfsVolume(tmp_path / "text")
