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
                    models.Index(condition=models.Q(("source", "case")), fields=["-id"], name="search_newest_case"),
                    models.Index(condition=models.Q(("source", "note")), fields=["-id"], name="search_newest_note"),
                    models.Index(condition=models.Q(("source", "review")), fields=["-id"], name="search_newest_review"),
                    models.Index(condition=models.Q(("source", "sent")), fields=["-id"], name="search_newest_sent"),
                    models.Index(condition=models.Q(("source", "person")), fields=["-id"], name="search_newest_person"),
                    models.Index(
                        condition=models.Q(("source", "identifier")), fields=["-id"], name="search_newest_identifier"
                    ),
                    models.Index(condition=models.Q(("source", "child")), fields=["-id"], name="search_newest_child"),
                    models.Index(
                        condition=models.Q(("source", "referral")), fields=["-id"], name="search_newest_referral"
                    ),
                    models.Index(condition=models.Q(("source", "file")), fields=["-id"], name="search_newest_file"),
                    models.Index(condition=models.Q(("source", "device")), fields=["-id"], name="search_newest_device"),
                    models.Index(
                        condition=models.Q(("source", "custody")), fields=["-id"], name="search_newest_custody"
                    ),
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
