"""The ledger: every change and every look, append-only, in a Merkle tree (RFC 9162).

Database triggers (migration 0002) refuse UPDATE, DELETE and TRUNCATE on all its tables but the
last (:class:`Outsider`, which only says how things stand) on SQLite and PostgreSQL.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models


class Category(models.TextChoices):
    """The kinds of processing that DPA 2018 s.62(1) requires a log of, and the system's own steps."""

    COLLECTION = "collection", "Collection"
    ALTERATION = "alteration", "Alteration"
    CONSULTATION = "consultation", "Consultation"
    DISCLOSURE = "disclosure", "Disclosure"
    COMBINATION = "combination", "Combination"
    ERASURE = "erasure", "Erasure"
    SYSTEM = "system", "System"


class LedgerEntry(models.Model):
    """One thing that somebody did or looked at. The payload holds codes, references and times: never names of people
    in a case, never free text (that is bound by its fingerprint), never image content."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    at = models.DateTimeField(db_index=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    actor_name = models.CharField(max_length=160)
    actor_role = models.CharField(max_length=40)
    category = models.CharField(max_length=20, choices=Category.choices)
    verb = models.CharField(max_length=80, db_index=True)
    subject_type = models.CharField(max_length=60)
    subject_id = models.CharField(max_length=40)
    subject_label = models.CharField(max_length=80)
    case_key = models.BigIntegerField(null=True)
    recipient = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    payload = models.JSONField(default=dict)
    digest = models.CharField(max_length=64)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["case_key", "-id"], name="ledger_entry_case"),
            models.Index(fields=["subject_type", "subject_id", "-id"], name="ledger_entry_subject"),
        ]
        verbose_name = "ledger entry"
        verbose_name_plural = "ledger entries"


class LedgerLeaf(models.Model):
    """The place of an entry in the tree. ``index`` counts from 0 without gaps."""

    index = models.BigIntegerField(primary_key=True)
    entry = models.OneToOneField(LedgerEntry, on_delete=models.PROTECT, related_name="leaf")
    leaf_hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["index"]


class LedgerSeal(models.Model):
    """The root of the tree after ``tree_size`` leaves. ``frontier`` (hex, largest subtree first) lets the next seal
    append without reading the leaves again."""

    at = models.DateTimeField()
    tree_size = models.BigIntegerField(unique=True)
    root = models.CharField(max_length=64)
    frontier = models.JSONField()
    through_entry = models.BigIntegerField()

    class Meta:
        ordering = ["tree_size"]


class SealMark(models.Model):
    """What somebody outside said of a seal: a witness's cosignature or an authority's time-stamp. Append-only too."""

    class Kind(models.TextChoices):
        COSIGNATURE = "cosignature", "Cosignature of a witness"
        TIMESTAMP = "timestamp", "Time-stamp (RFC 3161)"

    seal = models.ForeignKey(LedgerSeal, on_delete=models.PROTECT, related_name="marks")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    name = models.CharField(max_length=200)
    at = models.DateTimeField()
    #: A signature line, or the authority's response in base64.
    body = models.TextField()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["seal", "kind", "name"], name="ledger_mark_once")]


class Outsider(models.Model):
    """How it stands with a witness or a time-stamp authority: what it has seen, and since when it does not answer."""

    name = models.CharField(max_length=200, unique=True)
    seen_size = models.BigIntegerField(default=0)
    seen_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    refused = models.BooleanField(default=False)
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["name"]
