"""Allocation: which qualified investigator has the case. At most one live allocation, kept by the database."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class Allocation(models.Model):
    """An investigator has a case from ``started_at`` until ``ended_at`` (None: live)."""

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="allocations")
    investigator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="allocations")
    allocated_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    suggested = models.BooleanField(default=False)
    points = models.DecimalField(max_digits=6, decimal_places=2)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-started_at"]
        constraints = [
            models.UniqueConstraint(fields=["case"], condition=Q(ended_at=None), name="allocation_one_live_per_case"),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=models.F("started_at")), name="allocation_ends_after_start"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="allocation_has_a_reason"),
        ]
        indexes = [models.Index(fields=["investigator"], condition=Q(ended_at=None), name="allocation_live_by_officer")]
