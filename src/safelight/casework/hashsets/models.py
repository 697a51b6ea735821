"""Hash sets that this installation holds: what, from whom, how fresh, on what basis."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from safelight.casework.base.models import Referenced


class HashSetRecord(Referenced):
    """One imported version of a hash set. The hashes themselves lie in ``folder`` (memory-mapped), checked by root."""

    PREFIX = "H"

    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=12)
    version = models.CharField(max_length=60)
    root = models.CharField(max_length=64)
    folder = models.CharField(max_length=500)
    source = models.CharField(max_length=160)
    legal_basis = models.CharField(max_length=300)
    file_name = models.CharField(max_length=255)
    file_sha256 = models.CharField(max_length=64)
    format = models.CharField(max_length=40)
    counts = models.JSONField(default=dict)
    imported_at = models.DateTimeField()
    imported_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    retired_at = models.DateTimeField(null=True, blank=True)
    # After so many days without a newer version the list is shown as stale.
    fresh_days = models.PositiveSmallIntegerField(default=90)

    class Meta:
        verbose_name = "hash set"
        constraints = [
            models.UniqueConstraint(
                fields=["name"], condition=Q(retired_at=None), name="hashsets_one_live_version_per_name"
            )
        ]


class RejectedRow(models.Model):
    """A row of an imported list that could not be used, and why. Nothing is dropped in silence."""

    hash_set = models.ForeignKey(HashSetRecord, on_delete=models.PROTECT, related_name="rejected")
    where = models.CharField(max_length=120)
    reason = models.CharField(max_length=300)
    excerpt = models.CharField(max_length=200, blank=True)
    # True: the entry is in the set all the same, without what the reason names (a category that is not mapped).
    kept = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]


class SetOverlap(models.Model):
    """What two hash sets share and where they contradict each other, as compared when the newer one was imported."""

    ours = models.ForeignKey(HashSetRecord, on_delete=models.PROTECT, related_name="overlaps")
    theirs = models.ForeignKey(HashSetRecord, on_delete=models.PROTECT, related_name="+")
    ours_shared = models.BigIntegerField()
    theirs_shared = models.BigIntegerField()
    contradicting = models.BigIntegerField()
    # The first contradictions: what, algorithm, digest, and what each of the two says.
    examples = models.JSONField(default=list)
    compared_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ours", "theirs"], name="hashsets_overlap_once")]


class HeldEntry(models.Model):
    """A PDQ in quarantine: likenesses to it count for nothing until it is released. Equal digests count as ever."""

    hash_set = models.ForeignKey(HashSetRecord, on_delete=models.PROTECT, related_name="held")
    pdq = models.CharField(max_length=64)
    reason = models.CharField(max_length=300)
    held_at = models.DateTimeField()
    # Empty: held by a rule at import.
    held_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    release_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["hash_set", "pdq"], condition=Q(released_at=None), name="hashsets_held_once"
            )
        ]


class NegativeEntry(models.Model):
    """A picture that a person confirmed not to be what it resembles. It answers likenesses, never equal digests."""

    pdq = models.CharField(max_length=64)
    md5 = models.CharField(max_length=32, blank=True)
    reason = models.CharField(max_length=300)
    confirmed_at = models.DateTimeField()
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    withdraw_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["pdq"], condition=Q(withdrawn_at=None), name="hashsets_negative_once")
        ]


class Recheck(models.Model):
    """Every earlier triage run looked at again with a new list, from what its manifest keeps; no evidence is opened."""

    hash_set = models.ForeignKey(HashSetRecord, on_delete=models.PROTECT, related_name="rechecks")
    # Only this run: it was under way while the list came in. Empty: all.
    only = models.ForeignKey("devices.TriageRun", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    runs_checked = models.PositiveIntegerField(default=0)
    files_checked = models.BigIntegerField(default=0)
    # Runs whose manifest is missing or damaged: for them the new list says nothing yet.
    runs_not_checked = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-id"]


class RecheckHit(models.Model):
    """A run in which the new list knows files. It waits until the image is triaged anew, or a person settles it."""

    recheck = models.ForeignKey(Recheck, on_delete=models.PROTECT, related_name="hits")
    run = models.ForeignKey("devices.TriageRun", on_delete=models.PROTECT, related_name="recheck_hits")
    files = models.PositiveIntegerField(default=0)
    exact = models.PositiveIntegerField(default=0)
    # The gravest category among them; empty for none.
    category = models.CharField(max_length=20, blank=True)
    # The first files: path, kind, algorithm, category, distance, md5.
    examples = models.JSONField(default=list)
    # Why it could not be checked; empty where it was.
    problem = models.CharField(max_length=300, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    settled_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["recheck", "run"], name="hashsets_recheck_once_per_run")]
