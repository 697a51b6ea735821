"""An index of words for each kind of record, and one that leads to the newest entries of a kind."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

from safelight.casework.search.index import GIN


def make(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute("DROP INDEX search_entry_found_by")
    for statement in GIN.values():
        schema_editor.execute(statement)


def unmake(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return
    for name in GIN:
        schema_editor.execute(f"DROP INDEX {name}")
    schema_editor.execute("CREATE INDEX search_entry_found_by ON search_entry USING gin (found_by)")


class Migration(migrations.Migration):
    dependencies = [("search", "0002_words")]
    operations = [
        migrations.AddIndex("entry", models.Index(fields=["kind", "-id"], name="search_entry_newest")),
        migrations.RunPython(make, unmake),
    ]
