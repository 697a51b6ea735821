"""Signs of life of the processes that nobody sees: a small file each in the data folder, touched as they work.

Files and no rows: they cost no write of the database, and a process that cannot reach the database still gives them.
A process that ends in order takes its file away; one that was killed leaves it, and that is how it is known.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

EVERY = 5.0  # seconds between two touches at most
FORGET = 7 * 24 * 3600.0  # seconds after which a dead process's file is taken away


@dataclass(frozen=True, slots=True)
class Sign:
    """One process.

    Attributes:
        kind: "tick" or "worker".
        host: the machine.
        pid: its number there.
        silent: seconds since the last touch.
        figures: numbers that it told, such as how long its last tick took.
    """

    kind: str
    host: str
    pid: int
    silent: float
    figures: dict[str, float]


class Alive:
    """This process's own sign: ``beat`` as often as you like, ``close`` at an orderly end."""

    def __init__(self, kind: str) -> None:
        host = "".join(sign if sign.isalnum() or sign in "-." else "_" for sign in socket.gethostname())[:80]
        self._path = folder() / f"{kind}@{host}@{os.getpid()}"
        self._last = float("-inf")

    def beat(self, **figures: float) -> None:
        """Touch the file and leave these numbers in it; a full or read-only disk is left to what has to write there."""
        now = time.monotonic()
        if now - self._last < EVERY:
            return
        self._last = now
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(json.dumps(figures), encoding="utf-8")

    def close(self) -> None:
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def folder() -> Path:
    """Where the files lie."""
    return Path(settings.DATA) / "alive"


def signs() -> Iterator[Sign]:
    """Every process that gave a sign within a week, the silent ones too."""
    now = time.time()
    for path in sorted(folder().glob("*@*@*")):
        kind, host, pid = path.name.split("@", 2)
        with suppress(OSError):
            silent = now - path.stat().st_mtime
            if silent > FORGET:
                path.unlink(missing_ok=True)
            elif pid.isdecimal():
                yield Sign(kind, host, int(pid), max(silent, 0.0), _figures(path))


def _figures(path: Path) -> dict[str, float]:
    """What a file says; nothing when it is being written just now."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return {str(k): float(v) for k, v in told.items() if isinstance(v, int | float)} if isinstance(told, dict) else {}
