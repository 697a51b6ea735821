"""Break-glass access: somebody opened a case that they may not see, for some hours, for a reason that is reviewed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from safelight.casework.base.models import Referenced, VisibleQuerySet
from safelight.casework.base.permissions import permissions


class OpeningQuerySet(VisibleQuerySet):
    def running(self, now: datetime | None = None) -> Self:
        """Those that open their case at this moment."""
        return self.filter(ended_at=None, until__gt=now or timezone.now())

    def over(self, now: datetime | None = None) -> Self:
        """Those whose time has run out or that were ended."""
        return self.filter(Q(ended_at__isnull=False) | Q(until__lte=now or timezone.now()))

    def unreviewed(self) -> Self:
        """Those that nobody has reviewed."""
        return self.filter(reviewed_at=None)

    def visible_to(self, user: Any) -> Self:
        """One's own; for whoever oversees all of them; for other reviewers those in cases that they see."""
        from safelight.casework.cases.models import Case

        said = permissions().break_glass
        if not user.is_authenticated:
            return self.none()
        if user.role in said.oversight:
            return self
        mine = Q(user=user)
        if user.role in said.reviewers:
            mine |= Q(Case.objects.visible_to(user).holding("case"))
        return self.filter(mine)


class Opening(Referenced):
    """One breaking of the glass: who, which case, why, until when; and what the review said of it.

    ``why`` is a code of ``[break_glass.reasons]``. It ends by itself at ``until``; ``ended_at`` is set where somebody
    ended it before, or by the tick afterwards. Rows stay.
    """

    PREFIX = "BG"
    outside_ledger_of_case = True
    """Who hears of it and where its entries belong is said by the service: oversight hears without seeing the case."""

    class Verdict(models.TextChoices):
        JUSTIFIED = "justified", "Justified"
        NOT_JUSTIFIED = "not_justified", "Not justified"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="openings")
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="openings")
    why = models.CharField(max_length=40)
    reason = models.TextField()
    opened_at = models.DateTimeField()
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    review_due_at = models.DateTimeField()
    overdue_told_at = models.DateTimeField(null=True, blank=True)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    verdict = models.CharField(max_length=14, choices=Verdict.choices, blank=True)
    review_note = models.TextField(blank=True)

    objects = OpeningQuerySet.as_manager()

    class Meta:
        verbose_name = "break-glass access"
        verbose_name_plural = "break-glass accesses"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="breakglass_with_a_reason"),
            models.CheckConstraint(condition=Q(until__gt=F("opened_at")), name="breakglass_for_a_time"),
            models.UniqueConstraint(
                fields=["user", "case"], condition=Q(ended_at=None), name="breakglass_one_open_each"
            ),
            models.CheckConstraint(
                condition=Q(reviewed_at=None, reviewed_by=None, verdict="", review_note="")
                | (Q(reviewed_at__isnull=False, reviewed_by__isnull=False) & ~Q(verdict="") & ~Q(review_note="")),
                name="breakglass_reviewed_by_name",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by=None) | ~Q(reviewed_by=F("user")), name="breakglass_reviewed_by_another"
            ),
        ]
        indexes = [
            models.Index(fields=["user"], condition=Q(ended_at=None), name="breakglass_open"),
            models.Index(fields=["review_due_at"], condition=Q(reviewed_at=None), name="breakglass_to_review"),
        ]

    @property
    def running(self) -> bool:
        """Whether it opens the case at this moment."""
        return self.ended_at is None and self.until > timezone.now()

    @property
    def closed_at(self) -> datetime:
        """When it ended, or will."""
        return self.ended_at or self.until

    @property
    def why_words(self) -> str:
        """The reason's code in words."""
        return permissions().break_glass.reasons.get(self.why, self.why)

    def may_hear(self, user: Any) -> bool:
        """Whether ``user`` is told of it: never whoever broke the glass."""
        return user.pk != self.user_id and type(self).objects.visible_to(user).filter(pk=self.pk).exists()
