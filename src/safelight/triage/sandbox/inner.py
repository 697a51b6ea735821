"""The inner layers, seen from the child: it shuts itself in before it is given a single hostile byte."""

from __future__ import annotations

import ctypes
import ctypes.util
import errno
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import struct
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from safelight.triage.sandbox.outer import VARIABLE
from safelight.triage.sandbox.state import LAYERS
from safelight.triage.sandbox.syscalls import ALLOWED, CLONE_THREAD, ONLY, UNKNOWN

_PR_SET_NO_NEW_PRIVS = 38
_DAC_READ_SEARCH = 1 << 2
_LIBRARIES = {"c": "libc.so.6", "seccomp": "libseccomp.so.2"}


def confine() -> dict[str, Any]:
    """Close every layer that was asked for and that this kernel has.

    Returns:
        What a parent makes a `Confinement` of: `mode`, `layers`, `missing`. Without a word from the parent, nothing is
        closed, and the answer says so.
    """
    asked = json.loads(os.environ.pop(VARIABLE, "null")) or {"mode": "off", "bubblewrap": "not asked for", "read": []}
    missing: dict[str, str] = {}
    if asked["bubblewrap"]:
        missing["bubblewrap"] = str(asked["bubblewrap"])
    if asked["mode"] == "off":
        missing |= {"landlock": "not asked for", "seccomp": "not asked for"}
    else:
        _keep_kernels_read_only()
        drop_rights()
        library = _load_seccomp()  # while files can still be read
        if why := _landlock(asked["read"]):
            missing["landlock"] = why
        if why := _seccomp(library):
            missing["seccomp"] = why
    return {"mode": asked["mode"], "layers": [x for x in LAYERS if x not in missing], "missing": missing}


def drop_rights() -> None:
    """No new privileges, and none of root's (but for reading evidence that belongs to others)."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.geteuid() == 0:
        keep = _DAC_READ_SEARCH & _effective()
        header = struct.pack("Ii", 0x20080522, 0)  # capset, version 3, this thread
        libc.capset(header, struct.pack("IIIIII", keep, keep, 0, 0, 0, 0))


def _effective() -> int:
    header, data = struct.pack("Ii", 0x20080522, 0), ctypes.create_string_buffer(24)
    if ctypes.CDLL(None, use_errno=True).capget(header, data) != 0:
        return 0
    return int(struct.unpack_from("I", data.raw)[0])


def _landlock(read: Sequence[str]) -> str:
    """Reading of the given files and folders alone. Empty, or why it is not so."""
    try:
        import landlock

        rules = landlock.Ruleset()
        for path in read:
            if not os.path.exists(path):
                continue
            if os.path.isdir(path):
                rules.allow(path, rules=landlock.FSAccess.READ_FILE | landlock.FSAccess.READ_DIR)
            else:
                rules.allow(path, rules=landlock.FSAccess.READ_FILE)
                # Further parts of a set are found by their names; names alone, in a folder that bubblewrap has emptied.
                rules.allow(os.path.dirname(path), rules=landlock.FSAccess.READ_DIR)
        rules.apply()
    except ImportError:
        return "its binding is not installed (`landlock`)"
    except OSError as error:
        return f"this kernel does not offer it ({error.strerror or error})"
    return ""


def _load_seccomp() -> ModuleType | None:
    """The binding of libseccomp; it would run `ldconfig` to find it, which takes longer than all else."""
    find = ctypes.util.find_library
    ctypes.util.find_library = lambda name: _LIBRARIES.get(name)
    try:
        return importlib.import_module("pyseccomp")
    except (ImportError, OSError):
        return None
    finally:
        ctypes.util.find_library = find


def _seccomp(pyseccomp: Any) -> str:
    """The allowed system calls alone. Empty, or why it is not so."""
    if pyseccomp is None:
        return "its library is not installed (Debian package libseccomp2)"
    try:
        made = pyseccomp.SyscallFilter(pyseccomp.ERRNO(errno.EPERM))
        for name in ALLOWED:
            _add(pyseccomp, made, pyseccomp.ALLOW, name)
        for name in UNKNOWN:
            _add(pyseccomp, made, pyseccomp.ERRNO(errno.ENOSYS), name)
        for name, at, values in ONLY:
            for value in values:
                _add(pyseccomp, made, pyseccomp.ALLOW, name, pyseccomp.Arg(at, pyseccomp.EQ, value))
        thread = pyseccomp.Arg(0, pyseccomp.MASKED_EQ, CLONE_THREAD, CLONE_THREAD)
        _add(pyseccomp, made, pyseccomp.ALLOW, "clone", thread)
        own = pyseccomp.Arg(0, pyseccomp.EQ, os.getpid())
        _add(pyseccomp, made, pyseccomp.ALLOW, "tgkill", own)  # abort() of a library
        _add(pyseccomp, made, pyseccomp.ALLOW, "kill", own)
        _add(pyseccomp, made, pyseccomp.ALLOW, "prlimit64", pyseccomp.Arg(0, pyseccomp.EQ, 0))
        made.load()
    except OSError as error:
        return f"this kernel does not take its filter ({error.strerror or error})"
    return ""


def _add(library: ModuleType, made: Any, action: Any, name: str, *arguments: Any) -> None:
    try:
        number = library.resolve_syscall(library.Arch.NATIVE, name)
    except ValueError:
        return
    if number >= 0:  # negative: this processor has no such call
        made.add_rule(action, number, *arguments)


def _keep_kernels_read_only() -> None:
    """Compiled kernels are loaded from where the installation put them, and never written: a cache that a parser could
    write would be a program that its parent runs.
    """
    if "numba.core.caching" in sys.modules:
        _patch(sys.modules["numba.core.caching"])
    else:
        sys.meta_path.insert(0, _PatchOnImport())


def _patch(caching: Any) -> None:
    def ensure(self: Any) -> None:
        last = isinstance(self, caching.UserWideCacheLocator)
        if not last and not any(Path(self.get_cache_path()).glob("*.nbi")):
            raise OSError("no compiled kernels here")

    caching._CacheLocator.ensure_cache_path = ensure
    caching.Cache.save_overload = lambda self, sig, data: None


class _PatchOnImport(importlib.abc.MetaPathFinder):
    """Patches numba's cache when, and only if, numba is imported: most children never need it."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if name != "numba.core.caching":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                run(module)
                _patch(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
