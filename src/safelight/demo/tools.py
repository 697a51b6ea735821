"""Run the small Debian tools that make file systems, and say plainly when one is missing or the disk is full."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safelight.errors import SafelightError

PACKAGES = {
    "mkfs.vfat": "dosfstools",
    "mcopy": "mtools",
    "mdel": "mtools",
    "mren": "mtools",
    "mke2fs": "e2fsprogs",
    "debugfs": "e2fsprogs",
    "mkntfs": "ntfs-3g",
    "ntfscp": "ntfs-3g",
    "ewfacquire": "ewf-tools",
}
"""Tool -> the Debian package that has it."""

_SEARCH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
_TIMEOUT_S = 120


def find_tool(name: str) -> str | None:
    """Where a tool is, /usr/sbin included (an ordinary user's PATH often leaves it out); None when it is missing."""
    return shutil.which(name, path=_SEARCH)


def require_tools(*names: str) -> None:
    """Check before any work that the tools are there.

    Raises:
        SafelightError: names every missing tool and the Debian packages to install.
    """
    missing = [name for name in names if find_tool(name) is None]
    if missing:
        packages = sorted({PACKAGES[name] for name in missing})
        raise SafelightError(
            f"Making the demo devices needs {', '.join(missing)}, which this machine does not have.",
            fix=f"Install the Debian package{'s' if len(packages) > 1 else ''}: "
            f"sudo apt-get install {' '.join(packages)} (or: make system).",
        )


def run_tool(name: str, *arguments: str | Path) -> str:
    """Run a tool to its end and return what it printed, warnings and errors included.

    Raises:
        SafelightError: the tool is missing, failed, found the disk full or took longer than two minutes.
    """
    require_tools(name)
    program = find_tool(name)
    assert program is not None
    command = [program, *map(str, arguments)]
    # A fixed locale keeps file names in Unicode; the host's own mtools configuration must not leak in.
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "MTOOLSRC": os.devnull}
    try:
        done = subprocess.run(  # noqa: S603 - the program is one of ours, the arguments are ours, no shell
            command, env=environment, capture_output=True, timeout=_TIMEOUT_S, stdin=subprocess.DEVNULL, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise SafelightError(f"{name} did not finish in {_TIMEOUT_S} s.", fix="Is the disk overloaded?") from error
    said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
    if done.returncode:
        if "no space left" in said.lower():
            raise disk_full(Path(str(arguments[-1])))
        last = said.splitlines()[-1] if said else f"exit code {done.returncode}"
        raise SafelightError(f"{name} failed: {last}.", fix=f"Run it by hand to see more: {' '.join(command)}")
    return (done.stdout + done.stderr).decode("utf-8", "replace")


def disk_full(path: Path) -> SafelightError:
    """The error that says that the disk of ``path`` is full."""
    return SafelightError(f"The disk is full while writing {path}.", fix="Free some space, or choose another folder.")


@contextmanager
def disk_full_is_clear(path: Path) -> Iterator[None]:
    """Turn the system's 'no space left' and 'quota exceeded' into a sentence; let everything else through."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(path) from error
        raise


def require_space(folder: Path, needed: int) -> None:
    """Check before any work that ``needed`` bytes are free in ``folder``.

    Raises:
        SafelightError: there are fewer.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise SafelightError(
            f"The demo devices need {needed // 2**20} MiB in {folder}, and {free // 2**20} MiB are free.",
            fix="Free some space, or choose another folder.",
        )
