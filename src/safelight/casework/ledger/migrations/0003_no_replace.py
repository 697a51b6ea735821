"""SQLite: INSERT OR REPLACE deletes the row it replaces without firing the DELETE trigger, so refuse it as well."""

from __future__ import annotations

from typing import Any

from django.db import migrations

KEYS = {
    "ledger_ledgerentry": ("id", "uid"),
    "ledger_ledgerleaf": ("index", "entry_id"),
    "ledger_ledgerseal": ("id", "tree_size"),
}
TRIGGER = """
CREATE TRIGGER {table}_no_REPLACE BEFORE INSERT ON {table}
WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})
BEGIN SELECT RAISE(ABORT, 'The ledger is append-only: {table} refuses REPLACE.'); END;
"""


def install(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor != "sqlite":
        return
    for table, keys in KEYS.items():
        same = " OR ".join(f'"{key}" = NEW."{key}"' for key in keys)
        schema_editor.execute(TRIGGER.format(table=table, same=same))


def remove(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor != "sqlite":
        return
    for table in KEYS:
        schema_editor.execute(f"DROP TRIGGER {table}_no_REPLACE")


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_append_only")]
    operations = [migrations.RunPython(install, remove)]
