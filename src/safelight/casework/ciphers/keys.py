"""The ring of this installation (the setting FIELD_KEYS)."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from safelight.casework.ciphers import ring as rings
from safelight.casework.ciphers.ring import KeyRingError, Ring


def place() -> Path:
    """Where the key file is, or will be."""
    return Path(settings.FIELD_KEYS)


def ring() -> Ring:
    """The ring as the file has it now. Where there is none it is made, unless the database holds encrypted values.

    Raises:
        KeyRingError: the file is missing though values are encrypted, or it cannot be used.
    """
    path = place()
    found = rings.current(path)
    if found is not None:
        return found
    from safelight.casework.ciphers.rows import first_encrypted

    if where := first_encrypted():
        raise KeyRingError(
            f"The key file of encrypted fields is missing ({path}), and the database holds values that need it "
            f"({where}).",
            fix=rings.MISSING,
        )
    return rings.make(path)
