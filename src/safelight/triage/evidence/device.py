"""Everything that can be listed on one device: its volumes, its file systems, and what could not be opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from safelight.errors import EvidenceError
from safelight.triage.evidence.base import Evidence
from safelight.triage.evidence.detect import not_an_image
from safelight.triage.evidence.folder import FolderFiles
from safelight.triage.evidence.inner import Nest
from safelight.triage.model import Problem, UnreadPart, Volume

if TYPE_CHECKING:
    from safelight.triage.evidence.filesystem import FileSystemReader
    from safelight.triage.evidence.keys import Key
    from safelight.triage.evidence.opening import Opener
    from safelight.triage.evidence.volumes import TskImage

#: A raw file smaller than this, in which nothing is recognised, is a wrong file and not an unreadable device.
SMALLEST_DEVICE = 1 << 20


class Device:
    """The opened device. Only what the evidence itself holds is ever listed: there is no way to the host's own disk.

    Args:
        evidence: stays open as long as the device is used.
        check_gaps: read the space between volumes.
        tick: told the bytes of each step of a long read.
        skip: volumes (by index) that are not to be opened, with the reason that is then reported.
        keys: tried on encrypted volumes.
        carve: list the whole pictures in free space too, as a file system of its own behind the one they lie in.
        before: told the index of a volume before it is opened, so that a watcher knows which one brought a parser down.

    Raises:
        EvidenceError: a raw file in which nothing is recognised and that is not plausibly a whole device.
    """

    def __init__(
        self,
        evidence: Evidence,
        *,
        check_gaps: bool = True,
        tick: Callable[[int], None] | None = None,
        skip: Mapping[int, str] | None = None,
        before: Callable[[int], None] | None = None,
        keys: Sequence[Key] = (),
        carve: bool = False,
    ) -> None:
        self.evidence = evidence
        self.volumes: list[Volume] = []
        self.filesystems: list[FileSystemReader] = []
        self.problems: list[Problem] = list(evidence.problems)
        self.unread: list[UnreadPart] = []
        self._check_gaps = check_gaps
        self._tick = tick
        self._keys = keys
        self._carve = carve
        self._open(skip, before)
        self.nest = Nest(self, lambda inner: Device(inner, tick=tick, keys=keys, carve=carve))
        for filesystem in self.filesystems:
            filesystem.nest = self.nest

    def _open(self, skip: Mapping[int, str] | None, before: Callable[[int], None] | None) -> None:
        evidence = self.evidence
        if evidence.folder is not None:
            self.filesystems.append(FolderFiles(0, evidence.folder))
            return
        if evidence.format in ("raw", "split raw"):
            from safelight.triage.evidence.archives import open_archive

            archive = open_archive(0, evidence)
            if archive is not None:
                evidence.format = archive.type
                self.filesystems.append(archive)
                return
        from safelight.triage.evidence.opening import Opener
        from safelight.triage.evidence.volumes import TskImage, read_volumes

        image = TskImage(evidence)
        table = read_volumes(evidence, image)
        self.volumes = table.volumes
        self.problems += table.problems
        self.unread += table.unread
        opener = Opener(self._keys, self._carve, self.filesystems, self.problems, self.unread)
        for volume in self.volumes:
            if before is not None and volume.kind != "table":
                before(volume.index)
            if skip and volume.index in skip:
                self.unread.append(UnreadPart(f"volume {volume.index}", skip[volume.index], volume.offset, volume.size))
            elif volume.kind == "volume":
                self._open_volume(opener, volume, image)
            elif volume.kind == "gap":
                self._gap(volume)
        opener.finish()

    def _open_volume(self, opener: Opener, volume: Volume, image: TskImage) -> None:
        from safelight.triage.evidence.opening import LAYERS
        from safelight.triage.evidence.volumes import UNREADABLE, signature

        where = f"volume {volume.index}"
        if volume.size == 0:
            return
        said = signature(self.evidence, volume.offset, volume.size)
        reason = UNREADABLE.get(said or "")
        if reason is None:
            try:
                opener.open(said, self.evidence, volume, image)
                return
            except EvidenceError as error:
                reason = f"its {said} file system cannot be opened: {error.what}" if said else ""
                if said in LAYERS:
                    reason = error.what
        if not said:
            reason = self._describe_unknown(volume)
            if reason is None:
                self.problems.append(Problem(where, "Every byte of this volume is zero; it holds no file system."))
                return
        self.unread.append(UnreadPart(where, str(reason), volume.offset, volume.size))

    def _describe_unknown(self, volume: Volume) -> str | None:
        """Why an unknown volume was not read; None when it was read and is all zeros."""
        from safelight.triage.evidence.volumes import is_zero, looks_random

        evidence = self.evidence
        if evidence.thin:
            return "no known file system; the image claims far more bytes than its files hold, so it was not searched"
        if evidence.missing:
            return "no known file system; parts of the image cannot be read, perhaps those that would tell"
        plausible = evidence.format != "raw" or evidence.size >= SMALLEST_DEVICE
        if is_zero(evidence, volume.offset, volume.size, self._tick):
            if not plausible:
                raise not_an_image(evidence)
            return None
        random = looks_random(evidence, volume.offset, volume.size)
        if volume.scheme == "none" and evidence.format == "raw" and not (plausible and random):
            raise not_an_image(evidence)
        if random:
            return "no known file system; its bytes look random, as those of an encrypted volume do"
        return "no known file system"

    def _gap(self, volume: Volume) -> None:
        from safelight.triage.evidence.volumes import is_zero

        if not volume.size:
            return
        where = f"space between volumes ({volume.index})"
        if not self._check_gaps:
            self.unread.append(UnreadPart(where, "not looked at, by the settings", volume.offset, volume.size))
        elif self.evidence.thin:
            self.unread.append(
                UnreadPart(where, "the image claims far more bytes than its files hold", volume.offset, volume.size)
            )
        elif not is_zero(self.evidence, volume.offset, volume.size, self._tick):
            self.unread.append(
                UnreadPart(
                    where, "it holds data that belongs to no volume; it was not searched", volume.offset, volume.size
                )
            )

    def unread_now(self) -> list[UnreadPart]:
        """All unread parts known by now: of the image, the volumes and the listings."""
        parts = [*self.evidence.unread(), *self.unread]
        for filesystem in self.filesystems:
            parts += filesystem.unread
        return parts
