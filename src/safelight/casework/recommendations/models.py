"""What inspectors asked for, and what became of it. A recommendation is closed by an inspector, never by its owner."""

from __future__ import annotations

from datetime import date
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from safelight.casework.base.models import Referenced

USER = settings.AUTH_USER_MODEL


class Report(Referenced):
    """A published report with recommendations: by whom, when, and where it can be read."""

    PREFIX = "PU"

    title = models.CharField(max_length=160)
    body = models.CharField(max_length=80)
    published_on = models.DateField()
    source = models.CharField(max_length=300, blank=True)
    audit = models.ForeignKey(
        "inspection.AuditPlan", null=True, blank=True, on_delete=models.PROTECT, related_name="reports"
    )
    recorded_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = "inspection report"
        constraints = [
            models.UniqueConstraint(fields=["body", "title", "published_on"], name="recommendations_report_once")
        ]


class RecommendationQuerySet(models.QuerySet["Recommendation"]):
    def open(self) -> Self:
        return self.filter(closed_at=None)

    def overdue(self, today: date | None = None) -> Self:
        """Open, and past the day by which it was to be done."""
        return self.open().filter(due_on__lt=today or timezone.localdate())


class Recommendation(Referenced):
    """One recommendation, cause of concern or area for improvement.

    ``due_on`` follows from the term and the day of publication. ``plan`` is the force's action plan for it; its clock
    (six weeks, or at once for immediate ones) is a row of the clocks.
    """

    PREFIX = "RM"

    class Kind(models.TextChoices):
        RECOMMENDATION = "recommendation", "Recommendation"
        CONCERN = "cause_of_concern", "Cause of concern"
        ACCELERATED = "accelerated_cause_of_concern", "Accelerated cause of concern"
        IMPROVEMENT = "area_for_improvement", "Area for improvement"

    class Term(models.TextChoices):
        IMMEDIATELY = "immediately", "Immediately"
        THREE_MONTHS = "3_months", "Within 3 months"
        SIX_MONTHS = "6_months", "Within 6 months"

    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="recommendations")
    number = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=30, choices=Kind.choices)
    text = models.TextField()
    term = models.CharField(max_length=12, choices=Term.choices)
    due_on = models.DateField()
    owner = models.ForeignKey(USER, null=True, blank=True, on_delete=models.PROTECT, related_name="recommendations")
    plan = models.TextField(blank=True)
    planned_by = models.ForeignKey(USER, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    planned_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(USER, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_note = models.TextField(blank=True)

    objects = RecommendationQuerySet.as_manager()

    class Meta:
        verbose_name = "recommendation"
        constraints = [
            models.UniqueConstraint(fields=["report", "number"], name="recommendations_number_once"),
            models.CheckConstraint(condition=~Q(text=""), name="recommendations_says_something"),
            models.CheckConstraint(
                condition=Q(closed_at=None, closed_by=None)
                | (Q(closed_at__isnull=False, closed_by__isnull=False) & ~Q(closed_note="")),
                name="recommendations_closed_with_a_note",
            ),
            models.CheckConstraint(
                condition=Q(closed_by=None) | Q(owner=None) | ~Q(closed_by=F("owner")),
                name="recommendations_never_closed_by_the_owner",
            ),
            models.CheckConstraint(
                condition=Q(planned_at=None, plan="") | (Q(planned_at__isnull=False) & ~Q(plan="")),
                name="recommendations_planned_with_a_plan",
            ),
        ]
        indexes = [models.Index(fields=["due_on"], condition=Q(closed_at=None), name="recommendations_open_due")]

    @property
    def state(self) -> str:
        """``closed``, ``offered`` (its owner says it is done), ``overdue``, ``running``."""
        if self.closed_at:
            return "closed"
        if self.done_at:
            return "offered"
        return "overdue" if self.due_on < timezone.localdate() else "running"

    @property
    def is_overdue(self) -> bool:
        """Not closed by an inspector by its day, whatever its owner says."""
        return not self.closed_at and self.due_on < timezone.localdate()


class Proof(models.Model):
    """Something that shows that a recommendation is met: what it is, and where it can be seen."""

    recommendation = models.ForeignKey(Recommendation, on_delete=models.PROTECT, related_name="proofs")
    text = models.TextField()
    where = models.CharField(max_length=300, blank=True)
    audit = models.ForeignKey("inspection.AuditPlan", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    added_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [models.CheckConstraint(condition=~Q(text=""), name="recommendations_proof_says_something")]
