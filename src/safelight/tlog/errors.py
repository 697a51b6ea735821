"""What goes wrong with checkpoints and witnesses."""

from __future__ import annotations

from safelight.errors import SafelightError


class WitnessError(SafelightError):
    """A note, a key or a witness cannot be used."""


class Refused(WitnessError):
    """A witness refuses a checkpoint.

    Args:
        status: the HTTP status of C2SP tlog-witness that says the same.
        size: with 409, how many entries the witness has seen.
    """

    def __init__(self, what: str, *, status: int, size: int | None = None, fix: str = "") -> None:
        super().__init__(what, fix=fix)
        self.status = status
        self.size = size
