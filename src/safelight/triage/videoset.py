"""Video sets: the frame hashes of listed videos, and finding videos that share frames with them.

A video set can only be made where the videos are lawfully held; it holds digests, no content and no names. It is one
JSON file: `{"format", "name", "version", "videos": [{"md5", "sha256", "size", "category", "frames": [PDQ in hex]}]}`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safelight.errors import MatchingError
from safelight.triage.result import HashSetRecord

if TYPE_CHECKING:
    from safelight.matching import VideoIndex, VideoMatch
    from safelight.triage.films import VideoHash
    from safelight.triage.model import FrameHash

FORMAT = "safelight-video-set/1"
ALGORITHM = "vpdq"


@dataclass(frozen=True, slots=True)
class ListedVideo:
    """One listed video. Digests and frames are hex; only frames that pass the quality gate are kept."""

    md5: str
    sha256: str
    size: int
    category: str | None
    frames: tuple[str, ...]


@dataclass
class VideoSet:
    """An opened video set; `root` names its exact content."""

    name: str
    version: str
    videos: tuple[ListedVideo, ...]
    root: str = field(default="")

    @classmethod
    def open(cls, path: Path) -> VideoSet:
        """Read a video set.

        Raises:
            MatchingError: it is missing, damaged, or something else.
        """
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise MatchingError(f"{path} cannot be read as a video set: {error}.", fix="Check the file.") from None
        try:
            if record["format"] != FORMAT:
                raise MatchingError(f"{path} is no video set.", fix="Make one with `safelight video-set`.")
            videos = tuple(_listed(row) for row in record["videos"])
            found = cls(str(record["name"]), str(record["version"]), videos)
        except (KeyError, TypeError, ValueError) as error:
            raise MatchingError(f"{path} is a damaged video set ({error}).", fix="Make it again.") from None
        found.root = _root(found)
        return found

    @cached_property
    def _index(self) -> VideoIndex:
        from safelight.matching import PdqHash, VideoIndex

        bags = [
            (str(number), [PdqHash(bytes.fromhex(code), 100) for code in video.frames])
            for number, video in enumerate(self.videos)
        ]
        return VideoIndex(bags)

    def match(self, frames: Sequence[FrameHash], *, threshold: int) -> list[tuple[ListedVideo, VideoMatch]]:
        """Listed videos that share frames: at least 80 % of the query's frames, or 80 % of the listed video's.

        A clip of a listed film has the first, a film that holds a listed clip the second.
        """
        from safelight.matching import PdqHash

        asked = [PdqHash(bytes.fromhex(f.pdq), f.quality) for f in frames]
        found = {m.video: m for m in self._index.match(asked, threshold=threshold)}
        for match in self._index.match(asked, threshold=threshold, query_percent=0.0, compared_percent=80.0):
            found.setdefault(match.video, match)
        return [(self.videos[int(name)], match) for name, match in sorted(found.items(), key=lambda row: int(row[0]))]

    def share_a_frame(self, frames: Sequence[FrameHash], *, threshold: int) -> bool:
        """Whether one of the frames is in some listed video: what makes a first look at key frames worth a second."""
        from safelight.matching import PdqHash

        asked = [PdqHash(bytes.fromhex(f.pdq), f.quality) for f in frames]
        return bool(self._index.match(asked, threshold=threshold, query_percent=0.0, compared_percent=0.0))

    def record(self) -> HashSetRecord:
        """The set as the report names it."""
        frames = sum(len(v.frames) for v in self.videos)
        return HashSetRecord(self.name, self.version, self.root, {"entries": len(self.videos), "frames": frames})


def _listed(row: dict[str, Any]) -> ListedVideo:
    frames = tuple(str(code) for code in row["frames"])
    if any(len(bytes.fromhex(code)) != 32 for code in frames):
        raise ValueError("a frame hash of the wrong length")
    category = row["category"]
    return ListedVideo(str(row["md5"]), str(row["sha256"]), int(row["size"]), category and str(category), frames)


def _root(videos: VideoSet) -> str:
    rows = sorted(json.dumps([v.md5, v.sha256, v.size, v.category, sorted(v.frames)]) for v in videos.videos)
    return hashlib.sha256(json.dumps([videos.name, rows]).encode()).hexdigest()


def build_video_set(
    files: Iterable[tuple[Path, str | None]],
    out: Path,
    *,
    name: str,
    version: str = "",
    hash_video: Callable[[int, Callable[[int, int], bytes]], VideoHash],
    quality: int = 50,
) -> tuple[VideoSet, list[str]]:
    """Write a video set of listed videos.

    Args:
        files: each video with its category.
        out: the video set.
        name: how reports call it.
        version: its version or date.
        hash_video: `VideoWorker.hash`: decoding belongs in its sandbox.
        quality: frames below are plain and left out.

    Returns:
        The set, and a sentence for each file that could not be used.

    Raises:
        MatchingError: a file cannot be read, none has a usable frame, or `out` cannot be written.
    """
    rows, refused = [], []
    for path, category in files:
        try:
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                file.seek(0)
                md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
                size = path.stat().st_size

                def fetch(offset: int, length: int, file: Any = file) -> bytes:
                    file.seek(offset)
                    return bytes(file.read(length))

                found = hash_video(size, fetch)
        except OSError as error:
            raise MatchingError(f"{path} cannot be read: {error.strerror}.", fix="Check the file.") from None
        frames = list(dict.fromkeys(f.pdq for f in found.frames if f.quality >= quality))
        if frames:
            rows.append({"md5": md5, "sha256": sha256, "size": size, "category": category, "frames": frames})
        if found.problem or not frames:
            refused.append(f"{path}: {found.problem or 'no frame of it can be hashed'}")
    if not rows:
        raise MatchingError("None of these files has a frame that can be hashed.", fix="Give videos.")
    draft = out.with_name(f".{out.name}.draft")
    record = {"format": FORMAT, "name": name, "version": version, "videos": rows}
    try:
        draft.write_text(json.dumps(record), encoding="utf-8")
        draft.replace(out)
    except OSError as error:
        raise MatchingError(f"{out} cannot be written: {error.strerror}.", fix="Name another place.") from None
    return VideoSet.open(out), refused
