"""The tabs of a case page. Each tab's page takes ``reference``; one that this person may not open is left out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.urls import NoReverseMatch, resolve, reverse

from safelight.casework.base.policy import PUBLIC, SIGNED_IN


@dataclass(frozen=True)
class Tab:
    """One tab: its code (what pages pass as ``tab``), its text, the name of its page."""

    code: str
    text: str
    page: str


TABS = (
    Tab("summary", "Summary", "cases:detail"),
    Tab("children", "Children", "safeguarding:case_children"),
    Tab("victims", "Victims", "victims:case_victims"),
    Tab("plan", "Plan", "supervision:plan"),
    Tab("chronology", "Chronology", "cases:chronology"),
    Tab("clocks", "Clocks", "cases:clocks"),
    Tab("devices", "Devices", "devices:case_devices"),
    Tab("submissions", "Submissions", "submissions:case_submissions"),
    Tab("ledger", "Ledger", "cases:ledger"),
)


@cache
def _rule_of(page: str) -> str | None:
    """The rule that the page declares; None when this installation has no such page."""
    try:
        view = resolve(reverse(page, kwargs={"reference": "C-000001"})).func
    except NoReverseMatch:
        return None
    policy = getattr(view, "policy", None)
    return policy.rule if policy else SIGNED_IN


def tabs_for(case: Any, user: Any, here: str) -> list[tuple[str, str, bool]]:
    """(text, address, whether it is this one) for the macro ``sub_navigation``."""
    made = []
    for tab in TABS:
        rule = _rule_of(tab.page)
        if rule is None or (rule not in (PUBLIC, SIGNED_IN) and not user.has_perm(rule)):
            continue
        made.append((tab.text, reverse(tab.page, kwargs={"reference": case.reference}), tab.code == here))
    return made
