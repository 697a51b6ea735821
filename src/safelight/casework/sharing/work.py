"""What waits because of sharing: for a partner, what to answer; for police, what a partner asked."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from safelight.casework.base.work import WorkItem
from safelight.casework.cases.models import Case, carried_by
from safelight.casework.sharing.models import Message, Sharing
from safelight.casework.sharing.queries import inbox

GROUP = "Partners"
SHOWN = 50


def items_for(user: Any) -> list[WorkItem]:
    """A partner's own inbox; for police the open questions about their cases."""
    if user.has_perm("sharing.portal"):
        return [_for_partner(view) for view in inbox(user, size=SHOWN).rows]
    if not user.has_perm("sharing.manage"):
        return []
    asked = Message.objects.filter(by_partner=True, question=True, answered_at=None, sharing__withdrawn_at=None)
    if user.role == "investigator":
        asked = asked.filter(carried_by(user, "sharing__case"))
    elif user.role == "supervisor":
        asked = asked.filter(sharing__case__unit=user.unit_id)
    else:
        asked = asked.filter(sharing__shared_by=user)
    if not asked.exists():  # what is rare is looked for before who may see it is asked
        return []
    asked = asked.filter(Sharing.objects.visible_to(user).holding("sharing"))
    if user.role == "supervisor":
        asked = asked.filter(Case.objects.visible_to(user).holding("sharing__case"))
    rows = asked.select_related("sharing__agency", "sharing__case").order_by("at")[:SHOWN]
    return [
        WorkItem(
            f"Answer the question of {message.sharing.agency}",
            reverse("sharing:detail", args=[message.sharing.reference]),
            f"{message.sharing.case.reference} {message.sharing.case.title}",
            risk=message.sharing.case.risk,
            group=GROUP,
        )
        for message in rows
    ]


def _for_partner(view: Any) -> WorkItem:
    row = view.row
    title = "Answer the police" if view.asked else f"{row.get_kind_display()}: answer"
    return WorkItem(
        title,
        reverse("sharing:received", args=[row.reference]),
        row.subject,
        due_at=view.clock.due_at if view.clock else None,
        clock=view.clock,
        group=GROUP,
    )
