"""Compressed bytes as files that can be read anywhere, with memory that does not grow with what comes out.

Nothing is unpacked to disk. Going back in a deflate stream starts from the nearest remembered state; in the other kinds
it starts from the beginning.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

_INPUT = 64 << 10
_PIECE = 1 << 20
_STEP = 16 << 20
_MOST_MARKS = 512
_LZMA_MEMORY = 1 << 30

#: Gives up to `length` bytes from `offset` of the packed bytes, none behind their end.
Source = Callable[[int, int], bytes]


class Puller(ABC):
    """Bytes that come out one after another. `distrust`: why they are not what they should be, once they are out."""

    distrust = ""

    @abstractmethod
    def pull(self, most: int) -> bytes:
        """The next bytes, at least one and at most `most`; none at the end.

        Raises:
            OSError: the packed bytes are damaged or end early.
        """

    def fork(self) -> Puller | None:
        """A second puller that stands at the same place; None where the kind cannot do that."""
        return None


class Plain(Puller):
    """Bytes that are not packed at all."""

    def __init__(self, source: Source, at: int = 0) -> None:
        self._source = source
        self._at = at

    def pull(self, most: int) -> bytes:
        """The next bytes."""
        data = self._source(self._at, most)
        self._at += len(data)
        return data

    def fork(self) -> Plain:
        """A second one."""
        return Plain(self._source, self._at)


class Inflater(Puller):
    """Deflate: `wbits` -15 for the raw stream of a zip member, 31 for gzip (of one or several members)."""

    def __init__(self, source: Source, wbits: int) -> None:
        self._source = source
        self._wbits = wbits
        self._at = 0
        self._rest = b""
        self._engine: Any = zlib.decompressobj(wbits)

    def pull(self, most: int) -> bytes:
        """The next bytes."""
        while True:
            try:
                data: bytes = self._engine.decompress(self._rest, most)
            except zlib.error as error:
                raise OSError(f"its compressed bytes are damaged ({_words(error)})") from None
            self._rest = self._engine.unconsumed_tail
            if self._engine.eof and not data:
                if not self._next_member():
                    return b""
                continue
            if self._engine.eof:
                self._rest = b""
            if data:
                return data
            if not self._rest:
                self._rest = self._source(self._at, _INPUT)
                self._at += len(self._rest)
                if not self._rest:
                    raise OSError("its compressed bytes end early")

    def _next_member(self) -> bool:
        behind = self._engine.unused_data
        if self._wbits != 31:
            return False
        if len(behind) < 2:
            more = self._source(self._at, _INPUT)
            self._at += len(more)
            behind += more
        if behind[:2] != b"\x1f\x8b":
            if behind.strip(b"\0"):
                raise OSError("bytes that are not gzip follow its end")
            return False
        self._engine = zlib.decompressobj(self._wbits)
        self._rest = behind
        return True

    def fork(self) -> Inflater:
        """A second one, with a copy of the window."""
        twin = Inflater(self._source, self._wbits)
        twin._at, twin._rest, twin._engine = self._at, self._rest, self._engine.copy()
        return twin


class Decoder(Puller):
    """Any kind whose decoder has `decompress(data, max_length)`, `needs_input` and `eof` (bzip2, xz, LZMA, zstd)."""

    def __init__(self, source: Source, make: Callable[[], Any], *, again: bool = False, at: int = 0) -> None:
        self._source = source
        self._make = make
        self._again = again
        self._at = at
        self._engine = make()
        self._fresh = True

    def pull(self, most: int) -> bytes:
        """The next bytes."""
        feed = b""
        while True:
            try:
                if self._engine.eof:
                    if not self._again:
                        return b""
                    feed = self._engine.unused_data or self._more()
                    if not feed.strip(b"\0"):
                        return b""
                    self._engine = self._make()
                elif self._engine.needs_input:
                    feed = self._more()
                    if not feed:
                        raise OSError("its compressed bytes end early")
                data: bytes = self._engine.decompress(feed, most)
            except (lzma.LZMAError, ValueError, EOFError, RuntimeError) as error:
                raise OSError(f"its compressed bytes are damaged ({_words(error)})") from None
            except MemoryError:
                raise OSError("unpacking it would need more memory than the limit") from None
            feed = b""
            if data:
                return data

    def _more(self) -> bytes:
        data = self._source(self._at, _INPUT)
        self._at += len(data)
        return data


def bzip2(source: Source) -> Puller:
    """A bzip2 stream, or several one after another."""
    return Decoder(source, bz2.BZ2Decompressor, again=True)


def xz(source: Source) -> Puller:
    """An xz stream, or several one after another."""
    return Decoder(source, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_LZMA_MEMORY), again=True)


def zstd(source: Source) -> Puller:
    """A Zstandard stream."""
    from backports import zstd as engine

    def make() -> Any:
        return _Zstd(engine)

    return Decoder(source, make, again=True)


class _Zstd:
    """The Zstandard decoder with its own error turned into ours."""

    def __init__(self, engine: Any) -> None:
        self._error = engine.ZstdError
        self._real = engine.ZstdDecompressor()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def decompress(self, data: bytes, most: int) -> bytes:
        try:
            return bytes(self._real.decompress(data, most))
        except self._error as error:
            raise ValueError(str(error)) from None


class Inflater64(Puller):
    """Deflate64, which Windows uses for large members."""

    def __init__(self, source: Source) -> None:
        import inflate64

        self._source = source
        self._engine = inflate64.Inflater()
        self._at = 0
        self._out = bytearray()

    def pull(self, most: int) -> bytes:
        """The next bytes. The decoder has no limit of its own, so it is fed little at a time."""
        while not self._out:
            if self._engine.eof:
                return b""
            raw = self._source(self._at, 4096)
            self._at += len(raw)
            if not raw:
                raise OSError("its compressed bytes end early")
            try:
                self._out += self._engine.inflate(raw)
            except (ValueError, RuntimeError, OSError) as error:
                raise OSError(f"its compressed bytes are damaged ({_words(error)})") from None
        data = bytes(self._out[:most])
        del self._out[:most]
        return data


class Cursor:
    """Random access to what a puller gives."""

    def __init__(self, start: Callable[[], Puller]) -> None:
        self._start = start
        self._puller: Puller | None = None
        self._at = 0
        self._marks: list[tuple[int, Puller]] = []
        self._step = _STEP
        self.ended: tuple[int, str] | None = None  # Where nothing more can be had, and why; "" at the true end.
        self.distrust = ""

    def read(self, at: int, length: int) -> bytes:
        """Up to `length` bytes from `at`; fewer where the bytes end or cannot be unpacked (see `ended`)."""
        if length <= 0 or (self.ended is not None and at >= self.ended[0]):
            return b""
        if self._puller is None or at < self._at:
            self._rewind(at)
        while self._at < at:
            if not self._step_on(min(_PIECE, at - self._at)):
                return b""
        pieces = []
        while length:
            piece = self._step_on(min(length, _PIECE))
            if not piece:
                break
            pieces.append(piece)
            length -= len(piece)
        return b"".join(pieces)

    def _rewind(self, at: int) -> None:
        for place, mark in reversed(self._marks):
            if place <= at:
                self._puller, self._at = mark.fork(), place
                return
        self._puller, self._at = self._start(), 0

    def _step_on(self, most: int) -> bytes:
        assert self._puller is not None
        try:
            data = self._puller.pull(most)
        except OSError as error:
            data = b""
            self.ended = (self._at, str(error))
        if not data and self.ended is None:
            self.ended = (self._at, "")
        self._at += len(data)
        self.distrust = self.distrust or self._puller.distrust
        last = self._marks[-1][0] if self._marks else 0
        if data and self._at - last >= self._step and (twin := self._puller.fork()) is not None:
            self._marks.append((self._at, twin))
            if len(self._marks) > _MOST_MARKS:
                del self._marks[::2]
                self._step *= 2
        return data


def _words(error: BaseException) -> str:
    return " ".join(str(error).split())[:120].rstrip(".") or type(error).__name__
