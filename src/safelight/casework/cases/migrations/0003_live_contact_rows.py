"""A row for every case that is marked as live contact already."""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.utils import timezone


def fill(apps: Any, schema_editor: Any) -> None:
    rows = apps.get_model("cases", "LiveContact").objects
    entries = apps.get_model("cases", "ChronologyEntry").objects.filter(kind="live_contact_found")
    for case in apps.get_model("cases", "Case").objects.filter(live_contact=True):
        said = entries.filter(case=case).order_by("-at", "-id").first()
        rows.create(
            case=case,
            found_at=said.at if said else case.opened_at,
            found_by_id=said.actor_id if said else None,
            how_known=said.text if said else "Recorded before contact was a state of its own.",
            recorded_at=said.recorded_at if said else timezone.now(),
        )


class Migration(migrations.Migration):
    dependencies = [("cases", "0002_live_contact")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
