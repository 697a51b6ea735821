"""One device in, one result out: open, list, read in chunks, hash pictures, match, identify the image, decide.

This process never parses evidence. It talks to the reader (containers, file systems) and the picture workers (pixels),
watches their clocks, and keeps the record.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from safelight.errors import EvidenceError
from safelight.triage.chunkrun import ChunkRunner, open_for
from safelight.triage.device_child import Stopped
from safelight.triage.device_reader import DeviceReader
from safelight.triage.dfxml import write_dfxml
from safelight.triage.films import VideoWorker
from safelight.triage.manifest import write_manifest
from safelight.triage.merge import merge
from safelight.triage.model import FileRecord
from safelight.triage.pictures import PicturePool
from safelight.triage.plan import Chunk, DevicePlan
from safelight.triage.planning import make_plan, resumable
from safelight.triage.progress import Meter, Progress
from safelight.triage.result import TriageResult
from safelight.triage.runfolder import RunFolder
from safelight.triage.settings import TriageSettings

if TYPE_CHECKING:
    from safelight.matching import HashSet


class Bench:
    """The child processes of a workstation. Keep one for several devices; `triage_device` makes its own without it."""

    def __init__(self, settings: TriageSettings) -> None:
        self.settings = settings
        self.should_stop: Callable[[], bool] = lambda: False
        self.reader = DeviceReader(settings, lambda: self.should_stop())
        self.pictures = PicturePool(settings)
        self.films = VideoWorker(settings)
        # The runner whose device the reader has open (see `chunks.run_chunk`).
        self.runner: ChunkRunner | None = None
        self.runner_key: tuple[object, ...] = ()

    def close(self) -> None:
        """End the child processes."""
        self.reader.close()
        self.pictures.close()
        self.films.close()

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
    run_folder: Path | None = None,
    manifest: Path | None = None,
) -> TriageResult:
    """Triage one device.

    Args:
        evidence_paths: its image: one file, the first of several parts, all parts in order, or one folder.
        hash_sets: what to match against.
        settings: how; the defaults when left out. With a `bench`, its settings are used.
        operator: who runs it, for the record.
        on_progress: called a few times a second.
        should_stop: asked all the time; when it says yes, the run ends with what it has, marked as stopped.
        on_file: given every file once, after the last was read and its picture hashed.
        bench: child processes to use again.
        run_folder: where finished chunks are kept. An unfinished run of the same device with the same settings and
            hash sets that lies there is gone on with. Without it, a temporary folder is used and thrown away.
        manifest: write the manifest (every file, with all that is known of it) to this Parquet file, and as DFXML
            beside it.

    Raises:
        EvidenceError: the image is missing, is no image, or cannot be opened at all; or `run_folder` holds an
            unfinished run of another device, or with other settings or hash sets.
        MatchingError: two hash sets share a name, or the block set cannot be opened.
    """
    with ExitStack() as stack:
        if bench is None:
            bench = stack.enter_context(Bench(settings or TriageSettings()))
        if run_folder is None:
            run_folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="safelight-run-")))
        refuse_inside(evidence_paths, run_folder)
        bench.should_stop = should_stop or (lambda: False)
        bench.runner = None
        run = _Run(bench, RunFolder(run_folder), hash_sets, operator, Meter(on_progress))
        return run.go(evidence_paths, on_file, manifest)


def refuse_inside(evidence_paths: Sequence[Path], folder: Path) -> None:
    """Refuse to write into the evidence.

    Raises:
        EvidenceError: the folder is, or lies in, a folder that is to be triaged.
    """
    target = folder.resolve()
    for path in evidence_paths:
        place = path.resolve()
        if target == place or (place.is_dir() and target.is_relative_to(place)):
            raise EvidenceError(
                f"The run cannot be kept in the evidence ({folder}).", fix="Name a report folder elsewhere."
            )


class _Run:
    """All chunks of one device, in order, with one reader."""

    def __init__(
        self, bench: Bench, folder: RunFolder, hash_sets: Sequence[HashSet], operator: str, meter: Meter
    ) -> None:
        self._bench = bench
        self._folder = folder
        self._hash_sets = hash_sets
        self._operator = operator
        self._meter = meter

    def go(
        self, paths: Sequence[Path], on_file: Callable[[FileRecord], None] | None, manifest: Path | None
    ) -> TriageResult:
        self._meter.update("opening")
        plan: DevicePlan | None = None
        try:
            plan = self._plan(paths)
            self._read(plan)
        except Stopped:
            if plan is None:
                raise EvidenceError(
                    "The run was stopped before the device was open and listed; nothing was read.",
                    fix="Start it again when you are ready.",
                ) from None
        self._meter.update("matching")
        result = merge(plan, self._folder, hash_sets=self._hash_sets, settings=self._bench.settings, on_file=on_file)
        if manifest is not None:
            write_manifest(plan, self._folder, manifest)
            write_dfxml(plan, manifest, manifest.with_suffix(".dfxml"))
        self._meter.update("done", files_done=result.counts.files, findings=len(result.findings), force=True)
        return result

    def _plan(self, paths: Sequence[Path]) -> DevicePlan:
        reader = self._bench.reader
        reader.on_tick = lambda done: self._meter.update("opening", bytes_done=done)
        plan = resumable(self._folder, hash_sets=self._hash_sets, settings=self._bench.settings)
        if plan is not None:
            open_for(plan, reader, paths)
            return plan
        opened = reader.open(paths)
        return make_plan(
            opened, reader, self._folder, hash_sets=self._hash_sets, operator=self._operator,
            on_listed=lambda files: self._meter.update("listing", files_done=files),
        )  # fmt: skip

    def _read(self, plan: DevicePlan) -> None:
        missing = self._folder.missing(plan)
        total = sum(c.last - c.first for c in plan.chunks)
        work = [c for c in plan.chunks if c.kind != "identity"]
        size = sum(c.bytes for c in work)
        left = {c.index for c in missing}
        files = sum(c.last - c.first for c in work if c.index not in left)
        done = sum(c.bytes for c in work if c.index not in left)
        findings = 0
        runner = ChunkRunner(plan, self._folder, self._bench, self._hash_sets, carry=True)

        def tell(chunk: Chunk, stage: str, more: int, read: int, found: int) -> None:
            if stage == "identifying the image":
                self._meter.update(stage, bytes_done=read, bytes_total=chunk.bytes, findings=findings)
            elif stage == "reading":
                self._meter.update(
                    stage, files_done=min(files + more, total), files_total=total,
                    bytes_done=done + min(read, chunk.bytes), bytes_total=size, findings=findings + found,
                )  # fmt: skip
            else:
                self._meter.update(stage, files_done=files + more, findings=findings + found)

        for chunk in missing:
            result = runner.run(chunk, partial(tell, chunk))
            files += chunk.last - chunk.first
            done += chunk.bytes
            findings += len(result.findings)
