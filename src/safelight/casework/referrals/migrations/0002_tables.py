import django.db.models.deletion
from django.db import migrations, models

from safelight.casework.base.migrating import FirstTables


class Migration(FirstTables):
    initial = True

    dependencies = [
        ("people", "0001_initial"),
        ("referrals", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="ReferralPerson",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "referral",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="people", to="referrals.referral"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="referral_links", to="people.person"
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("suspect", "Suspect"),
                            ("child", "Child"),
                            ("reporter", "Person who reported"),
                            ("other", "Other person"),
                        ],
                        max_length=10,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("referral", "person", "role"), name="referrals_person_once_per_role"
                    )
                ],
            },
        ),
    ]
