import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from safelight.casework.base.migrating import FirstTables


class Migration(FirstTables):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("cases", "0001_initial"),
        ("people", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Victim",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="victims", to="cases.case"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="victim_in", to="people.person"
                    ),
                ),
                (
                    "entitlement",
                    models.CharField(
                        choices=[
                            ("enhanced", "Enhanced: told within 1 working day"),
                            ("standard", "Standard: told within 5 working days"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("child", "Under 18"),
                            ("vulnerable", "Vulnerable or intimidated"),
                            ("serious", "Victim of the most serious crime"),
                            ("targeted", "Persistently targeted"),
                            ("none", "None of the reasons for enhanced rights"),
                            ("not_assessed", "Not assessed yet"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("recorded_at", models.DateTimeField()),
                ("no_updates_since", models.DateField(blank=True, null=True)),
                (
                    "no_updates_recorded_by",
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
                "verbose_name": "victim",
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(fields=("case", "person"), name="victims_once_in_a_case"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("entitlement", "standard"), ("reason", "none")),
                            models.Q(("entitlement", "enhanced"), models.Q(("reason", "none"), _negated=True)),
                            _connector="OR",
                        ),
                        name="victims_entitlement_has_its_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("no_updates_since", None), ("no_updates_recorded_by__isnull", False), _connector="OR"
                        ),
                        name="victims_wish_recorded_by_name",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="VictimUpdate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="victim_updates", to="cases.case"
                    ),
                ),
                (
                    "victim",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="updates", to="victims.victim"
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="victim_updates",
                        to="cases.chronologyentry",
                    ),
                ),
                ("kind", models.CharField(max_length=40)),
                ("happened_at", models.DateTimeField()),
                ("told_at", models.DateTimeField(blank=True, null=True)),
                (
                    "how",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("in_person", "In person"),
                            ("telephone", "By telephone"),
                            ("letter", "By letter"),
                            ("email", "By e-mail"),
                            ("parent", "Through a parent or guardian"),
                            ("advocate", "Through an advocate or support service"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "told_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("not_wished_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "update of a victim",
                "ordering": ["-happened_at", "-id"],
                "constraints": [
                    models.UniqueConstraint(fields=("victim", "event"), name="victims_told_once_of_an_event"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("how", ""), ("told_at", None), ("told_by", None)),
                            models.Q(
                                ("not_wished_at", None),
                                ("told_at__gte", models.F("happened_at")),
                                ("told_by__isnull", False),
                                models.Q(("how", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="victims_told_how_and_by_whom",
                    ),
                ],
            },
        ),
    ]
