from django.db import migrations

from safelight.casework.ciphers.migrating import encrypt


class Migration(migrations.Migration):
    # Each step of 500 rows stays done when it is cut off.
    atomic = False
    dependencies = [("referrals", "0003_encrypted_columns")]

    operations = [encrypt("referrals", "ReferralFile", "ImportLine")]
