from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("devices", "0005_who_decided")]

    operations = [
        migrations.AddConstraint(
            model_name="device",
            constraint=models.CheckConstraint(
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
        ),
    ]
