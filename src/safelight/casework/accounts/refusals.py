"""Who was refused what: a page that the role may not open, a record that is not there for the person, a form without a
valid token, a request that is none.

Of people who are signed in the ledger has it. Of others nobody is known: the log has the page and the reason, as it has
for every request, and the counts of sign-in stand apart (``attempts``).
"""

from __future__ import annotations

import logging
import re

from django.db import DatabaseError, transaction
from django.http import HttpRequest

from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record

ROLE, NOT_THERE, TOKEN, NONSENSE, TOO_MANY, NETWORK = (
    "role", "not there", "form token", "nonsense", "too many", "network",
)  # fmt: skip
_REFERENCE = re.compile(r"[A-Za-z]{1,6}-?\d{1,12}|\d{1,18}", re.ASCII)
_log = logging.getLogger(__name__)


def _asked(request: HttpRequest) -> tuple[str, dict[str, str]]:
    """The page, and the numbers of its address; what is no number or reference may be words, and is not kept."""
    match = request.resolver_match
    if match is None:
        return "", {}
    said = {name: str(value) for name, value in match.kwargs.items()}
    return match.view_name or "", {n: text if _REFERENCE.fullmatch(text) else "(text)" for n, text in said.items()}


def note_refusal(request: HttpRequest, why: str) -> None:
    """Write down that ``request`` was refused, and why (one of the words above).

    A record that is not there is noted only where a page exists to show it: an address of no page asks for no record.
    What cannot be written must not take away the page that says no; the log has it then.
    """
    page, numbers = _asked(request)
    if why == NOT_THERE and not numbers:
        return
    user = getattr(request, "user", None)
    about = {"page": page or "(none)", "why": why, "method": str(request.method)[:10]}
    if user is None or not user.is_authenticated:
        _log.info("refused", extra={"about": about})
        return
    try:
        with transaction.atomic():
            record(user, "access.refused", None, category=Category.SYSTEM, payload={**about, "asked": numbers})
    except DatabaseError:
        _log.exception("a refusal could not be recorded", extra={"about": about})
