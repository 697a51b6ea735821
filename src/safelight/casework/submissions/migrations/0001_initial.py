import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from safelight.casework.base.migrating import FirstTables


class Migration(FirstTables):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("cases", "0001_initial"),
        ("devices", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Grade",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="grades", to="cases.case"
                    ),
                ),
                ("md5", models.CharField(max_length=32)),
                ("category", models.CharField(max_length=20)),
                (
                    "graded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("graded_at", models.DateTimeField()),
                ("graded_in", models.CharField(max_length=120)),
                ("disputed", models.BooleanField(default=False)),
                (
                    "settled_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
                ("settled_reason", models.TextField(blank=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("disputed", True)), fields=["case"], name="submissions_disputed_grades"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("case", "md5"), name="submissions_one_grade_per_case_and_file"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("settled_at", None), ("settled_by", None), ("settled_reason", "")),
                            models.Q(
                                ("disputed", False),
                                ("settled_at__isnull", False),
                                ("settled_by__isnull", False),
                                models.Q(("settled_reason", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="submissions_settled_with_a_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="GradeVote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="grade_votes", to="cases.case"
                    ),
                ),
                ("md5", models.CharField(max_length=32)),
                ("category", models.CharField(max_length=20)),
                (
                    "grader",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="grade_votes",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("graded_at", models.DateTimeField()),
                ("graded_in", models.CharField(max_length=120)),
            ],
            options={
                "ordering": ["graded_at", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("case", "md5", "grader"), name="submissions_one_vote_per_grader_and_file"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Submission",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="submissions", to="cases.case"
                    ),
                ),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="submissions", to="devices.device"
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="submissions", to="devices.triagerun"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("written", "File written"),
                            ("sent", "Sent"),
                            ("receipted", "Receipt recorded"),
                            ("part_rejected", "Receipt recorded, some items rejected"),
                        ],
                        default="written",
                        max_length=14,
                    ),
                ),
                ("context", models.CharField(max_length=200)),
                ("path", models.CharField(max_length=500)),
                ("sha256", models.CharField(max_length=64)),
                ("written_at", models.DateTimeField()),
                (
                    "written_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("receipt", models.CharField(blank=True, max_length=120)),
                ("receipted_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "CAID submission",
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ["receipted", "part_rejected"]), _negated=True),
                            models.Q(("receipt", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="submissions_receipt_has_a_reference",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SubmissionItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "submission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="items", to="submissions.submission"
                    ),
                ),
                (
                    "finding",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="submission_items",
                        to="devices.finding",
                    ),
                ),
                ("md5", models.CharField(max_length=32)),
                ("category", models.CharField(max_length=20)),
                (
                    "basis",
                    models.CharField(choices=[("known", "Known file"), ("graded", "Newly graded")], max_length=10),
                ),
                ("votes", models.PositiveSmallIntegerField(default=0)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("included", "Included"),
                            ("accepted", "Accepted"),
                            ("rejected", "Rejected: back to a person"),
                            ("settled", "Rejected and settled"),
                        ],
                        default="included",
                        max_length=10,
                    ),
                ),
                ("rejected_reason", models.CharField(blank=True, max_length=300)),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="submission_items",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("settled_note", models.CharField(blank=True, max_length=300)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("submission", "md5"), name="submissions_item_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "rejected"), _negated=True),
                            models.Q(("rejected_reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="submissions_rejected_with_a_reason",
                    ),
                ],
            },
        ),
    ]
