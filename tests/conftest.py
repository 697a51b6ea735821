"""For every test: hypothesis profiles, and the rule that skipping is failing."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
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

LONGEST = (
    "demo/test_build.py",
    "casework/test_matrix.py",
    "casework/test_forms_survive.py",
    "ledger/test_coverage.py",
    "web/security/test_code.py",
)
"""They begin first, so that at the end of a run no process has one of them still before it."""

_skipped: list[str] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--second-database",
        action="store_true",
        help="only what could differ on another database: no test that asks none, and none marked one_database",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not str(item.path).endswith(LONGEST))
    if not config.getoption("--second-database"):
        return
    left_out = [item for item in items if not _may_differ(item)]
    items[:] = [item for item in items if _may_differ(item)]
    config.hook.pytest_deselected(items=left_out)


def pytest_collection_finish(session: pytest.Session) -> None:
    """What was imported by now stays: to look through all of it for garbage again and again cost a twentieth."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _may_differ(item: pytest.Item) -> bool:
    asks = item.get_closest_marker("django_db") or {"db", "transactional_db"} & set(getattr(item, "fixturenames", ()))
    return bool(asks) and item.get_closest_marker("one_database") is None


@pytest.fixture(scope="session")
def kept_database(django_db_modify_db_settings: None, django_db_blocker: Any) -> Any:
    from tests.support.template import Kept

    with django_db_blocker.unblock():
        return Kept()


@pytest.fixture(scope="session")
def django_db_keepdb(kept_database: Any) -> bool:
    """Begin from the migrated database that another process or run kept, where there is one for these migrations."""
    return bool(kept_database.taken)


@pytest.fixture(scope="session")
def django_db_setup(kept_database: Any, django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """As pytest-django does it; then keep the migrated database, and in the end remove the copy of this run."""
    with django_db_blocker.unblock():
        kept_database.made()
    yield
    with django_db_blocker.unblock():
        kept_database.remove()


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
