"""What pages read about sharing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Exists, Min, OuterRef, Q

from safelight.casework.base.standards import standards
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.queries import ClockView, views_of
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.safeguarding.models import SafeguardingReferral
from safelight.casework.safeguarding.social_care import DECISION
from safelight.casework.sharing.models import Agency, Message, Sharing

STATES = {"open": "Waiting for you", "all": "All"}
SIZE = 50


@dataclass
class SharingView:
    """Something shared, with what waits."""

    row: Sharing
    asked: bool = False  # a question of the other side waits
    clock: ClockView | None = None
    read_at: datetime | None = None  # when somebody of the partner first looked: from the ledger

    @property
    def basis(self) -> str:
        """The legal basis in words; its code where a later version of the standards dropped it."""
        found = standards().sharing_bases.get(self.row.basis)
        return f"{found.title} ({found.source})" if found else self.row.basis

    @property
    def decision(self) -> str:
        sr = self.row.referral
        return str(sr.get_decision_display()) if sr is not None and sr.decision else ""


@dataclass(frozen=True)
class SharingPage:
    """One page of what was shared, newest first."""

    rows: list[SharingView] = field(default_factory=list)
    before: int | None = None


def views(rows: list[Sharing], *, by_partner: bool) -> list[SharingView]:
    """With open questions of the side ``by_partner`` and, of referrals, the clock of the decision. Four queries."""
    asked = Message.objects.filter(sharing__in=rows, by_partner=by_partner, question=True, answered_at=None)
    waiting = set(asked.values_list("sharing", flat=True))
    made = [SharingView(row, row.pk in waiting) for row in rows]
    keys = [row.referral_id for row in rows if row.referral_id]
    mine = Clock.objects.open().filter(
        rule=DECISION, subject_type=SafeguardingReferral._meta.label_lower, subject_id__in=keys
    )
    clocks = {view.clock.subject_id: view for view in views_of(mine)}
    looks = LedgerEntry.objects.filter(
        verb="sharing.viewed", subject_type=Sharing._meta.label_lower, subject_id__in=[str(row.pk) for row in rows]
    )
    read = dict(looks.filter(actor_role="partner").values_list("subject_id").annotate(first=Min("at")))
    for view in made:
        view.clock = clocks.get(view.row.referral_id or 0)
        view.read_at = read.get(str(view.row.pk))
    return made


def inbox(user: Any, *, state: str = "open", before: int | None = None, size: int = SIZE) -> SharingPage:
    """What was shared with a partner's agency: what waits for it, or all of it."""
    rows = Sharing.objects.visible_to(user).select_related("agency", "referral", "strategy", "shared_by")
    if state == "open":
        asked = Message.objects.filter(sharing=OuterRef("pk"), by_partner=False, question=True, answered_at=None)
        undecided = Q(referral__isnull=False, referral__decision="", agency__kind=Agency.Kind.SOCIAL_CARE)
        rows = rows.filter(Q(acknowledged_at=None) | undecided | Q(kind="invitation", attends=None) | Q(Exists(asked)))
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows.order_by("-pk")[: size + 1])
    return SharingPage(views(found[:size], by_partner=False), found[size - 1].pk if len(found) > size else None)


def of_case(user: Any, case: Any) -> list[SharingView]:
    """What was shared of a case, newest first, withdrawn ones too."""
    rows = Sharing.objects.visible_to(user).filter(case=case)
    found = rows.select_related("agency", "referral", "strategy", "shared_by", "acknowledged_by").order_by("-pk")
    return views(list(found), by_partner=True)
