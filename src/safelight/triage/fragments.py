"""From runs of listed blocks to findings: what they lie in, and what is already said by an exact match."""

from __future__ import annotations

import bisect
from collections.abc import Sequence

from safelight.triage.blockruns import BLOCK, Run, joined
from safelight.triage.blocks import BlockSet
from safelight.triage.model import FileEntry, FileSystemRecord, Times
from safelight.triage.result import Finding, HashSetRecord
from safelight.triage.verdict import count_words

ALGORITHM = "blake3 of 4 KiB blocks"
_MOST_OFFSETS = 100


class Owners:
    """Which file a place on the media belongs to: a live one before a deleted one."""

    def __init__(self, entries: Sequence[FileEntry]) -> None:
        self._layers = []
        for live in (True, False):
            rows = sorted(
                ((x.offset, x.offset + x.size, n) for n, e in enumerate(entries) if e.allocated is live
                 for x in e.extents),
            )  # fmt: skip
            # A range of a deleted file may reach over others: remember how far to the left one must look.
            reach, far = [], 0
            for _, end, _ in rows:
                far = max(far, end)
                reach.append(far)
            self._layers.append((rows, [r[0] for r in rows], reach))
        self._entries = entries

    def at(self, offset: int) -> list[FileEntry]:
        """The files there; all deleted ones where no live one is."""
        for rows, starts, reach in self._layers:
            found = []
            index = bisect.bisect_right(starts, offset) - 1
            while index >= 0 and reach[index] > offset:
                if rows[index][1] > offset:
                    found.append(self._entries[rows[index][2]])
                index -= 1
            if found:
                return found
        return []


def block_findings(
    runs: Sequence[Run],
    blocks: BlockSet,
    *,
    least: int,
    entries: Sequence[FileEntry],
    filesystems: Sequence[FileSystemRecord],
    findings: Sequence[Finding],
) -> list[Finding]:
    """Findings of kind `block`, one for each listed file and each file (or stretch of free space) it was met in.

    Args:
        runs: what the scan confirmed.
        least: a run of fewer blocks is no finding.
        entries: all files of the device.
        findings: exact ones; a file that is named there as the same listed file is not named twice.
    """
    said = {(f.filesystem, f.path, f.md5) for f in findings if f.kind == "exact"}
    owners = Owners(entries)
    grouped: dict[tuple[int, str, int], tuple[FileEntry | None, list[Run]]] = {}
    for run in joined(runs):
        if run.count < least:
            continue
        source = blocks.sources[run.source]
        here = owners.at(run.offset)
        if any((e.filesystem, e.path, source.md5) in said for e in here):
            continue
        if here:
            key = (here[0].filesystem, here[0].path, run.source)
            grouped.setdefault(key, (here[0], []))[1].append(run)
        else:
            inside = next((f.index for f in filesystems if f.offset <= run.offset < f.offset + f.size), -1)
            grouped[inside, f"$Unallocated/{run.offset}", run.source] = (None, [run])
    volume = {f.index: f.volume for f in filesystems}
    return [block_finding(path, index, volume.get(index, 0), entry, found, blocks, number)
            for (index, path, number), (entry, found) in grouped.items()]  # fmt: skip


def block_finding(
    path: str, filesystem: int, volume: int, entry: FileEntry | None, runs: list[Run], blocks: BlockSet, number: int
) -> Finding:
    """The finding for runs of blocks of source `number`, in a file (`entry`) or in free space."""
    source = blocks.sources[number]
    count = len({run.position + i for run in runs for i in range(run.count)})
    longest = max(run.count for run in runs)
    notes = [
        f"{count_words(count, 'block')} of {BLOCK:,} bytes of a listed file of {source.size:,} bytes "
        f"(MD5 {source.md5}, SHA-256 {source.sha256}), the longest run {longest:,}, "
        f"from its byte {runs[0].position * BLOCK:,}",
    ]
    if entry is None:
        notes.append("it lies in space that no listed file uses: the rest of the file may be gone")
    return Finding(
        kind="block", algorithm=ALGORITHM, category=source.category, hash_set=blocks.name, hash_set_root=blocks.root,
        distance=0, mode="", path=path, name=path.rsplit("/", 1)[-1],
        size=entry.size if entry is not None else sum(r.count for r in runs) * BLOCK,
        state="unallocated" if entry is None else "live" if entry.allocated else "deleted",
        times=entry.times if entry is not None else Times(),
        offsets=tuple(r.offset for r in runs[:_MOST_OFFSETS]),
        md5="", sha1="", sha256="", pdq=None, type="", volume=volume, filesystem=filesystem,
        address=entry.address if entry is not None else None, names=entry.names if entry is not None else (),
        notes=(*(entry.notes if entry is not None else ()), *notes),
    )  # fmt: skip


def describe_block_set(blocks: BlockSet) -> HashSetRecord:
    """A block set as the report names it."""
    counts = {"entries": len(blocks.sources), "blocks": len(blocks)}
    return HashSetRecord(blocks.name, blocks.version, blocks.root, counts)
