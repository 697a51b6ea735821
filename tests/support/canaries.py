"""Finding a picture again in whatever form it was left: bytes of the file and of its pixels, plain, hex, base64."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

WIDE = 48  # bytes of a run that is looked for
LARGE = 64 << 20  # bytes of a file that is still read whole


@dataclass(frozen=True)
class Canary:
    """A run of bytes that stands nowhere by chance, and what it is of."""

    of: str
    run: bytes


def canaries_of(name: str, content: bytes) -> list[Canary]:
    """Runs of a picture's file (past its header), of its pixels in colour and in grey."""
    found = [Canary(f"{name}, file", run) for run in _runs(content, first=1_024)]
    with Image.open(io.BytesIO(content)) as picture:
        for mode in ("RGB", "L"):
            pixels = np.asarray(picture.convert(mode)).tobytes()
            found += [Canary(f"{name}, {mode} pixels", run) for run in _runs(pixels, first=len(pixels) // 3)]
    return found


def _runs(data: bytes, *, first: int, wanted: int = 2) -> list[bytes]:
    found: list[bytes] = []
    for start in range(first, len(data) - WIDE, 997):
        run = data[start : start + WIDE]
        if len(set(run)) >= WIDE // 3:  # a plain sky could stand anywhere
            found.append(run)
            if len(found) == wanted:
                break
    return found


def forms_of(run: bytes) -> list[bytes]:
    """The run as it is, as hex in small and capital letters, and as base64 in each of its three alignments."""
    coded = [base64.b64encode(bytes(shift) + run)[4 * (shift > 0) : -4] for shift in range(3)]
    return [run, run.hex().encode(), run.hex().upper().encode(), *(one[2:-2] for one in coded)]


class Scanner:
    """Looks for canaries in whatever it is given."""

    def __init__(self, canaries: Iterable[Canary]) -> None:
        self.wanted = [(one.of, form) for one in canaries for form in forms_of(one.run)]
        self.looked_at = 0

    def look(self, where: str, data: bytes) -> list[str]:
        """One line for each canary in ``data``."""
        self.looked_at += len(data)
        return [f"{of} in {where}" for of, form in self.wanted if form in data]

    def files(self, folder: Path) -> list[str]:
        """The same over every file below ``folder``; what vanishes meanwhile is gone."""
        found = []
        for path in folder.rglob("*"):
            try:
                if path.is_file() and not path.is_symlink() and path.stat().st_size <= LARGE:
                    found += self.look(str(path), path.read_bytes())
            except FileNotFoundError:
                continue
        return found
