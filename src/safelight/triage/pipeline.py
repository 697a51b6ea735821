"""One device in, one result out: open, list, read in disk order, hash pictures, match, identify the image, decide.

This process never parses evidence. It talks to the reader (containers, file systems) and the picture workers (pixels),
watches their clocks, and keeps the record.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from safelight import __version__
from safelight.errors import EvidenceError
from safelight.triage.answers import Opened, ReadAnswer
from safelight.triage.device_reader import DeviceReader, Stopped
from safelight.triage.filetypes import mismatch
from safelight.triage.findings import FindingStage, describe_hash_set, in_order
from safelight.triage.limits import limits_of
from safelight.triage.model import FileEntry, FileRecord, FileSystemRecord, Problem, UnreadPart
from safelight.triage.nesting import Nesting
from safelight.triage.pictures import PictureHash, PicturePool
from safelight.triage.placement import in_disk_order, mark_overwritten
from safelight.triage.progress import Meter, Progress
from safelight.triage.result import (
    STATE_COMPLETE,
    STATE_STOPPED,
    STATE_UNREAD,
    EvidenceRecord,
    TriageResult,
    findings_digest,
)
from safelight.triage.settings import TriageSettings
from safelight.triage.tally import Tally
from safelight.triage.verdict import decide

if TYPE_CHECKING:
    from safelight.matching import HashSet
    from safelight.triage.blocks import BlockSet

_BATCH = 1000
_LIBRARIES = ("pytsk3", "libfsapfs-python", "libfsxfs-python", "libqcow-python", "libvhdi-python", "libvmdk-python",
              "libmodi-python", "deflate", "Pillow", "pillow-heif", "simplejpeg", "numba", "numpy")  # fmt: skip


class Bench:
    """The child processes of a workstation. Keep one for several devices; `triage_device` makes its own without it."""

    def __init__(self, settings: TriageSettings) -> None:
        self.settings = settings
        self.should_stop: Callable[[], bool] = lambda: False
        self.reader = DeviceReader(settings, lambda: self.should_stop())
        self.pictures = PicturePool(settings)

    def close(self) -> None:
        """End the child processes."""
        self.reader.close()
        self.pictures.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def triage_device(
    evidence_paths: Sequence[Path],
    *,
    hash_sets: Sequence[HashSet],
    settings: TriageSettings | None = None,
    operator: str,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    on_file: Callable[[FileRecord], None] | None = None,
    bench: Bench | None = None,
) -> TriageResult:
    """Triage one device.

    Args:
        evidence_paths: its image: one file, the first of several parts, all parts in order, or one folder.
        hash_sets: what to match against.
        settings: how; the defaults when left out. With a `bench`, its settings are used.
        operator: who runs it, for the record.
        on_progress: called a few times a second.
        should_stop: asked all the time; when it says yes, the run ends with what it has, marked as stopped.
        on_file: given every file once, after it was read and its picture hashed (a manifest is written from this).
        bench: child processes to use again.

    Raises:
        EvidenceError: the image is missing, is no image, or cannot be opened at all.
        MatchingError: two hash sets share a name, or the block set cannot be opened.
    """
    if bench is None:
        with Bench(settings or TriageSettings()) as own:
            return triage_device(
                evidence_paths, hash_sets=hash_sets, operator=operator, on_progress=on_progress,
                should_stop=should_stop, on_file=on_file, bench=own,
            )  # fmt: skip
    bench.should_stop = should_stop or (lambda: False)
    return _Run(bench, hash_sets, operator, on_progress, on_file).go(evidence_paths)


class _Run:
    """The state of one run."""

    def __init__(
        self,
        bench: Bench,
        hash_sets: Sequence[HashSet],
        operator: str,
        on_progress: Callable[[Progress], None] | None,
        on_file: Callable[[FileRecord], None] | None,
    ) -> None:
        self._bench = bench
        self._settings = bench.settings
        self._hash_sets = hash_sets
        self._operator = operator
        self._on_file = on_file
        self._meter = Meter(on_progress)
        self._tally = Tally()
        self._nesting = Nesting(self._settings)
        self._stage = FindingStage(hash_sets, self._settings)
        self._filesystems: list[FileSystemRecord] = []
        self._pictures: dict[str, Future[PictureHash]] = {}
        self._pending: list[tuple[FileRecord, Future[PictureHash] | None]] = []
        self._stopped = False
        self._entries: list[FileEntry] = []
        self._blocks = self._open_blocks()

    def _open_blocks(self) -> BlockSet | None:
        if not self._settings.block_set:
            return None
        from safelight.triage.blocks import BlockSet

        return BlockSet(Path(self._settings.block_set))

    def go(self, paths: Sequence[Path]) -> TriageResult:
        started = datetime.now(UTC)
        self._meter.update("opening")
        identity: dict[str, str] = {}
        opened: Opened | None = None
        try:
            opened = self._open(paths)
            entries = self._list(opened)
            self._entries = entries
            self._read(entries)
            self._read_inside(opened)
            self._flush()
            identity = self._identify(opened)
        except Stopped:
            self._stopped = True
            if opened is None:
                raise EvidenceError(
                    "The run was stopped before the image was open.", fix="Start it again when you are ready."
                ) from None
            self._flush()
        result = self._result(started, opened, identity)
        self._meter.update("done", files_done=result.counts.files, findings=len(result.findings), force=True)
        return result

    def _open(self, paths: Sequence[Path]) -> Opened:
        reader = self._bench.reader
        reader.on_tick = lambda done: self._meter.update("opening", bytes_done=done)
        opened = reader.open(paths)
        self._filesystems = list(opened.filesystems)
        self._stage.volume_of = {f.index: f.volume for f in opened.filesystems}
        self._tally.problems += opened.problems
        return opened

    def _list(self, opened: Opened) -> list[FileEntry]:
        entries: list[FileEntry] = []
        reader = self._bench.reader
        for at, filesystem in enumerate(opened.filesystems):
            listing = None
            reader.on_tick = lambda done: None
            for listing in reader.listing(filesystem):
                self._meter.update("listing", files_done=len(entries) + len(listing.entries))
            assert listing is not None
            found = mark_overwritten(listing.entries)
            if not self._settings.deleted:
                found = [e for e in found if e.allocated]
            self._filesystems[at] = replace(
                listing.record,
                live=sum(e.allocated for e in found),
                deleted=sum(not e.allocated for e in found),
            )
            self._tally.listed(found, self._filesystems[at], listing.other, listing.unread, opened.size)
            entries += found
        return entries

    # -- reading -----------------------------------------------------------------------------------------------------

    def _read(self, entries: list[FileEntry]) -> None:
        tally = self._tally
        wanted = []
        for entry in in_disk_order(entries):
            record = tally.without_reading(entry)
            if record is None:
                wanted.append(entry)
            else:
                self._emit(record)
        done = 0
        keep = self._settings.max_picture_bytes if self._settings.pictures else 0
        reader = self._bench.reader

        def tell(more: int = 0) -> None:
            self._meter.update(
                "reading", files_done=done, files_total=len(wanted), bytes_done=reader.bytes_done + more,
                bytes_total=reader.bytes_total, findings=len(self._stage.findings),
            )  # fmt: skip

        reader.on_tick = tell
        for answer in reader.read(wanted, keep=keep):
            done += 1
            self._take(answer)
            tell()

    def _take(self, answer: ReadAnswer) -> None:
        record = self._tally.read(answer)
        future: Future[PictureHash] | None = None
        if record.picture and record.complete and self._settings.pictures:
            if record.entry.size > self._settings.max_picture_bytes:
                record = self._tally.not_decoded(
                    record, f"it is larger than {self._settings.max_picture_bytes:,} bytes and was not decoded"
                )
            else:
                future = self._pictures.get(record.md5)
                if future is None:
                    future = self._pictures[record.md5] = self._bench.pictures.submit(answer.body, record.type)
        if record.picture and mismatch(record.entry.path, record.type):
            self._tally.type_mismatches += 1
            record = replace(
                record, problems=(*record.problems, f"its content is {record.type}, which its name does not say")
            )
        self._nesting.consider(record)
        self._pending.append((record, future))
        if len(self._pending) >= _BATCH:
            self._flush()

    def _read_inside(self, opened: Opened) -> None:
        """Open the archives and disk images that were met, one after another, and read what is in them."""
        reader, nesting = self._bench.reader, self._nesting
        keep = self._settings.max_picture_bytes if self._settings.pictures else 0
        done = 0

        def tell(more: int = 0) -> None:
            self._meter.update("opening archives", files_done=done, findings=len(self._stage.findings))

        reader.on_tick = tell
        while (box := nesting.next()) is not None:
            try:
                inside = reader.expand(box.entry)
            except EvidenceError as error:
                nesting.failed(box, error.what)
                continue
            entries = [e for e in nesting.take(box, inside) if e.allocated or self._settings.deleted]
            record = replace(self._filesystems[box.entry.filesystem], directories=inside.directories, expected=None)
            self._tally.listed(entries, record, inside.other, (), opened.size)
            wanted = []
            for entry in entries:
                unread = self._tally.without_reading(entry)
                if unread is None:
                    wanted.append(entry)
                else:
                    self._emit(unread)
            for answer in reader.read_inside(wanted, keep=keep):
                done += 1
                self._take(answer)
                tell()
        self._tally.unread += nesting.unread
        self._tally.problems += nesting.problems

    def _emit(self, record: FileRecord) -> None:
        if self._on_file is not None:
            self._on_file(record)

    def _flush(self) -> None:
        """Wait for the pictures of a batch, match it, give it out."""
        records = []
        for record, future in self._pending:
            if future is not None:
                if self._stopped and not future.done():
                    record = replace(record, problems=(*record.problems, "the run was stopped before it was hashed"))
                else:
                    record = self._tally.hashed(record, future.result(), self._settings.min_quality)
            records.append(record)
        self._pending.clear()
        if records and self._hash_sets:
            self._stage.match(records)
        for record in records:
            self._emit(record)

    # -- the end -----------------------------------------------------------------------------------------------------

    def _identify(self, opened: Opened) -> dict[str, str]:
        reader = self._bench.reader
        identity: dict[str, str] = {}
        reader.on_tick = lambda done: self._meter.update(
            "identifying the image", bytes_done=done, bytes_total=opened.size, findings=len(self._stage.findings)
        )
        try:
            if self._settings.hash_image and opened.format != "folder":
                identity = reader.identify()
        except EvidenceError as error:
            # A child that is lost here must not cost the findings: it costs the image's own digest.
            self._tally.problems.append(Problem("image", f"Its digest could not be computed: {error.what}"))
        try:
            unread, problems = reader.finish()
        except EvidenceError as error:
            self._tally.problems.append(Problem("image", f"Its unread ranges could not be asked for: {error.what}"))
            self._tally.unread.append(UnreadPart("image", "which ranges could not be read is not known"))
        else:
            self._tally.unread += unread
            self._tally.problems += problems
        return identity

    def _result(self, started: datetime, opened: Opened, identity: dict[str, str]) -> TriageResult:
        settings, tally = self._settings, self._tally
        agrees = _agreement(opened, identity)
        if agrees is False:
            tally.problems.append(
                Problem("image", "The media does not have the digest that the image stores: it was changed or damaged.")
            )
        confinement = self._bench.reader.confinement
        if confinement.missing:
            tally.problems.append(Problem("sandbox", confinement.sentence))
        counts = replace(tally.counts(), known_good=self._stage.known_good)
        sets = tuple(describe_hash_set(s) for s in self._hash_sets)
        if self._blocks is not None:
            from safelight.triage.fragments import block_findings, describe_block_set

            sets = (*sets, describe_block_set(self._blocks))
            self._stage.findings += block_findings(
                self._bench.reader.runs, self._blocks, least=settings.block_run, entries=self._entries,
                filesystems=self._filesystems, findings=self._stage.findings,
            )  # fmt: skip
            tally.unread += self._bench.reader.blocks_unread
        findings = in_order(self._stage.findings)
        unread = tally.unread_parts()
        state = STATE_STOPPED if self._stopped else STATE_UNREAD if unread else STATE_COMPLETE
        entries = sum(s.counts["entries"] for s in sets)
        return TriageResult(
            run_id=uuid.uuid4().hex,
            tool="safelight triage",
            tool_version=__version__,
            libraries=_versions(_LIBRARIES),
            started=started,
            finished=datetime.now(UTC),
            operator=self._operator,
            settings=settings,
            state=state,
            evidence=EvidenceRecord(
                opened.parts, opened.format, opened.size, identity.get("sha256"), opened.md5, opened.sha1, agrees
            ),
            volumes=opened.volumes,
            filesystems=tuple(self._filesystems),
            counts=counts,
            hash_sets=sets,
            findings=findings,
            problems=tally.problem_list(),
            unread=unread,
            limits=limits_of(settings, opened),
            verdict=decide(findings, counts, unread, state=state, entries_in_sets=entries),
            findings_digest=findings_digest(findings, sets, settings),
            sandbox=confinement,
        )


def _agreement(opened: Opened, identity: dict[str, str]) -> bool | None:
    pairs = [(stored, identity[name]) for name, stored in (("md5", opened.md5), ("sha1", opened.sha1))
             if stored and name in identity]  # fmt: skip
    return all(a == b for a, b in pairs) if pairs else None


def _versions(names: Iterable[str]) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
