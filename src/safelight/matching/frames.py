"""A video as a bag of frame hashes: frames chosen by time, each hashed with PDQ (after vPDQ, facebook/ThreatExchange).

`hash_frames` takes decoded frames from anywhere; `decode_frames` takes them out of a file with PyAV. Decoding a
stranger's file belongs in a sandboxed worker: nothing here writes, keeps or shows a frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from safelight.errors import MatchingError
from safelight.matching.hashtext import excerpt
from safelight.matching.pdq import PdqHash, pdq

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Picture = npt.NDArray[np.uint8]

#: Seconds from one hashed frame to the next; one a second is the reference's choice.
INTERVAL = 1.0
#: Frames of one video at most: a day of film at one a second.
MOST_FRAMES = 86_400
#: Pixels of one frame at most: 8K video has 33 million.
MOST_PIXELS = 40_000_000


@dataclass(frozen=True, slots=True)
class FrameHash:
    """One hashed frame and when it is shown, in seconds from the beginning."""

    seconds: float
    hash: PdqHash


@dataclass(frozen=True, slots=True)
class VideoFrames:
    """The hashed frames of one video.

    Attributes:
        frames: in their order.
        problem: why the video was not read to its end; empty if it was. What was read stands.
        mode: how frames were chosen, for the record of a finding.
    """

    frames: tuple[FrameHash, ...]
    problem: str
    mode: str

    @property
    def hashes(self) -> list[PdqHash]:
        """What `VideoIndex` takes."""
        return [frame.hash for frame in self.frames]


def hash_frames(frames: Iterable[tuple[float, Picture]]) -> Iterator[FrameHash]:
    """Hash decoded frames: (seconds, pixels as for `pdq`).

    Raises:
        MatchingError: a frame is no picture.
    """
    return (FrameHash(seconds, pdq(pixels)) for seconds, pixels in frames)


def decode_frames(
    source: Path | BinaryIO, *, interval: float = INTERVAL, most: int = MOST_FRAMES, key_frames: bool = False
) -> Iterator[tuple[float, Picture]]:
    """Frames of the first picture track, at least `interval` seconds apart: (seconds, (height, width, 3) uint8).

    Every frame is decoded and counts by the time that it carries, so that the same film in another container or at
    another frame rate gives nearly the same frames.

    Args:
        source: the video.
        interval: seconds.
        most: frames at most.
        key_frames: decode only the frames that stand by themselves: many times faster, and not the same frames.

    Raises:
        MatchingError: no video, or one that cannot be decoded to its end (after the frames before that were given).
    """
    import av

    name = excerpt(getattr(source, "name", None) or source, 200)
    # A playlist names further files and addresses to fetch: given a stream and no protocol, none is opened.
    options = {"protocol_whitelist": "none"}
    try:
        with (
            source.open("rb") if isinstance(source, Path) else nullcontext(source) as file,
            closing(av.open(file, mode="r", metadata_errors="replace", options=options)) as container,
        ):
            if not container.streams.video:
                raise MatchingError(f"{name} has no picture track.")
            track = container.streams.video[0]
            track.thread_type = "NONE"
            if key_frames:
                track.codec_context.skip_frame = "NONKEY"
            due, given = 0.0, 0
            for number, frame in enumerate(container.decode(track)):
                at = float(frame.time) if frame.time is not None else number / float(track.average_rate or 25)
                if at < due and given:
                    continue
                if frame.width * frame.height > MOST_PIXELS:
                    raise MatchingError(f"{name} has frames of {frame.width} by {frame.height}: too large to be read.")
                yield at, cast("Picture", frame.to_ndarray(format="rgb24"))
                given += 1
                due = (at // interval + 1) * interval
                if given >= most:
                    raise MatchingError(f"{name} was read for {given:,} frames, and is longer.")
    except (av.FFmpegError, OSError, ValueError) as error:
        raise MatchingError(f"{name} cannot be decoded as a video to its end: {excerpt(error, 160)}.") from error


def hash_video(source: Path | BinaryIO, *, interval: float = INTERVAL, most: int = MOST_FRAMES) -> VideoFrames:
    """The frame hashes of a video file, and what kept it from being read whole."""
    found: list[FrameHash] = []
    problem = ""
    try:
        found.extend(hash_frames(decode_frames(source, interval=interval, most=most)))
    except MatchingError as error:
        problem = error.what
    return VideoFrames(tuple(found), problem, f"one frame every {interval:g} s, full size")
