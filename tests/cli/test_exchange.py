"""The real server, as a platform meets it: processes, a socket, keys, the journal, the ledger."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import pytest
from typer.testing import CliRunner

from safelight.cli.main import app

SETUP = """
import sys
from pathlib import Path
from safelight.cli.django import setup
setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from safelight.casework.accounts.services import create_user
from safelight.casework.exchange import banks, services
boss = create_user(None, username="boss", name="Example Manager (synthetic)", role="exchange_manager")
bank = banks.make_bank(boss, name="KNOWN", purpose="Synthetic.")
banks.add_content(boss, bank, signals={"md5": "0a" * 16, "pdq": "0f" * 32})
platform = services.add_platform(
    boss, name="Example Social (synthetic)", contact="x", contact_email="a@example.org", agreement="Synthetic.",
    per_minute=10_000, per_day=100_000, banks=[bank],
)
print(services.issue_key(boss, platform, label="Synthetic", scopes=["lookup", "curate"], days=1)[1])
"""
MEASURE = """
from safelight.cli.django import setup
setup()
from safelight.casework.exchange.models import Hit, LookupTally
from safelight.casework.ledger.models import LedgerEntry
tally = LookupTally.objects.all()
print(sum(one.lookups for one in tally), Hit.objects.count(), LedgerEntry.objects.filter(verb="exchange.hit").count())
"""


def run(environment: dict[str, str], code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip().splitlines()[-1]


def ask(port: int, token: str, body: dict, path: str = "/m/lookup") -> tuple[int, dict]:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.request("POST", path, json.dumps(body), headers)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def answers(port: int, token: str) -> bool:
    try:
        return ask(port, token, {"signal_type": "md5", "signal": "00" * 16})[0] == 200
    except OSError:
        return False


def command(*words: str) -> str:
    return f"import sys; sys.argv = ['safelight', 'exchange', *{words!r}]; from safelight.cli.main import run; run()"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    data = tmp_path_factory.mktemp("exchange")
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTEST_VERSION", "DATABASE_URL")}
    kept.pop("DJANGO_SETTINGS_MODULE", None)
    environment = {**kept, "SAFELIGHT_DATA": str(data), "SAFELIGHT_DEMO": "1"}
    token = run(environment, SETUP)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = str(Path(sys.executable).with_name("safelight"))
    process = subprocess.Popen([program, "exchange", "serve", "--port", str(port)], env=environment)
    until = time.monotonic() + 120
    while process.poll() is None and not answers(port, token):
        assert time.monotonic() < until
        time.sleep(0.2)
    assert process.poll() is None, "the server did not start"
    yield port, token, environment, process
    process.terminate()
    process.wait(timeout=60)


def test_what_is_answered_is_in_the_ledger_even_when_the_processes_are_killed(server):
    """A look that left the force, and of which no ledger knows."""
    port, token, environment, process = server
    body = {"signal_type": "pdq", "signal": "0f" * 32}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(port, token, body), range(200)))
    assert [status for status, _ in answers] == [200] * 200
    assert all(list(told) == ["KNOWN"] for _, told in answers)
    added = ask(port, token, {"md5": "0b" * 16}, "/c/bank/KNOWN/signal")
    assert added[0] == 200
    until = time.monotonic() + 20
    while not ask(port, token, {"signal_type": "md5", "signal": "0b" * 16})[1]:
        assert time.monotonic() < until, "the addition is never served"
        time.sleep(0.1)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert len(children) >= 2, "several processes answer"
    for child in children:
        os.kill(int(child), signal.SIGKILL)
    assert "0 faulty" in run(environment, command("collect"))
    lookups, hits, entries = map(int, run(environment, MEASURE).split())
    assert lookups >= 202
    assert hits == entries >= 201


def test_was_this_hash_asked_about(server):
    """A court asks whether a platform knew."""
    port, token, environment, _ = server
    until = time.monotonic() + 60
    while not answers(port, token):
        assert time.monotonic() < until
        time.sleep(0.2)
    assert ask(port, token, {"signal_type": "sha1", "signal": "ab" * 20})[0] == 200
    assert run(environment, command("asked", "sha1", "ab" * 20)).startswith("1 look-ups")
    assert run(environment, command("asked", "sha1", "cd" * 20)).startswith("0 look-ups")


def test_a_taken_port_is_said_in_one_line():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = CliRunner().invoke(app, ["exchange", "serve", "--port", str(taken.getsockname()[1])])
    assert "taken by another program" in str(result.exception)
