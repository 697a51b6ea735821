import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from safelight.casework.base.migrating import FirstTables


class Migration(FirstTables):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("devices", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="DevicePriority",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "device",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="priority", to="devices.device"
                    ),
                ),
                ("score", models.PositiveSmallIntegerField(db_index=True)),
                ("inputs", models.JSONField()),
                ("rule", models.CharField(max_length=40)),
                ("worked_out_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Examination",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="examinations", to="devices.device"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("in_progress", "In progress"),
                            ("blocked", "Blocked"),
                            ("complete", "Complete"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="waiting",
                        max_length=12,
                    ),
                ),
                ("asked_for", models.TextField()),
                ("submitted_at", models.DateTimeField()),
                (
                    "submitted_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "examiner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="examinations",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("started_at", models.DateTimeField(blank=True, null=True)),
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
                ("result", models.TextField(blank=True)),
            ],
            options={
                "verbose_name": "examination",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["waiting", "in_progress", "blocked"])),
                        fields=["state", "submitted_at"],
                        name="fleet_open_examinations",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["waiting", "in_progress", "blocked"])),
                        fields=("device",),
                        name="fleet_one_open_examination_per_device",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "waiting"), _negated=True), ("examiner", None), _connector="OR"
                        ),
                        name="fleet_waiting_is_unallocated",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "in_progress"), _negated=True),
                            models.Q(("examiner__isnull", False), ("started_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="fleet_in_progress_has_an_examiner",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at", None), ("state__in", ["waiting", "in_progress", "blocked"])),
                            models.Q(
                                ("ended_at__isnull", False),
                                ("state__in", ["complete", "withdrawn"]),
                                models.Q(("result", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="fleet_ended_with_a_result",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FirstLook",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="first_looks", to="devices.device"
                    ),
                ),
                (
                    "image",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="first_looks",
                        to="devices.evidenceimage",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Waiting"),
                            ("running", "Running"),
                            ("finished", "First answer"),
                            ("failed", "Could not be read"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("seconds", models.PositiveIntegerField()),
                ("asked_at", models.DateTimeField()),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("job_id", models.CharField(blank=True, max_length=64)),
                ("lease", models.CharField(blank=True, max_length=32)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("heartbeat_at", models.DateTimeField(blank=True, null=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("stage", models.CharField(blank=True, max_length=60)),
                ("done", models.BigIntegerField(default=0)),
                ("total", models.BigIntegerField(default=0)),
                ("hits", models.PositiveIntegerField(default=0)),
                ("level", models.CharField(blank=True, max_length=60)),
                ("verdict", models.TextField(blank=True)),
                ("summary", models.JSONField(default=dict)),
                ("findings_digest", models.CharField(blank=True, max_length=64)),
                ("report_folder", models.CharField(blank=True, max_length=500)),
                ("failure", models.TextField(blank=True)),
            ],
            options={
                "verbose_name": "first answer",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["queued", "running"])),
                        fields=["heartbeat_at"],
                        name="fleet_live_looks",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["queued", "running"])),
                        fields=("image",),
                        name="fleet_one_live_look_per_image",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="BenchReport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "run",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bench_report",
                        to="devices.triagerun",
                    ),
                ),
                (
                    "look",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bench_report",
                        to="fleet.firstlook",
                    ),
                ),
                ("engine_run", models.CharField(max_length=32, unique=True)),
                ("seal", models.CharField(max_length=64)),
                ("seal_given", models.BooleanField()),
                ("operator", models.CharField(max_length=120)),
                ("imported_at", models.DateTimeField()),
                (
                    "imported_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("look__isnull", False), ("run", None)),
                            models.Q(("look", None), ("run__isnull", False)),
                            _connector="OR",
                        ),
                        name="fleet_report_of_a_run_or_a_first_answer",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Block",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "examination",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="blocks", to="fleet.examination"
                    ),
                ),
                ("reason", models.CharField(max_length=300)),
                (
                    "lifter",
                    models.CharField(
                        choices=[
                            ("investigator", "The investigator of the case"),
                            ("supervisor", "A supervisor of its unit"),
                            ("examiner", "An examiner"),
                            ("outside", "Somebody outside the force"),
                        ],
                        max_length=12,
                    ),
                ),
                ("who", models.CharField(blank=True, max_length=120)),
                ("since", models.DateTimeField()),
                (
                    "blocked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("until", models.DateTimeField(blank=True, null=True)),
                (
                    "lifted_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("how", models.CharField(blank=True, max_length=300)),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("until", None)), fields=("examination",), name="fleet_one_block_at_a_time"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="fleet_blocked_with_a_reason"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("lifter", "outside"), _negated=True),
                            models.Q(("who", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="fleet_outside_has_a_name",
                    ),
                ],
            },
        ),
    ]
