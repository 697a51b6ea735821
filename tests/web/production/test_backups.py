"""A backup that stopped, or was never tried, is noticed on the day it is needed."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from safelight.backup import BackupState
from safelight.web.production import backups


def codes() -> set[str]:
    return {finding.code for finding in backups.backups()}


@pytest.mark.parametrize(
    ("seconds", "verified", "wanted"),
    [
        (20, True, set()),
        (20, False, {"backup.unproven"}),
        (600, True, {"backup.age"}),
        (100_000, True, {"backup.old"}),
        (None, False, {"backup.none"}),
    ],
)
def test_an_old_or_untried_backup_is_named(
    settings: Any, monkeypatch: pytest.MonkeyPatch, seconds: int | None, verified: bool, wanted: set[str]
) -> None:
    settings.BACKUP_FOLDER, settings.BACKUP_RECIPIENTS = Path(os.devnull), ["age1x"]
    newest = None if seconds is None else timezone.now() - timedelta(seconds=seconds)
    state = BackupState(newest, newest if verified else None, "" if verified else "Never restored.")
    monkeypatch.setattr(backups, "backup_state", lambda folder: state)
    assert codes() == wanted


def test_no_backup_at_all_is_unsafe(settings: Any) -> None:
    settings.BACKUP_FOLDER, settings.BACKUP_RECIPIENTS = None, []
    assert codes() == {"backup.none"}
