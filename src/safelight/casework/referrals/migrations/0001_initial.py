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
            name="ImportBatch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("file_name", models.CharField(max_length=255)),
                ("sha256", models.CharField(max_length=64)),
                ("format", models.CharField(max_length=20)),
                ("imported_at", models.DateTimeField()),
                (
                    "imported_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "import",
            },
        ),
        migrations.CreateModel(
            name="Referral",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("nca", "National Crime Agency package"),
                            ("cybertip", "CyberTipline report (NCMEC)"),
                            ("platform", "Internet company"),
                            ("public", "Member of the public"),
                            ("social_care", "Children's social care"),
                            ("school", "School or college"),
                            ("health", "Health service"),
                            ("police", "Police (another force or unit)"),
                            ("other", "Other"),
                        ],
                        max_length=20,
                    ),
                ),
                ("source_reference", models.CharField(max_length=120)),
                ("received_at", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="referrals",
                        to="referrals.importbatch",
                    ),
                ),
                ("summary", models.TextField()),
                ("incident_type", models.CharField(blank=True, max_length=120)),
                ("platform", models.CharField(blank=True, max_length=120)),
                ("incident_at", models.DateTimeField(blank=True, null=True)),
                ("high_priority", models.BooleanField(default=False)),
                ("live_contact", models.BooleanField(default=False)),
                ("borough", models.CharField(blank=True, max_length=60)),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="referrals",
                        to="workforce.unit",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("new", "New: children not yet looked for"),
                            ("checked", "Children looked for"),
                            ("case", "Case opened"),
                            ("closed", "Closed without a case"),
                        ],
                        default="new",
                        max_length=10,
                    ),
                ),
                ("closed_reason", models.TextField(blank=True)),
                (
                    "case",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="referrals",
                        to="cases.case",
                    ),
                ),
            ],
            options={
                "verbose_name": "referral",
                "indexes": [
                    models.Index(fields=["state", "received_at"], name="referrals_by_state"),
                    models.Index(
                        condition=models.Q(("state__in", ["new", "checked"])),
                        fields=["received_at"],
                        name="referrals_open",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("source", "source_reference"), name="referrals_same_report_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "closed"), _negated=True),
                            models.Q(("closed_reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="referrals_closed_with_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "case"), _negated=True), ("case__isnull", False), _connector="OR"
                        ),
                        name="referrals_case_is_named",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReferralFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "referral",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="files", to="referrals.referral"
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=400)),
                ("md5", models.CharField(blank=True, db_index=True, max_length=32)),
                ("sha1", models.CharField(blank=True, db_index=True, max_length=40)),
                ("ip_address", models.GenericIPAddressField(blank=True, null=True)),
                ("uploaded_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="ImportLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="referrals.importbatch"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("accepted", "Accepted"),
                            ("duplicate", "Already held"),
                            ("quarantined", "Quarantined"),
                        ],
                        max_length=12,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=500)),
                ("raw", models.TextField(blank=True)),
                (
                    "referral",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="import_lines",
                        to="referrals.referral",
                    ),
                ),
                ("resolved_at", models.DateTimeField(blank=True, null=True)),
                (
                    "resolved_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("resolution", models.CharField(blank=True, max_length=500)),
            ],
            options={
                "ordering": ["number"],
                "constraints": [
                    models.UniqueConstraint(fields=("batch", "number"), name="referrals_import_line_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("outcome", "quarantined"), _negated=True),
                            models.Q(("reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="referrals_quarantine_has_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("resolved_at", None), models.Q(("resolution", ""), _negated=True), _connector="OR"
                        ),
                        name="referrals_quarantine_resolved_in_words",
                    ),
                ],
            },
        ),
    ]
