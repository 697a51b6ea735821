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
    from safelight.triage.evidence.layers import Key
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
        from safelight.triage.evidence.volumes import TskImage, read_volumes

        image = TskImage(evidence)
        table = read_volumes(evidence, image)
        self.volumes = table.volumes
        self.problems += table.problems
        self.unread += table.unread
        for volume in self.volumes:
            if before is not None and volume.kind != "table":
                before(volume.index)
            if skip and volume.index in skip:
                self.unread.append(UnreadPart(f"volume {volume.index}", skip[volume.index], volume.offset, volume.size))
            elif volume.kind == "volume":
                self._open_volume(volume, image)
            elif volume.kind == "gap":
                self._gap(volume)

    def _open_volume(self, volume: Volume, image: TskImage) -> None:
        from safelight.triage.evidence.volumes import UNREADABLE, signature

        where = f"volume {volume.index}"
        if volume.size == 0:
            return
        said = signature(self.evidence, volume.offset, volume.size)
        reason = UNREADABLE.get(said or "")
        if reason is None:
            try:
                if said in ("BitLocker", "LUKS", "LVM"):
                    self._open_layer(said, self.evidence, volume.offset, volume.size, volume, image)
                else:
                    self.filesystems += self._readers(said, self.evidence, volume.offset, volume.size, volume, image)
                return
            except EvidenceError as error:
                reason = f"its {said} file system cannot be opened: {error.what}" if said else ""
                if said in ("BitLocker", "LUKS", "LVM"):
                    reason = error.what
        if not said:
            reason = self._describe_unknown(volume)
            if reason is None:
                self.problems.append(Problem(where, "Every byte of this volume is zero; it holds no file system."))
                return
        self.unread.append(UnreadPart(where, str(reason), volume.offset, volume.size))

    def _readers(
        self, said: str | None, evidence: Evidence, offset: int, size: int, volume: Volume, image: TskImage | None
    ) -> list[FileSystemReader]:
        from safelight.triage.evidence import libyal
        from safelight.triage.evidence.tsk import TskFileSystem
        from safelight.triage.evidence.volumes import TskImage

        index = len(self.filesystems)
        if said == "APFS":
            return libyal.open_apfs(index, volume.index, evidence, offset, size)
        if said == "XFS":
            return libyal.open_xfs(index, volume.index, evidence, offset, size)
        opened = TskFileSystem(index, volume.index, evidence, image or TskImage(evidence), offset, size)
        if self._carve:
            from safelight.triage.evidence.unallocated import KINDS, UnallocatedSpace

            if opened.type in KINDS:
                return [opened, UnallocatedSpace(index + 1, opened, evidence)]
        return [opened]

    def _open_layer(
        self, kind: str, evidence: Evidence, offset: int, size: int, volume: Volume, image: TskImage | None
    ) -> None:
        """An encrypted volume or a volume group: what is under it, however many layers down."""
        from safelight.triage.evidence import layers
        from safelight.triage.evidence.volumes import UNREADABLE, signature

        if kind == "LVM":
            found = [(f"LVM volume {name!r}", layer) for name, layer in layers.open_lvm(evidence, offset, size)]
        else:
            opener = layers.open_bitlocker if kind == "BitLocker" else layers.open_luks
            found = [(f"inside {kind}", opener(evidence, offset, size, self._keys))]
            self.problems.append(
                Problem(f"volume {volume.index}", f"{kind}: {layers.OPENED[0].lower()}{layers.OPENED[1:]}")
            )
        for name, layer in found:
            where = f"volume {volume.index}, {name}"
            said = signature(layer, 0, layer.size)
            try:
                if said in ("BitLocker", "LUKS", "LVM"):
                    self._open_layer(said, layer, 0, layer.size, volume, None)
                elif said in UNREADABLE:
                    self.unread.append(UnreadPart(where, UNREADABLE[said], None, layer.size))
                else:
                    self.filesystems += [
                        layers.LayeredFiles(reader, volume.offset, kind, layer, f"{name[0].upper()}{name[1:]}.")
                        for reader in self._readers(said, layer, 0, layer.size, volume, None)
                    ]
            except EvidenceError as error:
                reason = error.what if said else f"no known file system ({error.what.rstrip('.')})"
                self.unread.append(UnreadPart(where, reason, None, layer.size))

    def _describe_unknown(self, volume: Volume) -> str | None:
        """Why an unknown volume was not read; None when it was read and is all zeros."""
        from safelight.triage.evidence.volumes import is_zero, looks_random

        evidence = self.evidence
        if evidence.thin:
            return "no known file system; the image claims far more bytes than its files hold, so it was not searched"
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
