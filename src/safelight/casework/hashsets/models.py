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
