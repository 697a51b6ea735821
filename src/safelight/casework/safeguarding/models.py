"""The child first: who lives with, sees or works with children, which children are at risk, and what was done."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from safelight.casework.base.memory import built_once
from safelight.casework.base.models import Referenced, VisibleQuerySet
from safelight.casework.ciphers.fields import EncryptedJSONField, SealedRow


class Answer(models.TextChoices):
    YES = "yes", "Yes"
    NO = "no", "No"
    NOT_KNOWN = "not_known", "Not known yet"


class ContactCheck(models.Model):
    """The three questions asked before anything else: does anyone around the suspect live with, see, or work with
    children? 'Not known yet' is an honest answer that keeps the question open on the case."""

    referral = models.OneToOneField("referrals.Referral", on_delete=models.PROTECT, related_name="contact_check")
    lives_with = models.CharField(max_length=10, choices=Answer.choices)
    sees = models.CharField(max_length=10, choices=Answer.choices)
    works_with = models.CharField(max_length=10, choices=Answer.choices)
    basis = models.TextField()
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField()
    unsettled = models.BooleanField(default=True)
    """Whether something is still to be found out: an answer is not known, or is yes and no child of the referral is
    named. Kept by the services under the lock of the referral; few checks are, and an index leads to them."""

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(basis=""), name="safeguarding_check_names_its_basis")]
        indexes = [
            models.Index(fields=["answered_at"], condition=Q(unsettled=True), name="safeguarding_check_unsettled")
        ]

    @property
    def open_questions(self) -> list[str]:
        """The field names still answered 'not known'."""
        return [f for f in ("lives_with", "sees", "works_with") if getattr(self, f) == Answer.NOT_KNOWN]

    @property
    def nobody_named(self) -> bool:
        """Whether an answer is yes and no child of the referral is on record. One query where an answer is yes."""
        said = Answer.YES in (self.lives_with, self.sees, self.works_with)
        return said and not ChildAtRisk.objects.filter(referral=self.referral_id).exists()


class ChildQuerySet(VisibleQuerySet):
    @built_once
    def visible_to(self, user: Any) -> Self:
        from safelight.casework.cases.models import Case
        from safelight.casework.referrals.models import Referral

        return self.filter(
            Q(Case.objects.visible_to(user).holding("case"))
            | (Q(case=None) & Referral.objects.visible_to(user).holding("referral"))
        )


class ChildAtRisk(Referenced):
    """A child who may be in danger from the suspect of this referral or case, and how they are in contact."""

    PREFIX = "K"

    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="risks")
    referral = models.ForeignKey(
        "referrals.Referral", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    case = models.ForeignKey("cases.Case", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    lives_with = models.BooleanField(default=False)
    seen_by = models.BooleanField(default=False)
    works_with = models.BooleanField(default=False)
    online = models.BooleanField(default=False)
    immediate_danger = models.BooleanField(default=False)
    relationship = models.CharField(max_length=120, blank=True)
    school = models.CharField(max_length=160, blank=True)
    voice = models.TextField(blank=True)
    borough = models.CharField(max_length=60)
    identified_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    objects = ChildQuerySet.as_manager()

    class Meta:
        verbose_name = "child at risk"
        verbose_name_plural = "children at risk"
        constraints = [
            models.CheckConstraint(
                condition=Q(referral__isnull=False) | Q(case__isnull=False), name="safeguarding_child_belongs_somewhere"
            ),
            models.UniqueConstraint(fields=["person", "referral"], name="safeguarding_child_once_per_referral"),
        ]

    @property
    def contact(self) -> str:
        """How the child and the suspect are in contact, in words."""
        words = [
            word
            for yes, word in (
                (self.lives_with, "lives with the suspect"),
                (self.seen_by, "is seen by the suspect"),
                (self.works_with, "is reached through the suspect's work"),
                (self.online, "is in contact on line"),
            )
            if yes
        ]
        return "; ".join(words) or "contact not yet described"


class SafeguardingReferralQuerySet(VisibleQuerySet):
    @built_once
    def visible_to(self, user: Any) -> Self:
        """Those of the cases that ``user`` sees."""
        from safelight.casework.cases.models import Case

        return self.filter(Case.objects.visible_to(user).holding("case"))


class SafeguardingReferral(SealedRow, Referenced):
    """A referral to children's social care (CSC), as it was sent."""

    PREFIX = "S"

    class Decision(models.TextChoices):
        SECTION_47 = "section_47", "Section 47 enquiry"
        STRATEGY = "strategy", "Strategy discussion"
        ASSESSMENT = "assessment", "Assessment by children's social care (section 17)"
        EARLY_HELP = "early_help", "Early help by another agency"
        ALREADY_OPEN = "already_open", "Already open to a social worker"
        NO_ACTION = "no_action", "No further action by social care"

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="safeguarding_referrals")
    children = models.ManyToManyField(ChildAtRisk, related_name="safeguarding_referrals")
    authority = models.CharField(max_length=60)
    recipient = models.CharField(max_length=160)
    concern = models.TextField()
    content = EncryptedJSONField()
    sent_at = models.DateTimeField()
    sent_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    chased_at = models.DateTimeField(null=True, blank=True)
    chases = models.PositiveSmallIntegerField(default=0)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.CharField(max_length=160, blank=True)
    decision = models.CharField(max_length=20, choices=Decision.choices, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    # Set where the partner said so itself, in its portal, and nobody here wrote it down for them.
    acknowledged_partner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_partner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    escalated_at = models.DateTimeField(null=True, blank=True)
    escalated_to = models.CharField(max_length=160, blank=True)

    objects = SafeguardingReferralQuerySet.as_manager()

    class Meta:
        verbose_name = "safeguarding referral"
        constraints = [
            models.CheckConstraint(
                condition=Q(acknowledged_at=None) | Q(acknowledged_at__gte=models.F("sent_at")),
                name="safeguarding_acknowledged_after_sent",
            ),
        ]


from safelight.casework.safeguarding.records import (  # noqa: E402, F401 - the rest of this app's tables
    DesignatedOfficer,
    PersonAround,
    PoliceProtection,
    SchoolPlace,
    Section47,
    StrategyAccess,
    StrategyAttendance,
    StrategyDiscussion,
    VoiceEntry,
)
