"""Devices that were booked in before decisions had a name and a time: what the records tell, or 'no decision yet'."""

from __future__ import annotations

from typing import Any

from django.db import migrations


def say_who(apps: Any, schema_editor: Any) -> None:
    device_model = apps.get_model("devices", "Device")
    entries = apps.get_model("ledger", "LedgerEntry").objects.filter(
        verb="device.decided", subject_type="devices.device"
    )
    for device in device_model.objects.filter(decided_at=None).iterator():
        run = device.runs.order_by("pk").first()
        if device.decided_by_id is not None:
            entry = entries.filter(subject_id=str(device.pk)).order_by("-pk").first()
            device.decided_at = entry.at if entry else device.booked_in_at
        elif run is not None:
            device.decided_by_id, device.decided_at = run.queued_by_id, run.queued_at
        elif device.decision == "triage":
            device.decision = "undecided"
        else:
            device.decided_by_id, device.decided_at = device.booked_in_by_id, device.booked_in_at
        device.save(update_fields=["decision", "decided_by", "decided_at"])


class Migration(migrations.Migration):
    dependencies = [("devices", "0004_decisions_and_releases"), ("ledger", "0001_initial")]

    operations = [migrations.RunPython(say_who, migrations.RunPython.noop)]
