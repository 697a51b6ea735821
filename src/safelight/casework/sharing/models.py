"""What is shared with other agencies, and what they say: the tables behind the partner portal."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from safelight.casework.base.models import Referenced, VisibleQuerySet
from safelight.casework.ciphers.fields import EncryptedJSONField, SealedRow

USER = settings.AUTH_USER_MODEL


class Agency(models.Model):
    """Another agency: a borough's children's social care, a health trust, a school service."""

    class Kind(models.TextChoices):
        SOCIAL_CARE = "social_care", "Children's social care"
        HEALTH = "health", "Health"
        EDUCATION = "education", "Education"

    name = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "agencies"

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A partner's account belongs to one agency, from a day to a day."""

    user = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="memberships")
    agency = models.ForeignKey(Agency, on_delete=models.PROTECT, related_name="members")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    added_by = models.ForeignKey(USER, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user"], condition=Q(until=None), name="sharing_one_agency_at_a_time")
        ]


def agency_of(user: Any) -> Agency | None:
    """The agency that a partner's account belongs to now; None for everybody else."""
    if not user.is_authenticated or user.role != "partner":
        return None
    found = Membership.objects.filter(user=user, until=None, agency__active=True).select_related("agency").first()
    return found.agency if found else None


class SharingQuerySet(VisibleQuerySet):
    def visible_to(self, user: Any) -> Self:
        """A partner: what was shared with the own agency and not withdrawn; of a covert strategy discussion only when
        on its need-to-know list. Police: what was shared of the cases, and discussions, that they see."""
        from safelight.casework.cases.models import Case
        from safelight.casework.safeguarding.models import StrategyAccess, StrategyDiscussion

        if not user.is_authenticated:
            return self.none()
        if user.role == "partner":
            agency = agency_of(user)
            listed = StrategyAccess.objects.filter(user=user, removed_at=None).values("discussion")
            open_one = Q(strategy=None) | Q(strategy__covert=False) | Q(strategy__in=listed)
            return self.filter(open_one, agency=agency, withdrawn_at=None) if agency else self.none()
        discussions = StrategyDiscussion.objects.visible_to(user)
        of_case = Q(strategy=None) | Q(strategy__covert=False)
        return self.filter(
            (of_case & Q(Case.objects.visible_to(user).holding("case")))
            | Q(strategy__covert=True, strategy__in=discussions)
        )


class Sharing(SealedRow, Referenced):
    """One act of sharing: what exactly, with which agency, on which basis, by whom, when, and until when."""

    PREFIX = "SH"

    class Kind(models.TextChoices):
        REFERRAL = "referral", "Referral to children's social care"
        INVITATION = "invitation", "Invitation to a strategy discussion"
        RECORD = "record", "Record of a strategy discussion"
        MESSAGE = "message", "Message"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    agency = models.ForeignKey(Agency, on_delete=models.PROTECT, related_name="sharings")
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="sharings")
    referral = models.ForeignKey(
        "safeguarding.SafeguardingReferral", null=True, blank=True, on_delete=models.PROTECT, related_name="sharings"
    )
    strategy = models.ForeignKey(
        "safeguarding.StrategyDiscussion", null=True, blank=True, on_delete=models.PROTECT, related_name="sharings"
    )
    subject = models.CharField(max_length=160)
    content = EncryptedJSONField()  # [[heading, [[label, text], ...]], ...]: what the partner reads, as it was shared
    digest = models.CharField(max_length=64)  # SHA-256 of the content, so that the ledger binds what exactly it was
    basis = models.CharField(max_length=40)
    basis_words = models.TextField(blank=True)
    shared_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    shared_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(USER, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    attends = models.BooleanField(null=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(USER, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    withdrawn_reason = models.TextField(blank=True)

    objects = SharingQuerySet.as_manager()

    class Meta:
        verbose_name = "sharing"
        constraints = [
            models.CheckConstraint(condition=~Q(basis=""), name="sharing_has_a_basis"),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None) | (Q(withdrawn_at__gte=F("shared_at")) & ~Q(withdrawn_reason="")),
                name="sharing_withdrawn_with_a_reason",
            ),
            models.UniqueConstraint(
                fields=["agency", "referral"],
                condition=Q(referral__isnull=False, withdrawn_at=None),
                name="sharing_referral_once_per_agency",
            ),
            models.UniqueConstraint(
                fields=["agency", "strategy", "kind"],
                condition=Q(strategy__isnull=False, withdrawn_at=None),
                name="sharing_strategy_once_per_agency",
            ),
        ]
        indexes = [models.Index(fields=["agency", "-id"], name="sharing_inbox")]

    @property
    def outside_ledger_of_case(self) -> bool:
        """What is shared of a covert discussion stays out of the case's ledger, as the discussion does."""
        return self.strategy is not None and self.strategy.covert

    def may_hear(self, user: Any) -> bool:
        """Whether a notice about it may go to ``user``: only who may see it."""
        return bool(Sharing.objects.visible_to(user).filter(pk=self.pk).exists())


class Message(models.Model):
    """A line of the conversation about something shared: a question, an answer, a remark. Never changed."""

    sharing = models.ForeignKey(Sharing, on_delete=models.PROTECT, related_name="messages")
    author = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    by_partner = models.BooleanField()
    question = models.BooleanField(default=False)
    text = models.TextField()
    at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)  # of a question: when the other side first wrote again

    class Meta:
        ordering = ["at", "id"]
        constraints = [models.CheckConstraint(condition=~Q(text=""), name="sharing_message_has_text")]
