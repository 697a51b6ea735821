"""Small files that one process writes and others watch."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from safelight.errors import ExchangeError


def write_json(path: Path, value: Any) -> None:
    """Write atomically and durably: a reader sees the old file or the whole new one.

    Raises:
        ExchangeError: the folder cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("w", encoding="utf-8") as file:
            json.dump(value, file, sort_keys=True, separators=(",", ":"))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise ExchangeError(
            f"{path} cannot be written: {error.strerror}.", fix="Free space or permit writing."
        ) from error


class Watched:
    """A JSON file that is read again when it changes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int, int] | None = None

    def changed(self) -> Any | None:
        """The file's new content, or None while it is as it was (or is not there).

        Raises:
            ExchangeError: it is no JSON object.
        """
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return None
        mark = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if mark == self._seen:
            return None
        try:
            value = json.loads(self.path.read_bytes())
        except (OSError, ValueError) as error:
            raise ExchangeError(f"{self.path} cannot be read: {error}.", fix="Publish the exchange again.") from error
        self._seen = mark
        return value
