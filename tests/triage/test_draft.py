"""The ordered listing of a device, held against sorting it in memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.errors import EvidenceError
from safelight.triage import Extent, FileEntry, draft
from safelight.triage.device_reader import WINDOW
from safelight.triage.draft import Draft
from safelight.triage.placement import in_disk_order, mark_overwritten
from safelight.triage.plain import lies_in_order
from safelight.triage.rows import batch_of, read_entries

MEDIA = 1 << 20
EXTENT = st.builds(Extent, st.integers(0, 12).map(lambda n: n * 64), st.integers(0, 3).map(lambda n: n * 64))


@st.composite
def entries(draw: st.DrawFn) -> FileEntry:
    extents = tuple(draw(st.lists(EXTENT, max_size=2)))
    size = draw(st.sampled_from([0, 64, 1 << 70, sum(x.size for x in extents)]))
    return FileEntry(
        draw(st.integers(0, 2)), draw(st.sampled_from(["a", "b", "ä", "\udc80", "z/y"])), size,
        draw(st.sampled_from(["1", "2", "3"])), draw(st.sampled_from([None, 0, 1, 2, 1 << 70])),
        allocated=draw(st.booleans()), readable=draw(st.booleans()), sparse=draw(st.booleans()),
        overwritten=draw(st.booleans()), extents=extents, names=("n",), notes=("o",),
    )  # fmt: skip


def in_memory(rows: list[FileEntry]) -> tuple[list[FileEntry], int]:
    marked = [e for f in range(3) for e in mark_overwritten([r for r in rows if r.filesystem == f])]
    passed, rest = [], []
    for e in in_disk_order(marked):
        plain = e.readable and e.size and not e.sparse and lies_in_order(e, MEDIA, WINDOW)
        (passed if plain else rest).append(e)
    return [*passed, *rest], len(passed)


def shown(e: FileEntry) -> FileEntry:
    """What of an entry a column can hold."""
    address = None if e.address is None else min(e.address, (1 << 63) - 1)
    return replace(e, path=e.path.replace("\udc80", "\\udc80"), size=min(e.size, (1 << 63) - 1), address=address)


@settings(max_examples=60, deadline=None)
@given(st.lists(entries(), max_size=40), st.integers(1, 9), st.integers(1, 9), st.booleans())
def test_it_is_what_sorting_in_memory_gives(
    tmp_path_factory: pytest.TempPathFactory, rows: list[FileEntry], group: int, bucket: int, as_columns: bool
) -> None:
    """Files would be read twice or not at all, or a deleted file's finding blamed on a name that is gone."""
    rows.sort(key=lambda e: e.filesystem)
    folder = tmp_path_factory.mktemp("d")
    with patch.object(draft, "GROUP", group), patch.object(draft, "_BUCKET", bucket):
        it = Draft(folder / "draft", MEDIA)
        for at in range(0, len(rows), 3):
            some = rows[at : at + 3]
            if as_columns and len({e.filesystem for e in some}) == 1:
                it.add_columns(batch_of(some))
            else:
                it.add(some)
        it.amend(1, {"1": ["more"]}, {"2": ["also"]})
        layout = it.write(folder / "listing.parquet")
    want, passed = in_memory([shown(e) for e in rows])
    for number, e in enumerate(want):
        if e.filesystem == 1 and e.readable:
            names, notes = e.names + ("more",) * (e.locator == "1"), e.notes + ("also",) * (e.locator == "2")
            want[number] = replace(e, names=names, notes=notes)
    assert read_entries(folder / "listing.parquet", 0, len(rows)) == want
    assert layout.passed == passed and len(it) == len(rows) and not (folder / "draft").exists()
    assert layout.sizes.tolist() == [e.size for e in want]
    assert layout.stored.tolist() == [e.readable and not e.sparse for e in want]
    assert [o for o, e in zip(layout.offsets.tolist(), want, strict=True) if e.extents] == [
        e.extents[0].offset for e in want if e.extents
    ]


def test_a_folder_that_takes_nothing_is_said(tmp_path: Path) -> None:
    """A full disk would end the run with a traceback."""
    with pytest.raises(EvidenceError, match="cannot be written"):
        Draft(tmp_path / "no such folder" / "draft", MEDIA)
