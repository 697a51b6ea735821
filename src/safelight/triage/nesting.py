"""Archives and disk images met on a device: which are opened, how deep, and when their growth is a bomb's.

Limits and where they come from: 4 levels, and 600 times the packed size from 500 MB on for one member (Autopsy); over
all levels together 600 times the size of the outermost container from 1 GiB on (IPED sums over its levels too).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from safelight.triage.filetypes import CONTAINERS
from safelight.triage.model import FileEntry, FileRecord, Problem, UnreadPart
from safelight.triage.settings import TriageSettings

_INSIDE = "!"
_BOMB_FROM = 1 << 30
_BOMB_RATIO = 600
_SMALLEST_DISK = 64 << 10
#: More files than this in one container are not listed.
MOST_INSIDE = 1_000_000
#: Endings under which an image may hide whose first bytes tell nothing (a compressed DMG, an ISO).
_HINTS = (".dmg", ".iso", ".img", ".dd", ".raw", ".vhd", ".001", ".hfs")


@dataclass(slots=True)
class Inside:
    """What a container holds, as its reader told it."""

    entries: list[FileEntry] = field(default_factory=list)
    directories: int = 0
    other: int = 0
    unread: list[UnreadPart] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Nesting:
    """The containers of one run that are still to be opened."""

    def __init__(self, settings: TriageSettings) -> None:
        self._depth = settings.inside_depth
        self._queue: deque[FileRecord] = deque()
        self._budget: dict[tuple[int, str], tuple[int, int]] = {}
        self.unread: list[UnreadPart] = []
        self.problems: list[Problem] = []
        self.opened = 0

    def consider(self, record: FileRecord) -> None:
        """Note a file that was read, if it is a container."""
        entry, kind = record.entry, record.type
        hinted = not kind and entry.path.lower().endswith(_HINTS) and entry.size >= 4096
        if not self._depth or not entry.locator or not (kind in CONTAINERS or kind == "RAR" or hinted):
            return
        if kind == "disk image" and entry.size < _SMALLEST_DISK:
            return
        if kind == "RAR":
            self._left(entry, "RAR archives are not opened by this version")
        elif entry.locator.count(_INSIDE) >= self._depth:
            self._left(entry, f"containers nest deeper than {self._depth} levels; this one was not opened")
        else:
            self._queue.append(record)

    def next(self) -> FileRecord | None:
        """The container to open next; None when all are done."""
        return self._queue.popleft() if self._queue else None

    def _left(self, entry: FileEntry, reason: str) -> None:
        self._told([UnreadPart("archive", reason, None, entry.size, entry.path)], entry)

    def _told(self, parts: Sequence[UnreadPart], box: FileEntry) -> None:
        """Of a live file it is an unread part; what is left of a deleted one is often not whole, and no one's fault."""
        if box.allocated:
            self.unread += parts
        else:
            self.problems += [Problem(p.path or box.path, f"Inside this deleted file: {p.reason}.") for p in parts]

    def failed(self, box: FileRecord, reason: str) -> None:
        """The container could not be opened. Not being an image at all is no failure."""
        if "not a forensic image" not in reason:
            self._left(box.entry, f"it could not be opened: {reason.rstrip('.')}")

    def take(self, box: FileRecord, inside: Inside) -> list[FileEntry]:
        """The entries to go on with: what would unpack without end is left, and named."""
        self.opened += 1
        self._told(inside.unread, box.entry)
        self.problems += [Problem(box.entry.path, note) for note in inside.notes]
        key = (box.entry.filesystem, box.entry.locator.split(_INSIDE)[0])
        limit, spent = self._budget.get(key, (max(_BOMB_FROM, _BOMB_RATIO * box.entry.size), 0))
        entries = []
        for entry in inside.entries:
            if entry.readable and entry.size:
                if spent + entry.size > limit:
                    reason = (
                        f"all that is inside the outermost container would unpack to more than {limit:,} bytes: "
                        "taken for a bomb"
                    )
                    entry = replace(entry, readable=False, notes=(reason, *entry.notes))
                else:
                    spent += entry.size
            entries.append(entry)
        self._budget[key] = (limit, spent)
        return entries
