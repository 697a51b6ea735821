"""Searching, with its entry in the ledger: who looked for something, when, and what was shown."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from safelight.casework.base.rights import must
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.search.queries import Found, find


@transaction.atomic
def search(actor: Any, text: str, *, kind: str = "", before: int | None = None) -> Found:
    """Look for ``text`` in everything that ``actor`` may see.

    What was typed may be a child's name: the ledger has its fingerprint, and the references that were shown.

    Raises:
        NotAllowed: the role may not search.
        Invalid: nothing to look for, or too much; nothing is recorded.
    """
    must(actor, "search.use", what="search the records")
    found = find(actor, text, kind=kind, before=before)
    payload = {"asked": fingerprint(found.asked.text), "kind": kind, "shown": found.shown}
    record(actor, "search.made", category=Category.CONSULTATION, payload=payload)
    return found
