"""A job that fails over a name that it was given."""

from __future__ import annotations

from django_tasks import task


@task()
def fails(name: str) -> None:
    raise ValueError(f"{name} cannot be read")
