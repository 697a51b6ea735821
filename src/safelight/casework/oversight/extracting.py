"""Making an extract: one consistent reading of the records, pseudonymised, as Parquet files with a digest.

Keys become keyed BLAKE2b digests of 8 bytes; the key is made for the one extract and thrown away, so that nobody can go
back from a row to a record, and two extracts cannot be joined.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.casework.oversight.models import Extract
from safelight.casework.oversight.tables import TABLES, Table

if TYPE_CHECKING:
    import pyarrow as pa

AT_ONCE = 50_000
KEPT = 3
"""Extracts whose files stay; those that a report rests on stay as well."""


def make_extract(actor: Any = None) -> Extract:
    """Read the records once and write them down; work out the figures of the pages.

    Args:
        actor: who asked for it, or None for the clock.

    Returns:
        The extract. Its digest is in the ledger.
    """
    from safelight.casework.oversight.computing import values_of
    from safelight.casework.oversight.quality import counted

    began = time.monotonic()
    moment = timezone.now()
    name = f"{moment.astimezone(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
    folder = Path(settings.DATA) / "extracts" / name
    folder.mkdir(parents=True)
    with ExitStack() as undo:  # half an extract is none
        undo.callback(shutil.rmtree, folder, ignore_errors=True)
        rows = _write_all(folder)
        digest = folder_digest(folder)
        values = values_of(folder, moment) | {"data_quality": counted()}
        undo.pop_all()
    with transaction.atomic():
        made = Extract.objects.create(
            made_at=moment, folder=name, digest=digest, rows=rows, values=values,
            seconds=round(time.monotonic() - began, 2),
        )  # fmt: skip
        payload = {"digest": digest, "rows": rows}
        record(actor, "extract.made", made, category=Category.ALTERATION if actor else Category.SYSTEM, payload=payload)
    _forget_old()
    return made


def folder_digest(folder: Path) -> str:
    """SHA-256 over the names and SHA-256 of the files of an extract, in the order of their names."""
    whole = hashlib.sha256()
    for path in sorted(folder.glob("*.parquet")):
        with path.open("rb") as file:
            one = hashlib.file_digest(file, "sha256").hexdigest()
        whole.update(f"{path.name} {one}\n".encode())
    return whole.hexdigest()


def _write_all(folder: Path) -> dict[str, int]:
    key = secrets.token_bytes(32)
    with _one_reading():
        return {table.name: _write(folder / f"{table.name}.parquet", table, key) for table in TABLES}


@contextmanager
def _one_reading() -> Iterator[None]:
    """All tables as they stood at one moment, while others go on writing (a deferred, reading transaction)."""
    if connection.in_atomic_block:  # the caller's transaction is the one reading
        yield
        return
    begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if connection.vendor == "postgresql" else "BEGIN DEFERRED"
    with connection.cursor() as cursor:
        cursor.execute(begin)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK")


def _write(path: Path, table: Table, key: bytes) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {
        "key": pa.int64(), "text": pa.string(), "time": pa.timestamp("us", tz="UTC"), "date": pa.date32(),
        "bool": pa.bool_(), "int": pa.int64(), "float": pa.float64(),
    }  # fmt: skip
    schema = pa.schema([(name, kinds[kind]) for name, _, kind in table.columns])
    rows = table.rows().order_by().values_list(*(source for _, source, _ in table.columns))
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in _batches(rows.iterator(chunk_size=AT_ONCE)):
            count += len(batch)
            writer.write_table(_arrow(batch, table, schema, key))
    return count


def _batches(rows: Iterable[Any]) -> Iterable[list[Any]]:
    batch: list[Any] = []
    for row in rows:
        batch.append(row)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _arrow(batch: list[Any], table: Table, schema: pa.Schema, key: bytes) -> pa.Table:
    import pyarrow as pa

    columns = []
    for (name, source, kind), values in zip(table.columns, zip(*batch, strict=True), strict=True):
        if kind == "key":
            kept: list[Any] = [_pseudonym(source if source != "pk" else table.name, v, key) for v in values]
        else:
            kept = list(values)
        columns.append(pa.array(kept, type=schema.field(name).type))
    return pa.Table.from_arrays(columns, schema=schema)


OF = {
    "case_id": "cases", "childatrisk_id": "children", "child_id": "children", "device_id": "devices",
    "investigator_id": "people", "owner_id": "people", "user_id": "people",
    "manager_id": "people", "audit_id": "audited",
}  # fmt: skip
"""Which noun a foreign key means, so that the same record has the same pseudonym in every table."""


def _pseudonym(source: str, value: Any, key: bytes) -> int | None:
    if value is None:
        return None
    noun = OF.get(source, source)
    made = hashlib.blake2b(f"{noun}:{value}".encode(), key=key, digest_size=8).digest()
    return int.from_bytes(made, "big", signed=True)


def _forget_old() -> None:
    keep = set(Extract.objects.values_list("folder", flat=True)[:KEPT])
    keep |= set(Extract.objects.filter(reports__isnull=False).values_list("folder", flat=True))
    root = Path(settings.DATA) / "extracts"
    for path in root.iterdir():
        if path.is_dir() and path.name not in keep and _older(path):
            shutil.rmtree(path, ignore_errors=True)


def _older(path: Path) -> bool:
    """Not one that another process is writing just now."""
    made = datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)
    return timezone.now() - made > timedelta(hours=1)
