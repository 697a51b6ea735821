"""More ways to ask for one picture: turned, mirrored, and with its uniform borders cut off.

A PDQ changes altogether when a picture is mirrored, turned or framed. The reference answers the first two with eight
hashes computed from one transform; the third by cutting the frame off. Both find more and can raise more false alarms
(benchmarks/pdq_recall.py), so that they are options, and every hash carries the name of how it was made, to be recorded
with the finding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from safelight.matching.pdq import MIN_SIDE, PdqHash, code_of, frequencies_of, pdq

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Picture = npt.NDArray[np.uint8]

#: The eight, in the order of the reference's compute_dihedral.
DIHEDRAL = ("original", "rotate90", "rotate180", "rotate270", "flipx", "flipy", "transpose", "antitranspose")
#: Levels of 255 by which the pixels of a uniform border may differ (JPEG leaves small ripples).
BORDER_TOLERANCE = 12


@dataclass(frozen=True, slots=True)
class QueryHash:
    """One way to ask for a picture.

    Attributes:
        how: for the record: `original`, one of the other names in `DIHEDRAL`, each with `trimmed ` in front if borders
            were cut off.
        hash: the code, and the quality, which all eight share.
    """

    how: str
    hash: PdqHash


@dataclass(frozen=True, slots=True)
class Trimmed:
    """A picture without its uniform borders, and how many pixels were cut at each side (0 is an untouched side)."""

    picture: Picture
    top: int
    right: int
    bottom: int
    left: int

    @property
    def changed(self) -> bool:
        return any((self.top, self.right, self.bottom, self.left))


def dihedral(picture: Picture) -> tuple[QueryHash, ...]:
    """The eight hashes of a picture turned and mirrored, equal to the reference's, for hardly more than one costs.

    Args:
        picture: uint8, (height, width, 3) or (height, width), as for `pdq`.

    Raises:
        MatchingError: the array is not a picture.
    """
    import numpy as np

    frequencies, quality = frequencies_of(picture)
    if frequencies is None:
        return tuple(QueryHash(how, PdqHash(bytes(32), 0)) for how in DIHEDRAL)
    # Mirroring changes the sign of every second frequency of one axis; turning also swaps the axes.
    sign = np.where(np.arange(16) % 2 == 1, np.float32(1), np.float32(-1))
    down, across = sign[:, None], sign[None, :]
    both = down * across
    turned: dict[str, npt.NDArray[Any]] = {
        "original": frequencies,
        "rotate90": (frequencies * across).T,
        "rotate180": frequencies * both,
        "rotate270": (frequencies * down).T,
        "flipx": frequencies * down,
        "flipy": frequencies * across,
        "transpose": frequencies.T,
        "antitranspose": (frequencies * both).T,
    }
    return tuple(QueryHash(how, PdqHash(code_of(np.ascontiguousarray(turned[how])), quality)) for how in DIHEDRAL)


def trim_borders(picture: Picture, tolerance: int = BORDER_TOLERANCE) -> Trimmed:
    """Cut off rows and columns of one colour at the edges, as letter boxes and screenshots have them.

    A picture that would be left with a side shorter than half its length is not cut: what is so uniform is content.
    """
    import numpy as np

    planes = picture[:, :, None] if picture.ndim == 2 else picture
    height, width = planes.shape[:2]
    if height < MIN_SIDE or width < MIN_SIDE:
        return Trimmed(picture, 0, 0, 0, 0)

    def uniform(lines: npt.NDArray[np.uint8]) -> int:
        """How many lines from the first on hold one colour, the same in all of them."""
        colour = np.median(lines[0], axis=0).astype(np.int16)
        low, high = lines.min(axis=1).astype(np.int16), lines.max(axis=1).astype(np.int16)
        same = ((low >= colour - tolerance) & (high <= colour + tolerance)).all(axis=1)
        return int(len(same) if same.all() else np.argmin(same))

    top, bottom = uniform(planes), uniform(planes[::-1])
    if top + bottom > height // 2:
        return Trimmed(picture, 0, 0, 0, 0)
    columns = planes[top : height - bottom].swapaxes(0, 1)
    left, right = uniform(columns), uniform(columns[::-1])
    if left + right > width // 2:
        left = right = 0
    cut = np.ascontiguousarray(picture[top : height - bottom, left : width - right])
    return Trimmed(cut, top, right, bottom, left)


def query_hashes(picture: Picture, *, turned: bool = False, trimmed: bool = False) -> tuple[QueryHash, ...]:
    """All hashes to ask with, the plain one first.

    Args:
        turned: also the seven turned and mirrored ones.
        trimmed: also those of the picture without its uniform borders, where it has any.

    Raises:
        MatchingError: the array is not a picture.
    """
    hashes = dihedral(picture) if turned else (QueryHash("original", pdq(picture)),)
    if trimmed:
        cut = trim_borders(picture)
        if cut.changed:
            inner = dihedral(cut.picture) if turned else (QueryHash("original", pdq(cut.picture)),)
            hashes += tuple(QueryHash(f"trimmed {item.how}", item.hash) for item in inner)
    return hashes
