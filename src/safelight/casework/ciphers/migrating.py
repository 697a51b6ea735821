"""Parts of migrations that turn columns into encrypted ones.

In three migrations of an app: :func:`triggers_off` and the columns; :func:`encrypt` (not atomic, in steps of 500: cut
off, it goes on when ``migrate`` is called again); the rules of the table.
"""

from __future__ import annotations

from typing import Any

from django.db.migrations import RunPython

from safelight.casework.ciphers.rows import encrypt_plain


def triggers_off() -> RunPython:
    """Take the triggers of the search off: PostgreSQL changes no column that one watches. They come back at the end."""
    return RunPython(_off, RunPython.noop)


def _off(apps: Any, editor: Any) -> None:
    from safelight.casework.search.triggers import remove

    remove(editor.connection.alias)


def encrypt(app: str, *models: str) -> RunPython:
    """Encrypt what the rows of these models hold."""

    def go(apps: Any, editor: Any) -> None:
        for name in models:
            encrypt_plain(apps.get_model(app, name), editor.connection.alias)

    return RunPython(go, RunPython.noop)
