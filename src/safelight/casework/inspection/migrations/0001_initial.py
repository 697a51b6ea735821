import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from safelight.casework.base.migrating import FirstTables


class Migration(FirstTables):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("cases", "0001_initial"),
        ("ledger", "0001_initial"),
        ("workforce", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditPlan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=120)),
                ("criteria", models.CharField(max_length=40)),
                ("criteria_version", models.CharField(max_length=40)),
                ("scale", models.CharField(max_length=40)),
                ("query", models.JSONField(default=dict)),
                ("strata_by", models.JSONField(default=list)),
                ("strata", models.JSONField()),
                ("population", models.PositiveIntegerField()),
                ("population_digest", models.CharField(db_index=True, max_length=64)),
                ("margin", models.FloatField()),
                ("minimum", models.PositiveSmallIntegerField()),
                ("reserve", models.PositiveSmallIntegerField(default=0)),
                ("size", models.PositiveIntegerField()),
                ("seed", models.CharField(max_length=120)),
                ("digest", models.CharField(max_length=64)),
                (
                    "entry",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.ledgerentry",
                    ),
                ),
                ("self_due_at", models.DateTimeField()),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("made_at", models.DateTimeField()),
                ("draw_seed", models.CharField(blank=True, max_length=200)),
                (
                    "drawn_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("drawn_at", models.DateTimeField(blank=True, null=True)),
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
            ],
            options={
                "verbose_name": "audit plan",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("draw_seed", ""), ("drawn_at", None)),
                            models.Q(("drawn_at__isnull", False), models.Q(("draw_seed", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="inspection_drawn_with_a_seed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("closed_at", None), ("drawn_at__isnull", False), _connector="OR"),
                        name="inspection_closed_after_the_draw",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("seed", ""), _negated=True), name="inspection_plan_has_a_seed"
                    ),
                    models.CheckConstraint(condition=models.Q(("size__gte", 1)), name="inspection_plan_draws_a_case"),
                ],
            },
        ),
        migrations.CreateModel(
            name="PopulationCase",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="listed", to="inspection.auditplan"
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cases.case"),
                ),
                ("stratum", models.CharField(max_length=200)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("plan", "case"), name="inspection_listed_once")],
            },
        ),
        migrations.CreateModel(
            name="AuditCase",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="cases", to="inspection.auditplan"
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="audits", to="cases.case"
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="workforce.unit"
                    ),
                ),
                ("stratum", models.CharField(max_length=200)),
                ("weight", models.FloatField()),
                ("position", models.PositiveIntegerField()),
                ("key", models.CharField(max_length=64)),
                ("reserve", models.BooleanField(default=False)),
                (
                    "stands_in_for",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="stand_in",
                        to="inspection.auditcase",
                    ),
                ),
                ("missing_reason", models.TextField(blank=True)),
                (
                    "missing_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("missing_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "audited case",
                "indexes": [models.Index(fields=["plan", "reserve", "id"], name="inspection_by_plan")],
                "constraints": [
                    models.UniqueConstraint(fields=("plan", "case"), name="inspection_drawn_once"),
                    models.UniqueConstraint(
                        fields=("plan", "stratum", "position"), name="inspection_one_position_each"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("missing_at", None), ("missing_reason", "")),
                            models.Q(("missing_at__isnull", False), models.Q(("missing_reason", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="inspection_missing_with_a_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReferredBack",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "audit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="referred_back",
                        to="inspection.auditcase",
                    ),
                ),
                (
                    "recipient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("reason", models.CharField(max_length=40)),
                ("note", models.TextField()),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("made_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("outcome", models.CharField(blank=True, max_length=40)),
                ("outcome_note", models.TextField(blank=True)),
                (
                    "outcome_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("outcome_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "case sent back",
                "indexes": [
                    models.Index(
                        condition=models.Q(("outcome_at", None)),
                        fields=["recipient", "due_at"],
                        name="inspection_rb_open",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("outcome_at", None)),
                        fields=("audit", "reason"),
                        name="inspection_sent_back_once_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("note", ""), _negated=True), name="inspection_sent_back_with_a_note"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("due_at__gt", models.F("made_at"))),
                        name="inspection_sent_back_with_time_to_answer",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("outcome", ""), ("outcome_at", None)),
                            models.Q(
                                ("outcome_at__isnull", False),
                                models.Q(("outcome", ""), _negated=True),
                                models.Q(("outcome_note", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="inspection_answered_with_an_outcome",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Agreement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "audit",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="agreement", to="inspection.auditcase"
                    ),
                ),
                ("grade", models.CharField(max_length=40)),
                ("reason", models.TextField()),
                (
                    "unit_person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="inspection_agreed_with_a_reason"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Assessment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "audit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="assessments",
                        to="inspection.auditcase",
                    ),
                ),
                (
                    "stage",
                    models.CharField(
                        choices=[("self", "The unit's own assessment"), ("inspector", "The independent audit")],
                        max_length=10,
                    ),
                ),
                ("scale", models.CharField(max_length=40)),
                ("criteria", models.CharField(max_length=40)),
                ("criteria_version", models.CharField(max_length=40)),
                ("grade", models.CharField(blank=True, max_length=40)),
                ("summary", models.TextField(blank=True)),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("started_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("audit", "stage"), name="inspection_one_assessment_each"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("finished_at", None),
                            models.Q(models.Q(("grade", ""), _negated=True), models.Q(("summary", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="inspection_finished_with_a_grade",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Evidence",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "assessment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="evidence", to="inspection.assessment"
                    ),
                ),
                ("heading", models.CharField(max_length=40)),
                ("kind", models.CharField(max_length=24)),
                ("key", models.BigIntegerField()),
                ("label", models.CharField(max_length=200)),
                ("added_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("assessment", "heading", "kind", "key"), name="inspection_evidence_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="HeadingGrade",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "assessment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="headings", to="inspection.assessment"
                    ),
                ),
                ("heading", models.CharField(max_length=40)),
                ("grade", models.CharField(blank=True, max_length=40)),
                ("note", models.TextField(blank=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("assessment", "heading"), name="inspection_heading_once")
                ],
            },
        ),
    ]
