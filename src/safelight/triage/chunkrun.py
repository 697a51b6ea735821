"""Running one chunk of a plan: its files are read, hashed, decoded and matched, and the result is kept as a whole."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from safelight.errors import EvidenceError
from safelight.triage.answers import ReadAnswer
from safelight.triage.device_child import Stopped
from safelight.triage.device_reader import DeviceReader
from safelight.triage.filetypes import VIDEOS, mismatch
from safelight.triage.films import VideoHash
from safelight.triage.findings import FindingStage
from safelight.triage.model import FileEntry, FileRecord, FrameHash, Problem, UnreadPart
from safelight.triage.nesting import Nesting
from safelight.triage.pictures import REDUCED, REDUCED_MARGIN, PictureHash
from safelight.triage.plan import FILES, IDENTITY, MEDIA, Chunk, DevicePlan
from safelight.triage.rows import RECORDS, RowWriter, read_batches, read_entries
from safelight.triage.runfolder import ChunkResult, RunFolder, file_digest
from safelight.triage.settings import TriageSettings
from safelight.triage.tally import Tally, problem_list, unread_parts
from safelight.triage.videoset import VideoSet
from safelight.triage.videoworker import KEY_FRAMES

if TYPE_CHECKING:
    from safelight.matching import HashSet
    from safelight.triage.pipeline import Bench

_BATCH = 1000
_PIECE = 1 << 20
_UNHASHED = "the run was stopped before it was hashed"
_PICTURE_COLUMNS = ["md5", "width", "height", "pdq", "quality", "mode", "frame_seconds", "frame_pdq", "frame_quality"]

#: Told the stage, files done and bytes done inside the chunk, and findings so far.
Tell = Callable[[str, int, int, int], None]


class ChunkRunner:
    """Runs chunks of one plan, one after another, with one reader process.

    Args:
        plan: of the device.
        folder: of the run.
        bench: the child processes; its reader has the device of the plan open (`open_for`).
        hash_sets: those of the plan.
        carry: hash the whole media along the way, in the same pass: for a runner that does all chunks in order. The
            identity chunk then costs nothing. Otherwise it reads the media once more.

    Raises:
        EvidenceError: the hash sets are not those of the plan.
    """

    def __init__(
        self,
        plan: DevicePlan,
        folder: RunFolder,
        bench: Bench,
        hash_sets: Sequence[HashSet],
        *,
        carry: bool = False,
    ) -> None:
        self.plan = plan
        self._folder = folder
        self._bench = bench
        self._reader = bench.reader
        self._pool = bench.pictures
        self._hash_sets = hash_sets
        self._carry = carry and plan.whole and plan.settings.hash_image
        self._known: dict[str, PictureHash] = {}
        self._films: dict[str, VideoHash] = {}
        self._videos = _video_set(bench.settings)
        self._learnt: set[int] = set()
        self._volumes = {f.index: f.volume for f in plan.filesystems}

    def run(self, chunk: Chunk, tell: Tell = lambda stage, files, size, findings: None) -> ChunkResult:
        """Do one chunk and keep its result.

        Raises:
            EvidenceError: the folder cannot be written, or the listing is damaged.
            Stopped: the run was asked to stop; what was read so far is kept as an incomplete result.
        """
        self._learn()
        work = _Chunk(self, chunk, tell)
        try:
            work.go()
        except Stopped:
            work.stopped = True
            work.leave()
            work.keep()
            raise
        except BaseException:
            work.writer.abandon()
            raise
        return work.keep()

    def _learn(self) -> None:
        """Pictures that other chunks have decoded already need no second time."""
        if not self.plan.settings.pictures:
            return
        for chunk in self.plan.chunks:
            path = self._folder.records(chunk.index)
            if chunk.kind == IDENTITY or chunk.index in self._learnt or not path.exists():
                continue
            result = self._folder.result(self.plan, chunk)
            if result is None or not result.complete:
                continue
            self._learnt.add(chunk.index)
            for batch in read_batches(path, columns=_PICTURE_COLUMNS):
                for md5, width, height, pdq, quality, mode, *frames in zip(
                    *(batch.column(name).to_pylist() for name in _PICTURE_COLUMNS), strict=True
                ):
                    if pdq:
                        self._known.setdefault(md5, PictureHash(width, height, pdq, quality, mode))
                    elif frames[0]:
                        found = tuple(FrameHash(*frame) for frame in zip(*frames, strict=True))
                        self._films.setdefault(md5, VideoHash(found, mode))


class _Chunk:
    """One chunk under way."""

    def __init__(self, runner: ChunkRunner, chunk: Chunk, tell: Tell) -> None:
        self._r = runner
        self._chunk = chunk
        self._settings = runner.plan.settings
        self._reader = runner._reader
        self._tell = tell
        self._tally = Tally(runner.plan.opened.size)
        self._nesting = Nesting(self._settings)
        self._stage = FindingStage(runner._hash_sets, self._settings, volume_of=runner._volumes)
        self._pending: list[tuple[FileRecord, Future[PictureHash] | PictureHash | None]] = []
        self._futures: dict[str, Future[PictureHash]] = {}
        self._identity: dict[str, str] | None = None
        self._films: list[FileRecord] = []
        self._again: list[FileRecord] = []
        self._done = 0
        self._keep = self._settings.max_picture_bytes if self._settings.pictures else 0
        self.stopped = False
        self.writer = RowWriter(runner._folder.records(chunk.index), RECORDS)

    def go(self) -> None:
        chunk, plan, reader = self._chunk, self._r.plan, self._reader
        reader.begin_chunk()
        if chunk.kind == IDENTITY:
            self._identify()
        else:
            wanted = list(self._wanted(read_entries(self._r._folder.listing, chunk.first, chunk.last)))
            reader.on_tick = lambda more: self._say("reading", more)
            if chunk.kind == MEDIA:
                answers = reader.sweep(
                    wanted, start=chunk.start, end=chunk.end, whole=plan.whole, carry=self._r._carry, keep=self._keep
                )
            else:
                answers = reader.one_by_one(wanted, keep=self._keep)
            for answer in answers:
                self._take(answer)
                if chunk.kind == FILES:
                    reader.bytes_done += answer.entry.size
                self._say("reading")
            self._read_inside()
            self._watch()
        self.flush()
        self._look_again()
        self._ask_ranges()

    def _say(self, stage: str, more: int = 0) -> None:
        self._tell(stage, self._done, self._reader.bytes_done + more, len(self._stage.findings))

    def _wanted(self, entries: Sequence[FileEntry]) -> Iterator[FileEntry]:
        """The entries that are to be read; the others have their record at once."""
        for entry in entries:
            record = self._tally.without_reading(entry)
            if record is None:
                yield entry
            else:
                self.writer.add(record)

    def _take(self, answer: ReadAnswer) -> None:
        self._done += 1
        record = self._tally.read(answer)
        if not self._settings.sha256 and record.sha256:
            record = replace(record, sha256="")  # A file that went through its parser has it all the same.
        future: Future[PictureHash] | PictureHash | None = None
        if record.picture and record.complete and self._settings.pictures:
            if record.entry.size > self._settings.max_picture_bytes:
                record = self._tally.not_decoded(
                    record, f"it is larger than {self._settings.max_picture_bytes:,} bytes and was not decoded"
                )
            else:
                future = self._r._known.get(record.md5) or self._futures.get(record.md5)
                if future is None:
                    future = self._futures[record.md5] = self._r._pool.submit(answer.body, record.type)
        if record.picture and mismatch(record.entry.path, record.type):
            self._tally.type_mismatches += 1
            record = replace(
                record, problems=(*record.problems, f"its content is {record.type}, which its name does not say")
            )
        self._nesting.consider(record)
        if record.type in VIDEOS and record.complete and self._settings.pictures and self._settings.videos:
            self._films.append(record)
            return
        self._pending.append((record, future))
        if len(self._pending) >= _BATCH:
            self.flush()

    def _read_inside(self) -> None:
        """Open the archives and disk images that were met, one after another, and read what is in them."""
        reader, nesting, plan = self._reader, self._nesting, self._r.plan
        reader.on_tick = lambda more: self._say("opening archives")
        while (box := nesting.next()) is not None:
            try:
                inside = reader.expand(box.entry)
            except EvidenceError as error:
                nesting.failed(box, error.what)
                continue
            entries = [e for e in nesting.take(box, inside) if e.allocated or self._settings.deleted]
            record = replace(plan.filesystems[box.entry.filesystem], directories=inside.directories, expected=None)
            self._tally.seen(entries)
            self._tally.listed(record, inside.other, ())
            for answer in reader.one_by_one(list(self._wanted(entries)), keep=self._keep):
                self._take(answer)
                self._say("opening archives")
        self._tally.unread += nesting.unread
        self._tally.problems += nesting.problems

    def leave(self) -> None:
        """The run was stopped: what waits for its decoder keeps its digests."""
        for record in (*self._films, *self._again):
            self._pending.append((replace(record, problems=(*record.problems, _UNHASHED)), None))
        self._films.clear()
        self.flush()

    def _watch(self) -> None:
        """Hash the frames of the videos that were met: their decoder jumps, so they are read once more, by ranges."""
        while self._films:
            record = self._films.pop()
            found = self._r._films.get(record.md5)
            if found is None:
                found = self._r._films[record.md5] = self._film(record)
            self._pending.append((self._tally.filmed(record, found, self._settings.min_quality), None))
            if len(self._pending) >= _BATCH:
                self.flush()

    def _look_again(self) -> None:
        """Candidates of a first look at reduced size, decoded anew from all their pixels, or from all their frames."""
        again, self._again = self._again, []
        for record in again:
            entry = record.entry
            if record.frames:
                self._match([self._watch_again(record)])
                continue
            try:
                body = b"".join(self._reader.fetch(entry, at, _PIECE) for at in range(0, entry.size, _PIECE))
            except EvidenceError as error:
                found = PictureHash(problem=error.what)
            else:
                found = self._r._pool.submit(body, record.type, full=True).result()
            if found.pdq is None:
                note = f"it could not be decoded again at full size: {found.problem}"
                record = replace(record, problems=(*record.problems, note))
            else:
                mode = f"{found.mode}, after a reduced first look"
                record = replace(record, pdq=found.pdq, quality=found.quality, mode=mode)
            self._match([record])

    def _watch_again(self, record: FileRecord) -> FileRecord:
        """A video whose key frames may be listed, with all its frames; those of the first look where that fails."""
        whole = self._film(record, full=True)
        if not whole.frames:
            note = f"it could not be watched again in full: {whole.problem}"
            return replace(record, problems=(*record.problems, note))
        problems = (*record.problems, *([whole.problem] if whole.problem else []))
        mode = f"{whole.mode}, after a first look at key frames"
        return replace(record, frames=whole.frames, mode=mode, problems=problems)

    def _film(self, record: FileRecord, *, full: bool = False) -> VideoHash:
        """What the video worker says of one video, by ranges of it."""
        alive = partial(self._say, "watching videos")
        alive()
        self._reader.on_tick = lambda more: None
        try:
            fetch = partial(self._reader.fetch, record.entry)
            return self._r._bench.films.hash(record.entry.size, fetch, alive=alive, full=full)
        except EvidenceError as error:
            return VideoHash(problem=error.what)

    def _match(self, records: Sequence[FileRecord]) -> None:
        """Records that are final: matched, and written down."""
        if records and self._r._hash_sets:
            self._stage.match(records)
        self._stage.match_videos(records, self._r._videos)
        self._tally.problems += self._stage.set_aside
        self._stage.set_aside.clear()
        for record in records:
            self.writer.add(record)

    def flush(self) -> None:
        """Wait for the pictures of a batch, match it, write it down."""
        records = []
        for record, found in self._pending:
            if isinstance(found, Future):
                if self.stopped and not found.done():
                    record = replace(record, problems=(*record.problems, _UNHASHED))
                    found = None
                else:
                    found = self._r._known[record.md5] = found.result()
            if found is not None:
                record = self._tally.hashed(record, found, self._settings.min_quality)
            records.append(record)
        self._pending.clear()
        if self._settings.reduced and not self.stopped:
            near = self._stage.candidates(records, REDUCED, REDUCED_MARGIN)
            near |= self._stage.film_candidates(records, self._r._videos, KEY_FRAMES, REDUCED_MARGIN)
            self._again += [records[i] for i in sorted(near)]
            records = [r for i, r in enumerate(records) if i not in near]
        self._match(records)

    def _identify(self) -> None:
        size = self._r.plan.opened.size
        self._reader.on_tick = lambda done: self._tell("identifying the image", 0, min(done, size), 0)
        try:
            self._identity = self._reader.identify()
        except EvidenceError as error:
            # A child that is lost here must not cost the findings: it costs the image's own digest.
            self._tally.problems.append(Problem("image", f"Its digest could not be computed: {error.what}"))

    def _ask_ranges(self) -> None:
        try:
            unread, problems = self._reader.finish()
        except EvidenceError as error:
            self._tally.problems.append(Problem("image", f"Its unread ranges could not be asked for: {error.what}"))
            self._tally.unread.append(UnreadPart("image", "which ranges could not be read is not known"))
        else:
            self._tally.unread += unread
            self._tally.problems += problems

    def keep(self) -> ChunkResult:
        """Write the chunk's result down; from then on the chunk is done."""
        folder, tally = self._r._folder, self._tally
        self.writer.close()
        path = folder.records(self._chunk.index)
        result = ChunkResult(
            plan=self._r.plan.digest,
            chunk=self._chunk.index,
            complete=not self.stopped,
            rows=self.writer.count,
            records=file_digest(path),
            counts=tally.counts(),
            known_good=self._stage.known_good,
            findings=tuple(self._stage.findings),
            runs=tuple((r.offset, r.source, r.position, r.count) for r in self._reader.runs),
            problems=problem_list(tally.problems),
            unread=(*unread_parts(tally.unread), *self._reader.blocks_unread),
            identity=self._identity,
            sandbox=self._reader.confinement,
        )
        folder.write_result(result)
        return result


def _video_set(settings: TriageSettings) -> VideoSet | None:
    return VideoSet.open(Path(settings.video_set)) if settings.video_set else None


def open_for(plan: DevicePlan, reader: DeviceReader, paths: Sequence[Path]) -> None:
    """Open the device of a plan, wherever it lies on this machine.

    Raises:
        EvidenceError: it cannot be opened, or is another device than the plan's.
    """
    opened = reader.open(paths)
    reason = plan.fits(opened)
    if reason:
        raise EvidenceError(
            f"{os.fspath(paths[0])} is not the device that this run was begun with: {reason}.",
            fix="Give the same image, or start the run anew (--fresh).",
        )
