"""The exchange with internet companies: who may ask, what they may ask, what they were told, what they took down."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from safelight.casework.base.models import Referenced
from safelight.casework.ciphers.fields import EncryptedField, SealedRow
from safelight.exchange.query import ALGORITHMS

KINDS_OF_HASH = [(name, name.upper()) for name in ALGORITHMS]


class Bank(Referenced):
    """What platforms look into: a shared hash set, or entries of the force's own. The name is what programs see."""

    PREFIX = "BK"

    class Kind(models.TextChoices):
        HASH_SET = "hash_set", "A hash set that is shared"
        OWN = "own", "Entries of the force's own"

    name = models.CharField(max_length=60, unique=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    hash_set = models.ForeignKey(
        "hashsets.HashSetRecord", null=True, blank=True, on_delete=models.PROTECT, related_name="banks"
    )
    purpose = models.CharField(max_length=300)
    enabled = models.BooleanField(default=True)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["name"]
        verbose_name = "bank"
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="own", hash_set=None) | Q(kind="hash_set", hash_set__isnull=False),
                name="exchange_bank_of_its_kind",
            ),
            models.CheckConstraint(condition=Q(name__regex=r"^[A-Z][A-Z0-9_]*$"), name="exchange_bank_name"),
        ]


class Platform(SealedRow, Referenced):
    """An internet company, with what was agreed with it."""

    PREFIX = "PL"

    name = models.CharField(max_length=120, unique=True)
    contact = EncryptedField()
    contact_email = EncryptedField()
    agreement = models.CharField(max_length=300)
    per_minute = models.PositiveIntegerField()
    per_day = models.PositiveIntegerField()
    banks = models.ManyToManyField(Bank, related_name="platforms", blank=True)
    added_at = models.DateTimeField()
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        verbose_name = "platform"
        constraints = [
            models.CheckConstraint(condition=~Q(agreement=""), name="exchange_platform_has_an_agreement"),
            models.CheckConstraint(
                condition=Q(per_minute__gte=1, per_day__gte=models.F("per_minute")), name="exchange_platform_quotas"
            ),
        ]


class ApiKey(Referenced):
    """A platform's key: its SHA-256 only. The key itself is shown once, when it is made."""

    PREFIX = "AK"

    platform = models.ForeignKey(Platform, on_delete=models.PROTECT, related_name="keys")
    label = models.CharField(max_length=80)
    public_id = models.CharField(max_length=12, unique=True)
    secret_sha256 = models.CharField(max_length=64)
    scopes = models.JSONField(default=list)
    issued_at = models.DateTimeField()
    issued_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    replaces = models.OneToOneField("self", null=True, blank=True, on_delete=models.PROTECT, related_name="replaced_by")
    cleared_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = "API key"
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=models.F("issued_at")), name="exchange_key_expires_after_it_is_issued"
            )
        ]

    def state(self, now: datetime | None = None) -> str:
        """``suspended``, ``revoked``, ``expired`` or ``active``."""
        if any(one.lifted_at is None for one in self.suspensions.all()):
            return "suspended"
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at <= (now or timezone.now()) else "active"


class Suspension(models.Model):
    """A key that was stopped, because the watch saw probing or because a person stopped it, until a person lifts it."""

    key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="suspensions")
    at = models.DateTimeField()
    rule = models.CharField(max_length=20)
    counted = models.PositiveIntegerField(default=0)
    note = models.CharField(max_length=300, blank=True)
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    lifted_because = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(fields=["key"], condition=Q(lifted_at=None), name="exchange_one_open_suspension"),
            models.CheckConstraint(
                condition=Q(lifted_at=None) | (Q(lifted_by__isnull=False) & ~Q(lifted_because="")),
                name="exchange_lifted_by_a_person_for_a_reason",
            ),
        ]


class BankContent(models.Model):
    """One entry of an own bank, by its hashes. Nothing is deleted: what was withdrawn says when."""

    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="contents")
    added_at = models.DateTimeField()
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    added_with = models.ForeignKey(ApiKey, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    note = models.CharField(max_length=200, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)


class BankSignal(models.Model):
    """One hash of an entry, in lower-case hexadecimal."""

    content = models.ForeignKey(BankContent, on_delete=models.PROTECT, related_name="signals")
    algorithm = models.CharField(max_length=8, choices=KINDS_OF_HASH)
    value = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["content", "algorithm"], name="exchange_one_signal_of_a_kind"),
            models.CheckConstraint(condition=~Q(value=""), name="exchange_signal_has_a_value"),
        ]
        indexes = [models.Index(fields=["algorithm", "value"], name="exchange_signal_value")]


class WithdrawnRow(models.Model):
    """A row of a shared hash set that platforms are not told of (a false match, until the list itself is mended)."""

    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="withdrawn_rows")
    row = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300)
    restored_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["bank", "row"], condition=Q(restored_at=None), name="exchange_row_once")
        ]


class Hit(Referenced):
    """A platform was told that what it asked about is known. Made by the collector from the journal."""

    PREFIX = "HT"

    platform = models.ForeignKey(Platform, on_delete=models.PROTECT, related_name="hits")
    key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="hits")
    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="hits")
    content = models.PositiveBigIntegerField()
    algorithm = models.CharField(max_length=8, choices=KINDS_OF_HASH)
    distance = models.PositiveSmallIntegerField()
    picture = models.BooleanField(default=False)
    request = models.UUIDField()
    at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = "hit"
        constraints = [
            models.UniqueConstraint(fields=["request", "bank", "content", "algorithm"], name="exchange_hit_once")
        ]
        indexes = [models.Index(fields=["platform", "-id"], name="exchange_hit_platform")]


class LookupTally(models.Model):
    """How much a key asked in one hour. What was asked stands nowhere."""

    key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="tallies")
    hour = models.DateTimeField()
    lookups = models.PositiveBigIntegerField(default=0)
    hits = models.PositiveBigIntegerField(default=0)
    refused = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["hour"]
        constraints = [models.UniqueConstraint(fields=["key", "hour"], name="exchange_tally_once")]
        indexes = [models.Index(fields=["hour"], name="exchange_tally_hour")]


class JournalFile(models.Model):
    """How far a journal file of a serving process has been carried over: the mark that makes it happen once."""

    name = models.CharField(max_length=80, unique=True)
    offset = models.PositiveBigIntegerField(default=0)
    faulty = models.PositiveBigIntegerField(default=0)


class PlatformReport(Referenced):
    """What a platform says it found: who, what hash, when, where; reported to whom."""

    PREFIX = "RP"

    platform = models.ForeignKey(Platform, on_delete=models.PROTECT, related_name="reports")
    key = models.ForeignKey(ApiKey, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    hit = models.ForeignKey(Hit, null=True, blank=True, on_delete=models.PROTECT, related_name="reports")
    algorithm = models.CharField(max_length=8, choices=KINDS_OF_HASH)
    value = models.CharField(max_length=64)
    url = models.CharField(max_length=2000, blank=True)
    content_id = models.CharField(max_length=200, blank=True)
    detected_at = models.DateTimeField()
    received_at = models.DateTimeField()
    uk_linked = models.BooleanField(null=True)
    ncmec_report_id = models.CharField(max_length=40, blank=True)
    nca_reference = models.CharField(max_length=60, blank=True)
    repeated = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-id"]
        verbose_name = "platform report"
        constraints = [
            # The same finding, or the same report to NCMEC, is one report however often it arrives.
            models.UniqueConstraint(
                fields=["platform", "algorithm", "value", "url", "content_id"], name="exchange_report_once"
            ),
            models.UniqueConstraint(
                fields=["ncmec_report_id", "algorithm", "value"],
                condition=~Q(ncmec_report_id=""),
                name="exchange_report_once_by_ncmec",
            ),
        ]

    @property
    def reported(self) -> bool:
        """Whether the authority that is due has it: OSA 2023 s.66 asks for no second report beside NCMEC's."""
        return bool(self.ncmec_report_id or self.nca_reference)


class NoticeQuerySet(models.QuerySet["TakedownNotice"]):
    def open(self) -> Self:
        return self.filter(removed_at=None, refused_at=None)


class TakedownNotice(Referenced):
    """A notice to remove known material from one place, with its clock from notice to removal."""

    PREFIX = "TN"

    platform = models.ForeignKey(Platform, on_delete=models.PROTECT, related_name="notices")
    report = models.ForeignKey(PlatformReport, null=True, blank=True, on_delete=models.PROTECT, related_name="notices")
    url = models.CharField(max_length=2000)
    algorithm = models.CharField(max_length=8, choices=KINDS_OF_HASH, blank=True)
    value = models.CharField(max_length=64, blank=True)
    sent_at = models.DateTimeField()
    sent_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recipient = models.CharField(max_length=160)
    removed_at = models.DateTimeField(null=True, blank=True)
    removal_told_by = models.CharField(max_length=160, blank=True)
    refused_at = models.DateTimeField(null=True, blank=True)
    refusal = models.CharField(max_length=300, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = "takedown notice"
        constraints = [
            models.CheckConstraint(
                condition=Q(removed_at=None) | Q(removed_at__gte=models.F("sent_at")),
                name="exchange_removed_after_notice",
            ),
            models.CheckConstraint(
                condition=Q(removed_at=None) | Q(refused_at=None), name="exchange_removed_or_refused"
            ),
            models.UniqueConstraint(
                fields=["platform", "url"],
                condition=Q(removed_at=None, refused_at=None),
                name="exchange_one_open_notice_per_place",
            ),
        ]
        indexes = [models.Index(fields=["-sent_at"], name="exchange_notice_sent")]

    @property
    def is_open(self) -> bool:
        return self.removed_at is None and self.refused_at is None


class Chase(models.Model):
    """One time that somebody asked a platform where the removal is."""

    notice = models.ForeignKey(TakedownNotice, on_delete=models.PROTECT, related_name="chases")
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    how = models.CharField(max_length=200)

    class Meta:
        ordering = ["-at"]
