"""Plans: what-if questions to the model of the force, and what it answered."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from safelight.casework.base.models import Referenced

SILENT = timedelta(seconds=150)  # longer than a run goes without a word


class WhatIf(Referenced):
    """One question: scenarios to compare, or the smallest staffing that keeps a clock. The answer is in ``result``.

    ``base`` and each entry of ``scenarios`` hold changes to parameters of :mod:`safelight.planning`; ``goal`` is empty
    for a comparison.
    """

    PREFIX = "W"

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        STOPPED = "stopped", "Stopped"
        FAILED = "failed", "Failed"

    title = models.CharField(max_length=120)
    base = models.JSONField(default=dict)
    base_source = models.CharField(max_length=200, blank=True)
    scenarios = models.JSONField(default=list)
    goal = models.JSONField(default=dict)
    rule = models.CharField(max_length=20)
    years = models.FloatField()
    replications = models.PositiveIntegerField()
    seed = models.PositiveIntegerField(default=1)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    lease = models.CharField(max_length=32, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    stop_asked = models.BooleanField(default=False)
    done = models.PositiveIntegerField(default=0)
    now = models.CharField(max_length=200, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    failure = models.TextField(blank=True)
    result = models.JSONField(default=dict)

    class Meta:
        verbose_name = "plan"
        constraints = [
            models.CheckConstraint(condition=Q(years__gt=0) & Q(replications__gte=2), name="plans_can_be_run"),
            models.CheckConstraint(
                condition=Q(state__in=("queued", "running"), ended_at=None)
                | Q(state__in=("done", "stopped", "failed"), ended_at__isnull=False),
                name="plans_end_when_they_end",
            ),
        ]

    @property
    def open(self) -> bool:
        """Waiting or running."""
        return self.state in (self.State.QUEUED, self.State.RUNNING)

    @property
    def total(self) -> int:
        """Runs to do; 0 where nobody can know (a search)."""
        return 0 if self.goal else self.replications * (1 + len(self.scenarios))

    @property
    def silent(self) -> bool:
        """Its worker has died: it says it runs, and has said nothing for too long."""
        return self.state == self.State.RUNNING and (self.heartbeat_at or self.made_at) < timezone.now() - SILENT
