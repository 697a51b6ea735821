"""The pipeline's side of the reader process: asks, watches the clock, and goes on after a crash."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

from safelight.errors import EvidenceError
from safelight.triage.codec import decode
from safelight.triage.model import EvidencePart, FileEntry, FileSystemRecord, Problem, UnreadPart, Volume
from safelight.triage.settings import TriageSettings
from safelight.triage.wire import Child, ChildLost

_AHEAD = 24
_SLICE = 0.25
_MOST_CRASHES = 200


class Stopped(Exception):
    """The run was asked to stop."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What opening a device told."""

    format: str
    size: int
    parts: tuple[EvidencePart, ...]
    md5: str | None
    sha1: str | None
    volumes: tuple[Volume, ...]
    filesystems: tuple[FileSystemRecord, ...]
    problems: tuple[Problem, ...]


@dataclass(slots=True)
class Listing:
    """One file system's files."""

    entries: list[FileEntry]
    record: FileSystemRecord
    other: int
    unread: list[UnreadPart]


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """One file's digests, or why there are none (`failed`)."""

    entry: FileEntry
    answer: dict[str, Any]
    body: bytes
    failed: str = ""


class DeviceReader:
    """One device at a time, in a child process that may be lost and started again at any moment."""

    def __init__(
        self, settings: TriageSettings, should_stop: Callable[[], bool], *, module: str = "safelight.triage.reader"
    ) -> None:
        self._settings = settings
        self.should_stop = should_stop
        self._child = Child(module, str(settings.reader_memory))
        self._request: dict[str, Any] = {}
        self._skip: dict[str, str] = {}
        self._crashes = 0
        self.on_tick: Callable[[int], None] = lambda done: None

    # -- the wire ----------------------------------------------------------------------------------------------------

    def _receive(self) -> tuple[dict[str, Any], bytes]:
        """The next answer that is not a sign of life.

        Raises:
            Stopped, ChildLost
        """
        deadline = monotonic() + self._settings.stall_seconds
        while True:
            if self.should_stop():
                self._child.stop()
                raise Stopped
            frame = self._child.receive(_SLICE)
            if frame is None:
                if monotonic() > deadline:
                    raise self._child.hang()
                continue
            if "tick" not in frame[0]:
                return frame
            deadline = monotonic() + self._settings.stall_seconds
            self.on_tick(int(frame[0]["tick"]))

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        self._child.send(request)
        answer, _ = self._receive()
        if "error" in answer:
            raise EvidenceError(str(answer["error"]), fix=str(answer.get("fix", "")))
        return answer

    def close(self) -> None:
        """End the child."""
        self._child.stop()

    # -- opening -----------------------------------------------------------------------------------------------------

    def open(self, paths: Sequence[Path]) -> Opened:
        """Open a device; a volume whose parser crashes is left out and named.

        Raises:
            EvidenceError: it is no image, or cannot be opened.
        """
        self._skip.clear()
        self._crashes = 0
        self._request = {"do": "open", "paths": [str(p.absolute()) for p in paths], "gaps": self._settings.check_gaps}
        return self._open(gaps=True)

    def _open(self, *, gaps: bool) -> Opened:
        while True:
            volume: int | None = None
            try:
                self._child.send({**self._request, "skip": self._skip, "gaps": self._request["gaps"] and gaps})
                while True:
                    answer, _ = self._receive()
                    if "volume" not in answer:
                        break
                    volume = int(answer["volume"])
            except ChildLost as lost:
                if volume is None or str(volume) in self._skip:
                    name = Path(str(self._request["paths"][0]))
                    raise EvidenceError(
                        f"{name} cannot be opened: the process that parses it was lost ({lost.what}).",
                        fix="The image is damaged or made to do harm; acquire the device again.",
                    ) from None
                self._skip[str(volume)] = f"the process that opens its file system was lost ({lost.what})"
                continue
            if "error" in answer:
                raise EvidenceError(str(answer["error"]), fix=str(answer.get("fix", "")))
            return decode(Opened, answer["opened"])

    # -- listing -----------------------------------------------------------------------------------------------------

    def listing(self, filesystem: FileSystemRecord) -> Iterator[Listing]:
        """The listing as it grows; the last one given is the whole of it."""
        result = Listing([], filesystem, 0, [])
        try:
            self._child.send({"do": "list", "filesystem": filesystem.index, "most": self._settings.max_entries})
            while True:
                answer, _ = self._receive()
                if "error" in answer:
                    result.unread.append(self._cut_off(filesystem, str(answer["error"]), len(result.entries)))
                    break
                done = answer.get("listed")
                result.entries += [decode(FileEntry, e) for e in (done or answer)["entries"]]
                if done:
                    result.record = decode(FileSystemRecord, done["record"])
                    result.other = int(done["other"])
                    result.unread += [decode(UnreadPart, u) for u in done["unread"]]
                    _add_names(result.entries, done["names"], done["notes"])
                    break
                yield result
        except ChildLost as lost:
            result.unread.append(self._cut_off(filesystem, f"its parser was lost ({lost.what})", len(result.entries)))
            # Should it not open again, every read that follows says so by itself; what was listed is kept.
            self._reopen()
        yield result

    def _cut_off(self, filesystem: FileSystemRecord, why: str, seen: int) -> UnreadPart:
        return UnreadPart(
            f"{filesystem.type} file system",
            f"its listing broke off after {seen:,} entries: {why}",
            filesystem.offset,
        )

    # -- reading -----------------------------------------------------------------------------------------------------

    def read(self, entries: Sequence[FileEntry], *, keep: int) -> Iterator[ReadAnswer]:
        """Read files in the given order; each is answered once, whatever happens to the child."""
        waiting: deque[tuple[int, FileEntry]] = deque(enumerate(entries))
        under_way: deque[tuple[int, FileEntry]] = deque()
        while waiting or under_way:
            try:
                while waiting and len(under_way) < _AHEAD:
                    number, entry = waiting.popleft()
                    under_way.append((number, entry))
                    self._child.send(
                        {
                            "do": "read",
                            "id": number,
                            "filesystem": entry.filesystem,
                            "locator": entry.locator,
                            "keep": keep,
                            "extents": [[e.offset, e.size] for e in entry.extents],
                        }
                    )
                answer, body = self._receive()
            except ChildLost as lost:
                # Answers come in order: what was being read is the first without one.
                _, entry = under_way.popleft()
                waiting.extendleft(reversed(under_way))
                under_way.clear()
                yield ReadAnswer(entry, {}, b"", f"its parser was lost ({lost.what})")
                if not self._reopen():
                    for _, rest in waiting:
                        yield ReadAnswer(rest, {}, b"", "the process that parses the image was lost too often")
                    return
                continue
            number, entry = under_way.popleft()
            if "error" in answer:
                yield ReadAnswer(entry, {}, b"", str(answer["error"]))
            elif answer.get("read") != number:
                self._child.stop()
                yield ReadAnswer(entry, {}, b"", "its parser gave an answer that makes no sense")
                waiting.extendleft(reversed(under_way))
                under_way.clear()
                if not self._reopen():
                    return
            else:
                yield ReadAnswer(entry, answer, body)

    def _reopen(self) -> bool:
        self._crashes += 1
        if self._crashes > _MOST_CRASHES:
            return False
        try:
            self._open(gaps=False)
        except EvidenceError:
            return False
        return True

    # -- the end -----------------------------------------------------------------------------------------------------

    def identify(self) -> dict[str, str]:
        """Digests (hex) of the whole media, by name.

        Raises:
            EvidenceError: the child was lost.
        """
        return {str(k): str(v) for k, v in self._ask({"do": "identify"})["identified"].items()}

    def finish(self) -> tuple[list[UnreadPart], list[Problem]]:
        """Ranges that could not be had and problems that showed while reading; the device is closed.

        Raises:
            EvidenceError: the child was lost.
        """
        done = self._ask({"do": "finish"})["finished"]
        return [decode(UnreadPart, u) for u in done["unread"]], [decode(Problem, p) for p in done["problems"]]


def _add_names(entries: list[FileEntry], names: dict[str, list[str]], notes: dict[str, list[str]]) -> None:
    if not names and not notes:
        return
    for at, entry in enumerate(entries):
        more, also = names.get(entry.locator), notes.get(entry.locator)
        if (more or also) and entry.readable:
            entries[at] = replace(entry, names=(*entry.names, *(more or ())), notes=(*entry.notes, *(also or ())))
