"""The one interface of file systems: list everything, then read any of it by its locator."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from safelight.triage.model import FileEntry, FileSystemRecord, UnreadPart

if TYPE_CHECKING:
    from pyarrow import RecordBatch

    from safelight.triage.evidence.inner import Nest

#: Stands between the locator of a file and that of a file inside it.
INSIDE = "!"
MAX_DEPTH = 256
MAX_NAMES = 64
MAX_EXTENTS = 10_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = int(datetime(2200, 1, 1, tzinfo=UTC).timestamp())


class Content:
    """The bytes of one file.

    `read(offset, length)` gives bytes or raises OSError; fewer than asked for means that the rest cannot be had.
    `holes()`, asked after reading, gives the ranges (start, end, reason) inside the file that were given as zeros, or
    that must not be trusted.
    """

    def __init__(
        self,
        size: int,
        read: Callable[[int, int], bytes],
        *,
        close: Callable[[], None] | None = None,
        holes: Callable[[], Iterable[tuple[int, int, str]]] = tuple,
        under: Callable[[], Iterable[tuple[int, int, str]]] = tuple,
    ) -> None:
        self.size = size
        self.read = read
        self.holes = holes
        self.under = under
        self._close = close

    def close(self) -> None:
        """Give back what reading needed."""
        if self._close is not None:
            self._close()
            self._close = None


def add_holes(gaps: list[tuple[int, int, str]], content: Content) -> None:
    """Add what `content` says of itself to the gaps (offset, size, reason) that reading it showed."""
    for left, right, why in content.holes():
        kept = [(a, n, r) for a, n, r in gaps if a < 0 or a >= right or a + n <= left]
        gaps[:] = [*kept, (left, right - left, why)]


class FileSystemReader(ABC):
    """One opened file system.

    While `entries` runs, it fills `directories`, `other` (links, devices, pipes), `unread` and `notes`; when it has
    ended, `expected`, `found` and `expected_from` hold the reconciliation, and `more_names` and `more_notes` what was
    learnt about an entry (by its locator) after it was given out.
    """

    type = ""
    #: False for what only adds to another reader (the free space of a file system).
    main = True

    def __init__(self, index: int, volume: int, offset: int, size: int, block_size: int) -> None:
        self.index = index
        self.volume = volume
        self.offset = offset
        self.size = size
        self.block_size = block_size
        self.directories = 0
        self.other = 0
        self.expected: int | None = None
        self.found: int | None = None
        self.expected_from = ""
        self.notes: list[str] = []
        self.unread: list[UnreadPart] = []
        # Called on long stretches that give out no entry; with True before a step that a damaged file system can hang.
        self.alive: Callable[[bool], None] = lambda now: None
        self.nest: Nest | None = None  # Set by whoever opened the device.
        self.more_names: dict[str, list[str]] = {}
        self.more_notes: dict[str, list[str]] = {}

    def add_name(self, locator: str, known: str, where: str) -> None:
        """Note one more name of an entry that was listed before as `known`."""
        names = self.more_names.setdefault(locator, [])
        if where != known and where not in names and len(names) < MAX_NAMES:
            names.append(where)

    @abstractmethod
    def entries(self) -> Iterator[FileEntry]:
        """Every file, live and deleted, once."""

    def batches(self) -> Iterator[RecordBatch] | None:
        """The same as columns of `rows.LISTING`; None where this reader has none to give."""
        return None

    def content(self, locator: str) -> Content:
        """The content of the entry with this locator, which may lie inside a file of this file system.

        Raises:
            EvidenceError: the locator leads nowhere now.
        """
        if INSIDE in locator and self.nest is not None:
            return self.nest.content(self.index, locator)
        return self.own_content(locator)

    @abstractmethod
    def own_content(self, locator: str) -> Content:
        """The content of an entry that this file system lists itself.

        Raises:
            EvidenceError: the locator leads nowhere now.
        """

    def find(self, path: str) -> str | None:
        """The locator of the live file at this path; None where there is none, or it cannot be told."""
        return None

    def record(self) -> FileSystemRecord:
        """What is known of it so far; live and deleted files are counted by whoever listed them."""
        return FileSystemRecord(
            self.index,
            self.volume,
            self.type,
            self.offset,
            self.size,
            self.block_size,
            directories=self.directories,
            expected=self.expected,
            found=self.found,
            expected_from=self.expected_from,
            notes=tuple(self.notes),
        )


def clean_name(raw: bytes | str) -> str:
    """A name fit for a line of a report: valid text, no control characters, no `/` inside.

    What does not fit is shown as an escape (`\\x07`), so that two different names stay different.
    """
    text = raw.decode("utf-8", "backslashreplace") if isinstance(raw, bytes) else raw
    if text.isprintable() and "/" not in text:
        return text
    return "".join(
        c if c.isprintable() and c != "/" else c.encode("unicode_escape").decode() if c != "/" else "\\x2f"
        for c in text
    )


def moment(seconds: int | None, nanoseconds: int = 0) -> datetime | None:
    """A time from seconds since 1970, None where it was not recorded (0) or cannot be (before 1970, after 2200)."""
    if not seconds or seconds < 0:
        return None
    if seconds >= _LATEST:
        return None
    return _EPOCH + timedelta(0, seconds, max(0, min(nanoseconds, 999_999_999)) // 1000)
