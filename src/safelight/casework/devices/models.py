"""Devices (exhibits as seized), their images (forensic copies, never pictures), triage runs and what they found."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from safelight.casework.base.memory import built_once
from safelight.casework.base.models import Referenced, VisibleQuerySet


class DeviceQuerySet(VisibleQuerySet):
    @built_once
    def visible_to(self, user: Any) -> Self:
        from safelight.casework.allocation.models import Conflict
        from safelight.casework.cases.models import Case, named_to

        if user.is_authenticated and user.role == "examiner":
            # Every case that has a device, and this is one: no question for each of them.
            seen = self.filter(Q(case__restricted=False) | named_to(user, "case"))
            return seen.exclude(Conflict.objects.cases_closed_to(user, "case"))
        return self.filter(Case.objects.visible_to(user).holding("case"))


class Device(Referenced):
    """An exhibit. Every device needs a triage decision by a named person; 'not to be triaged' needs a reason.

    While nobody has decided, the device waits as one that is to be triaged, and its case cannot look ready.
    """

    PREFIX = "D"

    class Kind(models.TextChoices):
        PHONE = "phone", "Phone"
        TABLET = "tablet", "Tablet"
        LAPTOP = "laptop", "Laptop"
        COMPUTER = "computer", "Desktop computer"
        DISK = "disk", "Hard disk or SSD"
        USB = "usb", "USB stick"
        CARD = "card", "Memory card"
        OTHER = "other", "Other"

    class Decision(models.TextChoices):
        UNDECIDED = "undecided", "No decision yet"
        TRIAGE = "triage", "To be triaged"
        NOT_TRIAGED = "not_triaged", "Not to be triaged (reasoned)"

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="devices")
    exhibit = models.CharField(max_length=60)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    description = models.CharField(max_length=200)
    seized_at = models.DateTimeField()
    seized_from = models.CharField(max_length=200)
    seized_by = models.CharField(max_length=120)
    decision = models.CharField(max_length=12, choices=Decision.choices, default=Decision.UNDECIDED)
    decision_reason = models.TextField(blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    booked_in_at = models.DateTimeField()
    booked_in_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    objects = DeviceQuerySet.as_manager()

    class Meta:
        verbose_name = "device"
        constraints = [
            models.UniqueConstraint(fields=["case", "exhibit"], name="devices_exhibit_once_per_case"),
            models.CheckConstraint(
                condition=~Q(decision="not_triaged") | ~Q(decision_reason=""), name="devices_no_triage_needs_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(decision="undecided", decided_by=None, decided_at=None)
                | ~Q(decision="undecided") & Q(decided_by__isnull=False, decided_at__isnull=False),
                name="devices_decision_has_a_name_and_a_time",
            ),
            models.CheckConstraint(
                condition=Q(booked_in_at__gte=models.F("seized_at")), name="devices_booked_in_after_seizure"
            ),
        ]
        indexes = [
            models.Index(fields=["seized_at", "id"], condition=Q(decision="undecided"), name="devices_undecided"),
        ]


class CustodyEvent(models.Model):
    """One link of the chain of custody: who handed the exhibit to whom, under which seal."""

    class Action(models.TextChoices):
        BOOKED_IN = "booked_in", "Booked in"
        MOVED = "moved", "Moved"
        OPENED = "opened", "Seal opened"
        SEALED = "sealed", "Sealed again"
        IMAGED = "imaged", "Imaged"
        RETURNED = "returned", "Returned"
        DESTROYED = "destroyed", "Destroyed"
        RETAINED = "retained", "Placed in long-term retention"

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="custody")
    action = models.CharField(max_length=10, choices=Action.choices)
    at = models.DateTimeField()
    handed_by = models.CharField(max_length=120)
    received_by = models.CharField(max_length=120)
    place = models.CharField(max_length=160)
    seal = models.CharField(max_length=60, blank=True)
    note = models.CharField(max_length=300, blank=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]


class Release(models.Model):
    """What becomes of an exhibit that the case no longer needs: decided by one person, carried out with a receipt."""

    class Kind(models.TextChoices):
        RETURN = "return", "Return to its owner"
        DESTROY = "destroy", "Destroy"
        RETAIN = "retain", "Retain"

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="releases")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    # The power, order or policy under which it is done, as the force names it.
    authority = models.CharField(max_length=200)
    reason = models.TextField()
    review_on = models.DateField(null=True, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()
    event = models.OneToOneField(CustodyEvent, null=True, blank=True, on_delete=models.PROTECT, related_name="release")
    receipt = models.CharField(max_length=120, blank=True)
    gaps = models.TextField(blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    withdrawn_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["device"], condition=Q(withdrawn_at=None, event=None), name="devices_one_standing_release"
            ),
            models.CheckConstraint(
                condition=~Q(authority="") & ~Q(reason=""), name="devices_release_with_authority_and_reason"
            ),
            models.CheckConstraint(
                condition=~Q(kind="retain") | Q(review_on__isnull=False), name="devices_retention_has_a_review"
            ),
            models.CheckConstraint(condition=Q(event=None) | ~Q(receipt=""), name="devices_carried_out_with_a_receipt"),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None) | Q(event=None) & ~Q(withdrawn_reason=""),
                name="devices_withdrawn_before_it_is_done",
            ),
        ]


class EvidenceImage(models.Model):
    """A forensic copy of a device: a path below the evidence folder (the first part of a set). Opened read-only."""

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="images")
    path = models.CharField(max_length=500)
    # The one bench (queue of workers) that can reach the image; empty: every worker can.
    bench = models.CharField(max_length=60, blank=True)
    imaged_at = models.DateTimeField()
    registered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    registered_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["device", "path"], name="devices_image_once")]


class TriageRunQuerySet(VisibleQuerySet):
    @built_once
    def visible_to(self, user: Any) -> Self:
        return self.filter(Device.objects.visible_to(user).holding("device"))

    def newest(self) -> Self:
        """The newest run of each image: the one that says where the image stands."""
        newest = self.model.objects.filter(image=models.OuterRef("image")).order_by("-id").values("pk")[:1]
        return self.filter(pk=models.Subquery(newest))


class TriageRun(Referenced):
    """One run of the triage engine over one image."""

    PREFIX = "T"

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Running"
        FINISHED = "finished", "Finished"
        UNREAD_PARTS = "unread_parts", "Finished with unread parts"
        FAILED = "failed", "Could not be read"
        CANCELLED = "cancelled", "Cancelled"

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="runs")
    image = models.ForeignKey(EvidenceImage, on_delete=models.PROTECT, related_name="runs")
    state = models.CharField(max_length=14, choices=State.choices, default=State.QUEUED)
    # The job at the queue. `lease` is held by the one worker that plans the run or brings its chunks together; while
    # chunks are read it is empty, and each chunk has its own (TriageChunk). Whoever lost a lease writes nothing more.
    job_id = models.CharField(max_length=64, blank=True)
    lease = models.CharField(max_length=32, blank=True)
    # How often its planning or its end was begun: more than once means that a worker died over it.
    attempts = models.PositiveSmallIntegerField(default=0)
    queued_at = models.DateTimeField()
    queued_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField(null=True, blank=True)
    # The last sign of life of any of its workers (the database's clock), and sums over the chunks for the live pages:
    # bytes and files done and in all, the stage of whoever wrote last, and in `summary` rate, seconds_left, findings.
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    cancel_asked = models.BooleanField(default=False)
    stage = models.CharField(max_length=60, blank=True)
    files_done = models.BigIntegerField(default=0)
    files_total = models.BigIntegerField(default=0)
    bytes_done = models.BigIntegerField(default=0)
    bytes_total = models.BigIntegerField(default=0)
    hash_sets = models.ManyToManyField("hashsets.HashSetRecord", related_name="runs")
    tool_version = models.CharField(max_length=80, blank=True)
    verdict = models.TextField(blank=True)
    findings_digest = models.CharField(max_length=64, blank=True)
    unread_bytes = models.BigIntegerField(default=0)
    summary = models.JSONField(default=dict)
    report_folder = models.CharField(max_length=500, blank=True)
    failure = models.TextField(blank=True)
    # Parts that were not read stay not read; a person may say why the case need not wait for them.
    accepted_reason = models.TextField(blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    accepted_at = models.DateTimeField(null=True, blank=True)

    objects = TriageRunQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = "triage run"
        indexes = [
            models.Index(
                fields=["heartbeat_at"], condition=Q(state__in=["queued", "running"]), name="devices_live_runs"
            ),
            models.Index(fields=["device"], condition=Q(state="failed", accepted_at=None), name="devices_failed_runs"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(accepted_at=None) | ~Q(accepted_reason=""), name="devices_accepted_with_a_reason"
            ),
            models.UniqueConstraint(
                fields=["image"], condition=Q(state__in=["queued", "running"]), name="devices_one_live_run_per_image"
            ),
        ]


class TriageChunk(models.Model):
    """A piece of a run's reading (about 1 GiB), and the lease of the worker that does it.

    Its result lies in the run's folder, whole or not at all; this row says who does it, since when, and how often a
    worker died over it (`attempts` beyond the first).
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"

    run = models.ForeignKey(TriageRun, on_delete=models.PROTECT, related_name="chunks")
    index = models.PositiveIntegerField()
    kind = models.CharField(max_length=10)
    size = models.BigIntegerField(default=0)
    files = models.BigIntegerField(default=0)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    lease = models.CharField(max_length=32, blank=True)
    worker = models.CharField(max_length=120, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    bytes_done = models.BigIntegerField(default=0)
    files_done = models.BigIntegerField(default=0)
    findings = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["index"]
        constraints = [
            models.UniqueConstraint(fields=["run", "index"], name="devices_chunk_once_per_run"),
            models.CheckConstraint(
                condition=(Q(state="running") & ~Q(lease="")) | (~Q(state="running") & Q(lease="")),
                name="devices_running_chunk_has_a_lease",
            ),
        ]
        indexes = [
            models.Index(fields=["heartbeat_at"], condition=Q(state="running"), name="devices_running_chunks"),
        ]


class Finding(models.Model):
    """A file that matches a hash set: digests and metadata only."""

    run = models.ForeignKey(TriageRun, on_delete=models.PROTECT, related_name="findings")
    kind = models.CharField(max_length=12)
    algorithm = models.CharField(max_length=12)
    category = models.CharField(max_length=20, blank=True)
    hash_set = models.ForeignKey("hashsets.HashSetRecord", on_delete=models.PROTECT, related_name="findings")
    distance = models.PositiveSmallIntegerField(default=0)
    mode = models.CharField(max_length=40, blank=True)
    known_good = models.BooleanField(default=False)
    path = models.TextField()
    volume = models.CharField(max_length=80, blank=True)
    size = models.BigIntegerField()
    created = models.DateTimeField(null=True, blank=True)
    written = models.DateTimeField(null=True, blank=True)
    accessed = models.DateTimeField(null=True, blank=True)
    deleted = models.BooleanField(default=False)
    offset = models.BigIntegerField(null=True, blank=True)
    media_type = models.CharField(max_length=60, blank=True)
    md5 = models.CharField(max_length=32, db_index=True)
    sha1 = models.CharField(max_length=40, db_index=True)
    sha256 = models.CharField(max_length=64, db_index=True)
    pdq = models.CharField(max_length=64, blank=True)
    notes = models.JSONField(default=list)
    # The digests contradict each other (a made collision, or a wrong list): a person must look before it counts.
    doubtful = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]


class UnreadPart(models.Model):
    """A part of an image that was not read, where, how much, and why."""

    run = models.ForeignKey(TriageRun, on_delete=models.PROTECT, related_name="unread")
    what = models.CharField(max_length=200)
    offset = models.BigIntegerField(null=True, blank=True)
    length = models.BigIntegerField(null=True, blank=True)
    reason = models.CharField(max_length=500)
    path = models.TextField(blank=True)

    class Meta:
        ordering = ["id"]
