"""JSON as a stream, from strangers: only whole, valid JSON of a sane shape comes through.

The streaming parser keeps the path to where it is as text, so that its memory grows with the square of the nesting: a
100 kB file of opening brackets would take all the memory there is; and a number of some thousand digits ends the whole
process. Real lists are six levels deep and their numbers are file sizes. The guard looks at the bytes first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from io import RawIOBase
from itertools import accumulate
from typing import TYPE_CHECKING, BinaryIO

from safelight.errors import MatchingError
from safelight.matching.hashtext import excerpt

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_DEPTH = 64
MAX_TEXT = 4 << 20
MAX_NUMBER = 400
_BOM = b"\xef\xbb\xbf"
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_REST_OF_STRING = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_NUMBER = re.compile(rb"[0-9eE.+-]{%d}" % (MAX_NUMBER + 1))
_NUMBER_AT_END = re.compile(rb"[0-9eE.+-]{1,%d}\Z" % MAX_NUMBER)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEP = dict.fromkeys(b"[{", 1) | dict.fromkeys(b"]}", -1)


def stream_items(
    open_file: Callable[[], BinaryIO], where: str, prefix: str, *, several: bool = False
) -> Iterator[object]:
    """The values under one path of ijson, such as `value.item`; `several` allows values after each other, one a line.

    Raises:
        MatchingError: not whole and valid JSON, nested too deeply, or with a number or text beyond all measure.
    """
    return _guarded(open_file, where, lambda file: _items(file, prefix, several))


def starts_array(open_file: Callable[[], BinaryIO], where: str, prefix: str) -> bool:
    """Whether a list stands under this path. Raises as `stream_items` does."""
    return any(True for _ in _guarded(open_file, where, lambda file: _arrays(file, prefix)))


def _items(file: RawIOBase, prefix: str, several: bool) -> Iterator[object]:
    import ijson

    yield from ijson.items(file, prefix, multiple_values=several)


def _arrays(file: RawIOBase, prefix: str) -> Iterator[object]:
    import ijson

    yield from (event for at, event, _ in ijson.parse(file) if at == prefix and event == "start_array")


def _guarded(
    open_file: Callable[[], BinaryIO], where: str, parse: Callable[[RawIOBase], Iterator[object]]
) -> Iterator[object]:
    import ijson

    with open_file() as file:
        try:
            yield from parse(_Guard(file, where))
        except (ijson.JSONError, ValueError, OverflowError, ArithmeticError, RecursionError) as error:
            problem = " ".join(str(error).split())
            raise MatchingError(
                f"{where} is not whole and valid JSON ({excerpt(problem, 160)}); nothing of it was kept.",
                fix="Fetch the file again and compare its size or checksum with the supplier's.",
            ) from error


class _Guard(RawIOBase):
    """Passes bytes on, without the byte-order mark, while counting the nesting outside of texts."""

    def __init__(self, file: BinaryIO, where: str) -> None:
        self._file = file
        self._where = where
        self._waiting = b""
        self._begun = False
        self._depth = 0
        self._text = 0  # bytes since the opening quotation mark; 0 outside of texts
        self._escaped = False
        self._number = b""  # a number that the block before may have ended in

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        room = memoryview(buffer).nbytes
        if not self._begun:
            self._begun = True
            self._waiting = self._file.read(len(_BOM)).removeprefix(_BOM)
        block = self._waiting[:room] or self._file.read(room)
        self._waiting = self._waiting[len(block) :]
        self._look(block)
        memoryview(buffer).cast("B")[: len(block)] = block
        return len(block)

    def _look(self, block: bytes) -> None:
        if self._text:
            end = _REST_OF_STRING.match(block, 1 if self._escaped else 0)
            if end is None:
                self._stay_in_text(block[1:] if self._escaped and block else block, self._escaped and not block)
                return
            block = block[end.end() :]
        outside = self._number + _STRING.sub(b" ", block)
        quote = outside.find(b'"')
        self._text = 0
        if quote >= 0:
            self._text = 1
            self._stay_in_text(outside[quote + 1 :], False)
            outside = outside[:quote]
        cut = _NUMBER_AT_END.search(outside, max(0, len(outside) - MAX_NUMBER))
        self._number = cut[0] if cut and not self._text else b""
        if _NUMBER.search(outside):
            raise self._refused(f"holds a number of more than {MAX_NUMBER} digits")
        brackets = outside.translate(None, _NOT_BRACKETS)
        depths = list(accumulate((_STEP[b] for b in brackets), initial=self._depth))
        self._depth = depths[-1]
        if max(depths) > MAX_DEPTH:
            raise self._refused(f"is nested more than {MAX_DEPTH} levels deep")

    def _refused(self, what: str) -> MatchingError:
        return MatchingError(
            f"{self._where} {what}; nothing of it was kept.",
            fix="No list of hashes does: do not use this file, and tell its supplier.",
        )

    def _stay_in_text(self, tail: bytes, escaped: bool) -> None:
        self._text += len(tail)
        self._escaped = escaped if not tail else (len(tail) - len(tail.rstrip(b"\\"))) % 2 == 1
        if self._text > MAX_TEXT:
            raise self._refused(f"holds a single text of more than {MAX_TEXT >> 20} MiB")
