"""The marks of seals are append-only too: see 0002 and 0003."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.db import migrations

TABLE = "ledger_sealmark"
SAME = '"id" = NEW."id" OR ("seal_id" = NEW."seal_id" AND "kind" = NEW."kind" AND "name" = NEW."name")'


def install(apps: Any, schema_editor: Any) -> None:
    earlier = import_module("safelight.casework.ledger.migrations.0002_append_only")
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(earlier.POSTGRESQL.format(table=TABLE))
        return
    for event in ("UPDATE", "DELETE"):
        schema_editor.execute(earlier.SQLITE.format(table=TABLE, event=event))
    schema_editor.execute(
        import_module("safelight.casework.ledger.migrations.0003_no_replace").TRIGGER.format(table=TABLE, same=SAME)
    )


def remove(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP TRIGGER {TABLE}_append_only ON {TABLE}")
        schema_editor.execute(f"DROP TRIGGER {TABLE}_no_truncate ON {TABLE}")
        return
    for event in ("UPDATE", "DELETE", "REPLACE"):
        schema_editor.execute(f"DROP TRIGGER {TABLE}_no_{event}")


class Migration(migrations.Migration):
    dependencies = [("ledger", "0004_witnessed")]
    operations = [migrations.RunPython(install, remove)]
