"""Names are looked for in memory (:mod:`..likeness`): what read them in the database goes, and they stand encrypted."""

import uuid
from typing import Any

from django.db import migrations, models

import safelight.casework.ciphers.fields
from safelight.casework.ciphers.migrating import triggers_off

SQLITE = (
    "DROP TRIGGER search_names_in", "DROP TRIGGER search_names_out", "DROP TABLE search_names",
    "DROP VIEW search_nametext",
)  # fmt: skip
POSTGRESQL = ("DROP INDEX search_nameterm_alike",)


def remove(apps: Any, editor: Any) -> None:
    for statement in POSTGRESQL if editor.connection.vendor == "postgresql" else SQLITE:
        editor.execute(statement, params=None)
    # They are learned anew from the people's records once all migrations are made.
    apps.get_model("search", "NameTerm").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("search", "0002_words")]
    operations = [
        triggers_off(),
        migrations.RunPython(remove),
        migrations.RemoveField("nameterm", "folded"),
        migrations.AlterField("nameterm", "term", safelight.casework.ciphers.fields.EncryptedField(index="term_is")),
        migrations.AddField(
            "nameterm",
            "term_is",
            safelight.casework.ciphers.fields.ExactIndex(
                blank=True, default="", editable=False, fold=False, max_length=28, of="term", unique=True
            ),
        ),
        migrations.AddField("nameterm", "sealed_as", models.UUIDField(default=uuid.uuid4, editable=False)),
    ]
