"""The video worker seen from the pipeline: ranges in, frame hashes out; a crash or a hang costs one video."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

from safelight.triage.model import FrameHash
from safelight.triage.sandbox import Sandbox
from safelight.triage.settings import TriageSettings
from safelight.triage.wire import Child, ChildLost

_WARM_UP_SECONDS = 180.0
_SLICE = 0.5
_MOST_PIECE = 1 << 20
_CODE = re.compile(r"[0-9a-f]{64}")
#: What a decoder says of a file that only sounds (or is nothing it knows): compared by digest, like any other file.
_NO_PICTURE = "has no picture track"


@dataclass(frozen=True, slots=True)
class VideoHash:
    """What the worker said of one video. `problem` says what was not read; frames before that stand.

    `silent` means that nothing in it can be seen: it only sounds, or it is too damaged to tell.
    """

    frames: tuple[FrameHash, ...] = ()
    mode: str = ""
    problem: str = ""
    silent: bool = False


class VideoWorker:
    """One child that starts with the first video, and anew when it is lost."""

    def __init__(self, settings: TriageSettings, *, module: str = "safelight.triage.videoworker") -> None:
        self._settings = settings
        self._child = Child(module, str(settings.picture_memory), sandbox=Sandbox(settings.sandbox))

    def hash(
        self,
        size: int,
        fetch: Callable[[int, int], bytes],
        *,
        alive: Callable[[], None] = lambda: None,
        full: bool = False,
    ) -> VideoHash:
        """The frame hashes of a video. `full` overrules the setting `reduced`, which looks at key frames only.

        Args:
            size: its bytes.
            fetch: gives a range of it (offset, length); fewer bytes only where they cannot be had.
            alive: called while waiting; what it raises ends the video and goes to the caller.
        """
        s = self._settings
        request = {
            "size": size, "interval": s.frame_seconds, "most": s.max_frames, "seconds": s.video_seconds,
            "key_frames": s.reduced and not full,
        }  # fmt: skip
        try:
            if not self._child.running:
                self._child.start()
                ready = self._child.receive(_WARM_UP_SECONDS)
                if ready is None or not ready[0].get("ready"):
                    raise self._child.hang()
            self._child.send(request)
            end = monotonic() + s.video_seconds + s.picture_seconds
            while True:
                answer = self._child.receive(_SLICE)
                alive()
                if answer is None:
                    if monotonic() > end:
                        self._child.hang()
                        return VideoHash(problem=f"its decoder did not end within {s.video_seconds:g} seconds")
                    continue
                want = answer[0].get("want")
                if want is None:
                    return _checked(answer[0])
                offset, length = _range(want, size)
                self._child.send({}, fetch(offset, length))
        except ChildLost as lost:
            if lost.hung:
                return VideoHash(problem="its decoder did not answer and was stopped")
            return VideoHash(problem=f"its decoder crashed ({lost.what})")
        except ValueError:
            self._child.stop()
            return VideoHash(problem="its decoder gave an answer that makes no sense")

    def close(self) -> None:
        """End the worker."""
        self._child.stop()


def _range(want: Any, size: int) -> tuple[int, int]:
    if not (isinstance(want, list) and len(want) == 2 and all(type(n) is int for n in want)):
        raise ValueError("no range")
    offset, length = want
    if not (0 <= offset <= size and 0 <= length <= _MOST_PIECE):
        raise ValueError("a range outside the video")
    return offset, length


def _checked(answer: Mapping[str, Any]) -> VideoHash:
    """An answer, taken apart with care: the worker has read hostile bytes."""
    frames = []
    for row in answer.get("frames", ()):
        seconds, code, quality = row
        if not (isinstance(seconds, int | float) and isinstance(code, str) and _CODE.fullmatch(code)):
            raise ValueError("no frame")
        if type(quality) is not int or not 0 <= quality <= 100:
            raise ValueError("no quality")
        frames.append(FrameHash(float(seconds), code, quality))
    problem = str(answer.get("problem", ""))[:400]
    if not frames and (_NO_PICTURE in problem or not problem):
        return VideoHash(silent=True, problem="it has no picture track that can be read")
    return VideoHash(tuple(frames), str(answer.get("mode", ""))[:60], problem)
