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
        ("workforce", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Detention",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="detentions", to="people.person"
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="detentions",
                        to="cases.case",
                    ),
                ),
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
                ("suite", models.CharField(max_length=80)),
                ("borough", models.CharField(max_length=60)),
                (
                    "age_basis",
                    models.CharField(
                        choices=[
                            ("document", "A document was seen"),
                            ("record", "Police or other records"),
                            ("parent", "A parent or carer said so"),
                            ("said", "The child said so"),
                            ("appearance", "Appearance only: treated as a child in doubt"),
                        ],
                        max_length=12,
                    ),
                ),
                ("offence", models.CharField(max_length=200)),
                ("necessity", models.TextField()),
                ("arrested_at", models.DateTimeField()),
                ("arrived_at", models.DateTimeField()),
                ("authorised_at", models.DateTimeField(blank=True, null=True)),
                ("authorised_by", models.CharField(max_length=120)),
                (
                    "placed",
                    models.CharField(
                        choices=[
                            ("cell", "A cell"),
                            ("detention_room", "A detention room"),
                            ("other", "Another room of the station"),
                        ],
                        max_length=14,
                    ),
                ),
                ("why_in_cell", models.TextField()),
                ("parent_told_at", models.DateTimeField(blank=True, null=True)),
                ("parent_told", models.CharField(blank=True, max_length=160)),
                ("merlin_at", models.DateTimeField(blank=True, null=True)),
                ("diversion_at", models.DateTimeField(blank=True, null=True)),
                ("diversion", models.CharField(blank=True, max_length=300)),
                ("extended_at", models.DateTimeField(blank=True, null=True)),
                ("extended_by", models.CharField(blank=True, max_length=120)),
                ("extended_why", models.TextField(blank=True)),
                ("charged_at", models.DateTimeField(blank=True, null=True)),
                ("charge", models.CharField(blank=True, max_length=200)),
                (
                    "bail",
                    models.CharField(
                        blank=True,
                        choices=[("", "Not decided"), ("bailed", "Bailed"), ("refused", "Bail refused")],
                        max_length=8,
                    ),
                ),
                ("bail_reason", models.TextField(blank=True)),
                (
                    "certificate",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "No certificate"),
                            ("impracticable", "Transfer is impracticable"),
                            ("no_secure", "No secure place, and other accommodation would not protect the public"),
                        ],
                        max_length=14,
                    ),
                ),
                ("certificate_reason", models.TextField(blank=True)),
                ("certificate_by", models.CharField(blank=True, max_length=120)),
                ("certified_at", models.DateTimeField(blank=True, null=True)),
                ("certificate_to_court_at", models.DateTimeField(blank=True, null=True)),
                ("released_at", models.DateTimeField(blank=True, null=True)),
                (
                    "ending",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Still detained"),
                            ("bail", "Released on bail"),
                            ("investigation", "Released under investigation"),
                            ("no_action", "Released, no further action"),
                            ("local_authority", "Transferred to local authority accommodation"),
                            ("court", "Taken to court"),
                            ("hospital", "Taken to hospital"),
                            ("other", "Otherwise"),
                        ],
                        max_length=16,
                    ),
                ),
                ("released_to", models.CharField(blank=True, max_length=160)),
                ("cost_claimed_at", models.DateTimeField(blank=True, null=True)),
                ("recorded_at", models.DateTimeField()),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "detention",
                "indexes": [
                    models.Index(condition=models.Q(("released_at", None)), fields=["arrived_at"], name="custody_now")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("released_at", None)), fields=("person",), name="custody_one_at_a_time"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("arrived_at__gte", models.F("arrested_at"))),
                        name="custody_arrived_after_arrest",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("authorised_at", None), ("authorised_at__gte", models.F("arrived_at")), _connector="OR"
                        ),
                        name="custody_authorised_after_arrival",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ending", ""), ("released_at", None)),
                            models.Q(
                                ("released_at__gte", models.F("arrived_at")), models.Q(("ending", ""), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="custody_ended_with_how",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("why_in_cell", ""), _negated=True), name="custody_says_why_in_a_cell"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("certificate", ""), ("certified_at", None)),
                            models.Q(
                                ("bail", "refused"),
                                ("certified_at__isnull", False),
                                models.Q(("certificate_reason", ""), _negated=True),
                                models.Q(("certificate_by", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="custody_certificate_with_its_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DetentionReview",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "detention",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="reviews", to="custody.detention"
                    ),
                ),
                ("at", models.DateTimeField()),
                ("reviewer", models.CharField(max_length=120)),
                ("why_in_cell", models.TextField()),
                ("heard", models.TextField(blank=True)),
                (
                    "outcome",
                    models.CharField(
                        choices=[("keep", "Detention goes on"), ("release", "The child is to be released")],
                        max_length=8,
                    ),
                ),
                ("late", models.BooleanField(default=False)),
                ("recorded_at", models.DateTimeField()),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ["at", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("why_in_cell", ""), _negated=True), name="custody_review_answers_why"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AccommodationRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "detention",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="requests", to="custody.detention"
                    ),
                ),
                ("kind", models.CharField(choices=[("non_secure", "Non-secure"), ("secure", "Secure")], max_length=10)),
                ("authority", models.CharField(max_length=60)),
                ("asked_of", models.CharField(max_length=160)),
                ("asked_at", models.DateTimeField()),
                ("why_secure", models.TextField(blank=True)),
                (
                    "answer",
                    models.CharField(
                        blank=True,
                        choices=[("", "No answer yet"), ("offered", "Offered"), ("refused", "Refused")],
                        max_length=8,
                    ),
                ),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("answered_by", models.CharField(blank=True, max_length=160)),
                ("answer_words", models.TextField(blank=True)),
            ],
            options={
                "ordering": ["asked_at", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind", "non_secure"), models.Q(("why_secure", ""), _negated=True), _connector="OR"
                        ),
                        name="custody_secure_only_with_its_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answer", ""), ("answered_at", None)),
                            models.Q(
                                ("answered_at__gte", models.F("asked_at")), models.Q(("answered_by", ""), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="custody_answered_after_asking",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AppropriateAdult",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "detention",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="adults", to="custody.detention"
                    ),
                ),
                ("name", models.CharField(max_length=160)),
                ("relation", models.CharField(max_length=120)),
                ("requested_at", models.DateTimeField()),
                ("arrived_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["requested_at", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("arrived_at", None), ("arrived_at__gte", models.F("requested_at")), _connector="OR"
                        ),
                        name="custody_adult_after_asking",
                    )
                ],
            },
        ),
    ]
