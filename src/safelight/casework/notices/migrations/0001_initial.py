import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from safelight.casework.base.migrating import FirstTables


class Migration(FirstTables):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("cases", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="notices", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("kind", models.CharField(max_length=60)),
                ("subject_type", models.CharField(blank=True, max_length=60)),
                ("subject_id", models.BigIntegerField(blank=True, null=True)),
                ("about", models.CharField(blank=True, max_length=20)),
                (
                    "case",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notices",
                        to="cases.case",
                    ),
                ),
                ("at", models.DateTimeField()),
                ("key", models.CharField(blank=True, max_length=160)),
                ("read_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "notice",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["user", "-id"], name="notices_of_user"),
                    models.Index(condition=models.Q(("read_at", None)), fields=["user"], name="notices_unread"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("key", ""), _negated=True), fields=("user", "key"), name="notices_told_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("about", ""), ("about__regex", "^[A-Z]{1,4}-[0-9]{6,12}$"), _connector="OR"
                        ),
                        name="notices_about_a_reference",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Letter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "notice",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="letter", to="notices.notice"
                    ),
                ),
                ("next_try_at", models.DateTimeField(blank=True, null=True)),
                ("tries", models.PositiveIntegerField(default=0)),
                ("fault", models.CharField(blank=True, max_length=60)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("dropped_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("next_try_at__isnull", False)),
                        fields=["next_try_at"],
                        name="notices_outbox",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("dropped_at", None), ("sent_at", None), ("next_try_at__isnull", False)),
                            models.Q(
                                models.Q(("sent_at__isnull", False), ("dropped_at__isnull", False), _connector="OR"),
                                ("next_try_at", None),
                            ),
                            _connector="OR",
                        ),
                        name="notices_letter_waits_or_is_done",
                    )
                ],
            },
        ),
    ]
