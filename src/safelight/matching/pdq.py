"""PDQ, the open perceptual hash of pictures: 256 bits that stay close when a picture is resized or re-encoded.

`pdq` is bit-identical to the reference implementation (facebook/ThreatExchange, pdq/cpp), hash and quality alike; the
published wheel of the reference is the oracle in the tests. Source of the algorithm: "The TMK+PDQF video-hashing
algorithm and the PDQ image-hashing algorithm", Meta, 2019.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from safelight.errors import MatchingError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

#: Below this quality a picture has too little structure and unlike pictures collide: do not match on it.
QUALITY_GATE = 50
#: Two pictures whose hashes differ in at most this many bits are taken as the same picture.
DISTANCE_THRESHOLD = 31
#: A picture with a shorter side than this has no PDQ; the reference answers zero bits with quality 0.
MIN_SIDE = 5

CODE_BYTES = 32


@dataclass(frozen=True, slots=True)
class PdqHash:
    """One picture's hash.

    Attributes:
        code: 32 bytes; `hex` prints them as every other PDQ tool does.
        quality: 0 to 100, how much structure the picture has.
    """

    code: bytes
    quality: int

    @property
    def hex(self) -> str:
        """64 lower-case hexadecimal digits, the form in which lists carry PDQ."""
        return self.code.hex()

    @property
    def usable(self) -> bool:
        """Whether the quality allows a perceptual match. If not, say so in the record: the picture was not matched."""
        return self.quality >= QUALITY_GATE

    def distance(self, other: PdqHash) -> int:
        """Differing bits, 0 to 256."""
        return (int.from_bytes(self.code) ^ int.from_bytes(other.code)).bit_count()


def pdq(picture: npt.NDArray[np.uint8]) -> PdqHash:
    """Hash the pixels of one picture at full size.

    Args:
        picture: uint8, (height, width, 3) red-green-blue, or (height, width) gray, which is hashed as the same gray in
            all three channels. Any size; the shortest side must be at least 5 pixels for a usable hash.

    Raises:
        MatchingError: the array is not a picture (wrong type, shape, or no pixels).
    """
    frequencies, quality = frequencies_of(picture)
    return PdqHash(bytes(CODE_BYTES) if frequencies is None else code_of(frequencies), quality)


def frequencies_of(picture: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32] | None, int]:
    """The (16, 16) low frequencies that the hash is made of, and the quality; None and 0 for a side below 5 pixels.

    Raises:
        MatchingError: as `pdq`.
    """
    import numpy as np

    if not isinstance(picture, np.ndarray) or picture.dtype != np.uint8:
        raise MatchingError(
            f"PDQ needs 8-bit pixels, but got {getattr(picture, 'dtype', type(picture).__name__)}.",
            fix="Decode the picture to uint8 first.",
        )
    gray = picture.ndim == 2
    if not gray and not (picture.ndim == 3 and picture.shape[2] == 3):
        raise MatchingError(
            f"PDQ needs an array of (height, width, 3) or (height, width), but got {picture.shape}.",
            fix="Convert the picture to RGB or to gray first.",
        )
    height, width = picture.shape[:2]
    if height == 0 or width == 0:
        raise MatchingError(f"PDQ needs at least one pixel, but the picture is {width} by {height}.")
    if height < MIN_SIDE or width < MIN_SIDE:
        return None, 0

    from safelight.matching import _pdq_kernel as kernel

    pixels = np.ascontiguousarray(picture)
    block = kernel.reduce_to_block(pixels[:, :, np.newaxis] if gray else pixels)
    frequencies: npt.NDArray[np.float32] = kernel.transform(block, kernel.DCT)
    return frequencies, int(kernel.quality_of(block))


def code_of(frequencies: npt.NDArray[np.float32]) -> bytes:
    """The 32 bytes: which of the 256 frequencies lie above their median."""
    import numpy as np

    flat = frequencies.ravel()
    # The reference takes the 128th smallest of the 256 (its selection never averages the middle two).
    median = np.partition(flat, 127)[127]
    # Bit k of the hash belongs to frequency k, and hashes are printed with bit 255 first.
    return np.packbits((flat > median)[::-1]).tobytes()


def parse_pdq(text: str, where: str = "PDQ") -> bytes:
    """The 32 bytes of a PDQ written as 64 hexadecimal digits.

    Raises:
        MatchingError: wrong length or not hexadecimal.
    """
    from safelight.matching.hashtext import parse_hex

    return parse_hex(text, CODE_BYTES, where)
