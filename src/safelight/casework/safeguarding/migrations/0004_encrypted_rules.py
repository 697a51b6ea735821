import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("safeguarding", "0003_encrypt")]

    operations = [
        migrations.AlterField(
            model_name="safeguardingreferral",
            name="sealed_as",
            field=models.UUIDField(default=uuid.uuid4, editable=False),
        ),
        migrations.AlterField(
            model_name="schoolplace",
            name="sealed_as",
            field=models.UUIDField(default=uuid.uuid4, editable=False),
        ),
    ]
