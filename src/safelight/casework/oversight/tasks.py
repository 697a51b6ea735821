"""Extracts are made by a worker."""

from __future__ import annotations

from django_tasks import task

from safelight.casework.accounts.models import User
from safelight.casework.oversight.extracting import make_extract


@task()
def extract_job(actor: int | None = None) -> str:
    """Make an extract. Returns its reference, for the job's own record."""
    return make_extract(User.objects.filter(pk=actor).first()).reference
