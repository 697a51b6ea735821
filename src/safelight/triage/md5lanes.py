"""MD5 of many files at once: 16 side by side in a compiled kernel, or one after the other with hashlib.

MD5 is what lists of known material are keyed by, and it is the slowest digest there is (0.74 GB/s a core here). The
kernel does about four times that. It is compiled when Safelight is installed (`warm_up`). Where numba cannot work,
hashlib does; both give the same digests, and the tests hold one against the other.
"""

from __future__ import annotations

import hashlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    import numpy.typing as npt

    Octets = npt.NDArray[np.uint8]
    States = npt.NDArray[np.uint32]

_START = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
_kernel: Any = None


def lanes_available() -> bool:
    """Whether the compiled kernel can be used on this machine."""
    global _kernel
    if _kernel is None:
        try:
            from safelight.triage import _md5_kernel
        except ImportError:
            _kernel = False
        else:
            # The kernel reads words as the processor stores them, and MD5 wants them little-endian.
            _kernel = _md5_kernel if sys.byteorder == "little" else False
    return bool(_kernel)


class Md5Streams:
    """MD5 of files whose bytes come in pieces that lie in one buffer.

    Args:
        count: how many files.
    """

    def __init__(self, count: int) -> None:
        import numpy as np

        self.states: States = np.empty((count, 4), np.uint32)
        self.states[:] = _START

    @staticmethod
    def usable(start: int, size: int, *, last: bool) -> bool:
        """Whether the kernel can take a piece: it begins at a multiple of 4 and, but for the last, has whole blocks."""
        return start % 4 == 0 and (last or size % 64 == 0)

    def update(self, octets: Octets, rows: Sequence[int], starts: Sequence[int], sizes: Sequence[int]) -> None:
        """Take the streams `rows` over their next pieces; of each, only the whole 64-byte blocks are used."""
        import numpy as np

        blocks = np.asarray(sizes, np.int64) >> 6
        order = np.argsort(-blocks, kind="stable")
        picked = np.asarray(rows, np.int64)[order]
        states = self.states[picked]
        words = octets[: octets.size // 4 * 4].view(np.uint32)
        _kernel.advance(words, (np.asarray(starts, np.int64) >> 2)[order], blocks[order], states)
        self.states[picked] = states

    def finish(self, octets: Octets, rows: Sequence[int], ends: Sequence[int], totals: Sequence[int]) -> list[str]:
        """The digests (hex) of the streams `rows`, whose last pieces end at `ends` in the buffer.

        Args:
            totals: bytes of each whole file.
        """
        import numpy as np

        count = len(rows)
        padded = np.zeros((count, 128), np.uint8)
        blocks = np.zeros(count, np.int64)
        _kernel.tails(octets, np.asarray(ends, np.int64), np.asarray(totals, np.int64), padded, blocks)
        states = self.states[np.asarray(rows, np.int64)]
        _kernel.advance(padded.reshape(-1).view(np.uint32), np.arange(count, dtype=np.int64) * 32, blocks, states)
        text = states.tobytes().hex()
        return [text[i : i + 32] for i in range(0, len(text), 32)]


def md5_many(octets: Octets, starts: Sequence[int], sizes: Sequence[int], *, lanes: bool | None = None) -> list[str]:
    """MD5 (hex) of many ranges of one buffer.

    Args:
        octets: the buffer, (bytes,) of uint8.
        starts: where each range begins.
        sizes: bytes of each range.
        lanes: use the compiled kernel; when left out, where it can be used.
    """
    if lanes is None:
        lanes = lanes_available()
    if not lanes:
        view = octets.data
        return [_md5(view[s : s + n]).hexdigest() for s, n in zip(starts, sizes, strict=True)]
    found = [""] * len(starts)
    mine = []
    for i, (start, size) in enumerate(zip(starts, sizes, strict=True)):
        if start % 4:
            found[i] = _md5(octets.data[start : start + size]).hexdigest()
        else:
            mine.append(i)
    if mine and lanes_available():
        streams = Md5Streams(len(mine))
        rows = range(len(mine))
        streams.update(octets, rows, [starts[i] for i in mine], [sizes[i] for i in mine])
        ends = [starts[i] + sizes[i] for i in mine]
        for i, digest in zip(mine, streams.finish(octets, rows, ends, [sizes[i] for i in mine]), strict=True):
            found[i] = digest
    return found


_md5: Callable[..., Any] = lambda data=b"": hashlib.md5(data, usedforsecurity=False)  # noqa: E731 - one spelling


def warm_up() -> None:
    """Compile the kernels (or load them from the cache) by running each once, on memory of either kind."""
    import numpy as np

    from safelight.triage.blockscan import block_kernel

    for octets in (np.zeros(4096, np.uint8), np.frombuffer(bytes(4096), np.uint8)):
        if lanes_available():
            md5_many(octets, [0, 64], [100, 3], lanes=True)
        k = block_kernel()
        if k is not None:
            out = np.zeros(1, np.uint64)
            starts = np.zeros(1, np.int64)
            k.hashes(octets.view(np.uint64), starts, out, k.START, k.KEYS, k.SCRAMBLE, k.LAST, k.MERGE)
            sieve = np.zeros(1024, np.uint64)
            k.fill(sieve, out)
            k.sift(sieve, out, out[0], np.zeros(2, np.int64))
