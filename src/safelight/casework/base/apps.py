from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig


class CaseworkApp(AppConfig):
    """One noun of the case work: loads the app's ledger verbs and its rules when Django starts."""

    def ready(self) -> None:
        for part in ("verbs", "rules"):
            if find_spec(f"{self.name}.{part}"):
                import_module(f"{self.name}.{part}")
