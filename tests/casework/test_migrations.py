"""An update would stop a force's night: a table locked, or the version that still runs broken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection, models
from django.db.migrations import Migration
from django.db.migrations import operations as ops
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState, ProjectState
from tests.support.online import faults

from safelight.casework.base.migrating import AddIndexOnline, FirstTables

MARKER = Path(__file__).parent / "migrations_released.txt"
INDEX = models.Index(fields=["when"], name="thing_when")


def ours(loader: MigrationLoader) -> dict[tuple[str, str], Migration]:
    return {key: one for key, one in loader.disk_migrations.items() if one.__module__.startswith("safelight.")}


def names() -> list[str]:
    return sorted(".".join(key) for key in ours(MigrationLoader(None)))


def marker(text: str) -> tuple[set[str], set[str]]:
    """(versions released, migrations that they brought)."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {line.split()[1] for line in lines if line.startswith("release ")}, {x for x in lines if " " not in x}


def test_every_migration_after_the_first_release_lets_the_version_before_go_on() -> None:
    released, brought = marker(MARKER.read_text(encoding="utf-8"))
    loader = MigrationLoader(None)
    assert brought <= set(names()), "a released migration is gone: installations could not be updated"
    found = []
    for key, migration in ours(loader).items():
        if released and ".".join(key) not in brought:
            found += faults(migration, loader.project_state(key, at_end=False), released)
    assert found == []


def judged(*operations: Any, released: tuple[str, ...] = ("0.1.0",), **said: Any) -> list[str]:
    before = ProjectState()
    before.add_model(
        ModelState("x", "thing", [
            ("id", models.BigAutoField(primary_key=True)), ("name", models.CharField(max_length=20)),
            ("when", models.DateTimeField(null=True)),
        ])
    )  # fmt: skip
    made = type("Migration", (Migration,), {"operations": list(operations), **said})("0009_made", "x")
    return faults(made, before, released)


REFUSED = {
    "a column removed": ops.RemoveField("thing", "name"),
    "a table removed": ops.DeleteModel("Thing"),
    "a column renamed": ops.RenameField("thing", "name", "title"),
    "a table renamed": ops.RenameModel("Thing", "Matter"),
    "a column that must be filled": ops.AddField("thing", "a", models.IntegerField(default=0)),
    "a column that may no longer be empty": ops.AlterField("thing", "when", models.DateTimeField()),
    "a column that takes less": ops.AlterField("thing", "name", models.CharField(max_length=5)),
    "a column of another kind": ops.AlterField("thing", "name", models.TextField()),
    "a column that became unique": ops.AlterField("thing", "name", models.CharField(max_length=20, unique=True)),
    "an index that locks": ops.AddIndex("thing", INDEX),
    "an index in a transaction": AddIndexOnline("thing", INDEX),
    "a rule that the old version breaks": ops.AddConstraint(
        "thing", models.CheckConstraint(condition=~models.Q(name=""), name="c")
    ),
    "code": ops.RunPython(ops.RunPython.noop),
    "a statement": ops.RunSQL("SELECT 1"),
}


@pytest.mark.parametrize("operation", REFUSED.values(), ids=REFUSED.keys())
def test_what_locks_or_breaks_the_old_version_is_refused(operation: Any) -> None:
    (why,) = judged(operation)
    assert why.startswith("x.0009_made: ")


ALLOWED = {
    "a new table": (ops.CreateModel("Other", [("id", models.BigAutoField(primary_key=True))]), {}),
    "a column that may be empty": (ops.AddField("thing", "a", models.IntegerField(null=True)), {}),
    "a column that the database fills": (ops.AddField("thing", "a", models.IntegerField(db_default=0)), {}),
    "a list of others": (ops.AddField("thing", "a", models.ManyToManyField("x.Thing")), {}),
    "a column that takes more": (ops.AlterField("thing", "name", models.CharField(max_length=50)), {}),
    "other words": (ops.AlterField("thing", "name", models.CharField(max_length=20, help_text="Hm")), {}),
    "an index beside the work": (AddIndexOnline("thing", INDEX), {"atomic": False}),
    "code that says why": (ops.RunPython(ops.RunPython.noop), {"online": "It fills a new column by hundreds."}),
    "a removal a release later": (ops.RemoveField("thing", "name"), {"after_release": "0.1.0"}),
}


@pytest.mark.parametrize(("operation", "said"), ALLOWED.values(), ids=ALLOWED.keys())
def test_what_the_old_version_does_not_notice_is_allowed(operation: Any, said: dict[str, Any]) -> None:
    assert judged(operation, **said) == []


def test_a_release_that_never_was_opens_nothing() -> None:
    assert len(judged(ops.RemoveField("thing", "name"), after_release="9.9.9")) == 1


def test_an_index_on_a_table_of_the_same_migration_locks_nobody() -> None:
    fields = [("id", models.BigAutoField(primary_key=True)), ("when", models.DateTimeField())]
    assert judged(ops.CreateModel("Other", fields), ops.AddIndex("other", INDEX)) == []


def test_the_marker_is_read_as_it_is_written() -> None:
    assert marker("# none\nrelease 0.1.0\ncases.0001_initial\n") == ({"0.1.0"}, {"cases.0001_initial"})
    assert names()[0].startswith("accounts.") and "ledger.0002_append_only" in names()


def key() -> tuple[str, Any]:
    return ("id", models.BigAutoField(primary_key=True))


LINKED = [
    ops.CreateModel("Place", [key(), ("name", models.CharField(max_length=20, unique=True))]),
    ops.CreateModel(
        "Thing",
        [
            key(), ("when", models.DateTimeField(null=True)),
            ("place", models.ForeignKey("x.Place", models.PROTECT, related_name="things")),
            ("part_of", models.ForeignKey("x.Thing", models.PROTECT, null=True)),
            ("others", models.ManyToManyField("x.Place")),
        ],
        {"indexes": [INDEX], "constraints": [models.UniqueConstraint(fields=["place", "when"], name="thing_once")]},
    ),
]  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_tables_made_at_once_are_those_that_django_makes_one_by_one() -> None:
    said = {}
    for way in (Migration, FirstTables):
        state = ProjectState()
        assert state.apps  # as in the middle of a run
        with connection.schema_editor(collect_sql=True, atomic=False) as editor:
            after = type("Migration", (way,), {"operations": LINKED})("0001_initial", "x").apply(state, editor, True)
        said[way] = [line for line in editor.collected_sql if not line.startswith("--")]
        assert after.apps.get_model("x", "place")._meta.get_field("things")
    assert len(said[Migration]) >= 3 and said[FirstTables] == said[Migration]


def test_a_first_migration_of_tables_does_nothing_else() -> None:
    made = type("Migration", (FirstTables,), {"operations": [ops.RunSQL("SELECT 1")]})("0001_initial", "x")
    with pytest.raises(TypeError, match="makes tables and does nothing else"):
        made.apply(ProjectState(), None)


@pytest.mark.django_db(transaction=True)
def test_an_index_is_really_built_and_taken_away_beside_the_work() -> None:
    state = MigrationLoader(connection).project_state()
    operation = AddIndexOnline("letter", models.Index(fields=["tries"], name="letter_tries_tried"))
    after = state.clone()
    operation.state_forwards("notices", after)

    def there() -> bool:
        with connection.cursor() as cursor:
            return "letter_tries_tried" in connection.introspection.get_constraints(cursor, "notices_letter")

    with connection.schema_editor(atomic=False) as editor:
        operation.database_forwards("notices", editor, state, after)
    assert there()
    with connection.schema_editor(atomic=False) as editor:
        operation.database_backwards("notices", editor, after, state)
    assert not there()
