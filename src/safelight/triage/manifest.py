"""The manifest of a run: every file that was seen, once, with all that is known of it, from the chunks' records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from safelight.triage.model import FileRecord
from safelight.triage.plan import DevicePlan
from safelight.triage.rows import RECORDS, RowWriter, read_batches, records_of
from safelight.triage.runfolder import ChunkResult, RunFolder

if TYPE_CHECKING:
    import numpy.typing as npt

_DUPLICATE = RECORDS.get_field_index("duplicate")


def _parts(plan: DevicePlan, folder: RunFolder, results: Mapping[int, ChunkResult]) -> Iterator[Path]:
    for chunk in plan.chunks:
        result = results.get(chunk.index)
        if result is not None and result.rows:
            yield folder.records(chunk.index)


def duplicates(
    plan: DevicePlan, folder: RunFolder, results: Mapping[int, ChunkResult]
) -> tuple[npt.NDArray[np.bool_], int]:
    """Which records, in the order of the plan, are whole copies of one before them; and how many they are.

    Raises:
        EvidenceError: a chunk's records are damaged.
    """
    digests: list[npt.NDArray[np.void]] = []
    places: list[npt.NDArray[np.int64]] = []
    at = 0
    for path in _parts(plan, folder, results):
        for batch in read_batches(path, columns=["md5", "complete"]):
            texts = batch.column("md5").to_pylist()
            whole = [i for i, (md5, done) in enumerate(zip(texts, batch.column("complete").to_pylist(), strict=True))
                     if done and md5]  # fmt: skip
            digests.append(np.frombuffer(bytes.fromhex("".join(texts[i] for i in whole)), "V16"))
            places.append(np.array(whole, np.int64) + at)
            at += len(texts)
    mask = np.zeros(at, np.bool_)
    if digests:
        every, where = np.concatenate(digests), np.concatenate(places)
        _, first = np.unique(every, return_index=True)
        mask[where] = True
        mask[where[first]] = False
    return mask, int(mask.sum())


def batches(
    plan: DevicePlan, folder: RunFolder, results: Mapping[int, ChunkResult], copies: npt.NDArray[np.bool_]
) -> Iterator[pa.RecordBatch]:
    """All records in the order of the plan, in columns, with `duplicate` as `copies` says.

    Raises:
        EvidenceError: a chunk's records are damaged.
    """
    at = 0
    for path in _parts(plan, folder, results):
        for batch in read_batches(path):
            mask = pa.array(copies[at : at + batch.num_rows])
            at += batch.num_rows
            yield batch.set_column(_DUPLICATE, RECORDS.field(_DUPLICATE), mask)


def records(
    plan: DevicePlan, folder: RunFolder, results: Mapping[int, ChunkResult], copies: npt.NDArray[np.bool_]
) -> Iterator[FileRecord]:
    """As `batches`, one record after the other."""
    for batch in batches(plan, folder, results, copies):
        yield from records_of(batch)


def write_manifest(plan: DevicePlan, folder: RunFolder, path: Path) -> Path:
    """Write the manifest of what is done as one Parquet file.

    Raises:
        EvidenceError: a chunk's records are damaged, or `path` cannot be written.
    """
    results = {c.index: r for c in plan.chunks if (r := folder.result(plan, c)) is not None}
    copies, _ = duplicates(plan, folder, results)
    writer = RowWriter(path, RECORDS)
    for batch in batches(plan, folder, results, copies):
        writer.add_batch(batch)
    writer.close()
    return path
