"""Videos on a device: their frames are hashed in a process that sees no device, and found in lists of both kinds."""

from __future__ import annotations

import io
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from tests.triage.conftest import SHARED, known_set, make_ext
from tests.triage.test_filetypes import encoded

from safelight.errors import MatchingError
from safelight.matching.frames import decode_frames, hash_video
from safelight.matching.pdq import pdq
from safelight.triage import FileRecord, TriageSettings, triage_device
from safelight.triage.films import VideoWorker
from safelight.triage.videoset import VideoSet, build_video_set

SETTINGS = TriageSettings(picture_workers=1, stall_seconds=30)


@pytest.fixture(scope="module")
def videos() -> dict[str, bytes]:
    """Two public videos that none of us made, and a copy of one in another container, smaller and without its end."""
    folder = SHARED / "videos"
    names = ("doorknob-hd-no-bar.mp4", "pattern-sd-grey-bar.mp4")
    found = {name: (folder / name).read_bytes() for name in names}
    found["copy.mkv"] = again(folder / names[0])
    return found


def again(path: Path) -> bytes:
    import av

    out = io.BytesIO()
    with av.open(str(path)) as source, av.open(out, "w", format="matroska") as target:
        track = target.add_stream("mpeg4", rate=30)
        track.width, track.height, track.pix_fmt, track.bit_rate = 480, 270, "yuv420p", 800_000
        for number, frame in enumerate(source.decode(source.streams.video[0])):
            if number >= 90:
                break
            small = frame.reformat(480, 270, "yuv420p")
            small.pts, small.time_base = number, Fraction(1, 30)
            for packet in track.encode(small):
                target.mux(packet)
        for packet in track.encode():
            target.mux(packet)
    return out.getvalue()


def held(body: bytes) -> Any:
    return lambda offset, length: body[offset : offset + length]


def test_a_copy_of_a_listed_video_and_a_listed_still_are_found(videos: dict[str, bytes], tmp_path: Path) -> None:
    """A listed film that was cut and converted, or only listed as a picture, would be missed."""
    original = SHARED / "videos" / "doorknob-hd-no-bar.mp4"
    with closing(VideoWorker(SETTINGS)) as worker:
        made, refused = build_video_set(
            [(original, "A"), (SHARED / "archives" / "syslog.xz", "B")], tmp_path / "v.json", name="FILMS",
            hash_video=worker.hash,
        )  # fmt: skip
    assert [v.category for v in made.videos] == ["A"] and len(refused) == 1
    still = pdq(next(pixels for at, pixels in decode_frames(SHARED / "videos" / "pattern-sd-grey-bar.mp4") if at >= 0))
    pictures = known_set(name="STILLS", pdq=still.code, category="C")
    sound = (SHARED / "videos" / "doorknob-hd-no-bar.mp4").read_bytes()[:64] + bytes(4000)
    image = make_ext(tmp_path / "e.img", {**videos, "twin.mp4": videos["doorknob-hd-no-bar.mp4"], "odd.mp4": sound},
                     size="24M")  # fmt: skip
    records: dict[str, FileRecord] = {}
    result = triage_device(
        [image], hash_sets=[pictures], settings=replace(SETTINGS, video_set=str(tmp_path / "v.json")), operator="Demo",
        on_file=lambda r: records.__setitem__(r.entry.path, r),
    )  # fmt: skip
    found = {(f.path, f.algorithm): f for f in result.findings}
    want = {("doorknob-hd-no-bar.mp4", "md5"), ("twin.mp4", "md5"), ("copy.mkv", "vpdq")}
    if still.quality >= 50:
        want.add(("pattern-sd-grey-bar.mp4", "pdq"))
    assert set(found) == want
    copy = found["copy.mkv", "vpdq"]
    assert (copy.kind, copy.category, copy.hash_set) == ("perceptual", "A", "FILMS")
    assert copy.mode == "frames at least 1 s apart, full size" and "distinct frames are in the listed" in copy.notes[-1]
    direct = hash_video(original)
    assert [(f.pdq, f.quality) for f in records["twin.mp4"].frames] == [(h.hex, h.quality) for h in direct.hashes]
    assert result.counts.videos_hashed >= 3 and any("odd.mp4" in p.where for p in result.problems)
    rough: dict[str, FileRecord] = {}
    keys = triage_device(
        [image], hash_sets=[pictures], operator="Demo", on_file=lambda r: rough.__setitem__(r.entry.path, r),
        settings=replace(SETTINGS, reduced=True, video_set=str(tmp_path / "v.json")),
    )  # fmt: skip
    assert keys.counts.videos_hashed >= 3 and any("first answer" in text for text in keys.limits)
    # Whatever a first look at key frames made suspicious was watched again in full: the same findings, by all frames.
    again = {(f.path, f.algorithm): f for f in keys.findings}
    assert set(again) == want
    assert again["copy.mkv", "vpdq"].notes == copy.notes
    assert again["copy.mkv", "vpdq"].mode == f"{copy.mode}, after a first look at key frames"
    assert rough["twin.mp4"].frames == records["twin.mp4"].frames
    without = triage_device([image], hash_sets=[], settings=replace(SETTINGS, videos=False), operator="Demo")
    assert without.counts.videos == 0


def test_a_reduced_first_look_names_itself_and_checks_candidates_in_full(tmp_path: Path) -> None:
    """A hash of half the picture would pass for the whole one."""
    picture = encoded("JPEG", side=1600)
    from safelight.triage.decoding import hash_picture

    full = hash_picture(picture, "JPEG", max_pixels=1 << 24)
    rough = hash_picture(picture, "JPEG", max_pixels=1 << 24, reduced=True)
    assert rough["mode"].startswith("reduced size (") and full["mode"] == "full size"
    other = encoded("JPEG", side=1400)
    image = make_ext(tmp_path / "e.img", {"a.jpg": picture, "b.jpg": other}, size="8M")
    known = known_set(pdq=bytes.fromhex(full["pdq"]))
    records: dict[str, FileRecord] = {}
    result = triage_device(
        [image], hash_sets=[known], settings=replace(SETTINGS, reduced=True), operator="Demo",
        on_file=lambda r: records.__setitem__(r.entry.path, r),
    )  # fmt: skip
    (finding,) = [f for f in result.findings if f.path == "a.jpg"]
    assert finding.distance == 0 and finding.mode == "full size, after a reduced first look"
    assert records["a.jpg"].pdq == full["pdq"] and len(records) >= 2
    if "b.jpg" not in {f.path for f in result.findings}:
        assert records["b.jpg"].mode.startswith(("reduced size (", "full size, after"))


def test_a_video_that_breaks_its_decoder_costs_itself(videos: dict[str, bytes]) -> None:
    """One damaged film would end the run, or hold it up."""
    body = videos["doorknob-hd-no-bar.mp4"]
    with closing(VideoWorker(SETTINGS)) as worker:
        whole = worker.hash(len(body), held(body))
        assert whole.frames and not whole.problem and not whole.silent
        assert worker.hash(len(body) // 2, held(body[: len(body) // 2])).problem
        assert worker.hash(3000, held(b"\0" * 3000)).frames == ()
        assert worker.hash(len(body), held(body)).frames == whole.frames
    slow = VideoWorker(replace(SETTINGS, video_seconds=0.0))
    with closing(slow):
        assert "was read for 0 seconds" in slow.hash(len(body), held(body)).problem
    with closing(VideoWorker(SETTINGS, module="tests.triage.nosuchworker")) as lost:
        assert "crashed" in lost.hash(10, held(bytes(10))).problem


def test_a_video_set_is_refused_when_it_is_none(tmp_path: Path) -> None:
    """A wrong file would pass for a list that knows nothing."""
    path = tmp_path / "v.json"
    with pytest.raises(MatchingError, match="cannot be read"):
        VideoSet.open(path)
    for text in ('{"format": "x"}', '{"format": "safelight-video-set/1", "videos": [{}]}', "[]"):
        path.write_text(text)
        with pytest.raises(MatchingError):
            VideoSet.open(path)
    (tmp_path / "a.txt").write_bytes(b"no video")
    with closing(VideoWorker(SETTINGS)) as worker, pytest.raises(MatchingError, match="frame"):
        build_video_set([(tmp_path / "a.txt", None)], path, name="X", hash_video=worker.hash)
