import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from safelight.casework.base.migrating import FirstTables


class Migration(FirstTables):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("cases", "0001_initial"),
        ("workforce", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="ReReview",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=160)),
                (
                    "why",
                    models.CharField(
                        choices=[
                            ("inspection", "After an inspection"),
                            ("hash_list", "A new hash list"),
                            ("officer", "An officer was removed or is under investigation"),
                            ("practice", "A practice turned out to be wrong"),
                            ("other", "Another reason"),
                        ],
                        max_length=12,
                    ),
                ),
                ("reason", models.TextField()),
                ("criteria", models.JSONField(default=dict)),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="workforce.unit",
                    ),
                ),
                ("due_on", models.DateField()),
                ("made_at", models.DateTimeField()),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rereviews_made",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("digest", models.CharField(max_length=64)),
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
                ("conclusion", models.TextField(blank=True)),
            ],
            options={
                "verbose_name": "re-review",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="rereview_has_a_reason"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("closed_at", None), models.Q(("conclusion", ""), _negated=True), _connector="OR"
                        ),
                        name="rereview_closed_with_a_conclusion",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "rereview",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="entries", to="rereview.rereview"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="rereviews", to="cases.case"
                    ),
                ),
                (
                    "reviewer",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rereview_entries",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("assigned_at", models.DateTimeField(blank=True, null=True)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                (
                    "answered_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "child_missed",
                    models.CharField(
                        blank=True,
                        choices=[("yes", "Yes"), ("no", "No"), ("unknown", "The file does not say")],
                        max_length=8,
                    ),
                ),
                (
                    "referral_missed",
                    models.CharField(
                        blank=True,
                        choices=[("yes", "Yes"), ("no", "No"), ("unknown", "The file does not say")],
                        max_length=8,
                    ),
                ),
                (
                    "referral_late",
                    models.CharField(
                        blank=True,
                        choices=[("yes", "Yes"), ("no", "No"), ("unknown", "The file does not say")],
                        max_length=8,
                    ),
                ),
                (
                    "device_missed",
                    models.CharField(
                        blank=True,
                        choices=[("yes", "Yes"), ("no", "No"), ("unknown", "The file does not say")],
                        max_length=8,
                    ),
                ),
                (
                    "victim_missed",
                    models.CharField(
                        blank=True,
                        choices=[("yes", "Yes"), ("no", "No"), ("unknown", "The file does not say")],
                        max_length=8,
                    ),
                ),
                (
                    "suspect_wrong",
                    models.CharField(
                        blank=True,
                        choices=[("yes", "Yes"), ("no", "No"), ("unknown", "The file does not say")],
                        max_length=8,
                    ),
                ),
                ("text", models.TextField(blank=True)),
                (
                    "action",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("none", "No further action"),
                            ("child", "A child was referred now"),
                            ("reopen", "The case was reopened"),
                            ("ask", "A supervisor of the unit must act"),
                        ],
                        max_length=8,
                    ),
                ),
            ],
            options={
                "verbose_name": "case of a re-review",
                "ordering": ["rereview", "number"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("answered_at", None)), fields=["reviewer"], name="rereview_waits_for"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("rereview", "case"), name="rereview_case_once"),
                    models.UniqueConstraint(fields=("rereview", "number"), name="rereview_number_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("answered_at", None),
                            models.Q(
                                models.Q(("text", ""), _negated=True),
                                models.Q(("action", ""), _negated=True),
                                models.Q(("child_missed", ""), _negated=True),
                                models.Q(("referral_missed", ""), _negated=True),
                                models.Q(("referral_late", ""), _negated=True),
                                models.Q(("device_missed", ""), _negated=True),
                                models.Q(("victim_missed", ""), _negated=True),
                                models.Q(("suspect_wrong", ""), _negated=True),
                                ("answered_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="rereview_answered_whole",
                    ),
                ],
            },
        ),
    ]
