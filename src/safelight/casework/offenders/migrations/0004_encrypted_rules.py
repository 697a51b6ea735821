import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("offenders", "0003_encrypt")]

    operations = [
        migrations.AlterField(
            model_name="offender",
            name="sealed_as",
            field=models.UUIDField(default=uuid.uuid4, editable=False),
        ),
        migrations.AlterField(
            model_name="registerline",
            name="sealed_as",
            field=models.UUIDField(default=uuid.uuid4, editable=False),
        ),
        migrations.AddConstraint(
            model_name="offender",
            constraint=models.UniqueConstraint(
                condition=models.Q(("register_is", ""), _negated=True),
                fields=("register_is",),
                name="offenders_reference_once",
            ),
        ),
    ]
