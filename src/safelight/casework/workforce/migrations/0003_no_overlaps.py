"""Two absences, or two postings, of one person never overlap: a rule of the database, for rows that no service wrote.

A later migration that rebuilds these tables on SQLite must install the triggers again.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations

TABLES = {"workforce_absence": "absences", "workforce_posting": "postings"}
OVERLAPS = """NEW.cancelled_at IS NULL AND EXISTS (
    SELECT 1 FROM {table} AS other
    WHERE other.user_id = NEW.user_id AND other.id <> COALESCE(NEW.id, -1) AND other.cancelled_at IS NULL
    AND (NEW.until_day IS NULL OR other.from_day <= NEW.until_day)
    AND (other.until_day IS NULL OR other.until_day >= NEW.from_day))"""
SQLITE = """
CREATE TRIGGER {table}_no_overlap_on_{event} BEFORE {event} ON {table} WHEN {overlaps}
BEGIN SELECT RAISE(ABORT, 'Two {name} of one person overlap.'); END
"""
FUNCTION = """
CREATE FUNCTION {table}_no_overlap() RETURNS trigger AS $$
BEGIN
    IF {overlaps} THEN
        RAISE EXCEPTION 'Two {name} of one person overlap.' USING ERRCODE = 'exclusion_violation';
    END IF;
    RETURN NEW;
END $$ LANGUAGE plpgsql
"""
POSTGRES = """
CREATE TRIGGER {table}_no_overlap BEFORE INSERT OR UPDATE ON {table}
FOR EACH ROW EXECUTE FUNCTION {table}_no_overlap()
"""


def install(apps: Any, schema_editor: Any) -> None:
    for table, name in TABLES.items():
        words = {"table": table, "name": name, "overlaps": OVERLAPS.format(table=table)}
        if schema_editor.connection.vendor == "postgresql":
            # params=None: psycopg must not look for placeholders in it.
            schema_editor.execute(FUNCTION.format(**words), params=None)
            schema_editor.execute(POSTGRES.format(**words), params=None)
        else:
            for event in ("INSERT", "UPDATE"):
                schema_editor.execute(SQLITE.format(event=event, **words), params=None)


def remove(apps: Any, schema_editor: Any) -> None:
    for table in TABLES:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP TRIGGER {table}_no_overlap ON {table}")
            schema_editor.execute(f"DROP FUNCTION {table}_no_overlap()")
        else:
            for event in ("INSERT", "UPDATE"):
                schema_editor.execute(f"DROP TRIGGER {table}_no_overlap_on_{event}")


class Migration(migrations.Migration):
    dependencies = [("workforce", "0002_tables")]
    operations = [migrations.RunPython(install, remove)]
