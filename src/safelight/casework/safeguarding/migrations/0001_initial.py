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
        ("referrals", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="ChildAtRisk",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="risks", to="people.person"
                    ),
                ),
                (
                    "referral",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="referrals.referral",
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="cases.case",
                    ),
                ),
                ("lives_with", models.BooleanField(default=False)),
                ("seen_by", models.BooleanField(default=False)),
                ("works_with", models.BooleanField(default=False)),
                ("online", models.BooleanField(default=False)),
                ("immediate_danger", models.BooleanField(default=False)),
                ("relationship", models.CharField(blank=True, max_length=120)),
                ("school", models.CharField(blank=True, max_length=160)),
                ("voice", models.TextField(blank=True)),
                ("borough", models.CharField(max_length=60)),
                ("identified_at", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "child at risk",
                "verbose_name_plural": "children at risk",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("referral__isnull", False), ("case__isnull", False), _connector="OR"),
                        name="safeguarding_child_belongs_somewhere",
                    ),
                    models.UniqueConstraint(fields=("person", "referral"), name="safeguarding_child_once_per_referral"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ContactCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "referral",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contact_check",
                        to="referrals.referral",
                    ),
                ),
                (
                    "lives_with",
                    models.CharField(
                        choices=[("yes", "Yes"), ("no", "No"), ("not_known", "Not known yet")], max_length=10
                    ),
                ),
                (
                    "sees",
                    models.CharField(
                        choices=[("yes", "Yes"), ("no", "No"), ("not_known", "Not known yet")], max_length=10
                    ),
                ),
                (
                    "works_with",
                    models.CharField(
                        choices=[("yes", "Yes"), ("no", "No"), ("not_known", "Not known yet")], max_length=10
                    ),
                ),
                ("basis", models.TextField()),
                (
                    "answered_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("answered_at", models.DateTimeField()),
                ("unsettled", models.BooleanField(default=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("basis", ""), _negated=True), name="safeguarding_check_names_its_basis"
                    )
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(("unsettled", True)),
                        fields=["answered_at"],
                        name="safeguarding_check_unsettled",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PersonAround",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "child",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="around",
                        to="safeguarding.childatrisk",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="around_children", to="people.person"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("adult", "Adult"), ("sibling", "Brother or sister"), ("child", "Another child")],
                        max_length=8,
                    ),
                ),
                ("relationship", models.CharField(max_length=120)),
                ("lives_with", models.BooleanField(default=False)),
                (
                    "responsibility",
                    models.CharField(
                        choices=[
                            ("yes", "Has parental responsibility"),
                            ("no", "Has none"),
                            ("not_known", "Not known"),
                        ],
                        default="not_known",
                        max_length=10,
                    ),
                ),
                (
                    "risk",
                    models.CharField(
                        choices=[
                            ("not_assessed", "Not assessed yet"),
                            ("none_known", "No risk known after checks"),
                            ("concern", "Concern"),
                            ("risk", "Risk to the child"),
                            ("protective", "Protects the child"),
                        ],
                        default="not_assessed",
                        max_length=12,
                    ),
                ),
                ("basis", models.TextField(blank=True)),
                ("assessed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "assessed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("recorded_at", models.DateTimeField()),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ["kind", "id"],
                "constraints": [
                    models.UniqueConstraint(fields=("child", "person"), name="safeguarding_around_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("assessed_at", None), ("risk", "not_assessed")),
                            models.Q(("assessed_at__isnull", False), models.Q(("basis", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="safeguarding_around_assessed_with_its_basis",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PoliceProtection",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "child",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="protections",
                        to="safeguarding.childatrisk",
                    ),
                ),
                ("taken_at", models.DateTimeField()),
                ("initiating_officer", models.CharField(max_length=160)),
                ("why", models.TextField()),
                ("place", models.CharField(max_length=300)),
                ("local_authority_told_at", models.DateTimeField(blank=True, null=True)),
                ("local_authority_told", models.CharField(blank=True, max_length=160)),
                ("child_told_at", models.DateTimeField(blank=True, null=True)),
                ("child_wishes", models.TextField(blank=True)),
                ("parents_told_at", models.DateTimeField(blank=True, null=True)),
                ("parents_told", models.CharField(blank=True, max_length=300)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "ending",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "In police protection"),
                            ("home", "Returned home or to a parent"),
                            ("family", "With family or friends, with agreement"),
                            ("accommodated", "Accommodated by the local authority (section 20)"),
                            ("order", "Emergency protection order made"),
                            ("hospital", "In hospital"),
                            ("other", "Otherwise"),
                        ],
                        max_length=14,
                    ),
                ),
                ("ended_words", models.TextField(blank=True)),
                ("recorded_at", models.DateTimeField()),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "police protection",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("child",),
                        name="safeguarding_one_protection_at_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at", None), ("ending", "")),
                            models.Q(("ended_at__gte", models.F("taken_at")), models.Q(("ending", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="safeguarding_protection_ended_with_how",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("why", ""), _negated=True),
                            models.Q(("place", ""), _negated=True),
                            models.Q(("initiating_officer", ""), _negated=True),
                        ),
                        name="safeguarding_protection_says_why",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SafeguardingReferral",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="safeguarding_referrals",
                        to="cases.case",
                    ),
                ),
                ("authority", models.CharField(max_length=60)),
                ("recipient", models.CharField(max_length=160)),
                ("concern", models.TextField()),
                ("content", models.JSONField()),
                ("sent_at", models.DateTimeField()),
                (
                    "sent_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("chased_at", models.DateTimeField(blank=True, null=True)),
                ("chases", models.PositiveSmallIntegerField(default=0)),
                ("acknowledged_at", models.DateTimeField(blank=True, null=True)),
                ("acknowledged_by", models.CharField(blank=True, max_length=160)),
                (
                    "decision",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("section_47", "Section 47 enquiry"),
                            ("strategy", "Strategy discussion"),
                            ("assessment", "Assessment by children's social care (section 17)"),
                            ("early_help", "Early help by another agency"),
                            ("already_open", "Already open to a social worker"),
                            ("no_action", "No further action by social care"),
                        ],
                        max_length=20,
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                (
                    "acknowledged_partner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "decided_partner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("escalated_at", models.DateTimeField(blank=True, null=True)),
                ("escalated_to", models.CharField(blank=True, max_length=160)),
                (
                    "children",
                    models.ManyToManyField(related_name="safeguarding_referrals", to="safeguarding.childatrisk"),
                ),
            ],
            options={
                "verbose_name": "safeguarding referral",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("acknowledged_at", None), ("acknowledged_at__gte", models.F("sent_at")), _connector="OR"
                        ),
                        name="safeguarding_acknowledged_after_sent",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SchoolPlace",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "child",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="schools",
                        to="safeguarding.childatrisk",
                    ),
                ),
                ("name", models.CharField(max_length=160)),
                ("contact", models.CharField(blank=True, max_length=160)),
                ("since", models.DateField(blank=True, null=True)),
                ("until", models.DateField(blank=True, null=True)),
                ("recorded_at", models.DateTimeField()),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": [models.OrderBy(models.F("until"), descending=True, nulls_first=True), "-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("since", None), ("until", None), ("until__gte", models.F("since")), _connector="OR"
                        ),
                        name="safeguarding_school_in_order",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="StrategyDiscussion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="strategy_discussions",
                        to="cases.case",
                    ),
                ),
                ("covert", models.BooleanField(default=False)),
                ("opened_at", models.DateTimeField(blank=True, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("called", "Called, not held yet"),
                            ("no_quorum", "Met without a quorum"),
                            ("held", "Held"),
                            ("called_off", "Called off"),
                        ],
                        default="called",
                        max_length=10,
                    ),
                ),
                ("why", models.TextField()),
                ("suspected_at", models.DateTimeField()),
                ("planned_for", models.DateTimeField(blank=True, null=True)),
                (
                    "called_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("called_at", models.DateTimeField()),
                ("held_at", models.DateTimeField(blank=True, null=True)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("joint_47", "Section 47 enquiry, jointly by social care and police"),
                            ("single_47", "Section 47 enquiry, by social care alone"),
                            ("assessment", "Assessment (section 17)"),
                            ("no_further", "No further action under child protection"),
                        ],
                        max_length=10,
                    ),
                ),
                ("decisions", models.TextField(blank=True)),
                ("no_quorum_reason", models.TextField(blank=True)),
                ("circulated_at", models.DateTimeField(blank=True, null=True)),
                ("called_off_reason", models.TextField(blank=True)),
                (
                    "children",
                    models.ManyToManyField(related_name="strategy_discussions", to="safeguarding.childatrisk"),
                ),
            ],
            options={
                "verbose_name": "strategy discussion",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "held"), _negated=True),
                            models.Q(
                                ("held_at__gte", models.F("suspected_at")),
                                models.Q(("outcome", ""), _negated=True),
                                models.Q(("decisions", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="safeguarding_strategy_held_with_decisions",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "no_quorum"), _negated=True),
                            models.Q(("no_quorum_reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="safeguarding_strategy_quorum_or_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="VoiceEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "child",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="voices",
                        to="safeguarding.childatrisk",
                    ),
                ),
                ("said_on", models.DateField()),
                ("words", models.TextField()),
                ("heard_by", models.CharField(max_length=160)),
                ("how", models.CharField(blank=True, max_length=160)),
                ("recorded_at", models.DateTimeField()),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ["-said_on", "-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("words", ""), _negated=True), name="safeguarding_voice_has_words"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DesignatedOfficer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "protection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="designated",
                        to="safeguarding.policeprotection",
                    ),
                ),
                ("name", models.CharField(max_length=160)),
                ("since", models.DateTimeField()),
                ("words", models.TextField(blank=True)),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ["since", "id"],
            },
        ),
        migrations.CreateModel(
            name="Section47",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "child",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="enquiries",
                        to="safeguarding.childatrisk",
                    ),
                ),
                (
                    "discussion",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="enquiries",
                        to="safeguarding.strategydiscussion",
                    ),
                ),
                ("joint", models.BooleanField()),
                ("decided_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField(blank=True, null=True)),
                ("seen_by", models.CharField(blank=True, max_length=160)),
                ("seen_alone", models.BooleanField(null=True)),
                ("seen_words", models.TextField(blank=True)),
                ("conference_planned", models.DateTimeField(blank=True, null=True)),
                ("conference_at", models.DateTimeField(blank=True, null=True)),
                (
                    "ending",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Under way"),
                            ("plan", "Conference held: child protection plan"),
                            ("no_plan", "Conference held: no plan"),
                            ("not_substantiated", "Concerns not substantiated"),
                        ],
                        max_length=18,
                    ),
                ),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("ending_words", models.TextField(blank=True)),
            ],
            options={
                "verbose_name": "section 47 enquiry",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("child", "discussion"), name="safeguarding_one_enquiry_of_a_discussion"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("seen_at", None),
                            models.Q(
                                ("seen_at__gte", models.F("decided_at")), models.Q(("seen_by", ""), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="safeguarding_seen_after_decided",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at", None), ("ending", "")),
                            models.Q(models.Q(("ending", ""), _negated=True), ("ended_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="safeguarding_enquiry_ended_with_how",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StrategyAccess",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "discussion",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="access",
                        to="safeguarding.strategydiscussion",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="strategy_access",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "granted_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("granted_at", models.DateTimeField()),
                ("reason", models.TextField()),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["granted_at", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("removed_at", None)),
                        fields=("discussion", "user"),
                        name="safeguarding_need_to_know_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True),
                        name="safeguarding_need_to_know_with_its_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StrategyAttendance",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "discussion",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attendance",
                        to="safeguarding.strategydiscussion",
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "agency",
                    models.CharField(
                        choices=[
                            ("police", "Police"),
                            ("social_care", "Children's social care (manager)"),
                            ("health", "Health"),
                            ("education", "Education"),
                            ("other", "Another agency"),
                        ],
                        max_length=12,
                    ),
                ),
                ("name", models.CharField(max_length=160)),
            ],
            options={
                "ordering": ["at", "id"],
            },
        ),
    ]
