"""A run's report as files: for people (HTML, PDF), machines (JSON, CASE/UCO, VICS) and spreadsheets (CSV). No picture.

`SHA256SUMS` lists them all; the SHA-256 of that file is the seal of the report, by which it is known again elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

from safelight.errors import EvidenceError
from safelight.triage.exports.index import Device, render_index
from safelight.triage.exports.vics import VicsOptions, write_vics
from safelight.triage.result import TriageResult

__all__ = ["SEALED_BY", "Device", "VicsOptions", "seal_of", "write_index", "write_report"]

#: The file that lists the others.
SEALED_BY = "SHA256SUMS"


def write_report(
    result: TriageResult, folder: Path, *, vics: VicsOptions | None = None, pdf: bool = False
) -> dict[str, Path]:
    """Write the report into `folder`, which is made if it is not there.

    Args:
        vics: what the VICS file needs from the site; the defaults when left out.
        pdf: write the PDF too, which takes some seconds.

    Returns:
        The files by kind: `json`, `html`, `csv`, `case`, with findings that have a digest `vics`, if asked for `pdf`,
        and `sums`, which lists the others.

    Raises:
        EvidenceError: the folder cannot be written, or is where the evidence lies.
    """
    from safelight.triage.exports.case_uco import render_case
    from safelight.triage.exports.html import render_html
    from safelight.triage.exports.table import render_csv

    target = folder.resolve()
    _not_into_the_evidence(result, target, folder)
    contents = {
        "json": ("report.json", json.dumps(result.to_json(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"),
        "html": ("report.html", render_html(result)),
        "csv": ("findings.csv", render_csv(result)),
        "case": ("case-uco.jsonld", render_case(result)),
    }
    try:
        target.mkdir(parents=True, exist_ok=True)
        for stale in ("vics.json", "report.pdf"):  # Of a run before, which wrote more than this one will.
            (target / stale).unlink(missing_ok=True)
        written = {kind: _write(target / name, text.encode()) for kind, (name, text) in contents.items()}
        if write_vics(result, target / "vics.json", vics or VicsOptions()):
            written["vics"] = target / "vics.json"
        if pdf:
            from safelight.triage.exports.paper import render_pdf

            written["pdf"] = _write(target / "report.pdf", render_pdf(result))
        # The manifest that the run wrote beside them is sealed too.
        inside = sorted(p for p in target.iterdir() if p.is_file() and p.name != SEALED_BY and p.name[0] != ".")
        sums = "".join(f"{_sha256(path)}  {path.name}\n" for path in inside)
        return {**written, "sums": _write(target / SEALED_BY, sums.encode())}
    except OSError as error:
        raise EvidenceError(
            f"The report cannot be written into {folder}: {error.strerror}.", fix="Name a folder with room for it."
        ) from None


def write_index(devices: Sequence[Device], folder: Path) -> Path:
    """Write `index.html` over the reports of several devices, whose folders lie in `folder`.

    Raises:
        EvidenceError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _write(folder / "index.html", render_index(devices).encode())
    except OSError as error:
        raise EvidenceError(
            f"The index cannot be written into {folder}: {error.strerror}.", fix="Name a folder with room for it."
        ) from None


def seal_of(folder: Path) -> str:
    """The seal of a report: the SHA-256 (hex) of its `SHA256SUMS`.

    Raises:
        EvidenceError: it is not there.
    """
    try:
        return _sha256(folder / SEALED_BY)
    except OSError as error:
        raise EvidenceError(
            f"{folder} has no {SEALED_BY}: {error.strerror}.", fix="Give the whole report folder of a triage run."
        ) from None


def _not_into_the_evidence(result: TriageResult, target: Path, folder: Path) -> None:
    for part in result.evidence.parts:
        place = Path(part.path).resolve()
        if place == target or (result.evidence.format == "folder" and target.is_relative_to(place)):
            raise EvidenceError(
                f"The report cannot be written into the evidence ({folder}).", fix="Name a folder elsewhere."
            )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, content: bytes) -> Path:
    """All or nothing: a reader never meets half a report."""
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(content)
    os.replace(draft, path)
    return path
