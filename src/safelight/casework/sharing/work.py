"""What waits because of sharing: for a partner, what to answer; for police, what a partner asked."""

from __future__ import annotations

from typing import Any

from safelight.casework.base.links import address
from safelight.casework.base.prepared import prepared
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
    if not _any_asked(user):  # what is rare is looked for before who may see it is asked
        return []
    asked = _asked(user).filter(Sharing.objects.visible_to(user).holding("sharing"))
    if user.role == "supervisor":
        asked = asked.filter(Case.objects.visible_to(user).holding("sharing__case"))
    rows = asked.select_related("sharing__agency", "sharing__case").order_by("at")[:SHOWN]
    return [
        WorkItem(
            f"Answer the question of {message.sharing.agency}",
            address("sharing:detail", message.sharing.reference),
            f"{message.sharing.case.reference} {message.sharing.case.title}",
            risk=message.sharing.case.risk,
            group=GROUP,
        )
        for message in rows
    ]


def _asked(user: Any) -> Any:
    asked = Message.objects.filter(by_partner=True, question=True, answered_at=None, sharing__withdrawn_at=None)
    if user.role == "investigator":
        return asked.filter(carried_by(user, "sharing__case"))
    if user.role == "supervisor":
        return asked.filter(sharing__case__unit=user.unit_id)
    return asked.filter(sharing__shared_by=user)


@prepared
def _any_asked(user: Any) -> Any:
    return _asked(user).values_list("pk")[:1]


def _for_partner(view: Any) -> WorkItem:
    row = view.row
    title = "Answer the police" if view.asked else f"{row.get_kind_display()}: answer"
    return WorkItem(
        title,
        address("sharing:received", row.reference),
        row.subject,
        due_at=view.clock.due_at if view.clock else None,
        clock=view.clock,
        group=GROUP,
    )
