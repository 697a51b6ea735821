"""Triage of one device: an image in, findings and an honest verdict out.

    from safelight.triage import TriageSettings, triage_device, write_report

    result = triage_device([Path("exhibit-7.E01")], hash_sets=sets, settings=TriageSettings(), operator="A. Examiner")
    write_report(result, Path("out"))

Evidence is opened for reading only. Whatever parses it (containers, file systems, pictures) runs in child processes
with limits, so that a hostile image can cost a part of a run, never the run. A picture's pixels exist only in
such a child.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from safelight.triage.evidence import open_evidence
    from safelight.triage.exports import write_report
    from safelight.triage.lanes import warm_up
    from safelight.triage.model import (
        EvidencePart,
        Extent,
        FileEntry,
        FileRecord,
        FileSystemRecord,
        Problem,
        Times,
        UnreadPart,
        Volume,
    )
    from safelight.triage.paths import resolve_inside
    from safelight.triage.pipeline import triage_device
    from safelight.triage.progress import Progress
    from safelight.triage.result import (
        Counts,
        EvidenceRecord,
        Finding,
        HashSetRecord,
        TriageResult,
        Verdict,
    )
    from safelight.triage.settings import TriageSettings

_HOMES = {
    "model": (
        "EvidencePart", "Extent", "FileEntry", "FileRecord", "FileSystemRecord", "Problem", "Times", "UnreadPart",
        "Volume",
    ),
    "result": ("Counts", "EvidenceRecord", "Finding", "HashSetRecord", "TriageResult", "Verdict"),
    "settings": ("TriageSettings",),
    "progress": ("Progress",),
    "paths": ("resolve_inside",),
    "pipeline": ("triage_device",),
    "exports": ("write_report",),
    "evidence": ("open_evidence",),
    "lanes": ("warm_up",),
}  # fmt: skip
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Counts",
    "EvidencePart",
    "EvidenceRecord",
    "Extent",
    "FileEntry",
    "FileRecord",
    "FileSystemRecord",
    "Finding",
    "HashSetRecord",
    "Problem",
    "Progress",
    "Times",
    "TriageResult",
    "TriageSettings",
    "UnreadPart",
    "Verdict",
    "Volume",
    "open_evidence",
    "resolve_inside",
    "triage_device",
    "warm_up",
    "write_report",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used, so that `import safelight.triage` costs next to nothing."""
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
