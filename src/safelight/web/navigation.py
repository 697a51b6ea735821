"""The product's navigation, as data: who sees which room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

ALL: frozenset[str] = frozenset()
"""Everyone who is signed in."""


@dataclass(frozen=True)
class Item:
    """One link: its text, the name of its page, and the roles that see it (ALL: everyone signed in)."""

    text: str
    page: str
    roles: frozenset[str] = ALL


NAVIGATION = (
    Item("My work", "work:home"),
    Item("Referral desk", "referrals:desk", frozenset({"referral_desk", "supervisor"})),
    Item("Cases", "cases:index", frozenset({"referral_desk", "investigator", "supervisor", "examiner"})),
    Item("Clocks", "clocks:index", frozenset({"referral_desk", "investigator", "supervisor", "examiner"})),
    Item("Supervisor's board", "supervision:board", frozenset({"supervisor"})),
    Item("Devices", "devices:index", frozenset({"examiner", "investigator", "supervisor"})),
    Item("Hash sets", "hashsets:index", frozenset({"examiner", "supervisor", "administrator"})),
    Item("Submissions", "submissions:index", frozenset({"examiner", "investigator", "supervisor"})),
    Item("Standards", "standards_page"),
    Item("Skills", "workforce:index", frozenset({"supervisor", "administrator"})),
    Item("Accounts", "accounts:index", frozenset({"administrator"})),
    Item("Ledger", "ledger:index", frozenset({"supervisor", "administrator"})),
)


def links(request: HttpRequest) -> list[dict[str, Any]]:
    """What the service navigation draws for this user; empty for someone who is not signed in.

    A page that does not exist (its app is not part of this installation) has no link.
    """
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    role = getattr(user, "role", "")
    made: list[dict[str, Any]] = []
    for item in NAVIGATION:
        if item.roles and role not in item.roles:
            continue
        try:
            href = reverse(item.page)
        except NoReverseMatch:
            continue
        here = request.path == href
        inside = href != "/" and request.path.startswith(href)
        made.append({"text": item.text, "href": href, "current": here, "active": inside})
    return made
