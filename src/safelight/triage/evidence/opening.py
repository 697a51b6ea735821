"""What lies in a volume, however many layers down: encryption, volume groups, file systems, their older states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from safelight.errors import EvidenceError
from safelight.triage.evidence.base import Evidence
from safelight.triage.evidence.volumes import UNREADABLE, TskImage, signature
from safelight.triage.model import Problem, UnreadPart, Volume

if TYPE_CHECKING:
    from safelight.triage.evidence.filesystem import FileSystemReader
    from safelight.triage.evidence.keys import Key
    from safelight.triage.evidence.lvm import PhysicalVolume

#: Kinds that hold another medium.
LAYERS = ("BitLocker", "LUKS", "LVM", "Core Storage (FileVault)")


@dataclass(slots=True)
class Opener:
    """Opens volumes and gathers what it finds.

    Attributes:
        keys: tried on encrypted volumes.
        carve: list the whole pictures in free space too.
        filesystems, problems, unread: what was found.
    """

    keys: Sequence[Key] = ()
    carve: bool = False
    filesystems: list[FileSystemReader] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unread: list[UnreadPart] = field(default_factory=list)
    _members: list[tuple[PhysicalVolume, Volume]] = field(default_factory=list)

    def open(self, said: str | None, evidence: Evidence, volume: Volume, image: TskImage | None) -> None:
        """Open a volume of the device; `said` is what its signature says it is.

        Raises:
            EvidenceError: it is not opened, and why.
        """
        self._open(said, evidence, volume.offset, volume.size, volume, image)

    def finish(self) -> None:
        """Put together the volume groups whose members were met."""
        from safelight.triage.evidence import lvm

        while self._members:
            members, self._members = self._members, []
            volume = members[0][1]
            try:
                found = lvm.open_groups([member for member, _ in members])
            except EvidenceError as error:
                self.unread += [
                    UnreadPart(f"volume {at.index}", error.what, at.offset, at.size) for at in _once(members)
                ]
                continue
            for name, layer in found:
                shown = f"LVM volume {name!r}"
                if isinstance(layer, str):
                    self.unread.append(UnreadPart(f"volume {volume.index}, {shown}", layer, None))
                else:
                    self._under(shown, "LVM", layer, volume)

    def _open(
        self, said: str | None, evidence: Evidence, offset: int, size: int, volume: Volume, image: TskImage | None
    ) -> None:
        if said not in LAYERS:
            self.filesystems += self._readers(said, evidence, offset, size, volume, image)
            return
        from safelight.triage.evidence import keys, layers, luks, lvm

        if said == "LVM":
            self._members.append((lvm.read_physical(evidence, offset, size), volume))
            return
        found: list[tuple[str, Evidence]]
        if said == "BitLocker":
            found = [("inside BitLocker", layers.open_bitlocker(evidence, offset, size, self.keys))]
        elif said == "LUKS":
            found = [("inside LUKS", luks.open_luks(evidence, offset, size, self.keys))]
        else:
            found = [
                (f"Core Storage volume {n!r}", v)
                for n, v in layers.open_core_storage(evidence, offset, size, self.keys)
            ]
        opened = f"{keys.OPENED[0].lower()}{keys.OPENED[1:]}"
        self.problems.append(Problem(f"volume {volume.index}", f"{said}: {opened}"))
        for name, layer in found:
            self._under(name, said.split(" (")[0], layer, volume)

    def _under(self, name: str, kind: str, layer: Evidence, volume: Volume) -> None:
        """What a layer holds; why not, where it cannot be opened."""
        from safelight.triage.evidence.layers import LayeredFiles

        where = f"volume {volume.index}, {name}"
        said = signature(layer, 0, layer.size)
        if said in UNREADABLE:
            self.unread.append(UnreadPart(where, UNREADABLE[said], None, layer.size))
            return
        before = len(self.filesystems)
        try:
            self._open(said, layer, 0, layer.size, volume, None)
        except EvidenceError as error:
            reason = error.what if said else f"no known file system ({error.what.rstrip('.')})"
            self.unread.append(UnreadPart(where, reason, None, layer.size))
        note = f"{name[0].upper()}{name[1:]}."
        self.filesystems[before:] = [
            LayeredFiles(reader, volume.offset, kind, layer, note) for reader in self.filesystems[before:]
        ]

    def _readers(
        self, said: str | None, evidence: Evidence, offset: int, size: int, volume: Volume, image: TskImage | None
    ) -> list[FileSystemReader]:
        from safelight.triage.evidence import libyal
        from safelight.triage.evidence.ext import ExtFileSystem
        from safelight.triage.evidence.ntfs import NtfsFileSystem
        from safelight.triage.evidence.tsk import TskFileSystem
        from safelight.triage.evidence.udf import UdfFileSystem

        index = len(self.filesystems)
        readers: list[FileSystemReader]
        if said == "APFS":
            readers = libyal.open_apfs(index, volume.index, evidence, offset, size, self.keys)
        elif said == "XFS":
            readers = libyal.open_xfs(index, volume.index, evidence, offset, size)
        elif said == "UDF":
            readers = self._udf(index, evidence, offset, size, volume, image)
        else:
            of = {"NTFS": NtfsFileSystem, "ext": ExtFileSystem}.get(said or "", TskFileSystem)
            readers = [of(index, volume.index, evidence, image or TskImage(evidence), offset, size)]
        if self.carve and readers:
            from safelight.triage.evidence.unallocated import KINDS, UnallocatedSpace

            # The volumes of one APFS container share their free space.
            first = readers[0]
            if first.type in KINDS and isinstance(first, TskFileSystem | libyal.LibyalFileSystem | UdfFileSystem):
                readers.append(UnallocatedSpace(index + len(readers), first, evidence))
        if said == "NTFS":
            from safelight.triage.evidence.shadow import open_shadows

            shadows, unread = open_shadows(index + len(readers), volume.index, evidence, offset, size)
            readers += shadows
            self.unread += unread
        return readers

    def _udf(
        self, index: int, evidence: Evidence, offset: int, size: int, volume: Volume, image: TskImage | None
    ) -> list[FileSystemReader]:
        """UDF, and beside it the ISO 9660 side of a disc that is both."""
        from safelight.triage.evidence.tsk import TskFileSystem
        from safelight.triage.evidence.udf import BridgeFiles, UdfFileSystem

        bridge = evidence.read(offset + 32769, 5) == b"CD001"
        try:
            udf = UdfFileSystem(index, volume.index, evidence, offset, size)
        except EvidenceError as error:
            if not bridge:
                raise
            self.problems.append(Problem(f"volume {volume.index}", f"Its UDF side cannot be opened: {error.what}."))
            udf = None
        readers: list[FileSystemReader] = [] if udf is None else [udf]
        if bridge:
            iso = TskFileSystem(index + len(readers), volume.index, evidence, image or TskImage(evidence), offset, size)
            readers.append(iso if udf is None else BridgeFiles(iso, udf))
        return readers


def _once(members: list[tuple[PhysicalVolume, Volume]]) -> list[Volume]:
    return list({volume.index: volume for _, volume in members}.values())
