"""Referrals that wait: children to be looked for, cases to be opened, quarantined records."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from safelight.casework.base.links import address
from safelight.casework.base.work import WorkItem
from safelight.casework.referrals.models import State
from safelight.casework.referrals.queries import Filters, bounded_count, desk_page, quarantined

GROUP = "Referrals"
SHOWN = 50


def items_for(user: Any) -> list[WorkItem]:
    """For the desk and supervisors; nobody else has referrals to take in."""
    if not user.has_perm("referrals.desk"):
        return []
    items = []
    for referral in desk_page(user, Filters(), size=SHOWN).rows:
        new = referral.state == State.NEW
        page = "safeguarding:check" if new else "referrals:detail"
        about = f"{referral.reference}, {referral.get_source_display()}"
        items.append(
            WorkItem(
                title="Look for children" if new else "Open a case or close the referral",
                url=address(page, referral.reference),
                subject=f"{about}: contact with a child is live" if referral.live_contact else about,
                urgent=referral.live_contact,
                group=GROUP,
            )
        )
    waiting = quarantined()
    if waiting.exists():
        items.append(
            WorkItem(
                title="Resolve quarantined records",
                url=reverse("referrals:quarantine"),
                subject=f"{bounded_count(waiting)} waiting",
                group=GROUP,
            )
        )
    return items
