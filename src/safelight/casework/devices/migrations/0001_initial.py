import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from safelight.casework.base.migrating import FirstTables


class Migration(FirstTables):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("cases", "0001_initial"),
        ("hashsets", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Device",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="devices", to="cases.case"
                    ),
                ),
                ("exhibit", models.CharField(max_length=60)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("phone", "Phone"),
                            ("tablet", "Tablet"),
                            ("laptop", "Laptop"),
                            ("computer", "Desktop computer"),
                            ("disk", "Hard disk or SSD"),
                            ("usb", "USB stick"),
                            ("card", "Memory card"),
                            ("other", "Other"),
                        ],
                        max_length=10,
                    ),
                ),
                ("description", models.CharField(max_length=200)),
                ("seized_at", models.DateTimeField()),
                ("seized_from", models.CharField(max_length=200)),
                ("seized_by", models.CharField(max_length=120)),
                (
                    "decision",
                    models.CharField(
                        choices=[
                            ("undecided", "No decision yet"),
                            ("triage", "To be triaged"),
                            ("not_triaged", "Not to be triaged (reasoned)"),
                        ],
                        default="undecided",
                        max_length=12,
                    ),
                ),
                ("decision_reason", models.TextField(blank=True)),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("booked_in_at", models.DateTimeField()),
                (
                    "booked_in_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "device",
                "constraints": [
                    models.UniqueConstraint(fields=("case", "exhibit"), name="devices_exhibit_once_per_case"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decision", "not_triaged"), _negated=True),
                            models.Q(("decision_reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="devices_no_triage_needs_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at", None), ("decided_by", None), ("decision", "undecided")),
                            models.Q(
                                models.Q(("decision", "undecided"), _negated=True),
                                ("decided_at__isnull", False),
                                ("decided_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="devices_decision_has_a_name_and_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("booked_in_at__gte", models.F("seized_at"))),
                        name="devices_booked_in_after_seizure",
                    ),
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(("decision", "undecided")),
                        fields=["seized_at", "id"],
                        name="devices_undecided",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="EvidenceImage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="images", to="devices.device"
                    ),
                ),
                ("path", models.CharField(max_length=500)),
                ("bench", models.CharField(blank=True, max_length=60)),
                ("imaged_at", models.DateTimeField()),
                (
                    "registered_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("registered_at", models.DateTimeField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("device", "path"), name="devices_image_once")],
            },
        ),
        migrations.CreateModel(
            name="TriageRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="runs", to="devices.device"
                    ),
                ),
                (
                    "image",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="runs", to="devices.evidenceimage"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Waiting"),
                            ("running", "Running"),
                            ("finished", "Finished"),
                            ("unread_parts", "Finished with unread parts"),
                            ("failed", "Could not be read"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="queued",
                        max_length=14,
                    ),
                ),
                ("job_id", models.CharField(blank=True, max_length=64)),
                ("lease", models.CharField(blank=True, max_length=32)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("queued_at", models.DateTimeField()),
                (
                    "queued_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("heartbeat_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("cancel_asked", models.BooleanField(default=False)),
                ("stage", models.CharField(blank=True, max_length=60)),
                ("files_done", models.BigIntegerField(default=0)),
                ("files_total", models.BigIntegerField(default=0)),
                ("bytes_done", models.BigIntegerField(default=0)),
                ("bytes_total", models.BigIntegerField(default=0)),
                ("tool_version", models.CharField(blank=True, max_length=80)),
                ("verdict", models.TextField(blank=True)),
                ("findings_digest", models.CharField(blank=True, max_length=64)),
                ("unread_bytes", models.BigIntegerField(default=0)),
                ("summary", models.JSONField(default=dict)),
                ("report_folder", models.CharField(blank=True, max_length=500)),
                ("failure", models.TextField(blank=True)),
                ("accepted_reason", models.TextField(blank=True)),
                (
                    "accepted_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("accepted_at", models.DateTimeField(blank=True, null=True)),
                ("hash_sets", models.ManyToManyField(related_name="runs", to="hashsets.hashsetrecord")),
            ],
            options={
                "verbose_name": "triage run",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["queued", "running"])),
                        fields=["heartbeat_at"],
                        name="devices_live_runs",
                    ),
                    models.Index(
                        condition=models.Q(("accepted_at", None), ("state", "failed")),
                        fields=["device"],
                        name="devices_failed_runs",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("accepted_at", None), models.Q(("accepted_reason", ""), _negated=True), _connector="OR"
                        ),
                        name="devices_accepted_with_a_reason",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["queued", "running"])),
                        fields=("image",),
                        name="devices_one_live_run_per_image",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="UnreadPart",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="unread", to="devices.triagerun"
                    ),
                ),
                ("what", models.CharField(max_length=200)),
                ("offset", models.BigIntegerField(blank=True, null=True)),
                ("length", models.BigIntegerField(blank=True, null=True)),
                ("reason", models.CharField(max_length=500)),
                ("path", models.TextField(blank=True)),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="CustodyEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="custody", to="devices.device"
                    ),
                ),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("booked_in", "Booked in"),
                            ("moved", "Moved"),
                            ("opened", "Seal opened"),
                            ("sealed", "Sealed again"),
                            ("imaged", "Imaged"),
                            ("returned", "Returned"),
                            ("destroyed", "Destroyed"),
                            ("retained", "Placed in long-term retention"),
                        ],
                        max_length=10,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("handed_by", models.CharField(max_length=120)),
                ("received_by", models.CharField(max_length=120)),
                ("place", models.CharField(max_length=160)),
                ("seal", models.CharField(blank=True, max_length=60)),
                ("note", models.CharField(blank=True, max_length=300)),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("recorded_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["at", "id"],
            },
        ),
        migrations.CreateModel(
            name="Finding",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="findings", to="devices.triagerun"
                    ),
                ),
                ("kind", models.CharField(max_length=12)),
                ("algorithm", models.CharField(max_length=12)),
                ("category", models.CharField(blank=True, max_length=20)),
                (
                    "hash_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="findings",
                        to="hashsets.hashsetrecord",
                    ),
                ),
                ("distance", models.PositiveSmallIntegerField(default=0)),
                ("mode", models.CharField(blank=True, max_length=40)),
                ("known_good", models.BooleanField(default=False)),
                ("path", models.TextField()),
                ("volume", models.CharField(blank=True, max_length=80)),
                ("size", models.BigIntegerField()),
                ("created", models.DateTimeField(blank=True, null=True)),
                ("written", models.DateTimeField(blank=True, null=True)),
                ("accessed", models.DateTimeField(blank=True, null=True)),
                ("deleted", models.BooleanField(default=False)),
                ("offset", models.BigIntegerField(blank=True, null=True)),
                ("media_type", models.CharField(blank=True, max_length=60)),
                ("md5", models.CharField(db_index=True, max_length=32)),
                ("sha1", models.CharField(db_index=True, max_length=40)),
                ("sha256", models.CharField(db_index=True, max_length=64)),
                ("pdq", models.CharField(blank=True, max_length=64)),
                ("notes", models.JSONField(default=list)),
                ("doubtful", models.BooleanField(default=False)),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Release",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="releases", to="devices.device"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("return", "Return to its owner"), ("destroy", "Destroy"), ("retain", "Retain")],
                        max_length=8,
                    ),
                ),
                ("authority", models.CharField(max_length=200)),
                ("reason", models.TextField()),
                ("review_on", models.DateField(blank=True, null=True)),
                (
                    "decided_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("decided_at", models.DateTimeField()),
                (
                    "event",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="release",
                        to="devices.custodyevent",
                    ),
                ),
                ("receipt", models.CharField(blank=True, max_length=120)),
                ("gaps", models.TextField(blank=True)),
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
                ("withdrawn_reason", models.CharField(blank=True, max_length=300)),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("event", None), ("withdrawn_at", None)),
                        fields=("device",),
                        name="devices_one_standing_release",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("authority", ""), _negated=True), models.Q(("reason", ""), _negated=True)
                        ),
                        name="devices_release_with_authority_and_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "retain"), _negated=True), ("review_on__isnull", False), _connector="OR"
                        ),
                        name="devices_retention_has_a_review",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("event", None), models.Q(("receipt", ""), _negated=True), _connector="OR"),
                        name="devices_carried_out_with_a_receipt",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("withdrawn_at", None),
                            models.Q(("event", None), models.Q(("withdrawn_reason", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="devices_withdrawn_before_it_is_done",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TriageChunk",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="chunks", to="devices.triagerun"
                    ),
                ),
                ("index", models.PositiveIntegerField()),
                ("kind", models.CharField(max_length=10)),
                ("size", models.BigIntegerField(default=0)),
                ("files", models.BigIntegerField(default=0)),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("running", "Running"), ("done", "Done")],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("lease", models.CharField(blank=True, max_length=32)),
                ("worker", models.CharField(blank=True, max_length=120)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("heartbeat_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("bytes_done", models.BigIntegerField(default=0)),
                ("files_done", models.BigIntegerField(default=0)),
                ("findings", models.PositiveIntegerField(default=0)),
            ],
            options={
                "ordering": ["index"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "running")), fields=["heartbeat_at"], name="devices_running_chunks"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("run", "index"), name="devices_chunk_once_per_run"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "running"), models.Q(("lease", ""), _negated=True)),
                            models.Q(models.Q(("state", "running"), _negated=True), ("lease", "")),
                            _connector="OR",
                        ),
                        name="devices_running_chunk_has_a_lease",
                    ),
                ],
            },
        ),
    ]
