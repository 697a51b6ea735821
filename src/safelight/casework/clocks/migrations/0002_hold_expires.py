"""A hold expires within its hours: a rule of the database, for a row that no service wrote.

The arithmetic of times differs by database, so that it stands here and not among the constraints of the model. A later
migration that rebuilds the table of holds on SQLite must install the triggers again.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations

CHECK = """
ALTER TABLE clocks_hold ADD CONSTRAINT clocks_hold_expires_within_its_hours
CHECK (expires_at <= placed_at + hours * interval '1 hour' + interval '1 second')
"""
TRIGGER = """
CREATE TRIGGER clocks_hold_expires_on_{event} BEFORE {event} ON clocks_hold
WHEN julianday(NEW.expires_at) > julianday(NEW.placed_at) + NEW.hours / 24.0 + 1 / 86400.0
BEGIN SELECT RAISE(ABORT, 'A hold expires within its hours.'); END
"""


def install(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(CHECK)
        return
    for event in ("INSERT", "UPDATE"):
        schema_editor.execute(TRIGGER.format(event=event))


def remove(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE clocks_hold DROP CONSTRAINT clocks_hold_expires_within_its_hours")
        return
    for event in ("INSERT", "UPDATE"):
        schema_editor.execute(f"DROP TRIGGER clocks_hold_expires_on_{event}")


class Migration(migrations.Migration):
    dependencies = [("clocks", "0001_initial")]
    operations = [migrations.RunPython(install, remove)]
