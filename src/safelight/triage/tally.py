"""Counting what was seen and read, and collecting what was not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from safelight.triage.answers import ReadAnswer
from safelight.triage.digests import ENDS_EARLY
from safelight.triage.filetypes import SOUNDS
from safelight.triage.films import VideoHash
from safelight.triage.model import FileEntry, FileRecord, FileSystemRecord, Problem, UnreadPart
from safelight.triage.pictures import PictureHash
from safelight.triage.result import Counts
from safelight.triage.verdict import count_words

if TYPE_CHECKING:
    from pyarrow import RecordBatch

_MOST_PROBLEMS = 2_000
_MOST_UNREAD = 20_000


class Tally:
    """Numbers and lists of one run. Every file that is listed ends in exactly one of the outcomes it counts."""

    def __init__(self, media_size: int = 0) -> None:
        self.problems: list[Problem] = []
        self.unread: list[UnreadPart] = []
        self.type_mismatches = 0
        self._files = self._live = self._deleted = self._names_only = self._bytes = 0
        self._directories = self._other = self._empty = self._sparse = 0
        self._read = self._partly = self._not_read = self._bytes_read = self._duplicates = 0
        self._deleted_in_part = 0
        self._videos = self._filmed = self._unfilmed = 0
        self._pictures = self._hashed = self._plain = self._undecoded = 0
        self._seen: set[str] = set()
        self._media = media_size

    def seen(self, entries: Sequence[FileEntry]) -> None:
        """Files of a listing."""
        real = [e for e in entries if e.readable or e.size]
        self._files += len(real)
        self._live += sum(e.allocated for e in real)
        self._deleted += sum(not e.allocated for e in real)
        self._names_only += len(entries) - len(real)
        self._bytes += sum(e.size for e in real if not e.sparse)

    def seen_columns(self, batch: RecordBatch) -> None:
        """Files of a listing, as columns of `rows.LISTING`."""
        names = ("size", "readable", "allocated", "sparse")
        size, readable, allocated, sparse = (batch.column(n).to_numpy(zero_copy_only=False) for n in names)
        real = readable | (size != 0)
        self._files += int(real.sum())
        self._live += int((real & allocated).sum())
        self._deleted += int((real & ~allocated).sum())
        self._names_only += int((~real).sum())
        # As Python numbers: damaged records claim sizes whose sum leaves 64 bits.
        self._bytes += sum(size[real & ~sparse].tolist())

    def listed(self, record: FileSystemRecord, other: int, unread: Sequence[UnreadPart]) -> None:
        """One file system's listing is done."""
        self._directories += record.directories
        self._other += other
        self.unread += unread
        where = f"{record.type} file system"
        if record.expected is not None and record.found is not None and record.expected != record.found:
            says = f"It says that it holds {record.expected:,} ({record.expected_from})"
            self.problems.append(Problem(where, f"{says}, and {record.found:,} were found."))

    def without_reading(self, entry: FileEntry) -> FileRecord | None:
        """The record of a file that is not to be read; None when it is."""
        if not entry.readable:
            if entry.size:
                reason = entry.notes[0] if entry.notes else "it cannot be read"
                self._leave(entry, reason)
                return FileRecord(entry, 0, False, problems=(reason,))
            return FileRecord(entry, 0, False)
        if entry.size == 0:
            self._empty += 1
            return FileRecord(entry, 0, True)
        if entry.sparse:
            self._sparse += 1
            return FileRecord(entry, 0, False, problems=("no byte of it is stored on the media",))
        if self._media and entry.size > self._media and entry.origin != "member":
            reason = f"it claims {entry.size:,} bytes, more than the whole media holds"
            self._leave(entry, reason, size=sum(e.size for e in entry.extents))
            return FileRecord(entry, 0, False, problems=(reason,))
        return None

    def _leave(self, entry: FileEntry, reason: str, *, size: int | None = None) -> None:
        self._not_read += 1
        offset = entry.extents[0].offset if entry.extents else None
        self.unread.append(UnreadPart("file", reason, offset, entry.size if size is None else size, entry.path))

    def read(self, answer: ReadAnswer) -> FileRecord:
        """The record of a file that the reader answered for."""
        entry = answer.entry
        if answer.failed:
            self._leave(entry, answer.failed)
            return FileRecord(entry, 0, False, problems=(answer.failed,))
        said = answer.answer
        gaps = said["gaps"]
        count = int(said["bytes"])
        in_part = not entry.allocated and any(reason == ENDS_EARLY for *_, reason in gaps)
        self._deleted_in_part += in_part
        for inside, media, size, reason in gaps:
            if inside is not None and in_part and reason == ENDS_EARLY:
                self.problems.append(
                    Problem(entry.path, f"Of this deleted file, {count:,} of {entry.size:,} bytes could be recovered.")
                )
            elif inside is not None:
                # Ranges of the image itself are listed once, as the image's own.
                offset = entry.extents[0].offset if entry.extents and inside == 0 else None
                self.unread.append(UnreadPart("file", f"{reason} (from byte {inside:,})", offset, size, entry.path))
            elif media is not None and not self._media:
                self.unread.append(UnreadPart("file", reason, media, size, entry.path))
        if int(said["size"]) != entry.size:
            reason = f"its listing says {entry.size:,} bytes, its content {int(said['size']):,}"
            self.unread.append(UnreadPart("file", reason, None, None, entry.path))
        complete = not gaps and int(said["size"]) == entry.size
        problems: tuple[str, ...] = ()
        if not complete:
            problems = (
                f"{count:,} of {entry.size:,} bytes could be read; its digests are not those of the whole file",
            )
        self._bytes_read += count
        self._read += complete
        self._partly += not complete
        md5 = str(said["md5"])
        duplicate = complete and md5 in self._seen
        if complete:
            self._seen.add(md5)
            self._duplicates += duplicate
        picture = bool(said["picture"])
        self._pictures += picture
        return FileRecord(
            entry, count, complete, md5, str(said["sha1"]), str(said["sha256"]), str(said["type"]), picture,
            duplicate=duplicate, problems=problems,
        )  # fmt: skip

    def not_decoded(self, record: FileRecord, reason: str) -> FileRecord:
        """A picture without a PDQ, and why."""
        self._undecoded += 1
        self.problems.append(
            Problem(record.entry.path, f"This {record.type} picture was compared by digest only: {reason}.")
        )
        return replace(record, problems=(*record.problems, reason))

    def hashed(self, record: FileRecord, found: PictureHash, min_quality: int) -> FileRecord:
        """A picture after its worker answered."""
        record = replace(record, width=found.width, height=found.height)
        if found.problem or found.pdq is None:
            return self.not_decoded(record, found.problem or "its decoder gave no hash")
        record = replace(record, pdq=found.pdq, quality=found.quality, mode=found.mode)
        if (found.quality or 0) < min_quality:
            self._plain += 1
            return replace(record, problems=(*record.problems, f"not hashable by PDQ (quality {found.quality})"))
        self._hashed += 1
        return record

    def filmed(self, record: FileRecord, found: VideoHash, min_quality: int) -> FileRecord:
        """A video after its worker answered; a file that only sounds is none."""
        if found.silent and record.type in SOUNDS:
            return record
        self._videos += 1
        usable = sum(f.quality >= min_quality for f in found.frames)
        self._filmed += bool(usable)
        problem = found.problem or ("" if usable else "no frame of it is hashable by PDQ")
        if problem:
            self._unfilmed += not usable
            self.problems.append(
                Problem(
                    record.entry.path,
                    f"This {record.type} video was compared by {'part of its frames' if usable else 'digest only'}: "
                    f"{problem.rstrip('.')}.",
                )
            )
            record = replace(record, problems=(*record.problems, problem))
        return replace(record, frames=found.frames, mode=found.mode if usable else "")

    def counts(self) -> Counts:
        """The numbers."""
        return Counts(
            files=self._files,
            files_live=self._live,
            files_deleted=self._deleted,
            names_only=self._names_only,
            directories=self._directories,
            other=self._other,
            empty=self._empty,
            sparse=self._sparse,
            files_read=self._read,
            files_partly_read=self._partly,
            files_not_read=self._not_read,
            deleted_in_part=self._deleted_in_part,
            bytes_in_files=self._bytes,
            bytes_read=self._bytes_read,
            pictures=self._pictures,
            pictures_hashed=self._hashed,
            pictures_low_quality=self._plain,
            pictures_not_decoded=self._undecoded,
            videos=self._videos,
            videos_hashed=self._filmed,
            videos_not_decoded=self._unfilmed,
            duplicates=self._duplicates,
            type_mismatches=self.type_mismatches,
        )


def problem_list(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """The problems, each once; beyond a limit their number."""
    unique = list(dict.fromkeys(problems))
    if len(unique) > _MOST_PROBLEMS:
        rest = len(unique) - _MOST_PROBLEMS
        unique[_MOST_PROBLEMS:] = [Problem("report", f"{count_words(rest, 'more problem')} of these kinds.")]
    return tuple(unique)


def unread_parts(parts: Sequence[UnreadPart]) -> tuple[UnreadPart, ...]:
    """The unread parts in disk order; beyond a limit the rest as one, with its bytes."""
    unique = sorted(dict.fromkeys(parts), key=lambda p: (p.offset is None, p.offset or 0, p.path or ""))
    if len(unique) > _MOST_UNREAD:
        rest = unique[_MOST_UNREAD:]
        size = sum(p.size or 0 for p in rest)
        unique[_MOST_UNREAD:] = [UnreadPart(f"{len(rest):,} more parts", "as those above", None, size)]
    return tuple(unique)
