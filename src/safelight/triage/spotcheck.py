"""The first answer, in the process that reads the evidence: lists, checks files, draws places, confirms what it met.

Nothing here decides anything: hits and digests go to the parent, which matches them against the hash sets.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xxhash

from safelight.errors import EvidenceError
from safelight.triage.blockruns import BLOCK, Run
from safelight.triage.blocks import BlockSet
from safelight.triage.blockscan import BlockScan, Region, regions_of
from safelight.triage.chance import places_needed
from safelight.triage.codec import encode
from safelight.triage.evidence.base import Evidence
from safelight.triage.evidence.device import Device
from safelight.triage.fragments import Owners
from safelight.triage.model import FileEntry
from safelight.triage.places import Lottery, Span, merged, spans_of, without
from safelight.triage.sampled import ALL, ENOUGH, NOTHING, TIME, held_by
from safelight.triage.wire import limit_cpu

_ZERO = bytes(BLOCK)
_BATCH = 2048
_ROUND = 256
_FREELY = 20_000
_LARGEST_ROUND = 65_536
_MOST_CONFIRMED = 500
_MOST_PROBED = 20_000
_AROUND = 32 << 20
_CPU_SECONDS = 300
#: Words of the reasons for which a volume cannot be seen into: what lies there is no place to draw.
_SEALED = ("bitlocker", "luks", "encrypt", "filevault", "random")
_CIPHERS = ("in BitLocker", "in LUKS", "in Core Storage")


class OutOfTime(Exception):
    """The time that a step had is over."""


@dataclass(slots=True)
class Job:
    """What the parent asks for. `until` is on the monotonic clock of this process."""

    at_least: int
    probability: float
    places: int
    seed: int
    until: float
    sizes: npt.NDArray[np.uint64]
    listing: bool = True


@dataclass(slots=True)
class Tallied:
    """The numbers of a FirstAnswer, as they grow."""

    known_zero: int = 0
    left_out: int = 0
    places: int = 0
    drawn: int = 0
    zero: int = 0
    unreadable: int = 0
    share: float = 1.0
    sources: int = 0
    unseen_sources: int = 0
    files_listed: int = 0
    listing_complete: bool = True
    files_small: int = 0
    files_of_listed_size: int = 0
    files_checked: int = 0
    files_probed: int = 0
    hits: int = 0
    ended: str = NOTHING


@dataclass(slots=True)
class SpotCheck:
    """One first answer over one opened device.

    Args:
        evidence, device: opened.
        blocks: the block set; without one, only files of a listed size are checked, in full.
        job: what is asked for.
        tell: told the stage, how far it is, its end (0: not known) and the hits so far.
        read: reads a file in full and hands it to the parent.
    """

    evidence: Evidence
    device: Device
    blocks: BlockSet | None
    job: Job
    tell: Callable[[str, int, int, int], None]
    read: Callable[[FileEntry], None]
    told: Tallied = field(default_factory=Tallied)
    entries: list[FileEntry] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    inside: list[tuple[FileEntry, int, int]] = field(default_factory=list)
    _met: list[tuple[int, int, int]] = field(default_factory=list)
    _asked: set[tuple[int, str]] = field(default_factory=set)

    def go(self) -> None:
        """Run it to its end; `told`, `runs` and `owners` then say what it came to."""
        if self.blocks is not None:
            stored = sum(s.size for s in self.blocks.sources)
            self.told.share = min(1.0, len(self.blocks) * BLOCK / stored) if stored else 0.0
            self.told.sources = len(self.blocks.sources)
            self.told.unseen_sources = sum(not s.blocks for s in self.blocks.sources)
        if self.job.listing:
            self._list()
            self._check_files()
        if self.blocks is not None:
            self._draw(self.blocks)
            self._confirm(self.blocks)

    def owners(self) -> list[FileEntry]:
        """The files in which the runs lie."""
        if not self.runs:
            return []
        known = Owners(self.entries)
        found = {(e.filesystem, e.locator): e for run in self.runs for e in known.at(run.offset)}
        return list(found.values())

    def _left(self) -> float:
        return self.job.until - time.monotonic()

    # -- files -------------------------------------------------------------------------------------------------------

    def _list(self) -> None:
        """List what there is, for at most a third of the time."""
        stop = time.monotonic() + self._left() / 3
        entries = self.entries

        def alive(now: bool) -> None:
            self.tell("listing", len(entries), 0, 0)
            if time.monotonic() > stop:
                raise OutOfTime

        try:
            for filesystem in self.device.filesystems:
                if not filesystem.main:
                    continue
                filesystem.alive = alive
                for number, entry in enumerate(filesystem.entries()):
                    entries.append(entry)
                    if number % 256 == 0:
                        alive(False)
        except OutOfTime:
            self.told.listing_complete = False
        self.told.files_listed = len(entries)

    def _check_files(self) -> None:
        """Every file as long as a listed one: at a block that the listed file has, or else in full."""
        readable = [e for e in self.entries if e.readable and not e.sparse and e.size]
        self.told.files_small = sum(e.size < BLOCK for e in readable)
        rows = self._rows_by_size()
        listed = np.union1d(self.job.sizes, np.array(sorted(rows), np.uint64))
        sizes = np.array([e.size for e in readable], np.uint64)
        hit = np.isin(sizes, listed)
        wanted = np.flatnonzero(hit)
        others = np.flatnonzero(~hit & (sizes >= BLOCK))
        self.told.files_of_listed_size = len(wanted)
        rng = np.random.default_rng(self.job.seed)
        stop = time.monotonic() + self._left() / 2
        order = rng.permutation(wanted)
        in_sets = np.isin(sizes, self.job.sizes)
        for entry, number in self._in_rounds(readable, order, 64, stop):
            self._check(entry, rows.get(entry.size, ()), in_full=bool(in_sets[number]) or self.blocks is None)
            self.told.files_checked += 1
            self.tell("checking files", self.told.files_checked, len(wanted), self.told.hits)
        if self.blocks is not None:
            stop = time.monotonic() + self._left() / 5
            for entry, _ in self._in_rounds(readable, rng.permutation(others)[:_MOST_PROBED], 256, stop):
                place = int(rng.integers(0, entry.size // BLOCK)) * BLOCK
                self.told.files_probed += 1
                self._probe(entry, place)
                self.tell("probing files", self.told.files_probed, len(others), self.told.hits)

    def _in_rounds(
        self, entries: Sequence[FileEntry], order: npt.NDArray[np.int64], size: int, stop: float
    ) -> Iterator[tuple[FileEntry, int]]:
        """Random rounds, each in the order of the disk, until the time is over."""
        for start in range(0, len(order), size):
            some = order[start : start + size].tolist()
            for number in sorted(some, key=lambda n: entries[n].extents[0].offset if entries[n].extents else -1):
                if time.monotonic() > stop:
                    return
                yield entries[number], number

    def _rows_by_size(self) -> dict[int, list[tuple[int, int]]]:
        """For each size of a listed file with blocks: (row, position) of one block of each such file."""
        if self.blocks is None:
            return {}
        rows: dict[int, list[tuple[int, int]]] = {}
        for number, row in enumerate(self.blocks.one_row_each().tolist()):
            if row >= 0:
                source = self.blocks.sources[number]
                rows.setdefault(source.size, []).append((row, self.blocks.place(row)[1]))
        return rows

    def _check(self, entry: FileEntry, rows: Sequence[tuple[int, int]], *, in_full: bool) -> None:
        if self.blocks is not None and rows:
            for row, position in rows:
                block = self._content_of(entry, position * BLOCK)
                if len(block) == BLOCK and self.blocks.proves(row, block):
                    self._hit(entry, position * BLOCK, row)
                    return
        if in_full:
            self._read(entry)

    def _probe(self, entry: FileEntry, place: int) -> None:
        assert self.blocks is not None
        block = self._block_of(entry, place)
        if len(block) < BLOCK or block == _ZERO:
            return
        _, rows = self.blocks.candidates(np.array([xxhash.xxh3_64_intdigest(block)], np.uint64))
        for row in rows.tolist():
            if self.blocks.proves(row, block):
                self._hit(entry, place, row)

    def _hit(self, entry: FileEntry, place: int, row: int) -> None:
        assert self.blocks is not None
        self.told.hits += 1
        self._read(entry)
        at = _on_media(entry, place)
        if at is not None:
            self._met.append((at, *self.blocks.place(row)))
        else:
            self.inside.append((entry, *self.blocks.place(row)))

    def _block_of(self, entry: FileEntry, place: int) -> bytes:
        at = _on_media(entry, place)
        if at is not None and not self.evidence.missing.overlaps(at, at + BLOCK):
            block = self.evidence.read(at, BLOCK)
            if not self.evidence.missing:
                return block
        return self._content_of(entry, place)

    def _content_of(self, entry: FileEntry, place: int) -> bytes:
        try:
            content = self.device.filesystems[entry.filesystem].content(entry.locator)
            try:
                return content.read(place, BLOCK)
            finally:
                content.close()
        except (OSError, EvidenceError):
            return b""

    def _read(self, entry: FileEntry) -> None:
        key = entry.filesystem, entry.locator
        if key not in self._asked and self._left() > 0:
            self._asked.add(key)
            self.read(entry)

    # -- places ------------------------------------------------------------------------------------------------------

    def _spans(self) -> list[Span]:
        evidence, device = self.evidence, self.device
        if evidence.folder is not None or not device.volumes:
            return []
        whole = [(0, evidence.size)]
        sealed = [(v.offset, v.offset + v.size) for v in device.volumes if v.kind == "volume" and self._is_sealed(v)]
        seen = without(whole, sealed)
        self.told.left_out = evidence.size - sum(b - a for a, b in seen)
        stored = merged(evidence.stored())
        zero = without(seen, stored)
        self.told.known_zero = sum(b - a for a, b in zero)
        own = [f for f in device.filesystems if getattr(f, "media", None) is evidence]
        regions = regions_of(evidence, own)
        for volume in device.volumes:
            # A volume whose layout is not known is cut from its own start.
            if volume.kind == "volume" and volume.offset % BLOCK and not any(f.volume == volume.index for f in own):
                regions = _recut(regions, volume.offset, volume.offset + volume.size)
        return spans_of(regions, without(seen, zero))

    def _is_sealed(self, volume: Any) -> bool:
        end = volume.offset + volume.size
        for part in self.device.unread:
            here = part.offset is not None and volume.offset <= part.offset < end
            if here and any(word in part.reason.lower() for word in _SEALED):
                return True
        # What was opened with a key lies enciphered on the media; its files were checked through the cipher.
        return any(f.volume == volume.index and f.type.endswith(_CIPHERS) for f in self.device.filesystems)

    def _draw(self, blocks: BlockSet) -> None:
        """Rounds of places until the probability is reached or the time is over."""
        told, job = self.told, self.job
        spans = self._spans()
        lottery = Lottery(spans, job.seed)
        told.places = lottery.population
        held = min(told.places, held_by(job.at_least, told.share))
        if not told.places or not held:
            return
        needed = min(told.places, job.places or places_needed(told.places, held, job.probability))
        # Drawing is cheap where the disk is quick: more than was asked for says more, as long as it costs little time.
        wanted = needed if job.places else max(needed, min(told.places, _FREELY))
        free = time.monotonic() + self._left() * 0.2
        keep = max(1.0, self._left() * 0.1)  # Time to confirm what was met.
        size, asked = _ROUND, 0
        told.ended = ENOUGH
        while asked < wanted:
            places = lottery.draw(min(size, (needed if asked < needed else wanted) - asked))
            asked += len(places)
            before = time.monotonic()
            looked = self._look(places, blocks, self.job.until - keep)
            took = time.monotonic() - before
            if looked is None:
                # A round in the order of the disk that was cut short is no sample of the whole: it is not counted.
                told.ended = TIME if asked - len(places) < needed else ENOUGH
                return
            told.drawn += looked[0]
            told.zero += looked[1]
            told.unreadable += len(places) - looked[0]
            self.tell("sampling", told.drawn, wanted, told.hits)
            rate = len(places) / max(took, 1e-6)
            left = self.job.until - keep - time.monotonic()
            if asked >= needed and time.monotonic() > free:
                break
            if left <= 0 and asked < wanted:
                told.ended = TIME
                return
            size = int(max(_ROUND, min(_LARGEST_ROUND, rate * min(2.0, left / 2))))
        if told.drawn == told.places:
            told.ended = ALL

    def _look(self, places: Sequence[tuple[int, Span]], blocks: BlockSet, stop: float) -> tuple[int, int] | None:
        """Look at places in the order of the disk: how many could be read, and were zero; None when cut short."""
        digest, read, missing = xxhash.xxh3_64_intdigest, self.evidence.read, self.evidence.missing
        looked = zero = 0
        for start in range(0, len(places), _BATCH):
            kept: list[tuple[int, bytes]] = []
            filters: list[int] = []
            for number, (at, span) in enumerate(places[start : start + _BATCH]):
                if number % 64 == 0 and time.monotonic() > stop:
                    return None
                data = read(at, span.reach)
                if missing and missing.overlaps(at, at + BLOCK):
                    continue
                looked += 1
                if len(span.steps) == 1:
                    if data == _ZERO:
                        zero += 1
                    elif len(data) == BLOCK:
                        filters.append(digest(data))
                        kept.append((at, data))
                    continue
                zero += data[:BLOCK] == _ZERO
                for step in span.steps:
                    block = data[step : step + BLOCK]
                    if len(block) == BLOCK and block != _ZERO:
                        filters.append(digest(block))
                        kept.append((at + step, block))
            where, rows = blocks.candidates(np.array(filters, np.uint64))
            for index, row in zip(where.tolist(), rows.tolist(), strict=True):
                at, block = kept[index]
                if blocks.proves(row, block):
                    self.told.hits += 1
                    self._met.append((at, *blocks.place(row)))
            self.tell("sampling", self.told.drawn + looked, 0, self.told.hits)
        return looked, zero

    # -- what was met ------------------------------------------------------------------------------------------------

    def _confirm(self, blocks: BlockSet) -> None:
        """Read the files that own what was met, and the surroundings of each place, for more of the same file."""
        if not self._met:
            return
        self.job.until = max(self.job.until, time.monotonic() + 5)  # A hit is always looked into.
        owners = Owners(self.entries)
        done: list[tuple[int, int, int]] = []
        for number, (at, source, position) in enumerate(sorted(self._met)):
            if any(a <= at < b and s == source for a, b, s in done[-64:]):
                continue
            if number < _MOST_CONFIRMED and self._left() > 0:
                here = owners.at(at)
                for entry in here[:4]:
                    self._read(entry)
                done.append(self._around(at, source, position, blocks))
                self.tell("confirming", number + 1, len(self._met), self.told.hits)
            else:
                self.runs.append(Run(at, source, position))

    def _around(self, at: int, source: int, position: int, blocks: BlockSet) -> tuple[int, int, int]:
        length = blocks.sources[source].size
        start = max(0, at - min(position * BLOCK, _AROUND))
        end = min(self.evidence.size, at + min(length - position * BLOCK, _AROUND) // BLOCK * BLOCK + BLOCK)
        scan = BlockScan(blocks, [Region(start, end, (at % BLOCK,))])
        view = memoryview(self.evidence.read(start, end - start))
        scan.window(view, start, start)
        mine = [r for r in scan.runs if r.source == source]
        self.runs += mine or [Run(at, source, position)]
        return start, end, source


def _recut(regions: Sequence[Region], start: int, end: int) -> list[Region]:
    """The regions, with everything from `start` to `end` cut from `start`."""
    rows = [Region(start, end, (start % BLOCK,))]
    for region in regions:
        rows += [Region(a, b, region.phases) for a, b in without([(region.start, region.end)], [(start, end)])]
    return sorted(rows, key=lambda r: r.start)


def _on_media(entry: FileEntry, place: int) -> int | None:
    """Where byte `place` of a file lies, when a whole block of it lies there in one piece."""
    if sum(e.size for e in entry.extents) < entry.size:
        return None
    for extent in entry.extents:
        if place + BLOCK <= extent.size:
            return extent.offset + place
        if place < extent.size:
            return None
        place -= extent.size
    return None


def spot(
    evidence: Evidence,
    device: Device,
    request: dict[str, Any],
    say: Callable[[dict[str, Any]], None],
    read: Callable[[FileEntry], dict[str, Any]],
) -> None:
    """Serve one request of the parent: signs of life with the numbers so far, each file read in full, the end."""
    last = float("-inf")

    def tell(stage: str, done: int, total: int, hits: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last > 0.2:
            last = now
            limit_cpu(_CPU_SECONDS)
            say({"spot": stage, "done": done, "of": total, "hits": hits, "told": asdict(check.told)})

    def hand_over(entry: FileEntry) -> None:
        try:
            row = read(entry)
        except (OSError, EvidenceError) as error:
            what = error.what if isinstance(error, EvidenceError) else str(error)
            say({"entry": encode(entry), "failed": what, "row": {}})
        else:
            say({"entry": encode(entry), "failed": "", "row": row})

    job = Job(
        at_least=int(request["at_least"]),
        probability=float(request["probability"]),
        places=int(request["places"]),
        seed=int(request["seed"]),
        until=time.monotonic() + float(request["seconds"]),
        sizes=np.frombuffer(request["payload"], np.uint64),
        listing=bool(request["listing"]),
    )
    blocks = BlockSet(Path(request["blocks"])) if request["blocks"] else None
    check = SpotCheck(evidence, device, blocks, job, tell, hand_over)
    check.go()
    runs = [[r.offset, r.source, r.position, r.count] for r in check.runs]
    told, owners = asdict(check.told), [encode(e) for e in check.owners()]
    inside = [[encode(entry), source, position] for entry, source, position in check.inside]
    live = Counter((e.filesystem, e.allocated) for e in check.entries)
    records = [f.record() for f in device.filesystems]
    systems = [encode(replace(r, live=live[r.index, True], deleted=live[r.index, False])) for r in records]
    say({"spotted": told, "runs": runs, "inside": inside, "owners": owners, "filesystems": systems})
