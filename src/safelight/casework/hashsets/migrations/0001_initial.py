import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from safelight.casework.base.migrating import FirstTables


class Migration(FirstTables):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="HashSetRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                ("kind", models.CharField(max_length=12)),
                ("version", models.CharField(max_length=60)),
                ("root", models.CharField(max_length=64)),
                ("folder", models.CharField(max_length=500)),
                ("source", models.CharField(max_length=160)),
                ("legal_basis", models.CharField(max_length=300)),
                ("file_name", models.CharField(max_length=255)),
                ("file_sha256", models.CharField(max_length=64)),
                ("format", models.CharField(max_length=40)),
                ("counts", models.JSONField(default=dict)),
                ("imported_at", models.DateTimeField()),
                (
                    "imported_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
                ("fresh_days", models.PositiveSmallIntegerField(default=90)),
            ],
            options={
                "verbose_name": "hash set",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("retired_at", None)),
                        fields=("name",),
                        name="hashsets_one_live_version_per_name",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="HeldEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "hash_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="held", to="hashsets.hashsetrecord"
                    ),
                ),
                ("pdq", models.CharField(max_length=64)),
                ("reason", models.CharField(max_length=300)),
                ("held_at", models.DateTimeField()),
                (
                    "held_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("released_at", models.DateTimeField(blank=True, null=True)),
                (
                    "released_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("release_reason", models.CharField(blank=True, max_length=300)),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("released_at", None)), fields=("hash_set", "pdq"), name="hashsets_held_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="NegativeEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("pdq", models.CharField(max_length=64)),
                ("md5", models.CharField(blank=True, max_length=32)),
                ("reason", models.CharField(max_length=300)),
                ("confirmed_at", models.DateTimeField()),
                (
                    "confirmed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                (
                    "withdrawn_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("withdraw_reason", models.CharField(blank=True, max_length=300)),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("withdrawn_at", None)), fields=("pdq",), name="hashsets_negative_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RejectedRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "hash_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rejected",
                        to="hashsets.hashsetrecord",
                    ),
                ),
                ("where", models.CharField(max_length=120)),
                ("reason", models.CharField(max_length=300)),
                ("excerpt", models.CharField(blank=True, max_length=200)),
                ("kept", models.BooleanField(default=False)),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="SetOverlap",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "ours",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="overlaps",
                        to="hashsets.hashsetrecord",
                    ),
                ),
                (
                    "theirs",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="hashsets.hashsetrecord"
                    ),
                ),
                ("ours_shared", models.BigIntegerField()),
                ("theirs_shared", models.BigIntegerField()),
                ("contradicting", models.BigIntegerField()),
                ("examples", models.JSONField(default=list)),
                ("compared_at", models.DateTimeField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("ours", "theirs"), name="hashsets_overlap_once")],
            },
        ),
    ]
