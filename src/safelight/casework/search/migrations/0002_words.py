"""What reads the words: FTS5 tables on SQLite; on PostgreSQL a generated tsvector, with an index of words for each source,
and letter triples (pg_trgm)."""

from __future__ import annotations

from typing import Any

from django.db import migrations

from safelight.casework.search.index import FTS, GIN

SQLITE = (
    "CREATE VIRTUAL TABLE search_fts USING fts5(kind, words, content='search_entry', content_rowid='id', "
    "tokenize='unicode61 remove_diacritics 2', prefix='3')",
    *FTS,
    "CREATE VIEW search_nametext AS SELECT id, '^' || folded || '$' AS folded FROM search_nameterm",
    "CREATE VIRTUAL TABLE search_names USING fts5(folded, content='search_nametext', content_rowid='id', "
    "tokenize='trigram')",
    "CREATE TRIGGER search_names_in AFTER INSERT ON search_nameterm BEGIN "
    "INSERT INTO search_names (rowid, folded) VALUES (NEW.id, '^' || NEW.folded || '$'); END",
    "CREATE TRIGGER search_names_out AFTER DELETE ON search_nameterm BEGIN "
    "INSERT INTO search_names (search_names, rowid, folded) VALUES ('delete', OLD.id, '^' || OLD.folded || '$'); END",
)
# Accents off, capitals off, and every sign that is neither letter nor digit a blank: PostgreSQL's own reading of
# addresses, file names and numbers with signs would cut them otherwise than the words that are looked for.
FOLD = r"""
CREATE OR REPLACE FUNCTION safelight_fold(said text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
SELECT lower(regexp_replace(normalize(regexp_replace(normalize(said, NFKD), '[\u0300-\u036f]', '', 'g'), NFC),
'[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u206f\u3000-\u303f\ufe00-\ufe0f]+', ' ', 'g')) $$
"""
POSTGRESQL = (
    FOLD,
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "ALTER TABLE search_entry ADD COLUMN found_by tsvector GENERATED ALWAYS AS "
    "(to_tsvector('simple'::regconfig, 'zk' || kind || ' ' || safelight_fold(words))) STORED",
    "CREATE INDEX search_nameterm_alike ON search_nameterm USING gin (folded gin_trgm_ops)",
    *GIN.values(),
)
SQLITE_BACK = ("DROP TABLE search_fts", "DROP TABLE search_names", "DROP VIEW search_nametext")
POSTGRESQL_BACK = ("ALTER TABLE search_entry DROP COLUMN found_by", "DROP FUNCTION safelight_fold(text)")


def make(apps: Any, schema_editor: Any) -> None:
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement, params=None)


def unmake(apps: Any, schema_editor: Any) -> None:
    for statement in POSTGRESQL_BACK if schema_editor.connection.vendor == "postgresql" else SQLITE_BACK:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("search", "0001_initial")]
    operations = [migrations.RunPython(make, unmake)]
