"""Which kind of archive a medium is, told by its first bytes."""

from __future__ import annotations

from safelight.triage.evidence.archive import ArchiveFiles
from safelight.triage.evidence.base import Evidence
from safelight.triage.evidence.sevenzip import SevenZipFiles
from safelight.triage.evidence.tarred import SQUEEZED, SqueezedFiles, TarFiles, is_tar
from safelight.triage.evidence.zipped import ZipFiles


def open_archive(index: int, evidence: Evidence) -> ArchiveFiles | None:
    """The reader for an archive; None for what is none."""
    head = evidence.read(0, 512)
    name = evidence.parts[0].name
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return ZipFiles(index, evidence, name)
    if head.startswith(b"7z\xbc\xaf\x27\x1c"):
        return SevenZipFiles(index, evidence, name)
    for mark, kind, endings, start in SQUEEZED:
        if head.startswith(mark):
            return SqueezedFiles(index, evidence, name, kind, endings, start)
    if is_tar(head):
        return TarFiles(index, evidence, name)
    return None
