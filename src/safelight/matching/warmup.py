"""Run every compiled kernel of matching once on a handful of bytes: the first person to search does not wait."""

from __future__ import annotations


def warm_up() -> None:
    """Compile the search kernels, or load them where they are compiled already."""
    import numpy as np

    from safelight.matching import sketch
    from safelight.matching.digests import DigestIndex
    from safelight.matching.engines import BruteForce

    none = np.empty(0, np.uint64)
    queries = np.arange(64, dtype=np.uint64).reshape(16, 4)
    digests = queries.view(np.uint8).reshape(-1, 32)
    # A list in memory is writable, one mapped from a file is not: two types to the compiler.
    for writable in (True, False):
        words = queries.copy()
        words.setflags(write=writable)
        asked = sketch.permute(queries)
        permuted = sketch.permute(words)
        permuted.setflags(write=writable)
        BruteForce(words).search(queries, 0)
        held = sketch.Sketch(permuted)
        held.join(asked, 0, sketch.UNLIMITED, none)
        for part in held.arrays().values():
            part.setflags(write=writable)
        for run in (held.probe, held.join, held.scan):
            run(asked, 0, sketch.UNLIMITED, none)
        index = DigestIndex.build("sha256", digests)
        for part in index.arrays.values():
            part.setflags(write=writable)
        index.lookup_batch(digests)
