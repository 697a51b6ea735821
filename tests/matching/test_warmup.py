"""If this fails, the first person to search after an installation waits for the compiler."""

from __future__ import annotations

import numpy as np

from safelight.matching import _hamming_kernel, _sketch_kernel, warm_up
from safelight.matching.hamming import PdqIndex


def test_no_kernel_is_left_to_compile_after_warming_up() -> None:
    warm_up()
    kernels = [_hamming_kernel.scan, *(getattr(_sketch_kernel, n) for n in ("permute", "build", "probe", "join"))]
    before = [len(kernel.signatures) for kernel in kernels]
    codes = np.random.default_rng(1).integers(0, 256, (50, 32), dtype=np.uint8)
    PdqIndex(codes).query(codes[0].tobytes())
    PdqIndex(codes).query_batch(codes, limit=2)
    assert min(before) >= 1
    assert [len(kernel.signatures) for kernel in kernels] == before
