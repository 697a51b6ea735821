"""The video worker: a process that is shown one video piece by piece, and gives back the PDQ of its frames.

Run as `python -m safelight.triage.videoworker MEMORY`. It has no file of the device: it asks its parent for ranges of
the video, and may ask for nothing else. A request is `{"size", "interval", "most", "seconds", "key_frames"}`.
"""

from __future__ import annotations

import io
import sys
import time
from typing import Any, BinaryIO, cast

from safelight.errors import MatchingError
from safelight.triage.wire import limit_cpu, limit_self, read_frame, serve_frames, write_frame

_PIECE = 1 << 20
_PIECES = 16
#: How the mode of frames begins that were taken at key frames only, in a reduced first look.
KEY_FRAMES = "key frames"


class RemoteVideo(io.RawIOBase):
    """The video as a file. Its bytes are asked for in pieces, of which the last few are kept."""

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO, size: int) -> None:
        self._in = incoming
        self._out = outgoing
        self._size = size
        self._at = 0
        self._pieces: dict[int, bytes] = {}
        self.name = "video"

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        """Stand elsewhere."""
        self._at = max(0, (0, self._at, self._size)[whence] + offset)
        return self._at

    def tell(self) -> int:
        """Where it stands."""
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes from where it stands; at the end none."""
        left = max(self._size - self._at, 0)
        want = left if size < 0 else min(size, left)
        parts = []
        while want:
            number, inside = divmod(self._at, _PIECE)
            part = self._piece(number)[inside : inside + want]
            if not part:
                break
            parts.append(part)
            self._at += len(part)
            want -= len(part)
        return b"".join(parts)

    def _piece(self, number: int) -> bytes:
        piece = self._pieces.pop(number, None)
        if piece is None:
            offset = number * _PIECE
            write_frame(self._out, {"want": [offset, min(_PIECE, self._size - offset)]})
            frame = read_frame(self._in)
            if frame is None:
                sys.exit(0)
            piece = frame[1]
            if len(self._pieces) >= _PIECES:
                del self._pieces[next(iter(self._pieces))]
        self._pieces[number] = piece
        return piece


def hash_remote(video: RemoteVideo, request: dict[str, Any]) -> dict[str, Any]:
    """`frames` of a video ([seconds, PDQ in hex, quality] each), `mode`, and `problem` where it broke off."""
    from safelight.matching.frames import decode_frames, hash_frames

    end = time.monotonic() + float(request["seconds"])
    interval, keys = float(request["interval"]), bool(request["key_frames"])
    frames: list[list[Any]] = []
    problem = ""
    try:
        decoded = decode_frames(cast("BinaryIO", video), interval=interval, most=int(request["most"]), key_frames=keys)
        for frame in hash_frames(decoded):
            frames.append([round(frame.seconds, 3), frame.hash.hex, frame.hash.quality])
            if time.monotonic() > end:
                problem = f"it was read for {request['seconds']:g} seconds and left at {frame.seconds:.0f} s"
                break
    except MatchingError as error:
        problem = error.what
    except MemoryError:
        problem = "it needs more memory than a video may have"
    mode = KEY_FRAMES if keys else "frames"
    return {"frames": frames, "mode": f"{mode} at least {interval:g} s apart, full size", "problem": problem}


def main() -> None:
    """Serve until the parent goes."""
    incoming, outgoing = serve_frames()
    limit_self(outgoing, int(sys.argv[1]))
    import av
    import numpy as np

    from safelight.matching.pdq import pdq

    av.logging.set_level(None)
    pdq(np.zeros((64, 64, 3), np.uint8))
    write_frame(outgoing, {"ready": True})
    while (frame := read_frame(incoming)) is not None:
        request, _ = frame
        limit_cpu(int(request["seconds"]) + 10)
        video = RemoteVideo(incoming, outgoing, int(request["size"]))
        write_frame(outgoing, hash_remote(video, request))


if __name__ == "__main__":
    main()
