import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from safelight.casework.base.migrating import FirstTables


class Migration(FirstTables):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("inspection", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Report",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=160)),
                ("body", models.CharField(max_length=80)),
                ("published_on", models.DateField()),
                ("source", models.CharField(blank=True, max_length=300)),
                (
                    "audit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reports",
                        to="inspection.auditplan",
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("recorded_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "inspection report",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("body", "title", "published_on"), name="recommendations_report_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Recommendation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "report",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="recommendations",
                        to="recommendations.report",
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("recommendation", "Recommendation"),
                            ("cause_of_concern", "Cause of concern"),
                            ("accelerated_cause_of_concern", "Accelerated cause of concern"),
                            ("area_for_improvement", "Area for improvement"),
                        ],
                        max_length=30,
                    ),
                ),
                ("text", models.TextField()),
                (
                    "term",
                    models.CharField(
                        choices=[
                            ("immediately", "Immediately"),
                            ("3_months", "Within 3 months"),
                            ("6_months", "Within 6 months"),
                        ],
                        max_length=12,
                    ),
                ),
                ("due_on", models.DateField()),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="recommendations",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("plan", models.TextField(blank=True)),
                (
                    "planned_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("planned_at", models.DateTimeField(blank=True, null=True)),
                ("done_at", models.DateTimeField(blank=True, null=True)),
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
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("closed_note", models.TextField(blank=True)),
            ],
            options={
                "verbose_name": "recommendation",
                "indexes": [
                    models.Index(
                        condition=models.Q(("closed_at", None)), fields=["due_on"], name="recommendations_open_due"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("report", "number"), name="recommendations_number_once"),
                    models.CheckConstraint(
                        condition=models.Q(("text", ""), _negated=True), name="recommendations_says_something"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at", None), ("closed_by", None)),
                            models.Q(
                                ("closed_at__isnull", False),
                                ("closed_by__isnull", False),
                                models.Q(("closed_note", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="recommendations_closed_with_a_note",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("closed_by", None),
                            ("owner", None),
                            models.Q(("closed_by", models.F("owner")), _negated=True),
                            _connector="OR",
                        ),
                        name="recommendations_never_closed_by_the_owner",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("plan", ""), ("planned_at", None)),
                            models.Q(("planned_at__isnull", False), models.Q(("plan", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="recommendations_planned_with_a_plan",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Proof",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "recommendation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proofs",
                        to="recommendations.recommendation",
                    ),
                ),
                ("text", models.TextField()),
                ("where", models.CharField(blank=True, max_length=300)),
                (
                    "audit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="inspection.auditplan",
                    ),
                ),
                (
                    "added_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("added_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("text", ""), _negated=True), name="recommendations_proof_says_something"
                    )
                ],
            },
        ),
    ]
