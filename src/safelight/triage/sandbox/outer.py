"""The outer layer, seen from the parent: a bubblewrap command line that holds the program and one device's files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from safelight.triage.sandbox.state import MODES, SandboxError

#: How the child learns what is asked of it.
VARIABLE = "SAFELIGHT_PARSER_SANDBOX"
_SOURCE = Path(__file__).resolve().parents[3]
# A virtual disk may name its pieces and parents; more of them than this is an attack.
_MOST_FILES = 512
_HEAD = 1 << 20


@dataclass(frozen=True, slots=True)
class Sandbox:
    """What one child may see.

    Attributes:
        mode: how much is asked for (`MODES`).
        read: files and folders of evidence (absolute paths) that it may read, beside the program itself.
        which: device and inode of each. A sandbox holds the very files that were there when it was made: behind the
            same path may now lie another disk.
    """

    mode: str = "auto"
    read: tuple[str, ...] = ()
    which: tuple[tuple[int, int], ...] = ()

    @classmethod
    def around(cls, mode: str, paths: Iterable[Path]) -> Sandbox:
        """For a child that reads these images (and keys), and nothing else."""
        if mode == "off":
            return cls(mode)
        read = device_files(paths)
        return cls(mode, read, tuple((s.st_dev, s.st_ino) for s in map(os.stat, read)))

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise SandboxError(f"There is no sandbox {self.mode!r}.", fix=f"Give one of {', '.join(MODES)}.")

    def wrap(self, command: list[str], environment: dict[str, str]) -> tuple[list[str], dict[str, str]]:
        """The command and environment that start `command` in the sandbox."""
        why = "not asked for" if self.mode == "off" else why_no_bubblewrap()
        told = {
            "mode": self.mode,
            "bubblewrap": why,
            "read": [*program_folders(), *self.read],
        }
        environment = {**environment, VARIABLE: json.dumps(told)}
        return ([*bubblewrap(self.read), *command] if not why else command), environment


@cache
def program_folders() -> tuple[str, ...]:
    """Where the interpreter, the libraries, Safelight itself and its compiled kernels lie."""
    # An environment of its own finds the interpreter through links: all stations of the way must be there.
    wanted = [sys.prefix, sys.base_prefix, str(Path(os.path.realpath(sys.executable)).parents[1]), str(_SOURCE)]
    wanted += [os.environ.get("NUMBA_CACHE_DIR", ""), os.path.join(os.environ.get("HOME", "/nowhere"), ".cache/numba")]
    # Libraries only: the folder of a script, which stands there too, may hold anything.
    libraries = [p for p in sys.path if Path(p).name in ("site-packages", "dist-packages")]
    wanted += [p for p in libraries if os.path.isdir(p) and not _inside(p, wanted)]
    wanted += ["/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/localtime"]
    return tuple(dict.fromkeys(str(p) for p in wanted if p and os.path.exists(p) and os.path.realpath(p) != "/"))


def _inside(path: str, folders: Iterable[str]) -> bool:
    return any(folder and Path(path).is_relative_to(folder) for folder in folders)


def bubblewrap(read: Sequence[str]) -> list[str]:
    """The words before the command."""
    words = [
        shutil.which("bwrap") or "bwrap",
        "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try",
        "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "parser",
        "--proc", "/proc", "--dev", "/dev", "--size", str(16 << 20), "--tmpfs", "/tmp",  # noqa: S108 - its own
    ]  # fmt: skip
    if os.geteuid() == 0:
        # Root reads evidence that belongs to others. Nothing but what is bound below can be reached with it.
        words += ["--cap-add", "CAP_DAC_READ_SEARCH"]
    for path in program_folders():
        if os.path.islink(path):
            words += ["--symlink", os.readlink(path), path]
        else:
            words += ["--ro-bind", path, path]
    for path in read:
        words += ["--ro-bind", path, path]
    return [*words, "--remount-ro", "/", "--remount-ro", "/dev", "--chdir", "/", "--"]


@cache
def why_no_bubblewrap() -> str:
    """Empty when bubblewrap works on this machine, else what is in its way. Costs one short process."""
    if shutil.which("bwrap") is None:
        return "the program `bwrap` is not installed (Debian package bubblewrap)"
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command
            [*bubblewrap(()), "/usr/bin/true"], capture_output=True, timeout=20, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"`bwrap` cannot be run ({error})"
    if done.returncode == 0:
        return ""
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    reason = said[-1][:160] if said else "no reason given"
    return f"this machine does not let `bwrap` make name spaces ({reason}){_where()}"


def _where() -> str:
    """A hint for the usual reasons."""
    if os.path.exists("/.dockerenv") or os.path.exists("/run/.containerenv"):
        return "; this is a container: give it user name spaces, or run Safelight outside"
    for switch in ("/proc/sys/kernel/unprivileged_userns_clone", "/proc/sys/user/max_user_namespaces"):
        try:
            if Path(switch).read_text().strip() == "0":
                return f"; an administrator has set {switch} to 0"
        except OSError:
            continue
    try:
        if Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").read_text().strip() == "1":
            return "; AppArmor restricts user name spaces (kernel.apparmor_restrict_unprivileged_userns)"
    except OSError:
        pass
    return ""


def real_place(path: Path) -> Path:
    """`path` with its folder's links and dots resolved, and its own name kept: parts of a set are told by name."""
    return Path(os.path.realpath(path.parent)) / path.name if path.name not in ("", "..") else path.resolve()


def device_files(paths: Iterable[Path]) -> tuple[str, ...]:
    """The files that one device's image may consist of: those given, further parts of their set, and files beside them
    whose names stand in them (pieces and parents of virtual disks). Never anything outside their own folders.
    """
    from safelight.triage.evidence.detect import expand_parts

    wanted: dict[str, None] = {}
    waiting = [real_place(p) for p in paths]
    beside: dict[Path, dict[str, Path]] = {}
    while waiting and len(wanted) < _MOST_FILES:
        path = waiting.pop()
        if str(path) in wanted or not path.exists():
            continue
        wanted[str(path)] = None
        if not path.is_file():
            continue
        try:
            waiting += expand_parts(path)
            with path.open("rb") as stream:
                head = stream.read(_HEAD)
            if not head.startswith((b"QFI\xfb", b"conectix", b"vhdxfile", b"KDMV", b"COWD", b"# Disk")):
                continue
            if path.parent not in beside:
                beside[path.parent] = {e.name: Path(e.path) for e in os.scandir(path.parent) if e.is_file()}
        except OSError:
            continue  # The child says better what is wrong with it.
        for name, file in beside[path.parent].items():
            if any(name.encode(code, "surrogateescape") in head for code in ("utf-8", "utf-16-le", "utf-16-be")):
                waiting.append(file)
    return tuple(wanted)
