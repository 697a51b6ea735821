from django.db import migrations, models

from safelight.casework.base.migrating import FirstTables


class Migration(FirstTables):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(max_length=20)),
                ("record", models.BigIntegerField()),
                ("owner", models.BigIntegerField()),
                ("kind", models.CharField(max_length=20)),
                ("words", models.TextField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["kind", "owner"], name="search_entry_owner"),
                    models.Index(fields=["kind", "-id"], name="search_entry_newest"),
                ],
                "constraints": [models.UniqueConstraint(fields=("source", "record"), name="search_entry_once")],
            },
        ),
        migrations.CreateModel(
            name="NameTerm",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("term", models.CharField(max_length=200, unique=True)),
                ("folded", models.CharField(max_length=200)),
            ],
        ),
    ]
