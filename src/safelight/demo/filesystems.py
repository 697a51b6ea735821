"""Write FAT32, ext4 and NTFS volumes with live, deleted and renamed files, without root and without a mount.

Each writer takes the files in the order in which they came to the device and uses the file system's own tools
(dosfstools and mtools, e2fsprogs, ntfs-3g). What those tools cannot do is done on the structures themselves, as a
driver does it: see :mod:`safelight.demo.ntfs`, and :func:`_ext4_deletions` for what the Linux kernel clears.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safelight.demo.ntfs import NtfsVolume
from safelight.demo.tools import require_tools, run_tool
from safelight.errors import SafelightError

TOOLS = {
    "fat32": ("mkfs.vfat", "mcopy", "mdel", "mren"),
    "ext4": ("mke2fs", "debugfs"),
    "ntfs": ("mkntfs", "ntfscp"),
}
"""File system -> the tools that writing it needs."""

DELETED, ERASED = "deleted", "erased"


@dataclass(frozen=True)
class VolumeFile:
    """One file as the person using the device left it.

    Attributes:
        path: where it is on the volume, ``/`` between names.
        content: its bytes.
        fate: '' (live), 'deleted' (its content can be read back through the file system) or 'erased' (deleted, and the
            content cannot: written over on FAT32; on ext4 the inode forgot its blocks, as the kernel leaves it).
        renamed_from: an earlier name in the same folder, or ''.
        modified: seconds since 1970, UTC.
    """

    path: str
    content: bytes
    fate: str = ""
    renamed_from: str = ""
    modified: int = 1_740_000_000

    @property
    def first_path(self) -> str:
        """Where the file was before it was renamed."""
        return str(Path(self.path).with_name(self.renamed_from)) if self.renamed_from else self.path


def write_volume(
    volume: Path, file_system: str, files: Sequence[VolumeFile], *, size: int, label: str, serial: str, staging: Path
) -> None:
    """Write a volume of ``size`` bytes into the file ``volume``.

    Args:
        volume: the file to write.
        file_system: 'fat32', 'ext4' or 'ntfs'.
        files: what is on it.
        size: bytes, at least 48 MiB.
        label: the volume's name, at most 11 letters.
        serial: a UUID.
        staging: an empty folder for the files on their way.

    Raises:
        SafelightError: an unknown file system, a missing or failing tool, a full disk.
    """
    if file_system not in TOOLS:
        raise SafelightError(f"No {file_system!r} volume can be made.", fix=f"Use one of {', '.join(TOOLS)}.")
    require_tools(*TOOLS[file_system])
    with volume.open("wb") as out:
        out.truncate(size)
    {"fat32": _write_fat32, "ext4": _write_ext4, "ntfs": _write_ntfs}[file_system](
        volume, files, label, serial, staging
    )


def _stage(files: Sequence[VolumeFile], staging: Path) -> Path:
    """The files under their first names in a folder on this machine, with their times."""
    for file in files:
        path = staging / file.first_path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
        os.utime(path, (file.modified, file.modified))
    return staging


# FAT32 ---------------------------------------------------------------------------------------------------------------


def _write_fat32(volume: Path, files: Sequence[VolumeFile], label: str, serial: str, staging: Path) -> None:
    run_tool("mkfs.vfat", "-F", "32", "-s", "1", "-n", label.upper(), "-i", serial[:8], "--invariant", volume)
    _copy_fat(volume, _stage(files, staging / "files"))
    for file in files:
        if file.renamed_from:
            run_tool("mren", "-i", volume, f"::/{file.first_path}", Path(file.path).name)
    erased = [file for file in files if file.fate == ERASED]
    if erased:
        # Deleted before anything else, so that only their clusters are free at the front; one file takes them over.
        run_tool("mdel", "-i", volume, *(f"::/{file.path}" for file in erased))
        _search_from_the_start(volume)
        clusters = sum(len(file.content) // 512 + 1 for file in erased)
        _copy_fat(volume, _stage([VolumeFile("System cache.bin", bytes(range(256)) * 2 * clusters)], staging / "over"))
    deleted = [f"::/{file.path}" for file in files if file.fate == DELETED]
    if deleted:
        run_tool("mdel", "-i", volume, *deleted)


def _copy_fat(volume: Path, folder: Path) -> None:
    # -s into folders, -m keep times, -Q stop at the first failure
    run_tool("mcopy", "-i", volume, "-s", "-m", "-Q", *sorted(folder.iterdir()), "::/")


def _search_from_the_start(volume: Path) -> None:
    """Set the hint 'next free cluster' of the FSInfo sector to the first cluster, so that freed clusters are used."""
    with volume.open("r+b") as file:
        file.seek(512 + 492)
        file.write(struct.pack("<I", 2))


# ext4 ----------------------------------------------------------------------------------------------------------------


def _write_ext4(volume: Path, files: Sequence[VolumeFile], label: str, serial: str, staging: Path) -> None:
    folder = _stage(files, staging)
    run_tool(
        "mke2fs", "-q", "-F", "-t", "ext4", "-L", label, "-U", serial,
        "-E", f"hash_seed={serial},root_owner=1000:1000", "-d", folder, volume,
    )  # fmt: skip
    # Renaming goes first: a new entry may take the place of a deleted one.
    commands = []
    for file in files:
        if file.renamed_from:
            commands += [f"ln {_quoted(file.first_path)} {_quoted(file.path)}", f"unlink {_quoted(file.first_path)}"]
    _debugfs(volume, commands, staging)
    _debugfs(volume, _ext4_deletions(volume, files), staging)


def _ext4_deletions(volume: Path, files: Sequence[VolumeFile]) -> list[str]:
    """Commands that delete files. debugfs leaves the extents in the inode; the kernel empties them and the size."""
    commands = []
    for file in files:
        if not file.fate:
            continue
        if file.fate == ERASED:
            said = run_tool("debugfs", "-R", f"stat {_quoted(file.path)}", volume)
            found = re.search(r"^Inode: (\d+)", said, re.MULTILINE)
            if found is None:
                raise SafelightError(f"debugfs does not find {file.path} in {volume}.")
            inode = f"<{found[1]}>"
            commands += [f"rm {_quoted(file.path)}", f"sif {inode} size 0"]
            # An extent header with its magic number, no entries, room for four, depth 0.
            commands += [f"sif {inode} block[0] {0xF30A}", f"sif {inode} block[1] 4"]
            commands += [f"sif {inode} block[{number}] 0" for number in range(3, 6)]
        else:
            commands.append(f"rm {_quoted(file.path)}")
    return commands


def _debugfs(volume: Path, commands: list[str], staging: Path) -> None:
    """Run debugfs commands. It ends with 0 whatever happens, so that each command's answer is read."""
    if not commands:
        return
    script = staging / "debugfs-commands"
    script.write_text("\n".join(commands) + "\n", encoding="utf-8")
    said = run_tool("debugfs", "-w", "-f", script, volume)
    trouble = [line for line in said.splitlines() if line and not line.startswith("debugfs")]
    if trouble:
        raise SafelightError(f"debugfs on {volume}: {trouble[0]}")


def _quoted(path: str) -> str:
    if '"' in path:
        raise SafelightError(f'A demo file name cannot contain ": {path}')
    return f'"/{path}"'


# NTFS ----------------------------------------------------------------------------------------------------------------


def _write_ntfs(volume: Path, files: Sequence[VolumeFile], label: str, serial: str, staging: Path) -> None:
    if any(file.fate == ERASED for file in files):
        raise SafelightError("An NTFS volume is made without erased files.", fix="Leave them deleted.")
    run_tool(
        "mkntfs", "-F", "-Q", "-q", "-L", label, "-s", "512", "-c", "4096", "-p", "2048", "-H", "16", "-S", "63", volume
    )  # fmt: skip
    folder = _stage(files, staging / "files")
    empty = staging / "empty"
    empty.write_bytes(b"")
    made: set[str] = set()
    for file in files:
        parents = [str(parent) for parent in Path(file.path).parents if str(parent) != "."]
        for parent in reversed(parents):
            if parent not in made:
                run_tool("ntfscp", "-q", volume, empty, parent)
                with NtfsVolume(volume) as ntfs:
                    ntfs.make_folder(parent)
                made.add(parent)
        run_tool("ntfscp", "-q", "-t", volume, folder / file.first_path, file.path)
    with NtfsVolume(volume) as ntfs:
        for file in files:
            if file.fate == DELETED:
                ntfs.delete(file.path)
