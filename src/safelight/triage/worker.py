"""The picture worker: a long-lived process that takes the bytes of one picture and gives back its PDQ.

Run as `python -m safelight.triage.worker MEMORY MAX_PIXELS SECONDS`. It cannot write files, has bounded memory and
processor time, and knows nothing of evidence, cases or hash sets.
"""

from __future__ import annotations

import sys
from typing import Any

from safelight.triage.wire import limit_cpu, limit_self, read_frame, serve_frames, write_frame


def main() -> None:
    """Serve until the parent goes."""
    incoming, outgoing = serve_frames()
    limit_self(outgoing, int(sys.argv[1]))
    import numpy as np

    from safelight.matching.pdq import pdq
    from safelight.triage.decoding import hash_picture

    # Kernels are loaded (where the installation did not compile them: compiled, and not kept) before the first picture.
    pdq(np.zeros((64, 64, 3), np.uint8))
    max_pixels, seconds = int(sys.argv[2]), int(float(sys.argv[3])) + 5
    write_frame(outgoing, {"ready": True})
    while (frame := read_frame(incoming)) is not None:
        limit_cpu(seconds)
        request, body = frame
        write_frame(outgoing, hash_picture(body, str(request["type"]), max_pixels=max_pixels, **_options(request)))


def _options(request: dict[str, Any]) -> dict[str, bool]:
    return {name: bool(request.get(name)) for name in ("reduced", "turned", "trimmed")}


if __name__ == "__main__":
    main()
