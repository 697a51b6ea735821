"""Our PDQ beside the reference wheel, on the same generated pictures in one run: `python benchmarks/pdq.py`.

Single core, CPU time, best of three; the pixels are in memory already. Every hash and quality is compared as well.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pdqhash
from PIL import Image

from safelight.matching.pdq import pdq

SIZES = ((512, 342), (1600, 1004), (2560, 1920), (4000, 3000))


def picture(width: int, height: int) -> np.ndarray:
    """Soft blobs with noise on top: as much detail as a photograph, harmless."""
    rng = np.random.default_rng(width)
    few = Image.fromarray(rng.integers(0, 256, (24, 32, 3), dtype=np.uint8))
    smooth = np.asarray(few.resize((width, height), Image.Resampling.BICUBIC), dtype=np.int16)
    return np.clip(smooth + rng.integers(-12, 13, smooth.shape), 0, 255).astype(np.uint8)


def best(run: Callable[[], object]) -> float:
    times = []
    for _ in range(3):
        start = time.thread_time()
        run()
        times.append(time.thread_time() - start)
    return min(times)


def main() -> None:
    pdq(np.zeros((70, 70, 3), np.uint8))  # compile or load the kernel
    print(f"{'picture':>12} {'pdqhash':>10} {'ours':>10} {'ours':>8} {'ratio':>6}  same")
    for width, height in SIZES:
        pixels = picture(width, height)
        bits, quality = pdqhash.compute(pixels)
        mine = pdq(pixels)
        same = (np.packbits(bits.astype(np.uint8)).tobytes(), quality) == (mine.code, mine.quality)
        theirs, ours = best(lambda p=pixels: pdqhash.compute(p)), best(lambda p=pixels: pdq(p))  # type: ignore[misc]
        per_pixel = ours / (width * height) * 1e9
        print(
            f"{width:>7}x{height:<4} {theirs * 1e3:>7.1f} ms {ours * 1e3:>7.1f} ms {per_pixel:>3.1f} ns/px "
            f"{theirs / ours:>5.1f}x  {'yes' if same else 'NO'}"
        )


if __name__ == "__main__":
    main()
