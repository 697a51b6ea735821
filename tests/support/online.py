"""Which changes of tables the running version before can live with, and which it cannot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.migrations import operations as ops
from django.db.migrations.state import ProjectState
from django.db.models import ManyToManyField

from safelight.casework.base.migrating import AddIndexOnline

#: Of these a running program, and the database's rows, see nothing.
WORDS_ONLY = {
    "choices",
    "verbose_name",
    "help_text",
    "blank",
    "default",
    "validators",
    "related_name",
    "error_messages",
}
CONTRACT = 'give the migration `after_release = "X.Y.Z"`, the release in which no code used it any more'


def faults(migration: Any, before: ProjectState, released: Iterable[str]) -> list[str]:
    """Why a migration stops, locks or breaks the version that still runs; empty when it does not.

    Args:
        migration: an instance of Migration. `after_release` names the release after which a column or table is not used
            any more; `online` says why its own code may run beside people's work.
        before: the models as they are before it.
        released: versions that were released.
    """
    state = before.clone()
    new: set[str] = set()
    found = []
    for operation in migration.operations:
        for why in _faults(operation, migration, state, new, set(released)):
            found.append(f"{migration.app_label}.{migration.name}: {operation.describe()}: {why}")
        if isinstance(operation, ops.CreateModel):
            new.add(operation.name_lower)
        operation.state_forwards(migration.app_label, state)
    return found


def _faults(operation: Any, migration: Any, state: ProjectState, new: set[str], released: set[str]) -> Iterator[str]:
    table = str(getattr(operation, "model_name", getattr(operation, "name", ""))).lower()
    contracted = getattr(migration, "after_release", "") in released
    if isinstance(operation, ops.CreateModel | ops.AlterModelOptions | ops.AlterModelManagers) or table in new:
        return
    if isinstance(operation, ops.RunPython | ops.RunSQL):
        if not getattr(migration, "online", ""):
            yield "code of its own: say in `online` why it neither locks a table nor changes what the old version reads"
    elif isinstance(operation, ops.AddField):
        field = operation.field
        if not isinstance(field, ManyToManyField) and not field.null and not field.has_db_default():
            yield "the old version's inserts do not know the column: make it null, or give it a db_default"
    elif isinstance(operation, ops.AlterField):
        yield from _altered(
            state.models[migration.app_label, table].fields[operation.name], operation.field, contracted
        )
    elif isinstance(operation, ops.AddIndex):
        if not isinstance(operation, AddIndexOnline):
            yield "PostgreSQL lets nobody write while it is built: use AddIndexOnline"
        elif migration.atomic:
            yield "an index is built beside people's work only outside a transaction: `atomic = False`"
    elif isinstance(operation, ops.RemoveIndex | ops.RemoveConstraint):
        return
    elif isinstance(operation, ops.AddConstraint):
        if not contracted:
            yield f"the old version may still write what it refuses: {CONTRACT}"
    elif not contracted:
        yield f"the old version still uses it: expand first, contract a release later; {CONTRACT}"


def _altered(old: Any, field: Any, contracted: bool) -> Iterator[str]:
    _, kind_before, _, said_before = old.deconstruct()
    _, kind, _, said = field.deconstruct()
    if kind != kind_before:
        yield f"the column is rewritten ({kind_before} to {kind}) and the table locked: add a new column"
        return
    for name in sorted(set(said) | set(said_before)):
        one, other = said_before.get(name), said.get(name)
        if one == other or name in WORDS_ONLY:
            continue
        if name == "max_length" and one is not None and (other is None or other > one):
            continue
        if name == "null" and other:
            continue
        if not contracted:
            yield f"{name} goes from {one} to {other}, against which the old version may write: {CONTRACT}"
