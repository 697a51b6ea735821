import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("referrals", "0004_encrypt")]

    operations = [
        migrations.AlterField(
            model_name="importline",
            name="sealed_as",
            field=models.UUIDField(default=uuid.uuid4, editable=False),
        ),
        migrations.AlterField(
            model_name="referralfile",
            name="sealed_as",
            field=models.UUIDField(default=uuid.uuid4, editable=False),
        ),
    ]
