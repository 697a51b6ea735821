"""Run every compiled kernel of matching once on a handful of bytes: the first person to search does not wait."""

from __future__ import annotations


def warm_up() -> None:
    """Compile the search kernels, or load them where they are compiled already."""
    import numpy as np

    from safelight.matching import sketch
    from safelight.matching.digests import DigestIndex
    from safelight.matching.engines import BruteForce

    words = np.arange(64, dtype=np.uint64).reshape(16, 4)
    BruteForce(words).search(words, 0)
    permuted = sketch.permute(words)
    held = sketch.Sketch(permuted)
    held.prepare()
    for run in (held.probe, held.join, held.scan):
        run(permuted, 0, sketch.UNLIMITED, np.empty(0, np.uint64))
    digests = words.view(np.uint8).reshape(-1, 32)
    DigestIndex.build("sha256", digests).lookup_batch(digests)
