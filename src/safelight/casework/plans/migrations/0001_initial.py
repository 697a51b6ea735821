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
            name="WhatIf",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=120)),
                ("base", models.JSONField(default=dict)),
                ("base_source", models.CharField(blank=True, max_length=200)),
                ("scenarios", models.JSONField(default=list)),
                ("goal", models.JSONField(default=dict)),
                ("rule", models.CharField(max_length=20)),
                ("years", models.FloatField()),
                ("replications", models.PositiveIntegerField()),
                ("seed", models.PositiveIntegerField(default=1)),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("made_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Waiting"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("stopped", "Stopped"),
                            ("failed", "Failed"),
                        ],
                        default="queued",
                        max_length=8,
                    ),
                ),
                ("lease", models.CharField(blank=True, max_length=32)),
                ("heartbeat_at", models.DateTimeField(blank=True, null=True)),
                ("stop_asked", models.BooleanField(default=False)),
                ("done", models.PositiveIntegerField(default=0)),
                ("now", models.CharField(blank=True, max_length=200)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("failure", models.TextField(blank=True)),
                ("result", models.JSONField(default=dict)),
            ],
            options={
                "verbose_name": "plan",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("years__gt", 0), ("replications__gte", 2)), name="plans_can_be_run"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at", None), ("state__in", ("queued", "running"))),
                            models.Q(("ended_at__isnull", False), ("state__in", ("done", "stopped", "failed"))),
                            _connector="OR",
                        ),
                        name="plans_end_when_they_end",
                    ),
                ],
            },
        ),
    ]
