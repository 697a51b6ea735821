"""The journal: every look-up stands on disk before its answer leaves; one flush serves all that wait.

A serving process appends records of one fixed length to a file of its own. A record never holds what was asked: a hash
of a picture that is on no list is nobody's business. It holds a keyed fingerprint of it, by which the force can later
prove whether a given hash was asked about, and for a match the entry that matched. The collector
(`safelight.casework.exchange.collecting`) carries whole records into the database and the ledger, exactly once.

A record of a process that died while writing is cut off or fails its checksum: its answer never left.
"""

from __future__ import annotations

import hmac
import os
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from safelight.exchange.errors import Unavailable
from safelight.exchange.query import ALGORITHMS, Query

_MAGIC = b"SLJ1"
_BODY = struct.Struct("<4sBBBBQQ16s32sIQ")
_CHECK = struct.Struct("<I")
RECORD = _BODY.size + _CHECK.size
SUFFIX = ".slj"
_ROTATE = 64 << 20

HASH, PICTURE, MORE, REFUSED, SUSPENDED = 1, 2, 3, 4, 5


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that happened.

    Attributes:
        kind: `HASH` or `PICTURE` look-up; `MORE` for a second and later match of the same query; `REFUSED` (over
            quota); `SUSPENDED` (the watch suspended the key: `content` is what was counted, `distance` which rule).
        key: number of the key. at: microseconds since 1970. request: 16 bytes that the platform is told too.
        fingerprint: HMAC-SHA-256 of the query under the force's secret; 32 zero bytes where nothing was asked.
        matches: how many entries matched, 255 for more. bank, content, distance: the first of them; 0 without.
    """

    kind: int
    key: int
    at: int
    request: bytes
    algorithm: str = "pdq"
    matches: int = 0
    distance: int = 0
    fingerprint: bytes = bytes(32)
    bank: int = 0
    content: int = 0

    def pack(self) -> bytes:
        body = _BODY.pack(
            _MAGIC, self.kind, ALGORITHMS.index(self.algorithm), min(self.matches, 255), self.distance, self.key,
            self.at, self.request, self.fingerprint, self.bank, self.content,
        )  # fmt: skip
        return body + _CHECK.pack(zlib.crc32(body))

    @classmethod
    def unpack(cls, data: bytes) -> Record | None:
        """The record in `RECORD` bytes, or None if it was never written whole."""
        body = data[: _BODY.size]
        if (
            len(data) != RECORD
            or not body.startswith(_MAGIC)
            or _CHECK.unpack(data[_BODY.size :])[0] != zlib.crc32(body)
        ):
            return None
        _, kind, algorithm, matches, distance, key, at, request, fingerprint, bank, content = _BODY.unpack(body)
        if algorithm >= len(ALGORITHMS):
            return None
        return cls(kind, key, at, request, ALGORITHMS[algorithm], matches, distance, fingerprint, bank, content)


def fingerprint(secret: bytes, query: Query) -> bytes:
    """By which the force can tell later whether this was asked, and nobody else can."""
    return hmac.digest(secret, query.algorithm.encode() + b"\0" + query.value, "sha256")


class Journal:
    """The file of one serving process.

    Args:
        folder: `journal/` of the exchange; each process makes its own file in it.

    Raises:
        Unavailable: the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._state = threading.Condition()
        self._waiting = bytearray()
        self._taken = self._flushed = 0
        self._fault: str | None = None
        self._closing = False
        self.flushes = 0
        self._file, self._size = self._new_file(), 0
        self._writer = threading.Thread(target=self._run, name="journal", daemon=True)
        self._writer.start()

    def _new_file(self) -> int:
        name = f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{os.getpid()}-{os.urandom(4).hex()}{SUFFIX}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            file = os.open(
                self._folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600
            )
            folder = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(folder)  # the name itself must outlive a power cut
            finally:
                os.close(folder)
        except OSError as error:
            raise Unavailable(f"The journal cannot be written ({error.strerror}); nothing is answered.") from error
        return file

    def write(self, data: bytes) -> None:
        """Return when the records are on disk. Those of other threads that wait go with the same flush.

        Raises:
            Unavailable: they could not be written. Nothing may be answered.
        """
        with self._state:
            self._waiting += data
            self._taken += len(data)
            mine = self._taken
            self._state.notify_all()
            while self._flushed < mine and self._fault is None:
                self._state.wait()
            if self._flushed < mine:
                raise Unavailable(f"The journal cannot be written ({self._fault}); nothing is answered.")

    def _run(self) -> None:
        while True:
            with self._state:
                while not self._waiting and not self._closing:
                    self._state.wait()
                if not self._waiting:
                    return
                batch, self._waiting = bytes(self._waiting), bytearray()
                upto = self._taken
            try:
                self._put(batch)
            except (OSError, Unavailable) as error:
                with self._state:
                    self._fault = getattr(error, "strerror", None) or str(error)
                    self._state.notify_all()
                return
            with self._state:
                self._flushed = upto
                self.flushes += 1
                self._state.notify_all()

    def _put(self, batch: bytes) -> None:
        if self._size > _ROTATE:
            os.close(self._file)
            self._file, self._size = self._new_file(), 0
        left = memoryview(batch)
        while left:
            left = left[os.write(self._file, left) :]
        os.fdatasync(self._file)
        self._size += len(batch)

    def close(self) -> None:
        """Write what waits and end."""
        with self._state:
            self._closing = True
            self._state.notify_all()
        self._writer.join()
        os.close(self._file)


def read_records(path: Path, start: int = 0) -> Iterator[tuple[int, Record | None]]:
    """Whole records from byte `start` on, as (where the next begins, record); None where a checksum fails.

    A cut-off record at the end is left for later.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        file.seek(start)
        while len(data := file.read(RECORD)) == RECORD:
            start += RECORD
            yield start, Record.unpack(data)
