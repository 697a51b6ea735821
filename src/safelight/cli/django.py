"""Starting Django for the commands that need the database; the others never pay for it."""

from __future__ import annotations

import os


def setup() -> None:
    """Load the settings and the apps. Raises SettingsError for a missing or misspelt setting."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "safelight.web.settings")
    import django

    django.setup()
