import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from safelight.casework.base.migrating import FirstTables


class Migration(FirstTables):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("hashsets", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Bank",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[("hash_set", "A hash set that is shared"), ("own", "Entries of the force's own")],
                        max_length=10,
                    ),
                ),
                (
                    "hash_set",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="banks",
                        to="hashsets.hashsetrecord",
                    ),
                ),
                ("purpose", models.CharField(max_length=300)),
                ("enabled", models.BooleanField(default=True)),
                ("made_at", models.DateTimeField()),
                (
                    "made_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "bank",
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("hash_set", None), ("kind", "own")),
                            models.Q(("hash_set__isnull", False), ("kind", "hash_set")),
                            _connector="OR",
                        ),
                        name="exchange_bank_of_its_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name__regex", "^[A-Z][A-Z0-9_]*$")), name="exchange_bank_name"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="JournalFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80, unique=True)),
                ("offset", models.PositiveBigIntegerField(default=0)),
                ("faulty", models.PositiveBigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Platform",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120, unique=True)),
                ("contact", models.CharField(max_length=160)),
                ("contact_email", models.EmailField(max_length=254)),
                ("agreement", models.CharField(max_length=300)),
                ("per_minute", models.PositiveIntegerField()),
                ("per_day", models.PositiveIntegerField()),
                ("added_at", models.DateTimeField()),
                (
                    "added_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("banks", models.ManyToManyField(blank=True, related_name="platforms", to="exchange.bank")),
            ],
            options={
                "verbose_name": "platform",
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("agreement", ""), _negated=True), name="exchange_platform_has_an_agreement"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("per_day__gte", models.F("per_minute")), ("per_minute__gte", 1)),
                        name="exchange_platform_quotas",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="WithdrawnRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "bank",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="withdrawn_rows", to="exchange.bank"
                    ),
                ),
                ("row", models.PositiveBigIntegerField()),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("reason", models.CharField(max_length=300)),
                ("restored_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("restored_at", None)), fields=("bank", "row"), name="exchange_row_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "platform",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="keys", to="exchange.platform"
                    ),
                ),
                ("label", models.CharField(max_length=80)),
                ("public_id", models.CharField(max_length=12, unique=True)),
                ("secret_sha256", models.CharField(max_length=64)),
                ("scopes", models.JSONField(default=list)),
                ("issued_at", models.DateTimeField()),
                (
                    "issued_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("expires_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "replaces",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replaced_by",
                        to="exchange.apikey",
                    ),
                ),
                ("cleared_at", models.DateTimeField(blank=True, null=True)),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "API key",
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("issued_at"))),
                        name="exchange_key_expires_after_it_is_issued",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="BankContent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "bank",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="contents", to="exchange.bank"
                    ),
                ),
                ("added_at", models.DateTimeField()),
                (
                    "added_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "added_with",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="exchange.apikey",
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=200)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="BankSignal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "content",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="signals", to="exchange.bankcontent"
                    ),
                ),
                (
                    "algorithm",
                    models.CharField(
                        choices=[("md5", "MD5"), ("sha1", "SHA1"), ("sha256", "SHA256"), ("pdq", "PDQ")], max_length=8
                    ),
                ),
                ("value", models.CharField(max_length=64)),
            ],
            options={
                "indexes": [models.Index(fields=["algorithm", "value"], name="exchange_signal_value")],
                "constraints": [
                    models.UniqueConstraint(fields=("content", "algorithm"), name="exchange_one_signal_of_a_kind"),
                    models.CheckConstraint(
                        condition=models.Q(("value", ""), _negated=True), name="exchange_signal_has_a_value"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Hit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "platform",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="hits", to="exchange.platform"
                    ),
                ),
                (
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="hits", to="exchange.apikey"
                    ),
                ),
                (
                    "bank",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="hits", to="exchange.bank"
                    ),
                ),
                ("content", models.PositiveBigIntegerField()),
                (
                    "algorithm",
                    models.CharField(
                        choices=[("md5", "MD5"), ("sha1", "SHA1"), ("sha256", "SHA256"), ("pdq", "PDQ")], max_length=8
                    ),
                ),
                ("distance", models.PositiveSmallIntegerField()),
                ("picture", models.BooleanField(default=False)),
                ("request", models.UUIDField()),
                ("at", models.DateTimeField(db_index=True)),
            ],
            options={
                "verbose_name": "hit",
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["platform", "-id"], name="exchange_hit_platform")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("request", "bank", "content", "algorithm"), name="exchange_hit_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LookupTally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="tallies", to="exchange.apikey"
                    ),
                ),
                ("hour", models.DateTimeField()),
                ("lookups", models.PositiveBigIntegerField(default=0)),
                ("hits", models.PositiveBigIntegerField(default=0)),
                ("refused", models.PositiveBigIntegerField(default=0)),
            ],
            options={
                "ordering": ["hour"],
                "indexes": [models.Index(fields=["hour"], name="exchange_tally_hour")],
                "constraints": [models.UniqueConstraint(fields=("key", "hour"), name="exchange_tally_once")],
            },
        ),
        migrations.CreateModel(
            name="PlatformReport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "platform",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="reports", to="exchange.platform"
                    ),
                ),
                (
                    "key",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="exchange.apikey",
                    ),
                ),
                (
                    "hit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reports",
                        to="exchange.hit",
                    ),
                ),
                (
                    "algorithm",
                    models.CharField(
                        choices=[("md5", "MD5"), ("sha1", "SHA1"), ("sha256", "SHA256"), ("pdq", "PDQ")], max_length=8
                    ),
                ),
                ("value", models.CharField(max_length=64)),
                ("url", models.CharField(blank=True, max_length=2000)),
                ("content_id", models.CharField(blank=True, max_length=200)),
                ("detected_at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                ("uk_linked", models.BooleanField(null=True)),
                ("ncmec_report_id", models.CharField(blank=True, max_length=40)),
                ("nca_reference", models.CharField(blank=True, max_length=60)),
                ("repeated", models.PositiveIntegerField(default=0)),
            ],
            options={
                "verbose_name": "platform report",
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("platform", "algorithm", "value", "url", "content_id"), name="exchange_report_once"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("ncmec_report_id", ""), _negated=True),
                        fields=("ncmec_report_id", "algorithm", "value"),
                        name="exchange_report_once_by_ncmec",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Suspension",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="suspensions", to="exchange.apikey"
                    ),
                ),
                ("at", models.DateTimeField()),
                ("rule", models.CharField(max_length=20)),
                ("counted", models.PositiveIntegerField(default=0)),
                ("note", models.CharField(blank=True, max_length=300)),
                ("lifted_at", models.DateTimeField(blank=True, null=True)),
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
                ("lifted_because", models.CharField(blank=True, max_length=300)),
            ],
            options={
                "ordering": ["-at"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("lifted_at", None)), fields=("key",), name="exchange_one_open_suspension"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("lifted_at", None),
                            models.Q(("lifted_by__isnull", False), models.Q(("lifted_because", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="exchange_lifted_by_a_person_for_a_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TakedownNotice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "platform",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="notices", to="exchange.platform"
                    ),
                ),
                (
                    "report",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notices",
                        to="exchange.platformreport",
                    ),
                ),
                ("url", models.CharField(max_length=2000)),
                (
                    "algorithm",
                    models.CharField(
                        blank=True,
                        choices=[("md5", "MD5"), ("sha1", "SHA1"), ("sha256", "SHA256"), ("pdq", "PDQ")],
                        max_length=8,
                    ),
                ),
                ("value", models.CharField(blank=True, max_length=64)),
                ("sent_at", models.DateTimeField()),
                (
                    "sent_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("recipient", models.CharField(max_length=160)),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                ("removal_told_by", models.CharField(blank=True, max_length=160)),
                ("refused_at", models.DateTimeField(blank=True, null=True)),
                ("refusal", models.CharField(blank=True, max_length=300)),
            ],
            options={
                "verbose_name": "takedown notice",
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["-sent_at"], name="exchange_notice_sent")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("removed_at", None), ("removed_at__gte", models.F("sent_at")), _connector="OR"
                        ),
                        name="exchange_removed_after_notice",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("removed_at", None), ("refused_at", None), _connector="OR"),
                        name="exchange_removed_or_refused",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("refused_at", None), ("removed_at", None)),
                        fields=("platform", "url"),
                        name="exchange_one_open_notice_per_place",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Chase",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "notice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="chases", to="exchange.takedownnotice"
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("how", models.CharField(max_length=200)),
            ],
            options={
                "ordering": ["-at"],
            },
        ),
    ]
