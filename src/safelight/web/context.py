"""What every template knows: the user, the navigation, the messages, the nonce, and whether this is the demo."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.messages import get_messages
from django.db import DatabaseError
from django.http import HttpRequest
from django.template.backends.utils import csrf_input
from django.utils.functional import lazy
from django.utils.safestring import SafeString, mark_safe

from safelight.casework.accounts.second_factor import rule_for
from safelight.casework.base.once import sheet_field
from safelight.casework.breakglass.queries import running_of
from safelight.casework.notices.queries import unread_for_header
from safelight.web.navigation import links, second_row


def page(request: HttpRequest) -> dict[str, Any]:
    """Context for every page. Robust on error pages, where middleware may not have run."""
    return {
        # One sheet a page: each of its forms can be sent once with the same answers.
        "csrf_input": _form_start(request),
        "user": getattr(request, "user", None),
        "may_search": _may_search(request),
        "csp_nonce": getattr(request, "csp_nonce", ""),
        "navigation": links(request),
        "second_row": second_row(request),
        "alerts": get_messages(request),
        # Asked of the database only where the head of the page is drawn.
        "unread_notices": lambda: unread_for_header(getattr(request, "user", None)),
        "broken_glass": _broken_glass(getattr(request, "user", None)),
        "idle_seconds": _idle_seconds(getattr(request, "user", None)),
        "demo": settings.DEMO,
    }


def _broken_glass(user: Any) -> list[Any]:
    try:
        return running_of(user)
    except DatabaseError:  # as on an error page
        return []


def _idle_seconds(user: Any) -> int:
    """After how long an unattended page clears itself; 0 where nobody is signed in."""
    return 60 * rule_for(user).idle_minutes if user is not None and user.is_authenticated else 0


def _may_search(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)
    return user is not None and user.is_authenticated and user.has_perm("search.use")


def _fields(request: HttpRequest) -> SafeString:
    user = getattr(request, "user", None)
    sheet = sheet_field() if user is not None and user.is_authenticated else ""
    return mark_safe(csrf_input(request) + sheet)  # noqa: S308 - two fields, both escaped where they are made


_form_start = lazy(_fields, SafeString, str)
