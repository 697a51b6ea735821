"""For every test: hypothesis profiles, and the rule that skipping is failing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "ci",
    deadline=None,
    derandomize=True,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile("dev", deadline=None, max_examples=100)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))

_skipped: list[str] = []


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_modify_db_settings: None) -> bool:
    """Begin from the migrated database that an earlier run kept, where there is one for these migrations."""
    place = _sqlite()
    if place is None:
        return False
    from tests.support.template import take

    return take(place)


@pytest.fixture(scope="session")
def django_db_setup(django_db_keepdb: bool, django_db_setup: None) -> Iterator[None]:
    """As pytest-django does it; then keep the migrated database, and in the end remove the copy of this run."""
    place = _sqlite()
    if place is not None and not django_db_keepdb:
        from tests.support.template import keep

        keep(place)
    yield
    if place is not None and django_db_keepdb:
        for suffix in ("", "-wal", "-shm"):
            place.with_name(place.name + suffix).unlink(missing_ok=True)


def _sqlite() -> Path | None:
    from django.db import connection

    name: Any = connection.settings_dict["TEST"].get("NAME")
    return Path(name) if connection.vendor == "sqlite" and name else None


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        _skipped.append(report.nodeid)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.skipped:
        _skipped.append(report.nodeid)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A skipped test proves nothing, and nobody reads the count: what is missing must be put right instead."""
    if _skipped and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _skipped:
        terminalreporter.section("skipped, which counts as failed")
        for nodeid in dict.fromkeys(_skipped):
            terminalreporter.line(nodeid)
