"""Videos: if these fail, a known film in another cut is not found, or a hostile file reaches out of its worker."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from tests.support.evidence import shared_evidence

from safelight.errors import MatchingError
from safelight.matching import VideoIndex, hash_frames, hash_video, pdq
from safelight.matching.frames import decode_frames

NAMES = ("pattern-sd-grey-bar", "pattern-sd-with-small-logo-bar", "doorknob-hd-no-bar")


@pytest.fixture(scope="module")
def videos() -> dict[str, Path]:
    folder = shared_evidence("videos")
    return {name: folder / f"{name}.mp4" for name in NAMES}


def test_the_two_related_videos_match_and_the_third_does_not(videos: dict[str, Path]) -> None:
    """The public pair: the same film with another bar beneath it, and another film."""
    hashed = {name: hash_video(path) for name, path in videos.items()}
    assert [len(hashed[name].frames) for name in NAMES] == [7, 7, 5 - 1]
    assert not any(video.problem for video in hashed.values())
    index = VideoIndex([(name, hashed[name].hashes) for name in NAMES[1:]])
    (match,) = index.match(hashed[NAMES[0]].hashes, query_percent=1)
    assert (match.video, match.query_percent, match.compared_percent) == (NAMES[1], 100.0, 100.0)
    assert index.match(hashed[NAMES[2]].hashes)[0].video == NAMES[2]


def test_frames_are_chosen_by_their_time(videos: dict[str, Path]) -> None:
    """The same film at another frame rate must give the same frames, not every nth."""
    with videos[NAMES[0]].open("rb") as file:
        found = list(hash_frames(decode_frames(file, interval=2.0)))
    assert [round(frame.seconds) for frame in found] == [0, 2, 4, 6]
    again = hash_video(videos[NAMES[0]])
    assert {frame.hash for frame in found} <= set(again.hashes)


def test_given_frames_are_hashed_as_pictures_are() -> None:
    """Whoever decodes elsewhere must get the very same hashes."""
    picture = np.random.default_rng(1).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    (frame,) = hash_frames([(1.5, picture)])
    assert (frame.seconds, frame.hash) == (1.5, pdq.pdq(picture))


def test_a_cut_off_video_keeps_what_was_read_and_says_so(videos: dict[str, Path]) -> None:
    """Half a film on a damaged disk still names the film; but it must not pass as read whole."""
    data = videos[NAMES[0]].read_bytes()
    assert hash_video(io.BytesIO(data[: len(data) // 2])).problem
    whole = hash_video(io.BytesIO(data), most=3)
    assert len(whole.frames) == 3 and "is longer" in whole.problem


@pytest.mark.parametrize("content", [b"", b"just words", bytes(5000)])
def test_what_is_no_video_is_said_to_be_none(content: bytes) -> None:
    found = hash_video(io.BytesIO(content))
    assert found.frames == () and "cannot be decoded" in found.problem


def test_a_playlist_opens_no_other_file(videos: dict[str, Path], tmp_path: Path) -> None:
    """A playlist on a suspect's disk would make the worker fetch what it names, from the disk or from the network."""
    path = tmp_path / "list.m3u8"
    path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:6,\n{videos[NAMES[0]]}\n#EXT-X-ENDLIST\n")
    found = hash_video(path)
    assert found.frames == () and found.problem
    concat = tmp_path / "list.ffconcat"
    concat.write_text(f"ffconcat version 1.0\nfile '{videos[NAMES[0]]}'\n")
    assert hash_video(concat).frames == ()
    with pytest.raises(MatchingError):
        list(decode_frames(tmp_path / "missing.mp4"))
