"""The process that parses one device: opens, lists and reads what it is told, and answers in frames.

Run by the pipeline as `python -m safelight.triage.reader MEMORY`. It keeps nothing: whatever it knows it has sent, so
that its crash costs the one thing it was doing.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from safelight.errors import EvidenceError, SafelightError
from safelight.triage.codec import encode
from safelight.triage.columns import pack_columns
from safelight.triage.digests import FileDigest, digest_content
from safelight.triage.evidence.base import Evidence
from safelight.triage.evidence.detect import open_evidence
from safelight.triage.evidence.device import Device
from safelight.triage.evidence.filesystem import Content
from safelight.triage.evidence.keys import read_keys
from safelight.triage.expanding import expand
from safelight.triage.filetypes import PICTURES
from safelight.triage.identity import identify
from safelight.triage.model import FileEntry, Problem, UnreadPart
from safelight.triage.packing import pack
from safelight.triage.plain import PlainFiles
from safelight.triage.wire import limit_cpu, limit_self, read_frame, serve_frames, write_frame

if TYPE_CHECKING:
    from pyarrow import RecordBatch

    from safelight.triage.blockscan import BlockScan
    from safelight.triage.sweep import Sweep

_BATCH = 200
_FRAME = 8 << 20
_MOST_FETCHED = 1 << 20
_CPU_SECONDS = 300


class Reader:
    """Answers the requests `open`, `list`, `sweep`, `read` and `identify` for one device at a time."""

    def __init__(self, outgoing: BinaryIO) -> None:
        self._out = outgoing
        self._evidence: Evidence | None = None
        self._device: Device | None = None
        self._sent: set[str] = set()
        self._last_tick = 0.0
        self._shown: tuple[tuple[int, str], Content] | None = None
        self._sweep: Sweep | None = None
        self._scan: BlockScan | None = None
        self._plain: dict[int, PlainFiles] = {}
        self._extents: dict[int, list[list[int]]] = {}

    def handle(self, request: dict[str, Any], payload: bytes = b"") -> None:
        """Answer one request; an error that we know is an answer too."""
        limit_cpu(_CPU_SECONDS)
        request["payload"] = payload
        try:
            getattr(self, f"_do_{request['do']}")(request)
        except (SafelightError, OSError, MemoryError, ValueError, OverflowError, RecursionError) as error:
            what = error.what if isinstance(error, SafelightError) else f"{type(error).__name__}: {error}"[:300]
            fix = error.fix if isinstance(error, SafelightError) else ""
            self._say({"error": what, "fix": fix, "ours": isinstance(error, SafelightError), "id": request.get("id")})

    def _say(self, message: dict[str, Any], payload: bytes = b"") -> None:
        write_frame(self._out, message, payload)

    def _tick(self, done: int) -> None:
        """Sign of life, at most a few a second."""
        now = time.monotonic()
        self._ticked += done
        if now - self._last_tick > 0.2:
            self._last_tick = now
            limit_cpu(_CPU_SECONDS)
            self._say({"tick": self._ticked})

    _ticked = 0

    def _do_open(self, request: dict[str, Any]) -> None:
        self._close()
        self._sent.clear()
        self._ticked = 0
        self._evidence = open_evidence([Path(p) for p in request["paths"]])
        self._device = Device(
            self._evidence,
            check_gaps=request["gaps"],
            tick=self._tick,
            skip={int(k): str(v) for k, v in request["skip"].items()},
            before=lambda volume: self._say({"volume": volume}),
            keys=read_keys(request.get("keys", ())),
            carve=bool(request.get("carve")),
        )
        self._say(
            {
                "opened": {
                    "format": self._evidence.format,
                    "size": self._evidence.size,
                    "thin": self._evidence.thin,
                    "parts": encode(self._evidence.parts),
                    "md5": self._evidence.stored_md5,
                    "sha1": self._evidence.stored_sha1,
                    "volumes": encode(self._device.volumes),
                    "filesystems": [encode(f.record()) for f in self._device.filesystems],
                    "problems": encode(self._device.problems),
                }
            }
        )

    def _close(self) -> None:
        self._hide()
        if self._sweep is not None:
            self._sweep.close()
        if self._evidence is not None:
            self._evidence.close()
        self._evidence = self._device = self._sweep = self._scan = None
        self._plain.clear()
        self._extents.clear()

    def _opened(self) -> tuple[Evidence, Device]:
        if self._evidence is None or self._device is None:
            raise EvidenceError("No image is open.")
        return self._evidence, self._device

    def _do_list(self, request: dict[str, Any]) -> None:
        _, device = self._opened()
        filesystem = device.filesystems[request["filesystem"]]
        columns = filesystem.batches()
        batch: list[Any] = []
        sent = time.monotonic()

        def flush(now: bool = False) -> None:
            nonlocal sent
            if now or len(batch) >= _BATCH or time.monotonic() - sent > 0.3:
                limit_cpu(_CPU_SECONDS)
                self._say({"entries": batch})
                batch.clear()
                sent = time.monotonic()

        filesystem.alive = flush
        number = 0
        cut = False
        if columns is not None:
            for found in columns:
                number += found.num_rows
                cut = number >= request["most"]
                self._say_columns(found.slice(0, found.num_rows - max(0, number - request["most"])))
                if cut:
                    number = request["most"]
                    break
        for entry in filesystem.entries() if columns is None else ():
            batch.append(pack(entry))
            number += 1
            flush()
            if number >= request["most"]:
                cut = True
                break
        if cut:
            filesystem.unread.append(
                UnreadPart(
                    f"{filesystem.type} file system",
                    f"its listing was cut off after {number:,} entries, the most that the settings allow",
                    filesystem.offset,
                )
            )
        self._say(
            {
                "listed": {
                    "entries": batch,
                    "record": encode(filesystem.record()),
                    "other": filesystem.other,
                    "unread": encode(filesystem.unread),
                    "names": filesystem.more_names,
                    "notes": filesystem.more_notes,
                }
            }
        )

    def _say_columns(self, found: RecordBatch) -> None:
        limit_cpu(_CPU_SECONDS)
        said, payload = pack_columns(found)
        self._say({"columns": said}, payload)

    def _do_read(self, request: dict[str, Any]) -> None:
        """One file, through its parser."""
        self._ticked = 0
        row, body = self._row(
            request["id"], self._parsed(request["filesystem"], request["locator"], request["keep"]), request["extents"]
        )
        self._say(row, body)

    def _parsed(self, filesystem: int, locator: str, keep: int) -> FileDigest:
        _, device = self._opened()
        content = device.filesystems[filesystem].content(locator)
        try:
            return digest_content(content, keep_up_to=keep, tick=self._tick)
        finally:
            content.close()

    def _row(self, number: int, found: FileDigest, extents: list[list[int]]) -> tuple[dict[str, Any], bytes]:
        """The answer for one file, and its bytes where they are wanted and were not sent before."""
        evidence, _ = self._opened()
        # Zeros stand in for bytes that the image does not have: what lies there has not been read.
        if evidence.missing:
            for start, size in extents:
                for left, right, reason in evidence.missing.within(start, start + size):
                    found.gaps.append((-left, right - left, reason))
        body = b""
        if found.body is not None and not found.gaps and found.md5 not in self._sent:
            self._sent.add(found.md5)
            body = found.body
        lost = sum(size for start, size, _ in found.gaps if start < 0)
        row = {
            "read": number,
            "bytes": max(0, found.bytes_read - lost),
            "size": found.size,
            "md5": found.md5,
            "sha1": found.sha1,
            "sha256": found.sha256,
            "type": found.type,
            "picture": found.type in PICTURES,
            "gaps": [[None, -s, n, why] if s < 0 else [s, None, n, why] for s, n, why in found.gaps[:100]],
        }
        return row, body

    def _do_sweep(self, request: dict[str, Any]) -> None:
        """One window of the media: all files that lie in it, and its share of the image's own digest."""
        from safelight.triage.sweep import Sweep

        evidence, _ = self._opened()
        if self._sweep is None:
            wanted = ["sha256"] if request["image"] else []
            if request["image"]:
                wanted += [n for n, v in (("md5", evidence.stored_md5), ("sha1", evidence.stored_sha1)) if v]
            self._scan = self._block_scan(request["blocks"]) if request["blocks"] else None
            self._sweep = Sweep(
                evidence, image=wanted, scan=self._scan, sha256=request["sha256"], tick=self._tick,
                threads=request["threads"],
            )  # fmt: skip
        if request["fresh"]:
            self._sweep.forget()
            self._extents.clear()
        self._ticked = 0
        plain: list[tuple[int, list[list[int]]]] = []
        others: list[tuple[int, int, str]] = []
        extents: dict[int, list[list[int]]] = self._extents
        for number, index, locator, pieces in request["files"]:
            extents[number] = pieces
            if self._is_plain(index, locator):
                plain.append((number, pieces))
            else:
                others.append((number, index, locator))
        rows: list[dict[str, Any]] = []
        bodies: list[bytes] = []

        def add(number: int, found: FileDigest) -> None:
            row, body = self._row(number, found, extents.pop(number))
            rows.append({**row, "body": len(body)})
            bodies.append(body)
            if len(rows) >= _BATCH or sum(map(len, bodies)) > _FRAME:
                flush()

        def flush() -> None:
            self._say({"files": rows}, b"".join(bodies))
            rows.clear()
            bodies.clear()

        try:
            for number, found in self._sweep.window(
                request["from"], request["to"], plain, keep=request["keep"], whole=request["whole"]
            ):
                add(number, found)
        except BaseException:
            self._sweep.close()
            self._sweep = None
            raise
        for number, index, locator in others:
            flush()  # Should the parser fail here, the others are out already.
            try:
                found = self._parsed(index, locator, request["keep"])
            except EvidenceError as error:
                rows.append({"read": number, "error": error.what, "body": 0})
                extents.pop(number)
            else:
                add(number, found)
        flush()
        runs = []
        if self._scan is not None:
            runs = [[r.offset, r.source, r.position, r.count] for r in self._scan.runs]
            self._scan.runs.clear()
        self._say({"swept": request["to"], "digests": self._sweep.digests(), "runs": runs})

    def _block_scan(self, path: str) -> BlockScan:
        from safelight.triage.blocks import BlockSet
        from safelight.triage.blockscan import BlockScan, regions_of

        evidence, device = self._opened()
        return BlockScan(BlockSet(Path(path)), regions_of(evidence, device.filesystems))

    def _is_plain(self, index: int, locator: str) -> bool:
        known = self._plain.get(index)
        if known is None:
            evidence, device = self._opened()
            known = self._plain[index] = PlainFiles(device.filesystems[index], evidence)
        return known.holds(locator)

    def _do_identify(self, request: dict[str, Any]) -> None:
        """Digests of the whole media, and a comparison with what the container says of itself."""
        evidence, _ = self._opened()
        if evidence.thin:
            raise EvidenceError("the image claims far more bytes than its files hold.")
        wanted = ["sha256"]
        wanted += [n for n, v in (("md5", evidence.stored_md5), ("sha1", evidence.stored_sha1)) if v]
        self._ticked = 0
        self._say({"identified": identify(evidence, wanted, threads=request["threads"], tick=self._tick)})

    def _do_fetch(self, request: dict[str, Any]) -> None:
        """A range of one file, for the video decoder, which wants to jump."""
        _, device = self._opened()
        key = (int(request["filesystem"]), str(request["locator"]))
        if self._shown is None or self._shown[0] != key:
            self._hide()
            self._shown = key, device.filesystems[key[0]].content(key[1])
        body = self._shown[1].read(request["offset"], min(request["length"], _MOST_FETCHED))
        self._say({"fetched": len(body)}, body)

    def _hide(self) -> None:
        if self._shown is not None:
            self._shown[1].close()
            self._shown = None

    def _do_expand(self, request: dict[str, Any]) -> None:
        """What lies inside a file."""
        expand(self._opened()[1], request, self._say)

    def _do_spot(self, request: dict[str, Any]) -> None:
        """The first answer: a sample, and what it met."""
        from safelight.triage.spotcheck import spot

        def read(entry: FileEntry) -> dict[str, Any]:
            found = self._parsed(entry.filesystem, entry.locator, 0)
            return self._row(0, found, [[e.offset, e.size] for e in entry.extents])[0]

        spot(*self._opened(), request, self._say, read)

    def _do_finish(self, request: dict[str, Any]) -> None:
        """What became known while reading: ranges of the media that could not be had."""
        evidence, device = self._opened()
        parts = [*evidence.unread(), *device.unread]
        known = set(device.problems)
        late: list[Problem] = [p for p in evidence.problems if p not in known]
        self._say({"finished": {"unread": encode(parts[:10_000]), "problems": encode(late)}})


def main() -> None:
    """Serve until the parent goes."""
    incoming, outgoing = serve_frames()
    limit_self(outgoing, int(sys.argv[1]))
    reader = Reader(outgoing)
    while (frame := read_frame(incoming)) is not None:
        reader.handle(*frame)


if __name__ == "__main__":
    main()
