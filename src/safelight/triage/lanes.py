"""Digests of many files at once: sixteen side by side in a compiled kernel, or one after the other with hashlib.

MD5 and SHA-1 are what lists of known material are keyed by, and one file at a time is the slowest way to compute them
(0.74 and 1.9 GB/s a core here, 0.5 for both). The kernel computes both at about seven times that. It is compiled when
Safelight is installed (`warm_up`). Where numba cannot work, hashlib does; both give the same digests, and the tests
hold one against the other.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Octets = npt.NDArray[np.uint8]
    States = npt.NDArray[np.uint32]
    Numbers = Sequence[int] | npt.NDArray[np.int64]

#: MD5, SHA-1 and, where it was asked for, SHA-256 (hex).
Digests = tuple[str, str, str]

_START = (
    0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476,
    0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0,
    0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19,
)  # fmt: skip
_MD5_WORDS, _BOTH_WORDS = 4, 9
_kernel: Any = None


def lanes_available() -> bool:
    """Whether the compiled kernel can be used on this machine."""
    global _kernel
    if _kernel is None:
        try:
            from safelight.triage import _lanes_kernel
        except ImportError:
            _kernel = False
        else:
            # The kernel reads words as the processor stores them, and MD5 wants them little-endian.
            _kernel = _lanes_kernel if sys.byteorder == "little" else False
    return bool(_kernel)


class Streams:
    """MD5 and SHA-1 (and SHA-256) of files whose bytes come in pieces that lie in one buffer.

    Args:
        count: how many files.
        sha256: compute SHA-256 too.
    """

    def __init__(self, count: int, *, sha256: bool = False) -> None:
        import numpy as np

        if not lanes_available():
            raise RuntimeError("The compiled kernel is not there; ask lanes_available() first.")
        self._which = _kernel.ALL if sha256 else _kernel.BOTH
        words = _kernel.STATE_WORDS[self._which]
        self.states: States = np.empty((count, words), np.uint32)
        self.states[:] = _START[:words]

    def update(
        self,
        octets: Octets,
        rows: Sequence[int],
        starts: Numbers,
        sizes: Numbers,
        pieces: Sequence[int] | None = None,
    ) -> None:
        """Take the streams `rows` over their next pieces; of each piece, only the whole 64-byte blocks are used.

        Args:
            octets: the buffer.
            rows: which streams, each once.
            starts: where each piece begins, the pieces of the first stream first.
            sizes: bytes of each piece.
            pieces: how many pieces each stream has; one, when left out.

        Raises:
            ValueError: a piece does not lie in the buffer.
        """
        import numpy as np

        if not len(starts):
            return
        where, blocks = np.asarray(starts, np.int64), np.asarray(sizes, np.int64)
        if where.min() < 0 or blocks.min() < 0 or (where + blocks).max() > octets.size:
            raise ValueError("a piece lies outside of the buffer")
        blocks = blocks >> 6
        first = np.zeros(len(rows) + 1, np.int64)
        first[1:] = np.arange(1, len(rows) + 1) if pieces is None else np.cumsum(np.asarray(pieces, np.int64))
        if first[-1] != len(where) or len(where) != len(blocks):
            raise ValueError("the pieces are not as many as the streams have")
        total = np.zeros(len(blocks) + 1, np.int64)
        np.cumsum(blocks, out=total[1:])
        order = np.argsort(total[first[:-1]] - total[first[1:]], kind="stable")
        picked = np.asarray(rows, np.int64)
        states = self.states[picked]
        _kernel.advance(self._which, octets.ctypes.data, order, first, where, blocks, states)
        self.states[picked] = states

    def finish(self, octets: Octets, rows: Sequence[int], ends: Numbers, totals: Numbers) -> list[Digests]:
        """The digests of the streams `rows`, whose last pieces end at `ends` in the buffer.

        Args:
            totals: bytes of each whole file.

        Raises:
            ValueError: an end does not lie in the buffer, or less than the last, incomplete block lies before it.
        """
        import numpy as np

        count = len(rows)
        if not count:
            return []
        where, sizes = np.asarray(ends, np.int64), np.asarray(totals, np.int64)
        if (where - (sizes & 63)).min() < 0 or where.max() > octets.size:
            raise ValueError("a piece lies outside of the buffer")
        padded = np.zeros((count, 128), np.uint8)
        blocks = np.zeros(count, np.int64)
        _kernel.tails(octets, where, sizes, padded, blocks)
        states = self.states[np.asarray(rows, np.int64)]
        starts, each = np.arange(count, dtype=np.int64) * 128, np.arange(count + 1)
        _kernel.advance(self._which, padded.ctypes.data, each[:-1], each, starts, blocks - 1, states)
        _kernel.conclude(self._which, padded.ctypes.data, starts + 64 * (blocks - 1), states)
        # SHA's words are written the other way round.
        states[:, _MD5_WORDS:] = states[:, _MD5_WORDS:].byteswap()
        text, width = states.tobytes().hex(), 8 * states.shape[1]
        one, two = 8 * _MD5_WORDS, 8 * _BOTH_WORDS
        return [
            (text[at : at + one], text[at + one : at + two], text[at + two : at + width])
            for at in range(0, count * width, width)
        ]


def digest_many(
    octets: Octets, starts: Numbers, sizes: Numbers, *, sha256: bool = False, lanes: bool | None = None
) -> list[Digests]:
    """Digests of many ranges of one buffer.

    Args:
        octets: the buffer, (bytes,) of uint8.
        starts: where each range begins.
        sizes: bytes of each range.
        sha256: compute SHA-256 too.
        lanes: use the compiled kernel; when left out, where it can be used.
    """
    if lanes_available() if lanes is None else lanes:
        import numpy as np

        streams = Streams(len(starts), sha256=sha256)
        rows = range(len(starts))
        streams.update(octets, rows, starts, sizes)
        return streams.finish(octets, rows, np.asarray(starts, np.int64) + np.asarray(sizes, np.int64), sizes)
    view = octets.data
    found = []
    for start, size in zip(starts, sizes, strict=True):
        piece = view[start : start + size]
        md5, sha1 = (hashlib.new(name, piece, usedforsecurity=False).hexdigest() for name in ("md5", "sha1"))
        found.append((md5, sha1, hashlib.sha256(piece).hexdigest() if sha256 else ""))
    return found


def warm_up() -> None:
    """Compile the kernels (or load them from the cache) by running each once, on memory of either kind."""
    import numpy as np

    from safelight.triage.blockscan import block_kernel

    for octets in (np.zeros(4096, np.uint8), np.frombuffer(bytes(4096), np.uint8)):
        if lanes_available():
            digest_many(octets, [0, 64], [100, 3], sha256=True)
        k = block_kernel()
        if k is not None:
            out = np.zeros(1, np.uint64)
            starts = np.zeros(1, np.int64)
            k.hashes(octets.view(np.uint64), starts, out, k.START, k.KEYS, k.SCRAMBLE, k.LAST, k.MERGE)
            sieve = np.zeros(1024, np.uint64)
            k.fill(sieve, out)
            k.sift(sieve, out, out[0], np.zeros(2, np.int64))
