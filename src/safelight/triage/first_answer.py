"""A first answer about one device in seconds to minutes: a sample whose chance is known, never a full pass.

    ask = FirstAnswerSettings(at_least=20 * MB, probability=0.99, seconds=300, seed=new_seed())
    result = first_answer([Path("exhibit-7.E01")], hash_sets=sets, settings=settings, ask=ask, operator="A. Examiner")

The result has the form of a full pass's, with `first` set, and its verdict says with which probability listed material
would have been met.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from safelight import __version__
from safelight.errors import EvidenceError
from safelight.matching import Match
from safelight.triage.answers import Opened, ReadAnswer
from safelight.triage.blockruns import Run
from safelight.triage.blocks import BlockSet
from safelight.triage.codec import decode
from safelight.triage.device_child import Stopped
from safelight.triage.device_reader import DeviceReader
from safelight.triage.findings import FindingStage, describe_hash_set, in_order
from safelight.triage.first_words import decide_first, unseen
from safelight.triage.fragments import block_finding, block_findings, describe_block_set
from safelight.triage.merge import library_versions
from safelight.triage.model import FileEntry, FileRecord, FileSystemRecord, Problem, UnreadPart
from safelight.triage.progress import Meter, Progress
from safelight.triage.result import STATE_SAMPLED, STATE_STOPPED, EvidenceRecord, Finding, TriageResult, findings_digest
from safelight.triage.sampled import LOST, PERSON, FirstAnswer, FirstAnswerSettings
from safelight.triage.settings import TriageSettings
from safelight.triage.tally import Tally, problem_list, unread_parts
from safelight.triage.wire import ChildLost

if TYPE_CHECKING:
    from safelight.matching import HashSet

_NUMBERS = {f.name for f in fields(FirstAnswer)} - {"settings", "media"}


def new_seed() -> int:
    """A seed that nobody can foresee, so that nobody can arrange a device for it."""
    return secrets.randbits(53)


def first_answer(
    paths: Sequence[Path],
    *,
    hash_sets: Sequence[HashSet],
    settings: TriageSettings,
    ask: FirstAnswerSettings,
    operator: str,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> TriageResult:
    """Look at a sample of one device.

    Args:
        paths: its image, as for `triage_device`.
        hash_sets: files of a listed length are compared with them.
        settings: `block_set` names the blocks that places are compared with; without it, only files are checked.
        ask: how much the answer shall be able to say, and in what time.

    Raises:
        EvidenceError: the image is missing, is no image, or cannot be opened at all; or there is nothing to look for.
        MatchingError: the block set cannot be opened.
    """
    sizes = np.unique(np.concatenate([s.sizes() for s in hash_sets if s.kind == "known"] or [np.empty(0, np.uint64)]))
    if not settings.block_set and not len(sizes):
        raise EvidenceError(
            "A first answer has nothing to look for: no block set was given, and the hash sets tell no file sizes.",
            fix="Give a block set (--block-set), or run the full pass.",
        )
    settings = replace(settings, check_gaps=False, carve=False, hash_image=False, pictures=False, inside_depth=0)
    run = _Run(hash_sets, settings, ask, operator, Meter(on_progress), sizes)
    reader = SpotReader(settings, should_stop or (lambda: False))
    try:
        return run.go(reader, paths)
    finally:
        reader.close()


class SpotReader(DeviceReader):
    """The reader, asked for a sample."""

    def spot(self, request: dict[str, Any], payload: bytes) -> Iterator[dict[str, Any]]:
        """The answers, up to `spotted`; one with `lost` when the child was lost over it.

        Raises:
            EvidenceError: it cannot be done.
        """
        try:
            self._child.send({"do": "spot", **request}, payload)
            while True:
                answer, _ = self._receive()
                if "error" in answer:
                    raise EvidenceError(str(answer["error"]), fix=str(answer.get("fix", "")))
                yield answer
                if "spotted" in answer:
                    return
        except ChildLost as lost:
            yield {"lost": lost.what, "open": self._reopen()}


class _Run:
    """The state of one first answer."""

    def __init__(
        self,
        hash_sets: Sequence[HashSet],
        settings: TriageSettings,
        ask: FirstAnswerSettings,
        operator: str,
        meter: Meter,
        sizes: Any,
    ) -> None:
        self._hash_sets, self._settings, self._ask, self._operator = hash_sets, settings, ask, operator
        self._meter, self._sizes = meter, sizes
        self._blocks = BlockSet(Path(settings.block_set)) if settings.block_set else None
        self._until = monotonic() + ask.seconds
        self._tally = Tally()
        self._told: dict[str, Any] = {}
        self._kept: dict[str, Any] = {}  # What a listing that broke off had come to.
        self._runs: list[Run] = []
        self._owners: list[FileEntry] = []
        self._inside: list[tuple[FileEntry, int, int]] = []
        self._filesystems: tuple[FileSystemRecord, ...] = ()
        self._records: list[FileRecord] = []

    def go(self, reader: SpotReader, paths: Sequence[Path]) -> TriageResult:
        started = datetime.now(UTC)
        opened: Opened | None = None
        stopped = False
        self._meter.update("opening")
        try:
            opened = reader.open(paths)
            self._filesystems = opened.filesystems
            self._tally.problems += opened.problems
            if not self._spot(reader, listing=True):
                # Without the file systems' listings, the media can still be sampled.
                self._spot(reader, listing=False)
            self._finish(reader)
        except Stopped:
            stopped = True
            if opened is None:
                raise EvidenceError(
                    "The run was stopped before the image was open.", fix="Start it again when you are ready."
                ) from None
        return replace(self._result(started, opened, stopped), sandbox=reader.confinement)

    def _spot(self, reader: SpotReader, *, listing: bool) -> bool:
        request = {
            "at_least": self._ask.at_least, "probability": self._ask.probability, "places": self._ask.places,
            "seed": self._ask.seed, "seconds": max(1.0, self._until - monotonic()),
            "blocks": self._settings.block_set, "listing": listing,
        }  # fmt: skip
        for answer in reader.spot(request, self._sizes.tobytes()):
            if "spot" in answer:
                self._told = answer["told"]
                self._meter.update(
                    str(answer["spot"]), files_done=int(answer["done"]), files_total=int(answer["of"]),
                    findings=int(answer["hits"]),
                )  # fmt: skip
            elif "entry" in answer:
                entry = decode(FileEntry, answer["entry"])
                self._records.append(self._tally.read(ReadAnswer(entry, answer["row"], b"", str(answer["failed"]))))
            elif "lost" in answer:
                where = "the listing of files" if listing else "the drawing of places"
                self._tally.problems.append(Problem("image", f"The process for {where} was lost: {answer['lost']}."))
                self._tally.unread.append(UnreadPart("image", f"{where} broke off: its parser was lost"))
                self._told |= {"ended": LOST, "listing_complete": False}
                self._kept = {k: v for k, v in self._told.items() if k.startswith(("files_", "listing"))}
                return not answer["open"] or not listing
            else:
                self._told = {**answer["spotted"], **self._kept}
                self._runs = [Run(*map(int, row)) for row in answer["runs"]]
                self._inside = [(decode(FileEntry, e), int(s), int(p)) for e, s, p in answer["inside"]]
                self._owners = [decode(FileEntry, e) for e in answer["owners"]]
                self._filesystems = tuple(decode(FileSystemRecord, f) for f in answer["filesystems"])
        return True

    def _finish(self, reader: SpotReader) -> None:
        try:
            unread, problems = reader.finish()
        except EvidenceError as error:
            self._tally.problems.append(Problem("image", f"Its unread ranges could not be asked for: {error.what}"))
        else:
            self._tally.unread += unread
            self._tally.problems += problems

    def _from_blocks(self, blocks: BlockSet, stage: FindingStage) -> list[Finding]:
        """Files that are whole listed files by the block set's own digests, and blocks of listed files in others."""
        listed = {s.md5: number for number, s in enumerate(blocks.sources) if s.md5}
        exact = {(f.filesystem, f.path) for f in stage.findings if f.kind == "exact"}
        found: list[Finding] = []
        for record in self._records:
            number = listed.get(record.md5) if record.complete else None
            if number is None or (record.entry.filesystem, record.entry.path) in exact:
                continue
            source = blocks.sources[number]
            match = Match(
                hash_set=blocks.name, root=blocks.root, set_kind="known", row=number, kind="exact", algorithm="md5",
                distance=0, category=source.category, known_good=False,
            )  # fmt: skip
            found.append(stage.finding(record, match, ["listed by the block set"]))
        said = {(f.filesystem, f.path) for f in found} | exact
        for entry, number, position in self._inside:
            if (entry.filesystem, entry.path) not in said:
                volume = stage.volume_of.get(entry.filesystem, 0)
                run = Run(0, number, position)
                made = block_finding(entry.path, entry.filesystem, volume, entry, [run], blocks, number)
                found.append(replace(made, offsets=()))
        return found + block_findings(
            self._runs, blocks, least=1, entries=self._owners, filesystems=self._filesystems,
            findings=[*stage.findings, *found],
        )  # fmt: skip

    def _result(self, started: datetime, opened: Opened, stopped: bool) -> TriageResult:
        tally, settings = self._tally, self._settings
        if stopped:
            self._told["ended"] = PERSON
        first = FirstAnswer(self._ask, opened.size, **{k: v for k, v in self._told.items() if k in _NUMBERS})
        stage = FindingStage(self._hash_sets, settings, {f.index: f.volume for f in self._filesystems})
        if self._records and self._hash_sets:
            stage.match(self._records)
        sets = tuple(describe_hash_set(s) for s in self._hash_sets)
        if self._blocks is not None:
            sets = (*sets, describe_block_set(self._blocks))
            stage.findings += self._from_blocks(self._blocks, stage)
        findings = in_order(stage.findings)
        unread = unread_parts(tally.unread)
        state = STATE_STOPPED if stopped else STATE_SAMPLED
        counts = replace(
            tally.counts(),
            files=first.files_listed,
            files_live=sum(f.live for f in self._filesystems),
            files_deleted=sum(f.deleted for f in self._filesystems),
            directories=sum(f.directories for f in self._filesystems),
            known_good=stage.known_good,
        )
        entries = sum(s.counts["entries"] for s in sets)
        result = TriageResult(
            run_id=uuid.uuid4().hex,
            tool="safelight triage --first-answer",
            tool_version=__version__,
            libraries=library_versions(),
            started=started,
            finished=datetime.now(UTC),
            operator=self._operator,
            settings=settings,
            state=state,
            evidence=EvidenceRecord(opened.parts, opened.format, opened.size, None, opened.md5, opened.sha1, None),
            volumes=opened.volumes,
            filesystems=self._filesystems,
            counts=counts,
            hash_sets=sets,
            findings=findings,
            problems=problem_list(tally.problems),
            unread=unread,
            limits=unseen(first, unread, folder=opened.format == "folder"),
            verdict=decide_first(first, findings, counts, unread, state=state, entries_in_sets=entries),
            findings_digest=findings_digest(findings, sets, settings, first),
            first=first,
        )
        self._meter.update("done", files_done=first.drawn, findings=len(findings), force=True)
        return result
