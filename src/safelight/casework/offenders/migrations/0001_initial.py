import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from safelight.casework.base.migrating import FirstTables


class Migration(FirstTables):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("people", "0001_initial"),
        ("referrals", "0001_initial"),
        ("workforce", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Offender",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="offender", to="people.person"
                    ),
                ),
                ("register_reference", models.CharField(blank=True, max_length=60)),
                ("aliases", models.JSONField(default=list)),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="offenders", to="workforce.unit"
                    ),
                ),
                (
                    "manager",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="offenders",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("relevant_date", models.DateField()),
                ("until", models.DateField(blank=True, null=True)),
                ("has_home", models.BooleanField(default=True)),
                (
                    "risk",
                    models.CharField(
                        blank=True,
                        choices=[("very_high", "Very high"), ("high", "High"), ("medium", "Medium"), ("low", "Low")],
                        max_length=10,
                    ),
                ),
                ("low_since", models.DateField(blank=True, null=True)),
                (
                    "management",
                    models.CharField(
                        choices=[("active", "Active"), ("reactive", "Reactive")], default="active", max_length=8
                    ),
                ),
                ("mappa_category", models.PositiveSmallIntegerField(default=1)),
                ("mappa_level", models.PositiveSmallIntegerField(default=1)),
                ("latitude", models.FloatField(blank=True, null=True)),
                ("longitude", models.FloatField(blank=True, null=True)),
                ("registered_at", models.DateTimeField()),
                (
                    "registered_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("ended_on", models.DateField(blank=True, null=True)),
                ("end_reason", models.CharField(blank=True, max_length=300)),
                ("visit_due_on", models.DateField(blank=True, null=True)),
                ("attempt_due_on", models.DateField(blank=True, null=True)),
                ("seen_on", models.DateField(blank=True, null=True)),
                ("failed_since_seen", models.PositiveSmallIntegerField(default=0)),
                ("notify_due_on", models.DateField(blank=True, null=True)),
                ("away", models.CharField(blank=True, max_length=10)),
            ],
            options={
                "verbose_name": "offender",
                "indexes": [
                    models.Index(fields=["unit", "visit_due_on", "id"], name="offenders_by_visit"),
                    models.Index(fields=["manager", "visit_due_on", "id"], name="offenders_of_manager"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("register_reference", ""), _negated=True),
                        fields=("register_reference",),
                        name="offenders_reference_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("until", None), ("until__gte", models.F("relevant_date")), _connector="OR"),
                        name="offenders_period_ends_after_it_begins",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("management", "active"), ("risk", "low"), _connector="OR"),
                        name="offenders_reactive_only_at_low_risk",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("mappa_category__gte", 1),
                            ("mappa_category__lte", 3),
                            ("mappa_level__gte", 1),
                            ("mappa_level__lte", 3),
                        ),
                        name="offenders_mappa_1_to_3",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ended_on", None), models.Q(("end_reason", ""), _negated=True), _connector="OR"
                        ),
                        name="offenders_leave_the_register_with_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("latitude", None), ("longitude", None)),
                            models.Q(
                                ("latitude__gte", -90),
                                ("latitude__lte", 90),
                                ("longitude__gte", -180),
                                ("longitude__lte", 180),
                            ),
                            _connector="OR",
                        ),
                        name="offenders_place_on_earth",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Plan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "offender",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="%(class)ss", to="offenders.offender"
                    ),
                ),
                ("recorded_at", models.DateTimeField()),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("every", models.PositiveSmallIntegerField()),
                (
                    "every_unit",
                    models.CharField(choices=[("calendar_days", "days"), ("months", "months")], max_length=14),
                ),
                ("actions", models.TextField()),
                ("minutes", models.PositiveSmallIntegerField(default=45)),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("every__gte", 1), ("every__lte", 36)),
                            models.Q(("every__gte", 1), ("every__lte", 366), ("every_unit", "calendar_days")),
                            _connector="OR",
                        ),
                        name="offenders_visit_frequency_is_possible",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RegisterImport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("file_name", models.CharField(max_length=255)),
                ("sha256", models.CharField(max_length=64)),
                ("imported_at", models.DateTimeField()),
                (
                    "imported_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "import of a register",
            },
        ),
        migrations.CreateModel(
            name="RegisterLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="offenders.registerimport"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                (
                    "outcome",
                    models.CharField(
                        choices=[("added", "Added"), ("held", "Already held"), ("refused", "Not taken")], max_length=8
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=500)),
                ("raw", models.TextField(blank=True)),
                (
                    "offender",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="offenders.offender",
                    ),
                ),
            ],
            options={
                "ordering": ["number"],
                "constraints": [
                    models.UniqueConstraint(fields=("batch", "number"), name="offenders_import_line_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("outcome", "refused"), _negated=True),
                            models.Q(models.Q(("reason", ""), _negated=True), models.Q(("raw", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="offenders_refused_line_is_kept",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RiskLevel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "offender",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="%(class)ss", to="offenders.offender"
                    ),
                ),
                ("recorded_at", models.DateTimeField()),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "level",
                    models.CharField(
                        choices=[("very_high", "Very high"), ("high", "High"), ("medium", "Medium"), ("low", "Low")],
                        max_length=10,
                    ),
                ),
                ("on", models.DateField()),
                ("source", models.CharField(max_length=120)),
            ],
            options={
                "ordering": ["-on", "-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("source", ""), _negated=True), name="offenders_risk_names_its_source"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Rounds",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "manager",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="visit_rounds",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="workforce.unit"
                    ),
                ),
                ("made_at", models.DateTimeField()),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("first_day", models.DateField()),
                ("days", models.PositiveSmallIntegerField()),
                ("latitude", models.FloatField()),
                ("longitude", models.FloatField()),
                ("data", models.JSONField()),
                ("svg", models.TextField()),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Search",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "referral",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="offender_search",
                        to="referrals.referral",
                    ),
                ),
                ("at", models.DateTimeField()),
                ("linked_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(condition=models.Q(("linked_at", None)), fields=["at"], name="offenders_search_waits")
                ],
            },
        ),
        migrations.CreateModel(
            name="Visit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "offender",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="%(class)ss", to="offenders.offender"
                    ),
                ),
                ("recorded_at", models.DateTimeField()),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "outcome",
                    models.CharField(
                        choices=[("successful", "Successful: the offender was seen"), ("failed", "Failed: not seen")],
                        max_length=10,
                    ),
                ),
                ("announced", models.CharField(blank=True, max_length=300)),
                ("joint_with", models.CharField(blank=True, max_length=120)),
                ("devices_checked", models.BooleanField(default=False)),
                ("text", models.TextField()),
                ("officers", models.ManyToManyField(related_name="visits_made", to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "ordering": ["-at", "-id"],
                "indexes": [models.Index(fields=["offender", "-at"], name="offenders_visited")],
            },
        ),
        migrations.CreateModel(
            name="Absence",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "offender",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="%(class)ss", to="offenders.offender"
                    ),
                ),
                ("recorded_at", models.DateTimeField()),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("custody", "Custody"), ("hospital", "Hospital"), ("abroad", "Abroad")], max_length=10
                    ),
                ),
                ("begins", models.DateField()),
                ("ends", models.DateField(blank=True, null=True)),
                ("note", models.CharField(blank=True, max_length=300)),
            ],
            options={
                "ordering": ["-begins", "-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ends", None), ("ends__gte", models.F("begins")), _connector="OR"),
                        name="offenders_absence_ends_after_it_begins",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("ends", None)), fields=("offender",), name="offenders_one_absence_at_once"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Decision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "offender",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="%(class)ss", to="offenders.offender"
                    ),
                ),
                ("recorded_at", models.DateTimeField()),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("failed", models.PositiveSmallIntegerField()),
                (
                    "step",
                    models.CharField(
                        choices=[
                            ("arrest", "Arrest"),
                            ("warrant", "Warrant to enter and search"),
                            ("go_on", "Neither: visits go on"),
                        ],
                        max_length=8,
                    ),
                ),
                ("reason", models.TextField()),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="offenders_decision_has_a_reason"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "offender",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="%(class)ss", to="offenders.offender"
                    ),
                ),
                ("recorded_at", models.DateTimeField()),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("intelligence", "Intelligence"),
                            ("reactive", "Reactive management approved"),
                            ("active", "Active management again"),
                            ("mappa", "MAPPA meeting"),
                            ("manager", "Given to an offender manager"),
                            ("note", "Note"),
                            ("breach", "Breach established"),
                        ],
                        max_length=12,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("text", models.TextField()),
            ],
            options={
                "ordering": ["-at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="Naming",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "offender",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="namings", to="offenders.offender"
                    ),
                ),
                (
                    "referral",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="offenders_named",
                        to="referrals.referral",
                    ),
                ),
                ("part", models.CharField(blank=True, max_length=10)),
                (
                    "how",
                    models.CharField(
                        choices=[
                            ("reference", "By the reference of the register"),
                            ("identifier", "Same on-line name, number or address"),
                            ("exact", "Same name and date of birth"),
                            ("linked", "The records may be of one person"),
                            ("address", "Recorded at the same address"),
                        ],
                        max_length=10,
                    ),
                ),
                ("certain", models.BooleanField()),
                ("found_at", models.DateTimeField()),
                ("told_at", models.DateTimeField(blank=True, null=True)),
                ("seen_at", models.DateTimeField(blank=True, null=True)),
                (
                    "seen_by",
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
                "ordering": ["-found_at", "-id"],
                "constraints": [models.UniqueConstraint(fields=("offender", "referral"), name="offenders_named_once")],
            },
        ),
        migrations.CreateModel(
            name="Notification",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "offender",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="%(class)ss", to="offenders.offender"
                    ),
                ),
                ("recorded_at", models.DateTimeField()),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("initial", "First notification (s.83)"),
                            ("change", "Change of name, address, or release (s.84)"),
                            ("advance", "Change announced in advance (s.84)"),
                            ("annual", "Yearly notification (s.85)"),
                            ("weekly", "Weekly notification without a home"),
                            ("travel", "Travel abroad"),
                            ("returned", "Return from abroad"),
                            ("child", "Stay in a household with a child"),
                            ("other", "Other particulars (bank, card, passport: 2012 Regulations)"),
                        ],
                        max_length=8,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("place", models.CharField(max_length=160)),
                ("in_person", models.BooleanField(default=True)),
                ("identity_seen", models.BooleanField(default=False)),
                ("changed", models.TextField(blank=True)),
                ("event_on", models.DateField(blank=True, null=True)),
                ("due_on", models.DateField(blank=True, null=True)),
                ("late", models.BooleanField(null=True)),
            ],
            options={
                "ordering": ["-at", "-id"],
                "indexes": [models.Index(fields=["offender", "-at"], name="offenders_notified")],
            },
        ),
        migrations.CreateModel(
            name="Duty",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("recorded_at", models.DateTimeField()),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "offender",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="duties", to="offenders.offender"
                    ),
                ),
                ("rule", models.CharField(max_length=60)),
                ("event_on", models.DateField()),
                ("what", models.CharField(max_length=300)),
                (
                    "met_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="duties",
                        to="offenders.notification",
                    ),
                ),
                ("ended", models.CharField(blank=True, max_length=300)),
            ],
            options={
                "verbose_name_plural": "duties",
                "ordering": ["event_on", "id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("ended", ""), ("met_by", None)),
                        fields=["event_on"],
                        name="offenders_open_duties",
                    )
                ],
            },
        ),
    ]
