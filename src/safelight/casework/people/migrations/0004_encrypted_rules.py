import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people", "0003_encrypt")]

    operations = [
        migrations.AlterField(
            model_name="identifier",
            name="sealed_as",
            field=models.UUIDField(default=uuid.uuid4, editable=False),
        ),
        migrations.AlterField(
            model_name="person",
            name="sealed_as",
            field=models.UUIDField(default=uuid.uuid4, editable=False),
        ),
        migrations.AlterField(
            model_name="possiblelink",
            name="sealed_as",
            field=models.UUIDField(default=uuid.uuid4, editable=False),
        ),
        migrations.AddIndex(
            model_name="identifier",
            index=models.Index(fields=["kind", "value_is"], name="people_by_identifier"),
        ),
        migrations.AddIndex(
            model_name="identifier",
            index=models.Index(fields=["kind", "value_like"], name="people_by_identifier_like"),
        ),
        migrations.AddIndex(
            model_name="person",
            index=models.Index(fields=["family_like", "given_like"], name="people_by_name"),
        ),
        migrations.AddIndex(
            model_name="person",
            index=models.Index(
                condition=models.Q(("postcode_is", ""), _negated=True),
                fields=["postcode_is"],
                name="people_by_postcode",
            ),
        ),
        migrations.AddConstraint(
            model_name="identifier",
            constraint=models.UniqueConstraint(fields=("person", "kind", "value_is"), name="people_identifier_once"),
        ),
        migrations.AddConstraint(
            model_name="possiblelink",
            constraint=models.UniqueConstraint(fields=("person", "kind", "source", "key_is"), name="people_link_once"),
        ),
    ]
