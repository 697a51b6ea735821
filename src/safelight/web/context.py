"""What every template knows: the user, the navigation, the messages, the nonce, and whether this is the demo."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpRequest

from safelight.web.navigation import links, second_row


def page(request: HttpRequest) -> dict[str, Any]:
    """Context for every page. Robust on error pages, where middleware may not have run."""
    return {
        "user": getattr(request, "user", None),
        "csp_nonce": getattr(request, "csp_nonce", ""),
        "navigation": links(request),
        "second_row": second_row(request),
        "alerts": get_messages(request),
        "demo": settings.DEMO,
    }
