"""What stops a backup or a restoring.

::

    SafelightError
    └── BackupError        the backup cannot be written, or was read back differently
        └── NotRestored    the restoring stopped; the target is to be thrown away
"""

from __future__ import annotations

from safelight.errors import SafelightError


class BackupError(SafelightError):
    """A backup cannot be written as it should be."""


class NotRestored(BackupError):
    """A backup cannot be restored: what is wrong with it, or with the place it should go to."""
