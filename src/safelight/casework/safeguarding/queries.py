"""What pages and other apps read about children at risk and the referrals about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Prefetch, QuerySet

from safelight.casework.clocks.models import Clock, Hold
from safelight.casework.clocks.queries import ClockView, views_of
from safelight.casework.referrals.models import ReferralPerson
from safelight.casework.safeguarding.child_record import unassessed
from safelight.casework.safeguarding.measures import MEASURES
from safelight.casework.safeguarding.models import (
    Answer,
    ChildAtRisk,
    ContactCheck,
    PoliceProtection,
    SafeguardingReferral,
    Section47,
    StrategyDiscussion,
)

QUESTIONS = {
    "lives_with": "lives with children",
    "sees": "sees children",
    "works_with": "works with children",
}


@dataclass
class ChildView:
    """A child with what a page shows beside it."""

    child: ChildAtRisk
    clocks: list[ClockView] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    sent: list[SafeguardingReferral] = field(default_factory=list)

    @property
    def hold(self) -> Hold | None:
        """The hold that is in force."""
        return next((view.hold for view in self.clocks if view.hold), None)

    @property
    def open_clock(self) -> ClockView | None:
        return next((view for view in self.clocks if view.ended_at is None), None)


@dataclass
class SentView:
    """A referral to social care with its clocks."""

    sent: SafeguardingReferral
    clocks: list[ClockView] = field(default_factory=list)

    @property
    def waiting(self) -> bool:
        return not self.sent.decision


def children_of(case: Any) -> QuerySet[ChildAtRisk]:
    """The children of a case with their person and the referrals about them, in the order of their recording."""
    return _full(ChildAtRisk.objects.filter(case=case))


def children_of_referral(referral: Any) -> QuerySet[ChildAtRisk]:
    """The children of a referral, as :func:`children_of`."""
    return _full(ChildAtRisk.objects.filter(referral=referral))


def _full(rows: QuerySet[ChildAtRisk]) -> QuerySet[ChildAtRisk]:
    sent = Prefetch("safeguarding_referrals", queryset=SafeguardingReferral.objects.order_by("sent_at"))
    return rows.select_related("person", "recorded_by", "case", "referral").prefetch_related(sent).order_by("pk")


def child_views(rows: QuerySet[ChildAtRisk]) -> list[ChildView]:
    """Children with clocks, all their holds (expired ones too) and referrals. Five queries, however many children."""
    views = {child.pk: ChildView(child, sent=list(child.safeguarding_referrals.all())) for child in rows}
    clocks = list(
        Clock.objects.filter(subject_type=ChildAtRisk._meta.label_lower, subject_id__in=views).order_by("due_at", "id")
    )
    for view in views_of(clocks):
        views[view.clock.subject_id].clocks.append(view)
    subject = {clock.pk: clock.subject_id for clock in clocks}
    for hold in Hold.objects.filter(clock__in=subject).select_related("supervisor").order_by("-placed_at"):
        views[subject[hold.clock_id]].holds.append(hold)
    return list(views.values())


def sent_views(case: Any) -> list[SentView]:
    """The referrals to social care of a case, newest first, with their clocks."""
    rows = SafeguardingReferral.objects.filter(case=case).select_related("sent_by").prefetch_related("children__person")
    views = {row.pk: SentView(row) for row in rows.order_by("-sent_at", "-pk")}
    clocks = Clock.objects.filter(subject_type=SafeguardingReferral._meta.label_lower, subject_id__in=views)
    for view in views_of(clocks.order_by("id")):
        views[view.clock.subject_id].clocks.append(view)
    return list(views.values())


def says_yes(check: ContactCheck | None) -> bool:
    """Whether any of the three questions is answered with yes."""
    return check is not None and Answer.YES in (check.lives_with, check.sees, check.works_with)


def named_in_report(referral: Any) -> list[ReferralPerson]:
    """Children whom the report names and who are not yet recorded as children at risk."""
    held = ChildAtRisk.objects.filter(referral=referral).values("person")
    rows = ReferralPerson.objects.filter(referral=referral, role=ReferralPerson.Role.CHILD).exclude(person__in=held)
    return list(rows.select_related("person").order_by("pk"))


def outstanding(case: Any) -> list[str]:
    """What about the children of ``case`` is unsettled, in sentences; empty when nothing is."""
    found: list[str] = []
    for referral in case.referrals.select_related("contact_check").order_by("pk"):
        check = getattr(referral, "contact_check", None)
        if check is None:
            found.append(f"{referral.reference}: nobody has looked for children.")
            continue
        found += [
            f"{referral.reference}: it is not known yet whether the suspect {QUESTIONS[name]}."
            for name in check.open_questions
        ]
        if says_yes(check) and not referral.children.exists():
            found.append(f"{referral.reference}: a child is near the suspect, and no child is named.")
    for child in children_of(case):
        if not child.safeguarding_referrals.all():
            found.append(f"{child.reference}: social care has not been told.")
    for sent in SafeguardingReferral.objects.filter(case=case, decision="").order_by("pk"):
        found.append(f"{sent.reference}: social care has not said what it decided.")
    return found + _set_in_motion(case)


def _set_in_motion(case: Any) -> list[str]:
    """What has begun to protect a child and has not ended. A covert discussion is not named: its own clocks run on."""
    called = StrategyDiscussion.objects.filter(case=case, covert=False, state__in=["called", "no_quorum"])
    found = [f"{row.reference}: the strategy discussion has not been held with a quorum." for row in called]
    enquiries = Section47.objects.filter(child__case=case, ended_at=None, discussion__covert=False)
    found += [f"{row.reference}: the section 47 enquiry has not ended." for row in enquiries]
    protected = PoliceProtection.objects.filter(child__case=case, ended_at=None)
    return found + [f"{row.reference}: the child is in police protection." for row in protected]


def unassessed_around(case: Any) -> list[str]:
    """The adults around the children of ``case`` whose risk nobody has assessed, in sentences."""
    made = []
    for child in ChildAtRisk.objects.filter(case=case).order_by("pk"):
        names = ", ".join(person.name for person in unassessed(child))
        if names:
            made.append(f"{child.reference}: the risk from {names} is not assessed.")
    return made


@dataclass
class InMotion:
    """What has been set in motion for the children of a case, as ``user`` may know it, with the clocks of each."""

    discussions: list[tuple[StrategyDiscussion, list[ClockView]]] = field(default_factory=list)
    enquiries: list[tuple[Section47, list[ClockView]]] = field(default_factory=list)
    protections: list[tuple[PoliceProtection, list[ClockView]]] = field(default_factory=list)


def clocks_about(rows: list[Any]) -> dict[int, list[ClockView]]:
    """The clocks of rows of one kind, by key, those that run out first before others."""
    found: dict[int, list[ClockView]] = {row.pk: [] for row in rows}
    if rows:
        mine = Clock.objects.filter(subject_type=rows[0]._meta.label_lower, subject_id__in=found)
        for view in views_of(mine.order_by("due_at", "id")):
            found[view.clock.subject_id].append(view)
    return found


def measures_of(child: Any) -> list[ClockView]:
    """The clocks of what social care or a court set in motion for a child, running or not, newest first."""
    rules = [measure.clock for measure in MEASURES.values()]
    rows = Clock.objects.filter(subject_type=child._meta.label_lower, subject_id=child.pk, rule__in=rules)
    return views_of(rows.order_by("-triggered_at", "-id")[:50])


def in_motion(case: Any, user: Any) -> InMotion:
    """Strategy discussions, section 47 enquiries and police protections of a case; newest first."""
    discussions = list(StrategyDiscussion.objects.visible_to(user).filter(case=case).order_by("-pk"))
    mine = Section47.objects.visible_to(user).filter(child__case=case)
    enquiries = list(mine.select_related("child__person", "discussion").order_by("-pk"))
    rows = PoliceProtection.objects.filter(child__case=case).select_related("child__person")
    protections = list(rows.order_by("-pk"))
    made = InMotion()
    for into, found in (
        (made.discussions, discussions), (made.enquiries, enquiries), (made.protections, protections),
    ):  # fmt: skip
        clocks = clocks_about(found)
        into.extend((row, clocks[row.pk]) for row in found)
    return made
