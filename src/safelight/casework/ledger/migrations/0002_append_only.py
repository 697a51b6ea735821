"""The database itself refuses to change or delete what is in the ledger, on SQLite and on PostgreSQL."""

from __future__ import annotations

from typing import Any

from django.db import migrations

# By table, what makes a row the same as one that is there.
TABLES = {
    "ledger_ledgerentry": '"id" = NEW."id" OR "uid" = NEW."uid"',
    "ledger_ledgerleaf": '"index" = NEW."index" OR "entry_id" = NEW."entry_id"',
    "ledger_ledgerseal": '"id" = NEW."id" OR "tree_size" = NEW."tree_size"',
    "ledger_sealmark": (
        '"id" = NEW."id" OR ("seal_id" = NEW."seal_id" AND "kind" = NEW."kind" AND "name" = NEW."name")'
    ),
}

SQLITE = """
CREATE TRIGGER {table}_no_{event} BEFORE {event} ON {table}
BEGIN SELECT RAISE(ABORT, 'The ledger is append-only: {table} refuses {event}.'); END;
"""
# INSERT OR REPLACE deletes the row that it replaces without firing the DELETE trigger.
SQLITE_REPLACE = """
CREATE TRIGGER {table}_no_REPLACE BEFORE INSERT ON {table}
WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})
BEGIN SELECT RAISE(ABORT, 'The ledger is append-only: {table} refuses REPLACE.'); END;
"""

POSTGRESQL_FUNCTION = """
CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'The ledger is append-only: % refuses %.', TG_TABLE_NAME, TG_OP; END $$;
"""

POSTGRESQL = """
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
"""


def install(apps: Any, schema_editor: Any) -> None:
    vendor = schema_editor.connection.vendor
    if vendor == "postgresql":
        # Without params=None the driver takes the % of RAISE for a placeholder.
        schema_editor.execute(POSTGRESQL_FUNCTION, params=None)
    for table, same in TABLES.items():
        if vendor == "sqlite":
            for event in ("UPDATE", "DELETE"):
                schema_editor.execute(SQLITE.format(table=table, event=event))
            schema_editor.execute(SQLITE_REPLACE.format(table=table, same=same))
        else:
            schema_editor.execute(POSTGRESQL.format(table=table))


def remove(apps: Any, schema_editor: Any) -> None:
    vendor = schema_editor.connection.vendor
    for table in TABLES:
        if vendor == "sqlite":
            for event in ("UPDATE", "DELETE", "REPLACE"):
                schema_editor.execute(f"DROP TRIGGER {table}_no_{event}")
        else:
            schema_editor.execute(f"DROP TRIGGER {table}_append_only ON {table}")
            schema_editor.execute(f"DROP TRIGGER {table}_no_truncate ON {table}")
    if vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION ledger_refuse()")


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]
    operations = [migrations.RunPython(install, remove)]
