"""All devices of the force side by side: each one's place in the queue, first answers, reports of field benches."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from safelight.casework.base.models import Referenced, VisibleQuerySet


class DevicePriority(models.Model):
    """Where a device stands in the queue for examination, by the engine's published rule, with all its inputs.

    Live contact is no part of ``score``: it is read from the case when the queue is, so that it can never be stale.
    """

    device = models.OneToOneField("devices.Device", on_delete=models.PROTECT, related_name="priority")
    score = models.PositiveSmallIntegerField(db_index=True)
    inputs = models.JSONField()
    rule = models.CharField(max_length=40)
    worked_out_at = models.DateTimeField()


class FirstLookQuerySet(VisibleQuerySet):
    def visible_to(self, user: Any) -> Self:
        from safelight.casework.devices.models import Device

        return self.filter(device__in=Device.objects.visible_to(user))


class FirstLook(Referenced):
    """A first answer about one image: a sample with its probability. It never counts as triage."""

    PREFIX = "F"

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Running"
        FINISHED = "finished", "First answer"
        FAILED = "failed", "Could not be read"

    device = models.ForeignKey("devices.Device", on_delete=models.PROTECT, related_name="first_looks")
    image = models.ForeignKey("devices.EvidenceImage", on_delete=models.PROTECT, related_name="first_looks")
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    seconds = models.PositiveIntegerField()
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    stage = models.CharField(max_length=60, blank=True)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    hits = models.PositiveIntegerField(default=0)
    level = models.CharField(max_length=60, blank=True)
    verdict = models.TextField(blank=True)
    # Reasons, limits, the numbers behind the probability, and the inputs for the priority.
    summary = models.JSONField(default=dict)
    findings_digest = models.CharField(max_length=64, blank=True)
    report_folder = models.CharField(max_length=500, blank=True)
    failure = models.TextField(blank=True)

    objects = FirstLookQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = "first answer"
        constraints = [
            models.UniqueConstraint(
                fields=["image"], condition=Q(state__in=["queued", "running"]), name="fleet_one_live_look_per_image"
            ),
        ]


class BenchReport(models.Model):
    """The report of a field bench that stands behind a run or a first answer here. The same report comes in once."""

    run = models.OneToOneField(
        "devices.TriageRun", null=True, blank=True, on_delete=models.PROTECT, related_name="bench_report"
    )
    look = models.OneToOneField(FirstLook, null=True, blank=True, on_delete=models.PROTECT, related_name="bench_report")
    # The identifier that the engine gave the run, and the SHA-256 of the report's SHA256SUMS.
    engine_run = models.CharField(max_length=32, unique=True)
    seal = models.CharField(max_length=64)
    # Whether whoever imported it had the seal from the bench, on another way than the report itself.
    seal_given = models.BooleanField()
    operator = models.CharField(max_length=120)
    imported_at = models.DateTimeField()
    imported_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(run=None, look__isnull=False) | Q(look=None, run__isnull=False),
                name="fleet_report_of_a_run_or_a_first_answer",
            ),
        ]
