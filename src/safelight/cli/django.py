"""Starting Django for the commands that need the database; the others never pay for it."""

from __future__ import annotations

import os


def configure() -> None:
    """Read the settings, without loading the apps. Raises SettingsError for a missing or misspelt setting."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "safelight.web.settings")
    from django.conf import settings

    settings.INSTALLED_APPS  # noqa: B018 - the first look at any of them reads them all


def setup() -> None:
    """Load the settings and the apps. Raises SettingsError for a missing or misspelt setting."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "safelight.web.settings")
    import django

    django.setup()
