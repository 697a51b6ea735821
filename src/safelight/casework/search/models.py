"""What can be found. No service writes these rows: triggers of the database do (:mod:`.triggers`)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from safelight.casework.ciphers.fields import EncryptedField, ExactIndex, SealedRow
from safelight.casework.search.sources import SOURCES


class Entry(models.Model):
    """The words of one row of a source table (:data:`safelight.casework.search.sources.SOURCES`).

    ``owner`` is the key of the record that a hit leads to (the case of a note), ``kind`` what that record is. On SQLite
    the FTS5 table ``search_fts`` reads these rows; on PostgreSQL the generated column ``found_by`` (tsvector).
    """

    source = models.CharField(max_length=20)
    record = models.BigIntegerField()
    owner = models.BigIntegerField()
    kind = models.CharField(max_length=20)
    words = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "record"], name="search_entry_once")]
        indexes = [
            models.Index(fields=["kind", "owner"], name="search_entry_owner"),
            # The newest entries of a source, in the order in which they lie. Of one index by source and key PostgreSQL
            # knows only that sources are mixed, and reads the whole table backwards instead.
            *(models.Index(fields=["-id"], condition=Q(source=one), name=f"search_newest_{one}") for one in SOURCES),
        ]


class NameTerm(SealedRow):
    """A name that somebody on record bears, as written (lower case), so that a misspelt one finds it.

    It says of nobody that they bear it: a hit is a person whom the reader may see.
    """

    derived = True
    term = EncryptedField(index="term_is")
    term_is = ExactIndex(of="term", unique=True)
