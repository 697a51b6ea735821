import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from safelight.casework.base.migrating import FirstTables


class Migration(FirstTables):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("cases", "0001_initial"),
        ("referrals", "0001_initial"),
        ("workforce", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Clock",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("rule", models.CharField(max_length=60)),
                ("stage", models.CharField(default="first", max_length=10)),
                ("risk", models.CharField(blank=True, max_length=20)),
                ("subject_type", models.CharField(max_length=40)),
                ("subject_id", models.BigIntegerField()),
                ("subject_label", models.CharField(max_length=120)),
                (
                    "case",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="clocks",
                        to="cases.case",
                    ),
                ),
                (
                    "referral",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="clocks",
                        to="referrals.referral",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="clocks",
                        to="workforce.unit",
                    ),
                ),
                ("owner_role", models.CharField(max_length=40)),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="clocks",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("triggered_at", models.DateTimeField()),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("duration", models.CharField(blank=True, max_length=60)),
                ("borough", models.CharField(blank=True, max_length=60)),
                ("sense", models.CharField(default="deadline", max_length=12)),
                ("base_due_at", models.DateTimeField(blank=True, null=True)),
                ("paused_at", models.DateTimeField(blank=True, null=True)),
                ("standards_version", models.CharField(max_length=64)),
                ("stopped_at", models.DateTimeField(blank=True, null=True)),
                ("stop_reason", models.CharField(blank=True, max_length=300)),
                ("not_applicable", models.BooleanField(default=False)),
                (
                    "rebased_from",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rebased_to",
                        to="clocks.clock",
                    ),
                ),
                ("alerted_at", models.DateTimeField(blank=True, null=True)),
                ("next_step_at", models.DateTimeField(blank=True, null=True)),
                ("swept_through", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["due_at", "id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(
                            ("next_step_at__isnull", False), ("not_applicable", False), ("stopped_at", None)
                        ),
                        fields=["next_step_at"],
                        name="clocks_next_step",
                    ),
                    models.Index(
                        condition=models.Q(("not_applicable", False), ("stopped_at", None)),
                        fields=["due_at", "id"],
                        name="clocks_open_by_due",
                    ),
                    models.Index(
                        condition=models.Q(("not_applicable", False), ("stopped_at", None)),
                        fields=["unit", "due_at"],
                        name="clocks_open_by_unit",
                    ),
                    models.Index(
                        condition=models.Q(("not_applicable", False), ("stopped_at", None)),
                        fields=["owner", "due_at"],
                        name="clocks_open_by_owner",
                    ),
                    models.Index(
                        condition=models.Q(("not_applicable", False), ("stopped_at", None)),
                        fields=["rule", "due_at"],
                        name="clocks_open_by_rule",
                    ),
                    models.Index(fields=["subject_type", "subject_id"], name="clocks_by_subject"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("not_applicable", False), ("stopped_at", None)),
                        fields=("rule", "subject_type", "subject_id"),
                        name="clocks_one_open_clock_per_rule_and_subject",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("stopped_at", None),
                            ("stopped_at__gte", models.F("triggered_at")),
                            ("sense", "notice"),
                            _connector="OR",
                        ),
                        name="clocks_stop_after_trigger",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("due_at", None),
                            ("due_at__gte", models.F("triggered_at")),
                            ("sense", "notice"),
                            _connector="OR",
                        ),
                        name="clocks_due_after_trigger",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("paused_at", None), models.Q(("due_at", None), ("next_step_at", None)), _connector="OR"
                        ),
                        name="clocks_paused_has_no_time",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ClockPause",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "clock",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="pauses", to="clocks.clock"
                    ),
                ),
                ("reason", models.CharField(max_length=40)),
                ("note", models.TextField(blank=True)),
                ("started_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("due_before", models.DateTimeField(blank=True, null=True)),
                ("recorded_at", models.DateTimeField()),
                (
                    "recorded_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
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
            ],
            options={
                "ordering": ["started_at", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("clock", "reason"),
                        name="clocks_one_open_pause_per_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ended_at", None), ("ended_at__gte", models.F("started_at")), _connector="OR"
                        ),
                        name="clocks_pause_ends_later",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="clocks_pause_has_a_reason"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Hold",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "clock",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="holds", to="clocks.clock"
                    ),
                ),
                (
                    "supervisor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="holds", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("reason", models.TextField()),
                ("placed_at", models.DateTimeField()),
                ("hours", models.PositiveSmallIntegerField()),
                ("expires_at", models.DateTimeField()),
                ("lifted_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-placed_at"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("hours__gte", 1), ("hours__lte", 24)), name="clocks_hold_at_most_24_hours"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="clocks_hold_has_a_reason"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("placed_at"))),
                        name="clocks_hold_expires_after_it_is_placed",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("lifted_at", None)), fields=("clock",), name="clocks_one_live_hold"
                    ),
                ],
            },
        ),
    ]
