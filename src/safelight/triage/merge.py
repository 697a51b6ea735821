"""From the results of all chunks to one: the same, however the work was cut, in whatever order and by how many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from safelight import __version__
from safelight.triage.answers import Opened
from safelight.triage.blockruns import Run
from safelight.triage.evidence.base import MissingRanges
from safelight.triage.findings import describe_hash_set, in_order
from safelight.triage.limits import limits_of
from safelight.triage.manifest import duplicates, records
from safelight.triage.model import FileRecord, Problem, UnreadPart
from safelight.triage.plan import FILES, IDENTITY, Chunk, DevicePlan
from safelight.triage.result import (
    STATE_COMPLETE,
    STATE_STOPPED,
    STATE_UNREAD,
    Counts,
    EvidenceRecord,
    Finding,
    TriageResult,
    findings_digest,
)
from safelight.triage.rows import read_entries
from safelight.triage.runfolder import ChunkResult, RunFolder
from safelight.triage.sandbox import Confinement
from safelight.triage.settings import TriageSettings
from safelight.triage.tally import problem_list, unread_parts
from safelight.triage.verdict import count_words, decide

if TYPE_CHECKING:
    from safelight.matching import HashSet

_LIBRARIES = ("pytsk3", "libfsapfs-python", "libfsxfs-python", "libqcow-python", "libvhdi-python", "libvmdk-python",
              "libmodi-python", "deflate", "Pillow", "pillow-heif", "simplejpeg", "numba", "numpy", "pyarrow",
              "av")  # fmt: skip
_STOPPED = "the run was stopped before this was read"


def merge(
    plan: DevicePlan,
    folder: RunFolder,
    *,
    hash_sets: Sequence[HashSet],
    settings: TriageSettings | None = None,
    on_file: Callable[[FileRecord], None] | None = None,
) -> TriageResult:
    """The result of a run, from what its folder holds. Chunks that are missing are named as not read.

    Args:
        plan: of the device.
        folder: of the run.
        hash_sets: those of the plan.
        settings: this machine's, which may have the block set in another place; the plan's when left out.
        on_file: given every file once, in the order of the plan.

    Raises:
        EvidenceError: a file of the folder is damaged.
        MatchingError: the block set cannot be opened.
    """
    settings = settings or plan.settings
    results: dict[int, ChunkResult] = {}
    for chunk in plan.chunks:
        found = folder.result(plan, chunk)
        if found is not None:
            results[chunk.index] = found
    stopped = any(c.index not in results or not results[c.index].complete for c in plan.chunks)
    parts = list(results.values())
    counts = _sum([plan.counts, *(r.counts for r in parts)])
    copies, number = duplicates(plan, folder, results)
    if on_file is not None:
        for record in records(plan, folder, results, copies):
            on_file(record)
    counts = replace(counts, duplicates=number, known_good=sum(r.known_good for r in parts))
    identity = next((dict(r.identity) for r in parts if r.identity), {})
    problems = [*plan.problems, *(p for r in parts for p in r.problems)]
    unread = [*plan.unread, *_ranges(u for r in parts for u in r.unread), *_not_reached(plan, results)]
    agrees = _agreement(plan.opened, identity)
    if agrees is False:
        problems.append(
            Problem("image", "The media does not have the digest that the image stores: it was changed or damaged.")
        )
    # Several workers may have been shut in differently: the weakest is what the record must say.
    sandbox = min((r.sandbox for r in parts), key=lambda c: (len(c.layers), repr(c)), default=Confinement())
    if sandbox.missing:
        problems.append(Problem("sandbox", sandbox.sentence))
    sets = tuple(describe_hash_set(s) for s in hash_sets)
    findings: list[Finding] = [f for r in parts for f in r.findings]
    if settings.block_set:
        from safelight.triage.blocks import BlockSet
        from safelight.triage.fragments import block_findings, describe_block_set

        blocks = BlockSet(Path(settings.block_set))
        sets = (*sets, describe_block_set(blocks))
        runs = [Run(*row) for r in parts for row in r.runs]
        findings += block_findings(
            runs, blocks, least=settings.block_run, filesystems=plan.filesystems, findings=findings,
            entries=read_entries(folder.listing, 0, plan.rows) if runs else [],
        )  # fmt: skip
    if settings.video_set:
        from safelight.triage.videoset import VideoSet

        sets = (*sets, VideoSet.open(Path(settings.video_set)).record())
    ordered = in_order(findings)
    left = unread_parts(unread)
    state = STATE_STOPPED if stopped else STATE_UNREAD if left else STATE_COMPLETE
    opened = plan.opened
    return TriageResult(
        run_id=plan.run_id,
        tool="safelight triage",
        tool_version=__version__,
        libraries=library_versions(),
        started=plan.started,
        finished=datetime.now(UTC),
        operator=plan.operator,
        settings=settings,
        state=state,
        evidence=EvidenceRecord(
            opened.parts, opened.format, opened.size, identity.get("sha256"), opened.md5, opened.sha1, agrees
        ),
        volumes=opened.volumes,
        filesystems=plan.filesystems,
        counts=counts,
        hash_sets=sets,
        findings=ordered,
        problems=problem_list(problems),
        unread=left,
        limits=limits_of(settings, opened),
        verdict=decide(
            ordered, counts, left, state=state, entries_in_sets=sum(s.counts["entries"] for s in sets)
        ),
        findings_digest=findings_digest(ordered, sets, settings),
        sandbox=sandbox,
    )  # fmt: skip


def _sum(counts: Sequence[Counts]) -> Counts:
    return Counts(**{f.name: sum(getattr(c, f.name) for c in counts) for f in fields(Counts)})


def _ranges(parts: Iterable[UnreadPart]) -> list[UnreadPart]:
    """Ranges of the image that several chunks met, each byte once; everything else as it is."""
    missing = MissingRanges()
    rest = []
    for part in sorted(parts, key=lambda p: (p.offset or 0, p.size or 0)):
        if part.what == "image" and part.offset is not None and part.size and part.path is None:
            missing.add(part.offset, part.offset + part.size, part.reason)
        else:
            rest.append(part)
    return [*(UnreadPart("image", why, a, b - a) for a, b, why in missing), *rest]


def _not_reached(plan: DevicePlan, results: dict[int, ChunkResult]) -> list[UnreadPart]:
    """What the chunks that are not done would have read."""
    found: list[UnreadPart] = []
    for chunk in plan.chunks:
        result = results.get(chunk.index)
        if chunk.kind == IDENTITY or (result is not None and result.complete):
            continue
        read = result.counts.bytes_read if result is not None else 0
        if chunk.kind == FILES:
            files = chunk.last - chunk.first
            found.append(UnreadPart(f"up to {count_words(files, 'file')}", _STOPPED, None, max(chunk.bytes - read, 0)))
        else:
            found.append(UnreadPart("image", _STOPPED, chunk.start, _left(chunk, read)))
    return _joined(found)


def _left(chunk: Chunk, read: int) -> int:
    return max(chunk.end - chunk.start - read, 0)


def _joined(parts: Sequence[UnreadPart]) -> list[UnreadPart]:
    joined: list[UnreadPart] = []
    for part in parts:
        last = joined[-1] if joined else None
        if last is not None and last.offset is not None and part.offset == last.offset + (last.size or 0):
            joined[-1] = replace(last, size=(last.size or 0) + (part.size or 0))
        else:
            joined.append(part)
    return joined


def _agreement(opened: Opened, identity: dict[str, str]) -> bool | None:
    pairs = [(stored, identity[name]) for name, stored in (("md5", opened.md5), ("sha1", opened.sha1))
             if stored and name in identity]  # fmt: skip
    return all(a == b for a, b in pairs) if pairs else None


def library_versions() -> dict[str, str]:
    """The versions of the libraries that read evidence, for the record."""
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
