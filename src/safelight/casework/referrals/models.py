"""Referrals: what arrives, from whom, and whether it can be read."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from safelight.casework.base.memory import any_of, built_once, keys
from safelight.casework.base.models import Referenced, VisibleQuerySet
from safelight.casework.ciphers.fields import EncryptedField, SealedRow


class Source(models.TextChoices):
    NCA = "nca", "National Crime Agency package"
    CYBERTIP = "cybertip", "CyberTipline report (NCMEC)"
    PLATFORM = "platform", "Internet company"
    PUBLIC = "public", "Member of the public"
    SOCIAL_CARE = "social_care", "Children's social care"
    SCHOOL = "school", "School or college"
    HEALTH = "health", "Health service"
    POLICE = "police", "Police (another force or unit)"
    OTHER = "other", "Other"


class State(models.TextChoices):
    NEW = "new", "New: children not yet looked for"
    CHECKED = "checked", "Children looked for"
    CASE = "case", "Case opened"
    CLOSED = "closed", "Closed without a case"


class ReferralQuerySet(VisibleQuerySet):
    @built_once
    def visible_to(self, user: Any) -> Self:
        """The desk sees every referral that has not become a restricted case; others see those of cases they see.
        Nobody sees one that names a person with whom a conflict of interest of theirs is declared."""
        from safelight.casework.cases.models import Case

        if not user.is_authenticated or user.role == "administrator":
            return self.none()
        of_cases = Q(Case.objects.visible_to(user).holding("case"))
        free = self.exclude(any_of("pk", keys(user, "referrals in conflict", _closed_to)))
        if user.role == "referral_desk":
            return free.filter(Q(case=None) | of_cases)
        if user.role == "supervisor":
            return free.filter(Q(case=None) & (Q(unit=user.unit) | Q(unit=None)) | of_cases)
        if user.role == "offender_manager":
            return free.filter(Q(case=None, recorded_by=user) | of_cases)
        return free.filter(of_cases)


def _closed_to(user: Any) -> list[Any]:
    from safelight.casework.allocation.models import Conflict

    return [ReferralPerson.objects.filter(Conflict.objects.people_closed_to(user)).values("referral")]


class Referral(Referenced):
    """One report that arrived. The same report twice is one referral (unique per source and the sender's number)."""

    PREFIX = "R"

    source = models.CharField(max_length=20, choices=Source.choices)
    source_reference = models.CharField(max_length=120)
    received_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    batch = models.ForeignKey(
        "referrals.ImportBatch", null=True, blank=True, on_delete=models.PROTECT, related_name="referrals"
    )
    summary = models.TextField()
    incident_type = models.CharField(max_length=120, blank=True)
    platform = models.CharField(max_length=120, blank=True)
    incident_at = models.DateTimeField(null=True, blank=True)
    high_priority = models.BooleanField(default=False)
    live_contact = models.BooleanField(default=False)
    borough = models.CharField(max_length=60, blank=True)
    unit = models.ForeignKey(
        "workforce.Unit", null=True, blank=True, on_delete=models.PROTECT, related_name="referrals"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.NEW)
    closed_reason = models.TextField(blank=True)
    case = models.ForeignKey("cases.Case", null=True, blank=True, on_delete=models.PROTECT, related_name="referrals")

    objects = ReferralQuerySet.as_manager()

    class Meta:
        verbose_name = "referral"
        constraints = [
            models.UniqueConstraint(fields=["source", "source_reference"], name="referrals_same_report_once"),
            models.CheckConstraint(
                condition=~Q(state="closed") | ~Q(closed_reason=""), name="referrals_closed_with_a_reason"
            ),
            models.CheckConstraint(condition=~Q(state="case") | Q(case__isnull=False), name="referrals_case_is_named"),
        ]
        indexes = [
            models.Index(fields=["state", "received_at"], name="referrals_by_state"),
            models.Index(fields=["received_at"], condition=Q(state__in=["new", "checked"]), name="referrals_open"),
        ]


class ReferralPerson(models.Model):
    """A person as the report names them, with the part they play in it."""

    class Role(models.TextChoices):
        SUSPECT = "suspect", "Suspect"
        CHILD = "child", "Child"
        REPORTER = "reporter", "Person who reported"
        OTHER = "other", "Other person"

    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="people")
    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="referral_links")
    role = models.CharField(max_length=10, choices=Role.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["referral", "person", "role"], name="referrals_person_once_per_role")
        ]


class ReferralFile(SealedRow):
    """A file that the report speaks of: its name, digests and where it was uploaded from. Never its content."""

    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="files")
    name = models.CharField(max_length=400, blank=True)
    md5 = models.CharField(max_length=32, blank=True, db_index=True)
    sha1 = models.CharField(max_length=40, blank=True, db_index=True)
    ip_address = EncryptedField(null=True, blank=True)
    uploaded_at = models.DateTimeField(null=True, blank=True)


class ImportBatch(Referenced):
    """One file that was imported, with what became of each record in it."""

    PREFIX = "B"

    file_name = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    format = models.CharField(max_length=20)
    imported_at = models.DateTimeField()
    imported_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = "import"


class ImportLine(SealedRow):
    """What became of one record of an import. A quarantined record keeps its text until a person resolves it."""

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted", "Accepted"
        DUPLICATE = "duplicate", "Already held"
        QUARANTINED = "quarantined", "Quarantined"

    batch = models.ForeignKey(ImportBatch, on_delete=models.PROTECT, related_name="lines")
    number = models.PositiveIntegerField()
    outcome = models.CharField(max_length=12, choices=Outcome.choices)
    reason = models.CharField(max_length=500, blank=True)
    raw = EncryptedField(blank=True, default="")
    referral = models.ForeignKey(Referral, null=True, blank=True, on_delete=models.PROTECT, related_name="import_lines")
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    resolution = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "number"], name="referrals_import_line_once"),
            models.CheckConstraint(
                condition=~Q(outcome="quarantined") | ~Q(reason=""), name="referrals_quarantine_has_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(resolved_at=None) | ~Q(resolution=""), name="referrals_quarantine_resolved_in_words"
            ),
        ]
