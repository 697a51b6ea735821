"""Folders, files and the machine: who may read what, how much room there is, what the parsers' sandbox has."""

from __future__ import annotations

import ctypes
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from safelight.triage.confinement import what_there_is
from safelight.triage.sandbox import SandboxError
from safelight.web.production.finding import Finding, advice, unsafe

GIB = 1 << 30
LITTLE_ROOM, NO_ROOM = 0.15, 0.05  # shares of a disk that are free
REMOTE = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "fuse.glusterfs", "ceph", "lustre", "afs"}
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised


def data_folder() -> Iterator[Finding]:
    """Names of children lie in there."""
    place = Path(settings.DATA)
    if not place.is_dir():
        yield unsafe(
            "data.missing", "The data folder is not there.", f"SAFELIGHT_DATA ({place})", "Make it, with mode 0700."
        )
        return
    if not _can_write(place):
        yield unsafe(
            "data.read_only", "Nothing can be written to the data folder.", str(place),
            f"Give it to the account that runs Safelight: chown -R, chmod 0700 {place}.",
        )  # fmt: skip
    if place.stat().st_mode & 0o077:
        yield unsafe(
            "data.mode",
            f"Others on this machine may enter the data folder (mode {stat.S_IMODE(place.stat().st_mode):04o}).",
            str(place),
            f"chmod 0700 {place}",
        )


def key_files() -> Iterator[Finding]:
    """A key that another account may read is no key."""
    place = Path(settings.DATA)
    found = [
        *place.glob("*key*"),
        *place.glob("*/*.key"),
        *place.glob("*/*.pem"),
        *place.glob("*/keys/*"),
        Path(settings.FIELD_KEYS),
    ]
    for path in dict.fromkeys(found):
        if path.is_file() and path.stat().st_mode & 0o077:
            yield unsafe(
                "keys.mode",
                f"A key can be read by others (mode {stat.S_IMODE(path.stat().st_mode):04o}).",
                str(path),
                f"chmod 0600 {path}",
            )


def evidence() -> Iterator[Finding]:
    """Evidence is mounted read-only: then no fault of ours can change it."""
    place = Path(settings.EVIDENCE_ROOT)
    if not place.is_dir():
        yield unsafe(
            "evidence.missing", "The evidence folder is not there.", f"SAFELIGHT_EVIDENCE_ROOT ({place})",
            "Mount the images there, read-only.",
        )  # fmt: skip
    elif _can_write(place):
        yield unsafe(
            "evidence.writable",
            "This process could write to the evidence folder.",
            f"SAFELIGHT_EVIDENCE_ROOT ({place})",
            "Mount it read-only (mount -o ro, or ReadOnlyPaths= of the unit).",
        )
    if place.is_relative_to(settings.DATA):
        yield advice(
            "evidence.in_data", "Evidence lies inside the data folder, where Safelight writes.", str(place),
            "Set SAFELIGHT_EVIDENCE_ROOT to a folder of its own.",
        )  # fmt: skip


def static_files() -> Iterator[Finding]:
    """Without them the pages come without style and script."""
    if not settings.WHITENOISE_USE_FINDERS and not any(Path(settings.STATIC_ROOT).glob("*")):
        yield unsafe(
            "static.missing", "The files of the pages were not gathered.", str(settings.STATIC_ROOT),
            "python -m safelight.web.manage collectstatic --noinput",
        )  # fmt: skip


def account() -> Iterator[Finding]:
    """The program needs no rights of root."""
    if os.geteuid() == 0:
        yield advice(
            "machine.root", "Safelight runs as root: a fault of the pages would own the machine.", "user id 0",
            "Run it as an account of its own (deploy/systemd does).",
        )  # fmt: skip


def room() -> Iterator[Finding]:
    """What is acknowledged must have room to be written."""
    place = next(p for p in (Path(settings.DATA), *Path(settings.DATA).parents) if p.exists())
    use = shutil.disk_usage(place)
    share = use.free / use.total
    left = f"{use.free / GIB:.1f} GiB are left, {100 * share:.0f} % of the disk."
    if share < NO_ROOM or use.free < GIB:
        yield unsafe("disk.full", f"The disk of the data folder is nearly full: {left}", str(place), "Make room.")
    elif share < LITTLE_ROOM:
        yield advice("disk.little", f"The disk of the data folder fills up: {left}", str(place), "Make room soon.")


def network_disk() -> Iterator[Finding]:
    """SQLite's write-ahead log needs shared memory, which no network file system has."""
    if not settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        return
    file = Path(str(settings.DATABASES["default"]["NAME"]))
    kind = _file_system(file.parent)
    if kind in REMOTE:
        yield unsafe(
            "database.network_disk", f"The SQLite database lies on a network file system ({kind}).", str(file),
            "Put it on a disk of this machine, or use PostgreSQL.",
        )  # fmt: skip


def clock() -> Iterator[Finding]:
    """Statutory clocks and the ledger's times hang on it."""
    state = _clock_state()
    if state < 0:
        yield advice(
            "machine.clock_unknown", "The kernel does not say whether this machine's clock is synchronised.",
            "the kernel's clock", "Look with `timedatectl`; in a container, on the machine that runs it.",
        )  # fmt: skip
    if state == _TIME_ERROR:
        yield unsafe(
            "machine.clock",
            "The clock of this machine is not synchronised: deadlines and the ledger's times may be wrong.",
            "the kernel's clock",
            "Run a time service (chrony or systemd-timesyncd); `timedatectl` shows its state.",
        )


def sandbox() -> Iterator[Finding]:
    """The parsers of evidence are C, and the evidence is made by people with a motive."""
    mode = settings.TRIAGE_SANDBOX
    if mode == "off":
        yield unsafe(
            "sandbox.off", "The parsers of evidence run without a sandbox; every report says so.", "SAFELIGHT_SANDBOX",
            "Use auto or strict, and install bubblewrap and libseccomp2.",
        )  # fmt: skip
    # What this machine has is asked of a real child, in the weakest mode that closes anything.
    try:
        there = what_there_is("auto" if mode == "off" else mode)
    except SandboxError as error:
        yield unsafe("sandbox.missing", error.what, "the parsers' sandbox", error.fix)
        return
    for layer, reason in sorted((there.missing or {}).items()):
        yield advice(
            "sandbox.layer", f"A layer of the sandbox is missing: {layer} ({reason}).", "the parsers' sandbox",
            "Mend that (docs/operations.md, The parsers' sandbox), then use SAFELIGHT_SANDBOX=strict.",
        )  # fmt: skip


def _can_write(place: Path) -> bool:
    """Whether this process can make a file there: asked by making one, because root may write against every mode."""
    try:
        with tempfile.TemporaryFile(dir=place):
            return True
    except OSError:
        return False


def _file_system(place: Path) -> str:
    """The kind of file system that holds a folder, from /proc/mounts; empty where that cannot be read."""
    try:
        lines = Path("/proc/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    best, kind = -1, ""
    for line in lines:
        words = line.split(" ")
        if len(words) < 3:
            continue
        point = words[1].replace("\\040", " ")
        if place.resolve().is_relative_to(point) and len(point) > best:
            best, kind = len(point), words[2]
    return kind


def _clock_state() -> int:
    """adjtimex(2) without a change; -1 where it may not be asked."""
    buffer = ctypes.create_string_buffer(512)  # struct timex is 208 bytes; its first field, modes, stays 0
    return int(ctypes.CDLL(None, use_errno=True).adjtimex(buffer))


LOOKS = (data_folder, key_files, evidence, static_files, account, room, network_disk, clock, sandbox)
