"""Clocks that run already: their time without pauses is the one they have, and the sweep looks at each once more."""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.db.models import F


def fill(apps: Any, schema_editor: Any) -> None:
    clocks = apps.get_model("clocks", "Clock").objects
    clocks.update(base_due_at=F("due_at"))
    clocks.filter(stopped_at=None, not_applicable=False).update(next_step_at=F("due_at"), swept_through=F("alerted_at"))


class Migration(migrations.Migration):
    dependencies = [("clocks", "0003_pauses_and_steps")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
