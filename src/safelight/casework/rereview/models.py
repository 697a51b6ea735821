"""Re-review: a frozen set of past cases, each examined again for harm that was missed, until every one is answered."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from safelight.casework.base.models import Referenced, VisibleQuerySet
from safelight.casework.rereview.questions import ANSWERS, QUESTIONS


class ReReviewQuerySet(VisibleQuerySet):
    def visible_to(self, user: Any) -> Self:
        """Chief officers and auditors: all; supervisors: those of their unit and their own; reviewers: those in which
        they have a case."""
        if not user.is_authenticated or user.role == "administrator":
            return self.none()
        if user.role in ("chief_officer", "auditor"):
            return self.all()
        mine = Q(pk__in=Entry.objects.filter(reviewer=user).values("rereview"))
        if user.role == "supervisor":
            mine |= Q(made_by=user) | Q(unit__isnull=False, unit=user.unit_id)
        return self.filter(mine)


class ReReview(Referenced):
    """One set of cases and why it is looked at again. What is in it never changes: the ledger holds its references."""

    PREFIX = "V"

    class Why(models.TextChoices):
        INSPECTION = "inspection", "After an inspection"
        HASH_LIST = "hash_list", "A new hash list"
        OFFICER = "officer", "An officer was removed or is under investigation"
        PRACTICE = "practice", "A practice turned out to be wrong"
        OTHER = "other", "Another reason"

    title = models.CharField(max_length=160)
    why = models.CharField(max_length=12, choices=Why.choices)
    reason = models.TextField()
    criteria = models.JSONField(default=dict)
    unit = models.ForeignKey("workforce.Unit", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    due_on = models.DateField()
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="rereviews_made")
    # SHA-256 over the references of the set in order, one on each line.
    digest = models.CharField(max_length=64)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    conclusion = models.TextField(blank=True)

    objects = ReReviewQuerySet.as_manager()

    class Meta:
        verbose_name = "re-review"
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="rereview_has_a_reason"),
            models.CheckConstraint(
                condition=Q(closed_at=None) | ~Q(conclusion=""), name="rereview_closed_with_a_conclusion"
            ),
        ]


class EntryQuerySet(VisibleQuerySet):
    def visible_to(self, user: Any) -> Self:
        """Entries of the sets that ``user`` sees, about cases that ``user`` sees; a reviewer: one's own."""
        from safelight.casework.cases.models import Case

        rows = self.filter(
            Case.objects.visible_to(user).holding("case"), rereview__in=ReReview.objects.visible_to(user)
        )
        leads = Q(rereview__made_by=user) | Q(rereview__unit__isnull=False, rereview__unit=user.unit_id)
        if user.role in ("chief_officer", "auditor"):
            return rows
        return rows.filter((Q() if user.role == "supervisor" else Q(pk__in=[])) & leads | Q(reviewer=user))


class Entry(models.Model):
    """One case of the set: who examines it again, and the answers."""

    class Action(models.TextChoices):
        NONE = "none", "No further action"
        CHILD = "child", "A child was referred now"
        REOPEN = "reopen", "The case was reopened"
        ASK = "ask", "A supervisor of the unit must act"

    rereview = models.ForeignKey(ReReview, on_delete=models.PROTECT, related_name="entries")
    number = models.PositiveIntegerField()
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="rereviews")
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="rereview_entries"
    )
    assigned_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    child_missed = models.CharField(max_length=8, blank=True, choices=ANSWERS)
    referral_missed = models.CharField(max_length=8, blank=True, choices=ANSWERS)
    referral_late = models.CharField(max_length=8, blank=True, choices=ANSWERS)
    device_missed = models.CharField(max_length=8, blank=True, choices=ANSWERS)
    victim_missed = models.CharField(max_length=8, blank=True, choices=ANSWERS)
    suspect_wrong = models.CharField(max_length=8, blank=True, choices=ANSWERS)
    text = models.TextField(blank=True)
    action = models.CharField(max_length=8, blank=True, choices=Action.choices)

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name = "case of a re-review"
        ordering = ["rereview", "number"]
        constraints = [
            models.UniqueConstraint(fields=["rereview", "case"], name="rereview_case_once"),
            models.UniqueConstraint(fields=["rereview", "number"], name="rereview_number_once"),
            models.CheckConstraint(
                condition=Q(answered_at=None)
                | Q(
                    ~Q(text=""),
                    ~Q(action=""),
                    *(~Q(**{one.field: ""}) for one in QUESTIONS),
                    answered_by__isnull=False,
                ),
                name="rereview_answered_whole",
            ),
        ]
        indexes = [models.Index(fields=["reviewer"], condition=Q(answered_at=None), name="rereview_waits_for")]

    @property
    def harms(self) -> list[str]:
        """What was found, in words."""
        return [one.harm for one in QUESTIONS if getattr(self, one.field) == "yes"]
