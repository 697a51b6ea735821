from django.db import migrations

from safelight.casework.ciphers.migrating import encrypt


class Migration(migrations.Migration):
    # Each step of 500 rows stays done when it is cut off.
    atomic = False
    dependencies = [("safeguarding", "0002_encrypted_columns")]

    operations = [encrypt("safeguarding", "SafeguardingReferral", "SchoolPlace")]
