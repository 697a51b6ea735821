"""Settings come from the environment, through helpers that fail loudly.

A misspelt or half-set variable must stop the start with one clear sentence, not surface later as odd behaviour:
a service that holds records about children may not guess.
"""

from __future__ import annotations

import os
import secrets
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from safelight.errors import SafelightError

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}
HOW_TO_MAKE_A_KEY = "Make one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'."
_POSTGRES_SCHEMES = {"postgres", "postgresql"}


def _given(name: str) -> str:
    """The value of ``name``: of the environment, else of a file of this name among the service's credentials.

    systemd and containers hand a secret over as a file (CREDENTIALS_DIRECTORY) that no child process inherits.
    """
    value = os.environ.get(name, "").strip()
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    if value or not folder or not (Path(folder) / name).is_file():
        return value
    try:
        return (Path(folder) / name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The credential {name} cannot be read: {error}.", fix="Mend the file.") from error


class SettingsError(SafelightError):
    """A setting in the environment is missing or cannot be understood."""


def text(name: str, default: str | None = None) -> str:
    """The value of ``name``; raises SettingsError when it is unset and there is no default."""
    value = _given(name)
    if value:
        return value
    if default is None:
        raise SettingsError(f"The environment variable {name} is not set.", fix=f"Set {name} and start again.")
    return default


def flag(name: str, *, default: bool = False) -> bool:
    """True or False from 1/0, true/false, yes/no, on/off; raises SettingsError for anything else."""
    value = os.environ.get(name)
    if value is None:
        return default
    word = value.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise SettingsError(f"{name} is {value!r}, which is neither yes nor no.", fix="Use 1 or 0.")


def integer(name: str, default: int, *, least: int = 0) -> int:
    """A whole number of at least ``least``; raises SettingsError for anything else."""
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    try:
        number = int(value)
    except ValueError as error:
        raise SettingsError(f"{name} is {value!r}, which is not a whole number.", fix="Use digits only.") from error
    if number < least:
        raise SettingsError(f"{name} is {number}, below the least allowed value.", fix=f"Use {least} or more.")
    return number


def seconds(name: str, default: float, *, least: float) -> float:
    """A number of seconds of at least ``least``; raises SettingsError for anything else."""
    value = text(name, str(default))
    try:
        number = float(value)
    except ValueError as error:
        raise SettingsError(f"{name} is {value!r}, which is not a number.", fix="Give seconds, such as 5.") from error
    if not least <= number <= 86_400:
        raise SettingsError(f"{name} is {value}, not from {least:g} to 86,400 seconds.", fix="Give seconds, such as 5.")
    return number


def choice(name: str, allowed: tuple[str, ...]) -> str:
    """One of the allowed words, the first when unset; raises SettingsError for anything else."""
    value = text(name, allowed[0])
    if value not in allowed:
        raise SettingsError(f"{name} is {value!r}.", fix=f"Use one of {', '.join(allowed)}.")
    return value


def words(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """A comma-separated list, spaces trimmed, empty parts dropped."""
    value = os.environ.get(name)
    if value is None:
        return list(default)
    return [part.strip() for part in value.split(",") if part.strip()]


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """A comma-separated list of networks; raises SettingsError for what is none."""
    try:
        return [ip_network(word) for word in words(name)]
    except ValueError as error:
        raise SettingsError(f"{name}: {error}.", fix="Write networks such as 10.20.0.0/16, comma-separated.") from error


def folder(name: str, default: Path) -> Path:
    """An absolute folder path; raises SettingsError when a file stands in its place."""
    path = Path(text(name, str(default))).expanduser().resolve()
    if path.exists() and not path.is_dir():
        raise SettingsError(f"{name} is {path}, which is a file.", fix="Name a folder.")
    return path


def existing_path(name: str) -> Path | None:
    """An absolute path that must exist, or None when unset."""
    value = text(name, "")
    if not value:
        return None
    path = Path(value).expanduser().resolve()
    if not path.exists():
        raise SettingsError(f"{name} is {path}, which does not exist.", fix=f"Correct {name} or unset it.")
    return path


def secret(name: str, *, keep_at: Path | None) -> str:
    """The secret ``name``, at least 32 characters.

    With ``keep_at`` (demo, debugging and tests only) a missing secret is made once and kept in that file, readable
    by its owner alone, so that several worker processes agree. Without it a missing secret raises SettingsError.
    """
    value = _given(name)
    if value:
        if len(value) < 32:
            raise SettingsError(
                f"{name} is only {len(value)} characters long.",
                fix=f"Use at least 32. {HOW_TO_MAKE_A_KEY}",
            )
        return value
    if keep_at is None:
        raise SettingsError(
            f"The environment variable {name} is not set.",
            fix=f"{HOW_TO_MAKE_A_KEY} The demo (SAFELIGHT_DEMO=1) makes its own.",
        )
    keep_at.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(keep_at, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        kept = keep_at.read_text(encoding="utf-8").strip()
        if len(kept) < 32:
            raise SettingsError(f"The kept secret in {keep_at} is damaged.", fix="Delete that file.") from None
        return kept
    made = secrets.token_urlsafe(48)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(made)
    return made


def old_secrets(name: str) -> list[str]:
    """Comma-separated secrets of before, each of at least 32 characters; raises SettingsError for a shorter one."""
    found = [part.strip() for part in _given(name).split(",") if part.strip()]
    if short := [len(one) for one in found if len(one) < 32]:
        raise SettingsError(
            f"{name} holds a secret of only {short[0]} characters.", fix="Give the whole key of before."
        )
    return found


def token(name: str) -> str:
    """An optional secret of at least 32 characters; empty when unset. Raises SettingsError when it is shorter."""
    value = _given(name)
    if value and len(value) < 32:
        raise SettingsError(
            f"{name} is only {len(value)} characters long.", fix=f"Use at least 32, or unset it. {HOW_TO_MAKE_A_KEY}"
        )
    return value


def database(url: str, *, default_file: Path) -> dict[str, Any]:
    """A Django database description from ``url``.

    Empty: SQLite at ``default_file``. ``sqlite:///relative`` and ``sqlite:////absolute`` name another file.
    ``postgres://user:password@host:port/name?host=/socket/folder&sslmode=require`` is PostgreSQL; query arguments
    other than ``host`` and ``port`` are handed to libpq. Raises SettingsError for anything else.
    """
    if not url:
        return sqlite(default_file)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SettingsError(
            f"DATABASE_URL cannot be read: {error}.", fix="Use postgres://user@host:5432/name."
        ) from error
    if parts.scheme == "sqlite":
        path = unquote(parts.path)[1:]
        if not path or parts.netloc:
            raise SettingsError("DATABASE_URL names no SQLite file.", fix="Use sqlite:////absolute/path.sqlite3.")
        return sqlite(Path(path).expanduser().resolve())
    if parts.scheme not in _POSTGRES_SCHEMES:
        raise SettingsError(
            f"DATABASE_URL starts with {parts.scheme!r}, which Safelight does not support.",
            fix="Use postgres://... or sqlite:///..., or leave it unset for SQLite in SAFELIGHT_DATA.",
        )
    name = unquote(parts.path).strip("/")
    if not name:
        raise SettingsError("DATABASE_URL names no database.", fix="End it with /name.")
    options = dict(parse_qsl(parts.query))
    # Compiling a plan costs more than any query of a page; PostgreSQL would do it for those it takes for large.
    options["options"] = f"{options.get('options', '')} -c jit=off".strip()
    host = options.pop("host", "") or unquote(parts.hostname or "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": options.pop("port", "") or (str(port) if port else ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


def sqlite(path: Path) -> dict[str, Any]:
    """SQLite with every promise switched on: write-ahead log, full synchronisation, foreign keys, early write locks.

    IMMEDIATE takes the write lock when a transaction starts, so that two writers queue (up to 20 s) in place of one
    failing half-way with "database is locked". FULL keeps the last commit through a power cut.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
        },
    }
