"""Files as columns: whatever a hostile file claims of itself fits."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from safelight.triage.model import Extent, FileEntry, FileRecord, Times
from safelight.triage.rows import RECORDS, read_batches, records_of, write_rows


def test_claims_of_any_size_are_kept_or_cut_to_what_a_column_holds(tmp_path: Path) -> None:
    """One picture that claims four thousand million pixels a side would end the whole run (found by mutating 8,000)."""
    entry = FileEntry(
        0, "a\0b\udcff.png", 1 << 70, "x", address=1 << 66, extents=(Extent(1 << 64, 5),),
        times=Times(created=datetime(1, 1, 1, tzinfo=UTC), changed=datetime(9999, 12, 31, tzinfo=UTC)),
    )  # fmt: skip
    record = FileRecord(entry, 5, True, picture=True, width=4_278_190_160, height=1 << 80, problems=("too large",))
    write_rows(tmp_path / "rows.parquet", RECORDS, [record])
    (found,) = [r for batch in read_batches(tmp_path / "rows.parquet") for r in records_of(batch)]
    assert found.width == 4_278_190_160 and found.height == (1 << 63) - 1
    assert found.entry.size == (1 << 63) - 1 and found.entry.times == entry.times
