"""vPDQ: videos matched by the PDQ of their frames, over the same index as pictures.

A video is a bag of frame hashes. Two percentages say how far two videos share frames: of the query's frames, how many
are in the other (a clip of a longer film has 100), and of the other's frames, how many are in the query. After the
reference (facebook/ThreatExchange, vpdq). Frames below the quality gate match anything plain and are left out of both.

This module takes frame hashes; `safelight.matching.frames` makes them of a video.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safelight.errors import MatchingError
from safelight.matching.hamming import PdqIndex
from safelight.matching.pdq import DISTANCE_THRESHOLD, QUALITY_GATE, PdqHash

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class VideoMatch:
    """How far one held video shares frames with the query.

    Attributes:
        video: the name it was given.
        query_percent: frames of the query that are near some frame of it, 0 to 100.
        compared_percent: frames of it that are near some frame of the query, 0 to 100.
        query_frames, compared_frames: usable frames on both sides, equal hashes counted once: the percentages' base.
    """

    video: str
    query_percent: float
    compared_percent: float
    query_frames: int
    compared_frames: int


class VideoIndex:
    """Frames of many videos in one index.

    Args:
        videos: name and frame hashes of each. A video without a usable frame can never match: see `unusable`.
        quality: frames below are left out.

    Raises:
        MatchingError: two videos share a name.
    """

    def __init__(self, videos: Sequence[tuple[str, Sequence[PdqHash]]], *, quality: int = QUALITY_GATE) -> None:
        import numpy as np

        names = [name for name, _ in videos]
        if len(set(names)) < len(names):
            raise MatchingError(
                "Two videos of the index share a name.", fix="Name them apart: a match names its video."
            )
        self._names = names
        self._quality = quality
        bags = [_usable(frames, quality) for _, frames in videos]
        self._counts = np.array([len(bag) for bag in bags], np.int64)
        self._video_of = np.repeat(np.arange(len(bags)), self._counts)
        self._index = PdqIndex(np.concatenate([np.empty((0, 32), np.uint8), *bags]))

    def __len__(self) -> int:
        return len(self._names)

    @property
    def unusable(self) -> list[str]:
        """Videos without a frame that passes the gate. They are held and cannot be found: say so in the record."""
        return [name for name, count in zip(self._names, self._counts.tolist(), strict=True) if not count]

    def match(
        self,
        frames: Sequence[PdqHash],
        *,
        threshold: int = DISTANCE_THRESHOLD,
        query_percent: float = 80.0,
        compared_percent: float = 0.0,
    ) -> list[VideoMatch]:
        """Videos that share at least so many percent of frames, both ways; most shared first.

        The defaults are the reference's. A query without a usable frame matches nothing; its record must say that it
        was not matched rather than that nothing matched.

        Raises:
            MatchingError: a threshold outside 0 to 255.
        """
        import numpy as np

        asked = _usable(frames, self._quality)
        hits = self._index.query_batch(asked, threshold)
        if not len(hits.row):
            return []
        video = self._video_of[hits.row]
        # Each query frame counts once for a video, and each frame of the video once.
        ours = np.bincount(np.unique(np.stack([video, hits.query]), axis=1)[0], minlength=len(self))
        theirs = np.bincount(self._video_of[np.unique(hits.row)], minlength=len(self))
        found = []
        for number in np.flatnonzero(ours).tolist():
            frames_held = int(self._counts[number])
            match = VideoMatch(
                self._names[number],
                100 * int(ours[number]) / len(asked),
                100 * int(theirs[number]) / frames_held,
                len(asked),
                frames_held,
            )
            if match.query_percent >= query_percent and match.compared_percent >= compared_percent:
                found.append(match)
        return sorted(found, key=lambda match: (-match.query_percent, -match.compared_percent, match.video))


def usable_frames(frames: Sequence[PdqHash], quality: int = QUALITY_GATE) -> int:
    """How many distinct frames pass the gate: zero means that the video cannot be matched at all."""
    return len(_usable(frames, quality))


def _usable(frames: Sequence[PdqHash], quality: int) -> npt.NDArray[np.uint8]:
    """(K, 32) distinct codes of the frames that pass the gate, in their first order."""
    import numpy as np

    codes = dict.fromkeys(frame.code for frame in frames if frame.quality >= quality)
    return np.frombuffer(b"".join(codes), np.uint8).reshape(-1, 32)
