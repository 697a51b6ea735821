"""The log is read by people who may not read cases: no name may get in by any way, and a fault must still be found."""

from __future__ import annotations

import io
import json
import logging
import logging.config
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as site
from django.db import IntegrityError, transaction
from django.test import Client

from safelight.web import logs

CANARY = "Wilhelmina-Canary"
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Everything that any logger writes, in the form of a production site."""
    stream = io.StringIO()
    asked = deepcopy(site.LOGGING)
    asked["handlers"] = {"console": {"class": "logging.StreamHandler", "formatter": "json", "stream": stream}}
    asked["loggers"]["safelight.requests"] = {"level": "INFO"}
    asked["loggers"]["django.server"]["handlers"] = ["console"]
    logging.config.dictConfig(logs.of_gunicorn(asked))
    yield stream
    logging.config.dictConfig(site.LOGGING)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.django_db
def test_no_name_gets_into_the_log_by_any_way(
    written: io.StringIO, make_user: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Address, query, form, headers, host, sign-in, and the values of faults in pages, database, mail and jobs."""
    client = Client(raise_request_exception=False)
    headers = {"User-Agent": CANARY, "Referer": f"https://safelight.example/?q={CANARY}", "X-Forwarded-For": CANARY}
    client.get(f"/people/{CANARY}/?q={CANARY}", headers=headers)
    client.get("/standards/", headers={"Host": f"{CANARY}.example"})
    client.post("/sign-in/", {"login": CANARY, "password": CANARY})
    Client(enforce_csrf_checks=True).post("/sign-in/", {"login": CANARY})
    client.force_login(make_user("supervisor"), backend=BACKEND)
    client.get(f"/search/?q={CANARY}", headers=headers)
    client.post("/search/", {"q": CANARY})

    def broken(*_: Any, **__: Any) -> None:
        try:
            raise ValueError(f"{CANARY} is no date")
        except ValueError as error:
            raise IntegrityError(f"Key (family_name)=({CANARY}) already exists.") from error

    monkeypatch.setattr("safelight.web.standards_page.render", broken)
    answer = client.get(f"/standards/?q={CANARY}")
    assert answer.status_code == 500
    for name in ("django.db.backends", "django.security.DisallowedHost", "gunicorn.error", "somebody.elses"):
        logging.getLogger(name).warning("Of %s: %s", CANARY, {"name": CANARY})
        logging.getLogger(name).warning(f"Invalid request from {CANARY}")
        logging.getLogger(name).error("Cannot send to %(name)s", {"name": CANARY}, exc_info=IntegrityError(CANARY))
    logging.getLogger("safelight.casework.x").warning("Run %s cannot be read: %s", "T-000001", ValueError(CANARY))

    said = written.getvalue()
    assert CANARY.lower() not in said.lower()
    found = lines(written)
    (fault,) = (line for line in found if line["logger"] == "django.request")
    assert fault["error"] == "django.db.utils.IntegrityError < ValueError"
    assert (fault["method"], fault["route"], fault["level"]) == ("GET", "standards/", "error")
    assert any("standards_page.py" in frame for frame in fault["trace"])
    (own,) = (line for line in found if line["logger"] == "safelight.casework.x")
    assert own["message"] == "Run T-000001 cannot be read: ValueError"
    routes = {line["route"]: line["status"] for line in found if line["logger"] == "safelight.requests"}
    assert routes["standards/"] == 500 and routes["search/"] == 200
    assert fault["request"] == answer["X-Request-ID"]


@pytest.mark.django_db(transaction=True)
def test_a_job_that_fails_is_found_in_the_log_without_its_values(written: io.StringIO) -> None:
    from django.core.management import call_command
    from django.db import connection
    from django_tasks_db.models import DBTaskResult
    from tests.support import failing_task

    if connection.vendor == "postgresql":
        # Procrastinate's own lines name the job and quote its arguments: they are not among the trusted.
        logging.getLogger("procrastinate.jobs").error(f"Job run_task(name={CANARY}) ended", exc_info=ValueError(CANARY))
    else:
        with transaction.atomic():
            failing_task.fails.enqueue(CANARY)
        call_command("db_worker", batch=True, interval=0.1, verbosity=1, reload=False)
        assert DBTaskResult.objects.get().status == "FAILED"
    assert CANARY not in written.getvalue()
    assert any("failing_task" in line["message"] or "ValueError" in line.get("error", "") for line in lines(written))


ROOT = Path(__file__).resolve().parents[2]


def test_a_log_goes_where_the_page_says_and_nowhere_else() -> None:
    """A file of its own that one library writes would be read, kept and copied by nobody's rule."""
    assert {one["class"] for one in site.LOGGING["handlers"].values()} == {"logging.StreamHandler"}
    barred = re.compile(
        r"FileHandler|SysLogHandler|SocketHandler|HTTPHandler|SMTPHandler|logging\.handlers|import syslog"
    )
    found = [str(path) for path in (ROOT / "src").rglob("*.py") if barred.search(path.read_text(encoding="utf-8"))]
    assert found == []


def test_every_table_that_is_a_log_stands_on_the_page() -> None:
    """What is kept about people beside the case work would be forgotten when somebody asks for it."""
    page = (ROOT / "docs/logs.md").read_text(encoding="utf-8")
    tables = {model._meta.db_table for model in apps.get_models()}
    wanted = {name for name in tables if re.search(r"log$|attempt$|letter$|ledgerentry$|usersession$", name)}
    assert len(wanted) >= 6
    assert {name for name in wanted if f"`{name}`" not in page} == set()
    named = set(re.findall(r"`([a-z]+_[a-z]+)`", page))
    assert named <= tables, "and none that there is no longer"
