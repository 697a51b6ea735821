"""The reader's answer to `expand`: what lies inside a file, in batches, with a sign of life in between."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from safelight.triage.codec import encode
from safelight.triage.model import FileEntry
from safelight.triage.packing import pack
from safelight.triage.wire import limit_cpu

if TYPE_CHECKING:
    from collections.abc import Callable

    from safelight.triage.evidence.device import Device

_BATCH = 200
_CPU_SECONDS = 300


def expand(device: Device, request: dict[str, Any], say: Callable[[dict[str, Any]], None]) -> None:
    """Open the file that `request` names and say what is in it.

    Raises:
        EvidenceError: it is no container, or cannot be opened.
    """
    sent = time.monotonic()

    def alive(now: bool) -> None:
        nonlocal sent
        if now or time.monotonic() - sent > 0.3:
            limit_cpu(_CPU_SECONDS)
            say({"tick": 0})
            sent = time.monotonic()

    entry = FileEntry(
        request["filesystem"], request["path"], request["size"], request["locator"],
        allocated=request["allocated"], overwritten=request["overwritten"],
    )  # fmt: skip
    inside = device.nest.expand(entry, request["most"], alive)
    for at in range(0, len(inside.entries), _BATCH):
        say({"entries": [pack(e) for e in inside.entries[at : at + _BATCH]]})
    say(
        {
            "expanded": {
                "kind": inside.kind,
                "directories": inside.directories,
                "other": inside.other,
                "unread": encode(inside.unread[:10_000]),
                "notes": inside.notes,
            }
        }
    )
