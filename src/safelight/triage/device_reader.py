"""The pipeline's side of the reader process: what it lists and reads, and going on after a crash."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from safelight.errors import EvidenceError
from safelight.triage.answers import Listing, ReadAnswer
from safelight.triage.blockruns import Run
from safelight.triage.codec import decode
from safelight.triage.columns import unpack_columns
from safelight.triage.device_child import DeviceChild
from safelight.triage.model import FileEntry, FileSystemRecord, Problem, UnreadPart
from safelight.triage.nesting import MOST_INSIDE, Inside
from safelight.triage.packing import unpack
from safelight.triage.wire import ChildLost

_AHEAD = 24
_WINDOWS_AHEAD = 2
#: Bytes of the media that one request of the pass covers: so many that sixteen large files lie in it side by side.
WINDOW = 256 << 20


class DeviceReader(DeviceChild):
    """One device at a time, in a child process that may be lost and started again at any moment."""

    @property
    def _threads(self) -> int:
        return self.settings.reader_threads or min(4, os.cpu_count() or 1)

    # -- listing -----------------------------------------------------------------------------------------------------

    def listing(self, filesystem: FileSystemRecord) -> Iterator[Listing]:
        """The listing in pieces, the last of which ends it."""
        last = Listing([], filesystem, ends=True)
        seen = 0
        try:
            self._child.send({"do": "list", "filesystem": filesystem.index, "most": self.settings.max_entries})
            while True:
                answer, payload = self._receive()
                if "columns" in answer:
                    batch = unpack_columns(filesystem.index, answer["columns"], payload)
                    seen += batch.num_rows
                    yield Listing([], filesystem, batch=batch)
                    continue
                if "error" in answer:
                    last.unread.append(self._cut_off(filesystem, str(answer["error"]), seen))
                    break
                done = answer.get("listed")
                entries = [unpack(filesystem.index, e) for e in (done or answer)["entries"]]
                seen += len(entries)
                if done:
                    last.entries = entries
                    last.record = decode(FileSystemRecord, done["record"])
                    last.other = int(done["other"])
                    last.unread += [decode(UnreadPart, u) for u in done["unread"]]
                    last.names, last.notes = done["names"], done["notes"]
                    break
                yield Listing(entries, filesystem)
        except EvidenceError as error:
            self._child.stop()
            why = f"its parser was lost ({error.what})" if isinstance(error, ChildLost) else error.what
            last.unread.append(self._cut_off(filesystem, why, seen))
            # Should it not open again, every read that follows says so by itself; what was listed is kept.
            self._reopen()
        yield last

    def _cut_off(self, filesystem: FileSystemRecord, why: str, seen: int) -> UnreadPart:
        return UnreadPart(
            f"{filesystem.type} file system",
            f"its listing broke off after {seen:,} entries: {why}",
            filesystem.offset,
        )

    # -- reading -----------------------------------------------------------------------------------------------------

    def begin_chunk(self) -> None:
        """Forget what the chunk before told: counts start anew, and files that it left half read are dropped."""
        self.bytes_done = 0
        self.runs, self.blocks_unread = [], []
        self._fresh = True

    def sweep(
        self, entries: Sequence[FileEntry], *, start: int, end: int, whole: bool, carry: bool, keep: int
    ) -> Iterator[ReadAnswer]:
        """Read files in one pass over the media, each answered once, whatever happens to the child.

        Files that a lost child was busy with are read one by one afterwards.

        Args:
            entries: files that begin between `start` and `end` (`lies_in_order` said yes to each).
            start, end: the range of the media, at borders of windows. Files may reach beyond its end.
            whole: read every byte of the range, for the block set and the digest of the media.
            carry: feed the digest of the whole media, if all before came by too.
            keep: give back the bytes of pictures no larger than this.
        """
        files = dict(enumerate(entries))
        if self._thin and self.settings.block_set:
            reason = "the image claims far more bytes than its files hold; it was not compared with the block set"
            self.blocks_unread.append(UnreadPart("blocks", reason, start, None))
        for answer in self._pass(files, start=start, end=end, whole=whole, carry=carry, keep=keep):
            if not whole:
                self.bytes_done += answer.entry.size
            yield answer
        yield from self.one_by_one(list(files.values()), keep=keep)

    def _pass(
        self, files: dict[int, FileEntry], *, start: int, end: int, whole: bool, carry: bool, keep: int
    ) -> Iterator[ReadAnswer]:
        """One pass over the media. Whoever is answered is taken out of `files`; the rest must be read another way."""
        starting: dict[int, list[int]] = {}
        busy: set[int] = set()
        for number, entry in files.items():
            starting.setdefault(entry.extents[0].offset // WINDOW, []).append(number)
            for x in entry.extents:
                busy.update(range(x.offset // WINDOW, (x.offset + x.size - 1) // WINDOW + 1))
        inside = range(start // WINDOW, -(-end // WINDOW)) if whole else range(0)
        windows = deque(sorted(busy.union(inside)))
        under_way: deque[int] = deque()
        tried: set[int] = set()
        while windows or under_way:
            try:
                while windows and len(under_way) < _WINDOWS_AHEAD:
                    under_way.append(windows.popleft())
                    request = self._window(under_way[-1], starting, files, keep=keep, carry=carry)
                    self._child.send({**request, "whole": under_way[-1] in inside})
                answer, bodies = self._receive(WINDOW)
            except ChildLost:
                # Its files are read one by one later, and then it will show which one it was.
                again = [w for w in under_way if self.settings.block_set and w not in tried and w in inside]
                self._not_scanned(w for w in under_way if w in inside and w not in again)
                tried.update(again)
                windows.extendleft(reversed(again))
                under_way.clear()
                if not self._reopen():
                    self._not_scanned(w for w in windows if w in inside)
                    return
                continue
            if "files" in answer:
                yield from self._answers(answer["files"], bodies, files)
                continue
            window = under_way.popleft()
            if "swept" in answer:
                self._identity = answer.get("digests")
                self.runs += [Run(*map(int, row)) for row in answer.get("runs", ())]
            elif window in inside:
                self._not_scanned([window])
            if window in inside:
                self.bytes_done = min((window + 1) * WINDOW, end) - start

    def _window(
        self, window: int, starting: dict[int, list[int]], files: dict[int, FileEntry], *, keep: int, carry: bool
    ) -> dict[str, Any]:
        rows = []
        for number in starting.pop(window, ()):
            entry = files[number]
            rows.append([number, entry.filesystem, entry.locator, [[e.offset, e.size] for e in entry.extents]])
        fresh, self._fresh = self._fresh, False
        return {
            "do": "sweep",
            "fresh": fresh,
            "from": window * WINDOW,
            "to": min((window + 1) * WINDOW, self._media_size),
            "files": rows,
            "keep": keep,
            "image": carry,
            "sha256": self.settings.sha256,
            "threads": self._threads,
            "blocks": self.settings.block_set,
        }

    def _not_scanned(self, windows: Iterable[int]) -> None:
        if not self.settings.block_set:
            return
        for window in windows:
            start, end = window * WINDOW, min((window + 1) * WINDOW, self._media_size)
            reason = "it was not compared with the block set: the process that reads the image was lost over it"
            self.blocks_unread.append(UnreadPart("blocks", reason, start, end - start))

    @staticmethod
    def _answers(rows: list[dict[str, Any]], bodies: bytes, files: dict[int, FileEntry]) -> Iterator[ReadAnswer]:
        at = 0
        for row in rows:
            body = bodies[at : at + row["body"]]
            at += len(body)
            entry = files.pop(row["read"], None)
            if entry is not None:
                yield ReadAnswer(entry, row, body, str(row.get("error", "")))

    def one_by_one(self, entries: Sequence[FileEntry], *, keep: int) -> Iterator[ReadAnswer]:
        """Read files through their parser, in the given order; each is answered once."""
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
                answer, body = self._receive(under_way[0][1].size)
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
                    for _, rest in waiting:
                        yield ReadAnswer(rest, {}, b"", "the process that parses the image was lost too often")
                    return
            else:
                yield ReadAnswer(entry, answer, body)

    def expand(self, entry: FileEntry) -> Inside:
        """What lies inside a file that was read.

        Raises:
            EvidenceError: it is no container, cannot be opened, or its parser was lost over it.
        """
        result = Inside()
        self._child.send(
            {
                "do": "expand", "filesystem": entry.filesystem, "locator": entry.locator, "path": entry.path,
                "size": entry.size, "allocated": entry.allocated, "overwritten": entry.overwritten,
                "most": min(self.settings.max_entries, MOST_INSIDE),
            }
        )  # fmt: skip
        while True:
            try:
                answer, _ = self._receive(entry.size)
            except ChildLost as lost:
                self._reopen()
                raise EvidenceError(f"its parser was lost ({lost.what})") from None
            if "error" in answer:
                raise EvidenceError(str(answer["error"]))
            result.entries += [unpack(entry.filesystem, e) for e in answer.get("entries", ())]
            if "expanded" in answer:
                done = answer["expanded"]
                result.directories, result.other = int(done["directories"]), int(done["other"])
                result.unread = [decode(UnreadPart, u) for u in done["unread"]]
                result.notes = [str(note)[:500] for note in done["notes"]]
                return result

    def fetch(self, entry: FileEntry, offset: int, length: int) -> bytes:
        """A range of a file; fewer bytes where they cannot be had.

        Raises:
            EvidenceError: the child was lost over it, or the file cannot be opened.
        """
        self._child.send(
            {"do": "fetch", "filesystem": entry.filesystem, "locator": entry.locator, "offset": offset,
             "length": length}
        )  # fmt: skip
        try:
            answer, body = self._receive(length)
        except ChildLost as lost:
            self._reopen()
            raise EvidenceError(f"its parser was lost ({lost.what})") from None
        if "error" in answer:
            raise EvidenceError(str(answer["error"]))
        return body[:length]

    # -- the end -----------------------------------------------------------------------------------------------------

    def identify(self) -> dict[str, str]:
        """Digests (hex) of the whole media, by name.

        Raises:
            EvidenceError: the child was lost.
        """
        if self._identity is not None:
            return self._identity
        found = self._ask({"do": "identify", "threads": self._threads}, "identified")
        return {str(k): str(v) for k, v in found.items()}

    def finish(self) -> tuple[list[UnreadPart], list[Problem]]:
        """Ranges of the media that could not be had so far, and problems that showed while reading.

        Raises:
            EvidenceError: the child was lost.
        """
        done = self._ask({"do": "finish"}, "finished")
        return [decode(UnreadPart, u) for u in done["unread"]], [decode(Problem, p) for p in done["problems"]]
