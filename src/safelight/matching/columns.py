"""Columns of a hash set: fixed-width and text values held only for the rows that have them."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import numpy.typing as npt

# So many texts are remembered to be stored once; PhotoDNA values, each its own, must not fill the memory.
_REMEMBERED = 100_000


class BytesBuilder:
    """Collects values of one width, and the rows they belong to (ascending)."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._rows = array("I")
        self._values = bytearray()

    def add(self, row: int, value: bytes) -> None:
        self._rows.append(row)
        self._values += value

    def take(self) -> tuple[bytes, bytes]:
        """Values and rows added since the last time, for the ends of two files."""
        taken = bytes(self._values), self._rows.tobytes()
        self._rows, self._values = array("I"), bytearray()
        return taken

    def arrays(self) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint32]]:
        """(K, width) values and (K,) rows."""
        import numpy as np

        values = np.frombuffer(bytes(self._values), np.uint8).reshape(-1, self._width)
        return values, np.array(self._rows, np.uint32)


class TextBuilder:
    """Collects text; the same text again (a series, a set of tags) is stored once, as far as it is remembered."""

    def __init__(self) -> None:
        self._rows = array("I")
        self._which = array("I")
        self._ends = array("Q", [0])
        self._text = bytearray()
        self._count = 0
        self._length = 0
        self._known: dict[str, int] = {}

    def add(self, row: int, text: str) -> None:
        which = self._known.get(text)
        if which is None:
            encoded = text.encode("utf-8", "surrogatepass")
            self._text += encoded
            self._length += len(encoded)
            self._ends.append(self._length)
            which = self._count
            self._count += 1
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[text] = which
        self._rows.append(row)
        self._which.append(which)

    def resume(self, count: int, length: int) -> None:
        """Go on after so many texts of so many bytes, which lie elsewhere already."""
        self._count, self._length = count, length
        self._ends = array("Q")

    def take(self, name: str) -> dict[str, bytes]:
        """What was added since the last time, for the end of a file of each array."""
        taken = {
            f"{name}.rows": self._rows.tobytes(),
            f"{name}.which": self._which.tobytes(),
            f"{name}.ends": self._ends.tobytes(),
            f"{name}.text": bytes(self._text),
        }
        self._rows, self._which, self._ends, self._text = array("I"), array("I"), array("Q"), bytearray()
        return taken

    def arrays(self, name: str) -> dict[str, npt.NDArray[Any]]:
        """Four arrays named after the column, as `TextColumn` takes them."""
        import numpy as np

        return {
            f"{name}.rows": np.array(self._rows, np.uint32),
            f"{name}.which": np.array(self._which, np.uint32),
            f"{name}.ends": np.array(self._ends, np.uint64),
            f"{name}.text": np.frombuffer(bytes(self._text), np.uint8),
        }


def position_of(rows: npt.NDArray[np.uint32], row: int) -> int | None:
    """Where in the ascending `rows` this row stands, or None if it has no value in the column."""
    import numpy as np

    at = int(np.searchsorted(rows, np.uint32(row)))
    return at if at < len(rows) and int(rows[at]) == row else None


class TextColumn:
    """Text per row, read back from the arrays of `TextBuilder`."""

    def __init__(self, name: str, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self._rows: npt.NDArray[np.uint32] = arrays[f"{name}.rows"]
        self._which: npt.NDArray[np.uint32] = arrays[f"{name}.which"]
        self._ends: npt.NDArray[np.uint64] = arrays[f"{name}.ends"]
        self._text: npt.NDArray[np.uint8] = arrays[f"{name}.text"]

    def get(self, row: int) -> str | None:
        at = position_of(self._rows, row)
        if at is None:
            return None
        which = int(self._which[at])
        start, end = int(self._ends[which]), int(self._ends[which + 1])
        return self._text[start:end].tobytes().decode("utf-8", "surrogatepass")
