"""Keys for encrypted volumes, as they were given.

A key is used and forgotten: it is read from its file by the process that opens the device, and neither the record nor a
log ever holds it or its place; the record says only that the volume was opened with a key that was given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from safelight.errors import EvidenceError
from safelight.triage.evidence.raw import open_read_only

_LARGEST = 1 << 20
_RECOVERY = re.compile(r"\d{6}(-\d{6}){7}")
OPENED = "Opened with a key that was given."


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """A password, a recovery key or the content of a key file; never printed."""

    text: str | None = None
    file: Path | None = None
    body: bytes = field(default=b"")

    def secret(self) -> bytes:
        """The bytes that open a volume."""
        return self.body if self.file is not None else (self.text or "").encode()

    @property
    def is_recovery(self) -> bool:
        """Whether it has the shape of a BitLocker recovery key."""
        return _RECOVERY.fullmatch(self.text or "") is not None


def read_keys(paths: Iterable[str]) -> list[Key]:
    """The keys in these files: each line of a text, and the file as it is (a BitLocker startup key, a LUKS key file).

    Raises:
        EvidenceError: a file cannot be read, or is too large to be a key.
    """
    keys: list[Key] = []
    for path in (Path(p) for p in paths):
        with open(open_read_only(path), "rb") as stream:
            raw = stream.read(_LARGEST + 1)
        if not raw or len(raw) > _LARGEST:
            raise EvidenceError("A key file is empty, or larger than 1 MiB.", fix="Give the right key file.")
        try:
            lines = [line.rstrip("\r") for line in raw.decode("utf-8").split("\n")]
        except UnicodeDecodeError:
            lines = []
        keys += [Key(text=line) for line in lines if line and line.isprintable()]
        keys.append(Key(file=path, body=raw))
    return keys
