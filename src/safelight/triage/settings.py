"""What a triage run is told to do. Every value is printed in the report, so that another lab can repeat the run."""

from __future__ import annotations

from dataclasses import dataclass, field

from safelight.errors import EvidenceError
from safelight.triage.sandbox.state import MODES

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class TriageSettings:
    """Settings of one run.

    Attributes:
        threshold: largest PDQ distance (bits of 256) that counts as a perceptual match; 31 is the value the PDQ paper
            and python-threatexchange use.
        min_quality: PDQ quality (0 to 100) below which a picture is reported as not hashable; 50 per the PDQ paper.
        pictures: hash pictures perceptually at all.
        deleted: list and read deleted files.
        hash_image: read the whole media once more for its SHA-256 (and compare a stored MD5 or SHA-1).
        check_gaps: read the space between volumes and say whether it holds anything.
        max_picture_bytes: a picture file larger than this is not decoded (and that is reported).
        max_pixels: a picture whose header claims more pixels is not decoded (and that is reported).
        picture_seconds: time for one picture before its worker is stopped.
        picture_memory: address space of a picture worker, bytes.
        reader_memory: address space of the process that parses file systems, bytes.
        stall_seconds: how long a parser may stay silent before it is stopped.
        item_seconds, item_seconds_per_mib: time for one file, however busy its parser seems: so much, and so much more
            for each MiB of it (IPED's are 180 and 2).
        reader_threads: how many digests the reading process computes at the same time; 0 as for `picture_workers`.
        sha256: compute SHA-256 of every file in the pass, beside MD5 and SHA-1.
        picture_workers: how many picture workers; 0 means one for each processor, at most 4.
        inside_depth: how many archives or disk images inside one another are opened; 0 opens none (Autopsy's is 4).
        videos: hash frames of videos (vPDQ); without `pictures`, not.
        frame_seconds: from one hashed frame of a video to the next.
        max_frames: of one video; what is behind them is reported.
        video_seconds: time for one video; what was not read is reported.
        reduced: a first answer: pictures are decoded at reduced size and of videos only key frames; every candidate is
            decoded anew at full size. Its findings say so, and a changed copy may be missed that a full run finds.
        video_set: a video set (path) with which the frames of videos are compared; empty for none.
        carve: look for whole pictures in the free space of file systems whose books tell what is free.
        keys: files that hold passwords, recovery keys or key material for encrypted volumes; never recorded.
        block_set: a block set (path) against which every 4 KiB block of the media is held; empty for none.
        block_run: how many blocks of a listed file must lie one after the other to be a finding.
        sandbox: how the processes that parse evidence are shut in (`safelight.triage.sandbox.MODES`).
        chunk_bytes: a device is read in chunks of about so many bytes; what a chunk found is kept when it is done, and
            a run that breaks off goes on with the next. Findings do not depend on it.
        max_entries: a file system that lists more than this is cut off (a damaged one can list without end).
    """

    threshold: int = 31
    min_quality: int = 50
    pictures: bool = True
    deleted: bool = True
    hash_image: bool = True
    check_gaps: bool = True
    max_picture_bytes: int = 128 * MIB
    max_pixels: int = 150_000_000
    picture_seconds: float = 30.0
    picture_memory: int = 3072 * MIB
    reader_memory: int = 4096 * MIB
    stall_seconds: float = 60.0
    item_seconds: float = 180.0
    item_seconds_per_mib: float = 2.0
    picture_workers: int = 0
    reader_threads: int = 0
    sha256: bool = True
    videos: bool = True
    frame_seconds: float = 1.0
    max_frames: int = 10_000
    video_seconds: float = 600.0
    reduced: bool = False
    video_set: str = ""
    inside_depth: int = 4
    block_set: str = ""
    block_run: int = 4
    carve: bool = True
    keys: tuple[str, ...] = field(default=(), repr=False, compare=False, metadata={"secret": True})
    chunk_bytes: int = 1 << 30
    max_entries: int = 20_000_000
    sandbox: str = "auto"

    def __post_init__(self) -> None:
        if not 0 <= self.threshold <= 127:
            raise EvidenceError(
                f"A PDQ threshold of {self.threshold} is not possible.", fix="Give a number from 0 to 127; 31 is usual."
            )
        if self.sandbox not in MODES:
            raise EvidenceError(f"There is no sandbox {self.sandbox!r}.", fix=f"Give one of {', '.join(MODES)}.")
        if self.chunk_bytes < 1:
            raise EvidenceError(
                f"Chunks of {self.chunk_bytes} bytes are not possible.", fix="Give a number from 1; 1 GiB is usual."
            )
        if self.block_run < 1:
            raise EvidenceError(
                f"A run of {self.block_run} blocks is not possible.", fix="Give a number from 1; 4 is usual."
            )
        if not 0 <= self.min_quality <= 100:
            raise EvidenceError(
                f"A PDQ quality of {self.min_quality} is not possible.", fix="Give a number from 0 to 100; 50 is usual."
            )
