"""Those who watch the site would take a dead one for well, or learn what is none of their business."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from safelight.web import status

TOKEN = "t" * 20 + "0123456789abcdef"


@pytest.fixture(autouse=True)
def afresh(settings: Any, tmp_path: Path) -> None:
    settings.DATA = tmp_path
    status._FITS.clear()
    status._standards.cache_clear()


@pytest.mark.django_db
class TestReady:
    def test_a_site_that_people_can_work_with_is_ready(self, client: Client) -> None:
        assert client.get("/readyz").content == b"ready\n"

    def test_tables_that_are_too_old_are_not(self, client: Client) -> None:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE app = 'notices'")
        answer = client.get("/readyz")
        assert answer.status_code == 503 and b"migrate" in answer.content

    def test_standards_that_cannot_be_read_are_not(self, client: Client, settings: Any, tmp_path: Path) -> None:
        settings.SITE_STANDARDS = tmp_path / "broken.toml"
        settings.SITE_STANDARDS.write_text("[clocks")
        answer = client.get("/readyz")
        assert answer.status_code == 503 and b"standards" in answer.content

    def test_a_data_folder_that_is_gone_is_not(self, client: Client, settings: Any, tmp_path: Path) -> None:
        settings.DATA = tmp_path / "unmounted"
        answer = client.get("/readyz")
        assert answer.status_code == 503 and b"data folder" in answer.content

    def test_keys_that_are_lost_are_not(self, client: Client, settings: Any, tmp_path: Path) -> None:
        settings.FIELD_KEYS = tmp_path / "field.keys"
        settings.FIELD_KEYS.write_text("")
        answer = client.get("/readyz")
        assert answer.status_code == 503 and b"key file" in answer.content

    def test_a_database_that_is_gone_is_not(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        from django.db import DatabaseError, connection

        def broken() -> None:
            raise DatabaseError("gone")

        monkeypatch.setattr(connection, "cursor", broken)
        assert client.get("/readyz").content == b"database does not answer\n"

    def test_it_is_asked_by_the_address_of_the_process(self, client: Client) -> None:
        """A load balancer knows no host name of the site, and gets no redirect to it."""
        assert client.get("/readyz", headers={"Host": "10.0.0.7:8000"}).status_code == 200


@pytest.mark.django_db
class TestMetrics:
    def test_without_a_token_there_is_no_such_page(self, client: Client, settings: Any) -> None:
        settings.METRICS_TOKEN = ""
        assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404

    @pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x"])
    def test_a_wrong_token_learns_nothing(self, client: Client, settings: Any, given: str) -> None:
        settings.METRICS_TOKEN = TOKEN
        answer = client.get("/metrics", headers={"Authorization": given})
        assert answer.status_code == 401 and b"safelight" not in answer.content

    def test_the_figures_are_those_of_the_records(
        self, client: Client, settings: Any, make_user: Callable[..., Any]
    ) -> None:
        from tests.casework import factories

        from safelight.casework.ledger.models import LedgerEntry
        from safelight.casework.ledger.services import seal
        from safelight.web import metrics
        from safelight.web.alive import Alive

        settings.METRICS_TOKEN = TOKEN
        factories.make_case()
        sealed = seal()
        assert sealed is not None
        Alive("tick").beat(tick_seconds=0.25, sweep_seconds=0.125)
        client.get("/people/Wilhelmina-Canary/?q=Wilhelmina-Canary")
        client.generic("WILHELMINA", "/standards/")
        metrics._stored = type(metrics._stored)()
        metrics._stored.register(metrics.Stored())
        text = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).content.decode()
        figures = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        assert float(figures["safelight_ledger_sealed"]) == sealed.tree_size == LedgerEntry.objects.count()
        assert figures['safelight_processes{kind="tick",state="alive"}'] == "1.0"
        assert figures['safelight_processes{kind="worker",state="alive"}'] == "0.0"
        assert figures["safelight_sweep_seconds"] == "0.125"
        assert figures['safelight_jobs_waiting{queue="default"}'] == "0.0"
        assert figures["safelight_work_taken_over_total"] == "0.0"
        assert float(figures["safelight_database_bytes"]) > 100_000
        assert any(name.startswith("safelight_request_seconds_bucket") for name in figures)
        assert "canary" not in text.lower() and "wilhelmina" not in text.lower()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(port: int, path: str, **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_a_production_server_answers_those_who_watch_and_logs_in_json(tmp_path: Path) -> None:
    """Two processes, no demo, an empty database: up, not ready, their counts added up, and no name in the log."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/root"), "SAFELIGHT_DATA": str(tmp_path),
        "SAFELIGHT_SECRET_KEY": "kW3xQ9_ZbM1-tY7uLr5nCg0aHs8dJf2eVpXo6iTq4wBz", "SAFELIGHT_METRICS_TOKEN": TOKEN,
        "SAFELIGHT_ALLOWED_HOSTS": "safelight.example", "SAFELIGHT_BEHIND_PROXY": "1",
    }  # fmt: skip
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "safelight.cli.main", "serve", "--port", str(port), "--workers", "2"],
            stdout=log, stderr=log, env=environment,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        assert ask(port, "/healthz") == (200, "ok\n")
        state, words = ask(port, "/readyz")
        assert state == 503 and "migrate" in words
        proxied = {"Host": "safelight.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
        for _ in range(8):
            assert ask(port, "/people/Wilhelmina-Canary/?q=Canary", **proxied)[0] in (302, 404)
        assert ask(port, "/cases/", Host="elsewhere.example")[0] == 400
        state, figures = ask(port, "/metrics", Authorization=f"Bearer {TOKEN}")
        assert state == 200 and "safelight_database_up 0.0" in figures
        counted = [line for line in figures.splitlines() if line.startswith("safelight_request_seconds_count")]
        assert sum(float(line.rsplit(" ", 1)[1]) for line in counted) == 9, counted
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)
    said = (tmp_path / "log").read_text()
    found = [json.loads(line) for line in said.splitlines()]
    assert "canary" not in said.lower() and "203.0.113.9" not in said and "elsewhere" not in said
    assert sum(line["logger"] == "safelight.requests" for line in found) >= 8
    assert not any(line["logger"] == "gunicorn.access" for line in found)
