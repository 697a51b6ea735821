"""scripts/with-postgres: the suite meets a real PostgreSQL, and nothing of it stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "with-postgres"
ASK = (
    "import os, psycopg; answer = psycopg.connect(os.environ['DATABASE_URL']).execute('show server_version_num');"
    "print(answer.fetchone()[0])"
)


def _run(temporary: Path, *command: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "TMPDIR": str(temporary)}
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), *command],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder of the script's own. Run as root, the server runs as another user, who must be able to enter it."""
    with tempfile.TemporaryDirectory(prefix="safelight-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_the_command_gets_a_server_and_its_exit_code_comes_back(temporary: Path) -> None:
    """A suite that failed on PostgreSQL must not look as if it had passed."""
    script = _run(temporary, sys.executable, "-c", f"{ASK}; raise SystemExit(7)")
    said, trouble = script.communicate(timeout=120)
    assert script.returncode == 7, trouble
    assert int(said) >= 150000
    assert list(temporary.iterdir()) == []


def test_an_interrupted_run_leaves_no_server_and_no_folder(temporary: Path) -> None:
    script = _run(temporary, sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)")
    assert script.stdout is not None
    assert script.stdout.readline() == "up\n"
    (home,) = temporary.iterdir()
    server = int((home / "data" / "postmaster.pid").read_text().split()[0])
    script.send_signal(signal.SIGTERM)
    assert script.wait(30) == 128 + signal.SIGTERM
    script.communicate()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{server}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{server}").exists()
    assert list(temporary.iterdir()) == []
