"""Supervision reviews."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Review(models.Model):
    """A supervisor's review of a case: what was looked at, and what happens next by when."""

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="reviews")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reviewed_at = models.DateTimeField()
    plan = models.TextField()
    safeguarding = models.TextField()
    devices = models.TextField()
    victim = models.TextField()
    next_action = models.TextField()
    next_action_by = models.DateField()
    drifting = models.BooleanField(default=False)

    class Meta:
        ordering = ["-reviewed_at"]
