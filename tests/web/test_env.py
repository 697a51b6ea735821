"""What an operator would lose: a start that stops at once, and says why, when a setting is wrong."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from safelight.web import env
from safelight.web.env import SettingsError


def test_a_missing_setting_is_named(monkeypatch):
    monkeypatch.delenv("SAFELIGHT_X", raising=False)
    with pytest.raises(SettingsError, match="SAFELIGHT_X is not set"):
        env.text("SAFELIGHT_X")


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("Yes", True), ("off", False), ("", False)])
def test_flags_read_the_usual_words(monkeypatch, value, expected):
    monkeypatch.setenv("SAFELIGHT_X", value)
    assert env.flag("SAFELIGHT_X") is expected


def test_a_misspelt_flag_is_not_taken_for_no(monkeypatch):
    monkeypatch.setenv("SAFELIGHT_X", "ture")
    with pytest.raises(SettingsError, match="neither yes nor no"):
        env.flag("SAFELIGHT_X")


@pytest.mark.parametrize("value", ["five", "0", "-1"])
def test_a_wrong_number_is_refused(monkeypatch, value):
    monkeypatch.setenv("SAFELIGHT_X", value)
    with pytest.raises(SettingsError):
        env.integer("SAFELIGHT_X", 5, least=1)


def test_a_file_in_place_of_the_data_folder_is_refused(monkeypatch, tmp_path):
    (tmp_path / "data").write_text("x")
    monkeypatch.setenv("SAFELIGHT_X", str(tmp_path / "data"))
    with pytest.raises(SettingsError, match="which is a file"):
        env.folder("SAFELIGHT_X", tmp_path)


def test_a_short_secret_is_refused(monkeypatch):
    monkeypatch.setenv("SAFELIGHT_X", "hunter2")
    with pytest.raises(SettingsError, match="only 7 characters") as error:
        env.secret("SAFELIGHT_X", keep_at=None)
    assert "hunter2" not in str(error.value)


def test_the_demo_keeps_one_secret_for_all_its_processes(monkeypatch, tmp_path):
    monkeypatch.delenv("SAFELIGHT_X", raising=False)
    first = env.secret("SAFELIGHT_X", keep_at=tmp_path / "key")
    assert env.secret("SAFELIGHT_X", keep_at=tmp_path / "key") == first
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


def test_postgres_over_a_unix_socket(tmp_path):
    made = env.database("postgres://ada:p%40ss@/safe?host=/run/pg&sslmode=disable", default_file=tmp_path / "x")
    assert (made["HOST"], made["NAME"], made["USER"], made["PASSWORD"]) == ("/run/pg", "safe", "ada", "p@ss")
    assert made["OPTIONS"] == {"sslmode": "disable", "options": "-c jit=off"}


def test_postgres_over_the_network(tmp_path):
    made = env.database("postgresql://ada@db.example:5433/safe", default_file=tmp_path / "x")
    assert (made["HOST"], made["PORT"]) == ("db.example", "5433")


@pytest.mark.parametrize(
    "url", ["mysql://x/y", "postgres://ada@db.example/", "postgres://h:port/x", "sqlite://", "just words"]
)
def test_a_database_we_do_not_know_stops_the_start(tmp_path, url):
    with pytest.raises(SettingsError):
        env.database(url, default_file=tmp_path / "x")


def test_sqlite_keeps_every_promise(tmp_path):
    options = env.database("", default_file=tmp_path / "d" / "s.sqlite3")["OPTIONS"]
    assert options["transaction_mode"] == "IMMEDIATE"
    for promise in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        assert promise in options["init_command"]


def _start(tmp_path: Path, code: str, **settings: str) -> subprocess.CompletedProcess[str]:
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("SAFELIGHT", "PYTEST", "DATABASE"))
    }
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**clean, "SAFELIGHT_DATA": str(tmp_path), **settings},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_product_does_not_start_without_a_secret(tmp_path):
    done = _start(tmp_path, "from safelight.web.manage import main; raise SystemExit(main(['check']))")
    assert done.returncode == 2
    assert "SAFELIGHT_SECRET_KEY is not set" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_real_site_sends_cookies_over_https_only(tmp_path):
    code = (
        "from safelight.web import settings as s;"
        "assert s.SESSION_COOKIE_SECURE and s.CSRF_COOKIE_SECURE and s.SECURE_SSL_REDIRECT;"
        "assert s.SECURE_HSTS_SECONDS > 0 and not s.DEBUG and not s.TESTING;"
        "assert not hasattr(s, 'PASSWORD_HASHERS')"
    )
    done = _start(tmp_path, code, SAFELIGHT_SECRET_KEY="k" * 50)
    assert done.returncode == 0, done.stderr


def test_one_of_some_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt setting would be taken for the weakest one."""
    assert env.choice("SAFELIGHT_X", ("auto", "off")) == "auto"
    monkeypatch.setenv("SAFELIGHT_X", "off")
    assert env.choice("SAFELIGHT_X", ("auto", "off")) == "off"
    monkeypatch.setenv("SAFELIGHT_X", "of")
    with pytest.raises(env.SettingsError, match="auto, off"):
        env.choice("SAFELIGHT_X", ("auto", "off"))


def test_a_secret_comes_from_the_credentials_of_the_service(monkeypatch, tmp_path):
    """In the environment a secret is read by every child process, and stands in every report of a crash."""
    (tmp_path / "SAFELIGHT_X").write_text("kept by systemd, long enough for a key\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    monkeypatch.delenv("SAFELIGHT_X", raising=False)
    wanted = "kept by systemd, long enough for a key"
    assert env.secret("SAFELIGHT_X", keep_at=None) == env.text("SAFELIGHT_X") == env.token("SAFELIGHT_X") == wanted
    monkeypatch.setenv("SAFELIGHT_X", "o" * 40)
    assert env.secret("SAFELIGHT_X", keep_at=None) == "o" * 40, "what is said openly goes first"
    monkeypatch.delenv("SAFELIGHT_X")
    (tmp_path / "SAFELIGHT_X").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="credential SAFELIGHT_X cannot be read"):
        env.text("SAFELIGHT_X")
