import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from safelight.casework.base.migrating import FirstTables


class Migration(FirstTables):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("workforce", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Case",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=160)),
                (
                    "status",
                    models.CharField(choices=[("open", "Open"), ("closed", "Closed")], default="open", max_length=8),
                ),
                ("risk", models.CharField(blank=True, max_length=20)),
                ("risk_source", models.CharField(blank=True, max_length=120)),
                (
                    "risk_recorded_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("risk_recorded_at", models.DateTimeField(blank=True, null=True)),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="cases", to="workforce.unit"
                    ),
                ),
                ("borough", models.CharField(blank=True, max_length=60)),
                ("required_skill", models.CharField(max_length=40)),
                ("live_contact", models.BooleanField(default=False)),
                ("restricted", models.BooleanField(default=False)),
                ("opened_at", models.DateTimeField()),
                (
                    "opened_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("last_action_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "closed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("outcome", models.CharField(blank=True, max_length=40)),
                ("outcome_note", models.TextField(blank=True)),
            ],
            options={
                "verbose_name": "case",
                "indexes": [
                    models.Index(fields=["unit", "status", "-id"], name="cases_by_unit"),
                    models.Index(condition=models.Q(("status", "open")), fields=["last_action_at"], name="cases_drift"),
                    models.Index(
                        condition=models.Q(("status", "open")),
                        fields=["unit", "last_action_at"],
                        name="cases_drift_of_unit",
                    ),
                    models.Index(condition=models.Q(("status", "open")), fields=["-id"], name="cases_open"),
                    models.Index(condition=models.Q(("live_contact", True)), fields=["-id"], name="cases_live_first"),
                    models.Index(
                        condition=models.Q(("live_contact", True)), fields=["unit"], name="cases_live_of_unit"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at", None), ("outcome", ""), ("status", "open")),
                            models.Q(
                                ("closed_at__isnull", False),
                                ("status", "closed"),
                                models.Q(("outcome", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="cases_closed_with_an_outcome",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CaseAccess",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="access", to="cases.case"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="case_access",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "granted_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("granted_at", models.DateTimeField()),
                ("reason", models.TextField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("case", "user"), name="cases_access_once")],
            },
        ),
        migrations.CreateModel(
            name="ChronologyEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="chronology", to="cases.case"
                    ),
                ),
                ("at", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
                ("kind", models.CharField(max_length=40)),
                ("meaningful", models.BooleanField()),
                ("text", models.TextField()),
                (
                    "actor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-at", "-id"],
                "indexes": [models.Index(fields=["case", "-at", "-id"], name="cases_chronology")],
            },
        ),
        migrations.CreateModel(
            name="LiveContact",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="live_contacts", to="cases.case"
                    ),
                ),
                ("found_at", models.DateTimeField()),
                (
                    "found_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("how_known", models.TextField()),
                ("recorded_at", models.DateTimeField()),
                ("chief_told_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "ended_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("how_ended", models.TextField(blank=True)),
                ("end_recorded_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["found_at", "id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("ended_at", None)), fields=["found_at", "id"], name="cases_live_queue"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)), fields=("case",), name="cases_one_open_live_contact"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("end_recorded_at", None), ("ended_at", None), ("ended_by", None), ("how_ended", "")
                            ),
                            models.Q(
                                ("end_recorded_at__isnull", False),
                                ("ended_at__gte", models.F("found_at")),
                                ("ended_by__isnull", False),
                                models.Q(("how_ended", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="cases_live_contact_ends_by_name",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Settlement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="settlements", to="cases.case"
                    ),
                ),
                (
                    "area",
                    models.CharField(
                        choices=[
                            ("safeguarding", "Safeguarding"),
                            ("devices", "Devices"),
                            ("submissions", "Submissions to the national database"),
                        ],
                        max_length=14,
                    ),
                ),
                ("reason", models.TextField()),
                (
                    "settled_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("settled_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("case", "area"), name="cases_settled_once_per_area"),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="cases_settled_with_a_reason"
                    ),
                ],
            },
        ),
    ]
