"""A run's report as files: for machines (JSON), for people (HTML) and for a spreadsheet (CSV). Never a picture."""

from __future__ import annotations

import json
import os
from pathlib import Path

from safelight.errors import EvidenceError
from safelight.triage.result import TriageResult

__all__ = ["write_report"]


def write_report(result: TriageResult, folder: Path) -> dict[str, Path]:
    """Write `report.json`, `report.html` and `findings.csv` into `folder`, which is made if it is not there.

    Returns:
        The files by kind: `json`, `html`, `csv`.

    Raises:
        EvidenceError: the folder cannot be written, or is where the evidence lies.
    """
    from safelight.triage.exports.html import render_html
    from safelight.triage.exports.table import render_csv

    target = folder.resolve()
    for part in result.evidence.parts:
        place = Path(part.path).resolve()
        if place == target or (result.evidence.format == "folder" and target.is_relative_to(place)):
            raise EvidenceError(
                f"The report cannot be written into the evidence ({folder}).", fix="Name a folder elsewhere."
            )
    contents = {
        "json": ("report.json", json.dumps(result.to_json(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"),
        "html": ("report.html", render_html(result)),
        "csv": ("findings.csv", render_csv(result)),
    }
    try:
        target.mkdir(parents=True, exist_ok=True)
        return {kind: _write(target / name, text) for kind, (name, text) in contents.items()}
    except OSError as error:
        raise EvidenceError(
            f"The report cannot be written into {folder}: {error.strerror}.", fix="Name a folder with room for it."
        ) from None


def _write(path: Path, text: str) -> Path:
    """All or nothing: a reader never meets half a report."""
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text, encoding="utf-8", newline="")
    os.replace(draft, path)
    return path
