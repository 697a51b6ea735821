import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("exchange", "0003_encrypt")]

    operations = [
        migrations.AlterField(
            model_name="platform",
            name="sealed_as",
            field=models.UUIDField(default=uuid.uuid4, editable=False),
        ),
    ]
