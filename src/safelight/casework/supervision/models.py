"""Supervision reviews, the plan's actions, and reviews that were missed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils import timezone


class Review(models.Model):
    """A supervisor's review of a case: what was looked at, and who does what next by when.

    ``children_safe`` is "" for reviews written before it was asked.
    """

    class Safe(models.TextChoices):
        YES = "yes", "Yes, every child is safe now"
        NO = "no", "No"
        NOT_KNOWN = "not_known", "Not known"
        NO_CHILD = "no_child", "No child is known in this case"

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="reviews")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reviewed_at = models.DateTimeField()
    children_safe = models.CharField(max_length=10, choices=Safe.choices, blank=True)
    plan = models.TextField()
    safeguarding = models.TextField()
    devices = models.TextField()
    victim = models.TextField()
    next_action = models.TextField()
    next_action_by = models.DateField()
    drifting = models.BooleanField(default=False)

    class Meta:
        ordering = ["-reviewed_at"]


class PlanActionQuerySet(models.QuerySet["PlanAction"]):
    def open(self) -> Self:
        """To be done, in cases that are open."""
        return self.filter(state=PlanAction.State.OPEN, case__status="open")

    def overdue(self, today: Any = None) -> Self:
        return self.open().filter(due_on__lt=today or timezone.localdate())


class PlanAction(models.Model):
    """One action of the investigation plan: what, by whom, by when. It ends done, with what was done, or cancelled,
    with the reason; its day is never moved (cancel it and add another, so that slipping stays visible)."""

    class State(models.TextChoices):
        OPEN = "open", "To do"
        DONE = "done", "Done"
        CANCELLED = "cancelled", "Cancelled"

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="plan_actions")
    review = models.ForeignKey(Review, null=True, blank=True, on_delete=models.PROTECT, related_name="actions")
    text = models.TextField()
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="plan_actions")
    due_on = models.DateField()
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    end_note = models.TextField(blank=True)

    objects = PlanActionQuerySet.as_manager()

    class Meta:
        ordering = ["due_on", "id"]
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="supervision_action_says_what"),
            models.CheckConstraint(
                condition=Q(state="open", ended_at=None)
                | (~Q(state="open") & Q(ended_at__isnull=False) & ~Q(end_note="")),
                name="supervision_action_ends_with_words",
            ),
        ]
        indexes = [
            models.Index(fields=["owner", "due_on"], condition=Q(state="open"), name="supervision_actions_by_owner"),
            models.Index(fields=["case", "due_on"], condition=Q(state="open"), name="supervision_actions_by_case"),
        ]

    @property
    def overdue(self) -> bool:
        return self.state == self.State.OPEN and self.due_on < timezone.localdate()


def hand_over_actions(cases: Iterable[int]) -> int:
    """Actions that still stand with somebody who had these cases before go to who has them now. One statement."""
    from safelight.casework.allocation.models import Allocation

    rows = Allocation.objects.filter(case=OuterRef("case"))
    live = rows.filter(ended_at=None)
    return PlanAction.objects.filter(
        Exists(rows.filter(investigator=OuterRef("owner"), ended_at__isnull=False)),
        Exists(live),
        case__in=list(cases),
        state=PlanAction.State.OPEN,
    ).update(owner=Subquery(live.values("investigator")[:1]))


class ReviewMiss(models.Model):
    """A review that was not held in time, noted when its clock ran out, and when the chief officer hears of it."""

    class Outcome(models.TextChoices):
        WAITING = "", "Waiting"
        TOLD = "told", "The chief officer was told"
        REVIEWED = "reviewed", "Reviewed before that"

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="review_misses")
    clock = models.OneToOneField("clocks.Clock", on_delete=models.PROTECT, related_name="review_miss")
    missed = models.PositiveSmallIntegerField()
    tell_at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True)
    outcome_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["tell_at"], condition=Q(outcome=""), name="supervision_misses_to_tell")]
