"""Findings as CSV that a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
import io

from safelight.cells import safe_cell
from safelight.triage.codec import encode
from safelight.triage.result import TriageResult

COLUMNS = (
    "category", "kind", "algorithm", "distance", "mode", "hash_set", "hash_set_root", "path", "name", "size", "state",
    "created", "written", "accessed", "changed", "offsets", "md5", "sha1", "sha256", "pdq", "type", "volume",
    "filesystem", "address", "names", "notes",
)  # fmt: skip


def render_csv(result: TriageResult) -> str:
    """One row for each finding, with a header; times in UTC, lists joined by ` | `."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    for finding in result.findings:
        row = encode(finding)
        row |= row.pop("times")
        for name in ("offsets", "names", "notes"):
            row[name] = " | ".join(str(v) for v in row[name])
        writer.writerow([safe_cell(row[name]) for name in COLUMNS])
    return out.getvalue()
