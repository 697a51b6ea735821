"""Columns of a hash set: fixed-width and text values held only for the rows that have them."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import numpy.typing as npt


class BytesBuilder:
    """Collects values of one width, and the rows they belong to (ascending)."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._rows = array("I")
        self._values = bytearray()

    def add(self, row: int, value: bytes) -> None:
        self._rows.append(row)
        self._values += value

    def arrays(self) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint32]]:
        """(K, width) values and (K,) rows."""
        import numpy as np

        values = np.frombuffer(bytes(self._values), np.uint8).reshape(-1, self._width)
        return values, np.array(self._rows, np.uint32)


class TextBuilder:
    """Collects text; the same text again (a series, a set of tags) is stored once."""

    def __init__(self) -> None:
        self._rows = array("I")
        self._which = array("I")
        self._known: dict[str, int] = {}

    def add(self, row: int, text: str) -> None:
        self._rows.append(row)
        self._which.append(self._known.setdefault(text, len(self._known)))

    def arrays(self, name: str) -> dict[str, npt.NDArray[Any]]:
        """Four arrays named after the column, as `TextColumn` takes them."""
        import numpy as np

        encoded = [text.encode("utf-8", "surrogatepass") for text in self._known]
        ends = np.cumsum([0] + [len(text) for text in encoded], dtype=np.uint64)
        return {
            f"{name}.rows": np.array(self._rows, np.uint32),
            f"{name}.which": np.array(self._which, np.uint32),
            f"{name}.ends": ends,
            f"{name}.text": np.frombuffer(b"".join(encoded), np.uint8),
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
