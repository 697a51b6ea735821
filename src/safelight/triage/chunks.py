"""Triage of one device in chunks, by any number of workers: the plan, one chunk, the merge.

`triage_device` does all of this by itself, with one reader. A bench with several workers (or machines) does it in
steps, with a run folder that they share; everything a step needs is in its arguments, nothing in memory of another:

    from safelight.triage.chunks import RunFolder, merge, plan_device, run_chunk

    folder = RunFolder(Path("/srv/runs/TR-1"))
    plan = plan_device([image], folder, hash_sets=sets, operator="A. Examiner", bench=bench)   # once, on any machine
    for chunk in plan.chunks:                                    # in any order, on any worker; each may be done twice
        run_chunk([image], folder, chunk.index, hash_sets=sets, bench=bench)
    result = merge(folder.plan(), folder, hash_sets=sets)        # when `folder.missing(plan)` is empty, or before

- A chunk is about `TriageSettings.chunk_bytes` (1 GiB) of reading; `plan.chunks[i].bytes` says how much. Its result is
  there as a whole or not at all: a worker that dies costs its chunk, and `folder.missing(plan)` names what to do next.
- `run_chunk` is idempotent. Two workers at the same chunk write the same thing under the same name.
- Every worker needs the image (its path may differ; `DevicePlan.fits` refuses another device), the hash sets of the
  plan (compared by root) and, for encrypted volumes, the keys in its own settings.
- Workers that do not share a folder bring `chunk-NNNNNN.parquet` and then `chunk-NNNNNN.json` back to it; the second
  holds the SHA-256 of the first, and a result that does not fit is as good as none.
- The chunk of kind `identity` is the digest of the whole media. It reads everything once more and cannot be split:
  start it first. A `ChunkRunner(carry=True)` that does all chunks in order has it for nothing.
- `merge` gives the same findings digest whatever the chunks' size, order and workers. Before all are done it gives a
  result that is marked as stopped and names what was not read.
- A `Bench` holds the child processes; keep it for all chunks a worker does. It stays with one device at a time, and
  opening a device again costs seconds on a large one: let a worker stay with its device.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from safelight.errors import EvidenceError
from safelight.triage.chunkrun import ChunkRunner, Tell, open_for
from safelight.triage.dfxml import write_dfxml
from safelight.triage.manifest import write_manifest
from safelight.triage.merge import merge
from safelight.triage.plan import Chunk, DevicePlan
from safelight.triage.planning import make_plan, resumable
from safelight.triage.runfolder import ChunkResult, RunFolder

if TYPE_CHECKING:
    from safelight.matching import HashSet
    from safelight.triage.pipeline import Bench

__all__ = [
    "Chunk",
    "ChunkResult",
    "ChunkRunner",
    "DevicePlan",
    "RunFolder",
    "merge",
    "open_for",
    "plan_device",
    "run_chunk",
    "write_dfxml",
    "write_manifest",
]


def plan_device(
    paths: Sequence[Path], folder: RunFolder, *, hash_sets: Sequence[HashSet], operator: str, bench: Bench
) -> DevicePlan:
    """The plan of a device: the one in the folder where there is one, or a new one.

    Raises:
        EvidenceError: the image cannot be opened, or the folder holds another run.
        MatchingError: two hash sets share a name, or the block set cannot be opened.
        Stopped: `bench.should_stop` said so.
    """
    plan = resumable(folder, hash_sets=hash_sets, settings=bench.settings)
    if plan is not None:
        return plan
    opened = bench.reader.open(paths)
    return make_plan(opened, bench.reader, folder, hash_sets=hash_sets, operator=operator)


def run_chunk(
    paths: Sequence[Path],
    folder: RunFolder,
    index: int,
    *,
    hash_sets: Sequence[HashSet],
    bench: Bench,
    tell: Tell = lambda stage, files, size, findings: None,
) -> ChunkResult:
    """Do one chunk of the folder's plan, and keep its result there.

    Args:
        paths: the image, as it lies on this machine.
        folder: of the run.
        index: of the chunk.
        hash_sets: those of the plan.
        bench: child processes; with the same device open from the chunk before, it is not opened again.
        tell: told the stage, files done, bytes done (both inside the chunk) and findings so far, many times a second.

    Raises:
        EvidenceError: there is no plan or no such chunk, the image is another one, or the folder cannot be written.
        MatchingError: two hash sets share a name, or the block set cannot be opened.
        Stopped: `bench.should_stop` said so; what was read is kept as an incomplete result.
    """
    plan = resumable(folder, hash_sets=hash_sets, settings=bench.settings)
    if plan is None:
        raise EvidenceError(f"{folder.path} holds no plan of a run.", fix="Make the plan first.")
    if not 0 <= index < len(plan.chunks):
        raise EvidenceError(f"The plan has no chunk {index}; it has {len(plan.chunks)}.")
    key = (plan.digest, folder.path, tuple(map(str, paths)))
    runner = bench.runner
    if runner is None or bench.runner_key != key:
        open_for(plan, bench.reader, paths)
        runner = ChunkRunner(plan, folder, bench, hash_sets)
    bench.runner = None  # A chunk that fails leaves a reader that no one should trust.
    result = runner.run(plan.chunks[index], tell)
    bench.runner, bench.runner_key = runner, key
    return result
