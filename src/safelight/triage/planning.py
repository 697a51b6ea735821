"""Making the plan of a device: open it, list everything on it, cut the work into chunks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from safelight import __version__
from safelight.errors import EvidenceError
from safelight.triage.answers import Opened
from safelight.triage.device_reader import DeviceReader
from safelight.triage.draft import Draft
from safelight.triage.model import FileSystemRecord
from safelight.triage.plan import DevicePlan, cut, new_plan, reads_whole
from safelight.triage.runfolder import RunFolder, file_digest
from safelight.triage.settings import TriageSettings
from safelight.triage.tally import Tally

if TYPE_CHECKING:
    from safelight.matching import HashSet


def roots_of(hash_sets: Sequence[HashSet], settings: TriageSettings) -> tuple[str, ...]:
    """What a run is matched against, by content.

    Raises:
        MatchingError: two hash sets share a name, or the block set cannot be opened.
    """
    roots = []
    if hash_sets:
        from safelight.matching import Matcher

        roots = [s.root for s in Matcher(hash_sets).hash_sets]
    if settings.block_set:
        from safelight.triage.blocks import BlockSet

        roots.append(BlockSet(Path(settings.block_set)).root)
    if settings.video_set:
        from safelight.triage.videoset import VideoSet

        roots.append(VideoSet.open(Path(settings.video_set)).root)
    return tuple(sorted(roots))


def make_plan(
    opened: Opened,
    reader: DeviceReader,
    folder: RunFolder,
    *,
    hash_sets: Sequence[HashSet],
    operator: str,
    on_listed: Callable[[int], None] = lambda files: None,
) -> DevicePlan:
    """List an opened device and write its plan into the run's folder.

    Args:
        opened: what `reader.open` told.
        reader: has the device open.
        folder: of the run.
        hash_sets: what the chunks will be matched against.
        operator: who runs it.
        on_listed: told how many files are listed so far.

    Raises:
        EvidenceError: the folder cannot be written.
        MatchingError: two hash sets share a name, or the block set cannot be opened.
        Stopped: the run was asked to stop.
    """
    settings = reader.settings
    roots = roots_of(hash_sets, settings)
    tally = Tally(opened.size)
    tally.problems += opened.problems
    filesystems: list[FileSystemRecord] = []
    reader.on_tick = lambda done: None
    folder.make()
    folder.clear()
    draft = Draft(folder.draft, opened.size)
    try:
        for filesystem in opened.filesystems:
            live = deleted = 0
            for piece in reader.listing(filesystem):
                found = piece.entries if settings.deleted else [e for e in piece.entries if e.allocated]
                alive = sum(e.allocated for e in found)
                live, deleted = live + alive, deleted + len(found) - alive
                tally.seen(found)
                draft.add(found)
                if piece.batch is not None:
                    batch = piece.batch if settings.deleted else piece.batch.filter(piece.batch.column("allocated"))
                    alive = batch.column("allocated").true_count
                    live, deleted = live + alive, deleted + batch.num_rows - alive
                    tally.seen_columns(batch)
                    draft.add_columns(batch)
                on_listed(len(draft))
                if piece.ends:
                    filesystems.append(replace(piece.record, live=live, deleted=deleted))
                    tally.listed(filesystems[-1], piece.other, piece.unread)
                    draft.amend(filesystem.index, piece.names, piece.notes)
        layout = draft.write(folder.listing)
    finally:
        draft.abandon()
    whole = reads_whole(settings, opened)
    plan = new_plan(
        operator=operator, settings=settings, roots=roots, opened=opened, filesystems=filesystems,
        counts=tally.counts(), problems=tally.problems, unread=tally.unread,
        chunks=cut(layout, opened=opened, settings=settings, whole=whole), rows=len(draft),
        listing=file_digest(folder.listing),
    )  # fmt: skip
    folder.write_plan(plan)
    return plan


def _deciding(settings: TriageSettings) -> TriageSettings:
    """The settings without what may differ from worker to worker."""
    return replace(settings, keys=(), block_set="", video_set="", sandbox="off", picture_workers=0, reader_threads=0)


def resumable(folder: RunFolder, *, hash_sets: Sequence[HashSet], settings: TriageSettings) -> DevicePlan | None:
    """The plan of the unfinished run in the folder; None where there is none.

    Raises:
        EvidenceError: there is one, and it was begun with other settings, hash sets or another version.
        MatchingError: two hash sets share a name, or the block set cannot be opened.
    """
    plan = folder.plan()
    if plan is None:
        return None
    differs = ""
    if plan.tool_version != __version__:
        differs = f"version {plan.tool_version} of this program"
    elif plan.roots != roots_of(hash_sets, settings):
        differs = "other hash sets"
    elif _deciding(plan.settings) != _deciding(settings):
        differs = "other settings"
    if differs:
        raise EvidenceError(
            f"The unfinished run in {folder.path} was begun with {differs}.",
            fix="Use what it was begun with, name another folder, or start anew (--fresh).",
        )
    if file_digest(folder.listing) != plan.listing:
        raise EvidenceError(
            f"The listing of the unfinished run in {folder.path} is damaged.", fix="Start anew (--fresh)."
        )
    return plan
