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

        return self.filter(Device.objects.visible_to(user).holding("device"))


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
    # As with triage runs: whoever holds the lease works and writes; a lease whose holder is silent is given on.
    job_id = models.CharField(max_length=64, blank=True)
    lease = models.CharField(max_length=32, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
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
        indexes = [
            models.Index(
                fields=["heartbeat_at"], condition=Q(state__in=["queued", "running"]), name="fleet_live_looks"
            ),
        ]


class ExaminationQuerySet(VisibleQuerySet):
    def visible_to(self, user: Any) -> Self:
        from safelight.casework.devices.models import Device

        return self.filter(Device.objects.visible_to(user).holding("device"))

    def open(self) -> Self:
        return self.filter(state__in=Examination.OPEN)


class Examination(Referenced):
    """A device sent for full examination: waiting until an examiner takes it, in progress, blocked, or complete."""

    PREFIX = "X"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        IN_PROGRESS = "in_progress", "In progress"
        BLOCKED = "blocked", "Blocked"
        COMPLETE = "complete", "Complete"
        WITHDRAWN = "withdrawn", "Withdrawn"

    OPEN = (State.WAITING, State.IN_PROGRESS, State.BLOCKED)

    device = models.ForeignKey("devices.Device", on_delete=models.PROTECT, related_name="examinations")
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    asked_for = models.TextField()
    submitted_at = models.DateTimeField()
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    examiner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="examinations"
    )
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    # What was found out and how, or why it is no longer wanted. References to reports; never content.
    result = models.TextField(blank=True)

    objects = ExaminationQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = "examination"
        constraints = [
            models.UniqueConstraint(
                fields=["device"],
                condition=Q(state__in=["waiting", "in_progress", "blocked"]),
                name="fleet_one_open_examination_per_device",
            ),
            models.CheckConstraint(
                condition=~Q(state="waiting") | Q(examiner=None), name="fleet_waiting_is_unallocated"
            ),
            models.CheckConstraint(
                condition=~Q(state="in_progress") | Q(examiner__isnull=False, started_at__isnull=False),
                name="fleet_in_progress_has_an_examiner",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "in_progress", "blocked"], ended_at=None)
                | Q(state__in=["complete", "withdrawn"], ended_at__isnull=False) & ~Q(result=""),
                name="fleet_ended_with_a_result",
            ),
        ]
        indexes = [
            models.Index(
                fields=["state", "submitted_at"],
                condition=Q(state__in=["waiting", "in_progress", "blocked"]),
                name="fleet_open_examinations",
            ),
        ]


class Block(models.Model):
    """What keeps an examination from going on, and who has to lift it."""

    class Lifter(models.TextChoices):
        INVESTIGATOR = "investigator", "The investigator of the case"
        SUPERVISOR = "supervisor", "A supervisor of its unit"
        EXAMINER = "examiner", "An examiner"
        OUTSIDE = "outside", "Somebody outside the force"

    examination = models.ForeignKey(Examination, on_delete=models.PROTECT, related_name="blocks")
    reason = models.CharField(max_length=300)
    lifter = models.CharField(max_length=12, choices=Lifter.choices)
    who = models.CharField(max_length=120, blank=True)
    since = models.DateTimeField()
    blocked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    until = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    how = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["examination"], condition=Q(until=None), name="fleet_one_block_at_a_time"),
            models.CheckConstraint(condition=~Q(reason=""), name="fleet_blocked_with_a_reason"),
            models.CheckConstraint(condition=~Q(lifter="outside") | ~Q(who=""), name="fleet_outside_has_a_name"),
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
