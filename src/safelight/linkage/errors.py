"""What can go wrong when records are linked."""

from __future__ import annotations

from safelight.errors import SafelightError


class LinkageError(SafelightError):
    """A source, a model or a decision cannot be used; the message names the file, row or record."""
