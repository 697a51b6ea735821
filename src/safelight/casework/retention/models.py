"""How long a case is kept, who decided, what stops an erasure, and what is left as proof of one."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from safelight.casework.base.models import Referenced, VisibleQuerySet
from safelight.casework.cases.models import Case

USER = settings.AUTH_USER_MODEL


class Schedule(models.Model):
    """The review group of a closed case (College of Policing, Review, retention and disposal) and its next review."""

    class Group(models.TextChoices):
        ONE = "1", "1: public protection matters"
        TWO = "2", "2: other sexual, violent or serious offences"
        THREE = "3", "3: everything else"

    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="retention")
    group = models.CharField(max_length=1, choices=Group.choices)
    grouped_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    grouped_at = models.DateTimeField()
    review_on = models.DateField(db_index=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "retention schedule"


class OfCase(VisibleQuerySet):
    def visible_to(self, user: Any) -> Self:
        """Those of the cases that ``user`` sees, and those of no case."""
        return self.filter(Case.objects.visible_to(user).holding("case") | Q(case=None))


class Decision(Referenced):
    """To keep a case until another day, or to erase it: proposed by one person, approved or refused by another."""

    PREFIX = "RD"

    class Outcome(models.TextChoices):
        KEEP = "keep", "Keep"
        ERASE = "erase", "Erase"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="retention_decisions")
    outcome = models.CharField(max_length=5, choices=Outcome.choices)
    reason = models.TextField()
    keep_until = models.DateField(null=True, blank=True)
    proposed_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    approved = models.BooleanField(null=True)
    approved_by = models.ForeignKey(USER, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)

    objects = OfCase.as_manager()

    class Meta:
        verbose_name = "retention decision"
        constraints = [
            models.UniqueConstraint(fields=["case"], condition=Q(approved=None), name="retention_one_open_decision"),
            models.CheckConstraint(condition=~Q(reason=""), name="retention_decided_with_a_reason"),
            models.CheckConstraint(condition=~Q(approved_by=F("proposed_by")), name="retention_approved_by_another"),
            models.CheckConstraint(
                condition=Q(approved=None, approved_by=None, approved_at=None)
                | Q(approved__isnull=False, approved_by__isnull=False, approved_at__isnull=False),
                name="retention_approved_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(outcome="keep", keep_until__isnull=False) | Q(outcome="erase", keep_until=None),
                name="retention_kept_until_a_day",
            ),
        ]


class Hold(Referenced):
    """Nothing of a case, or of any case, is erased while this stands: an inquiry, proceedings, a moratorium."""

    PREFIX = "RH"

    class Kind(models.TextChoices):
        LEGAL = "legal", "Legal proceedings or a request for disclosure"
        INQUIRY = "inquiry", "A public inquiry's moratorium"
        OPEN = "open", "An open investigation or review elsewhere"

    case = models.ForeignKey(Case, null=True, blank=True, on_delete=models.PROTECT, related_name="retention_holds")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    reason = models.TextField()
    placed_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    placed_at = models.DateTimeField()
    lifted_by = models.ForeignKey(USER, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_why = models.TextField(blank=True)

    objects = OfCase.as_manager()

    class Meta:
        verbose_name = "hold on erasure"
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="retention_held_with_a_reason"),
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by=None)
                | (Q(lifted_at__isnull=False, lifted_by__isnull=False) & ~Q(lifted_why="")),
                name="retention_lifted_with_a_reason",
            ),
        ]


class Erasure(models.Model):
    """What is left of what was erased: how many rows of which kind, and a digest. Nothing of its content.

    ``digest``: SHA-256 of ``nonce`` and of every value that was taken out, as JSON with sorted keys. Whoever still has
    the record (a court, a backup) can prove that it is the one; from the digest nothing can be read or guessed.
    """

    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, related_name="erasure")
    at = models.DateTimeField()
    rows = models.JSONField()
    nonce = models.CharField(max_length=32)
    digest = models.CharField(max_length=64)

    class Meta:
        verbose_name = "erasure"


class AccessRequest(Referenced):
    """Somebody asks what is held about them (DPA 2018 s.45). ``due_on``: one month after the day it was received."""

    PREFIX = "SA"

    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="access_requests")
    received_on = models.DateField()
    due_on = models.DateField(db_index=True)
    identity = models.TextField()
    recorded_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(USER, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = "subject access request"
        constraints = [models.CheckConstraint(condition=~Q(identity=""), name="retention_identity_seen")]


class AccessItem(models.Model):
    """One row that is held about the person, and whether they are given it. What is in it is read when it is exported.

    Withholding names one of the grounds of DPA 2018 s.45(4), or that it tells of somebody else.
    """

    class Ground(models.TextChoices):
        INQUIRY = "a", "s.45(4)(a): would obstruct an inquiry or investigation"
        PREVENTION = "b", "s.45(4)(b): would prejudice prevention or prosecution of crime"
        PUBLIC = "c", "s.45(4)(c): public security"
        NATIONAL = "d", "s.45(4)(d): national security"
        RIGHTS = "e", "s.45(4)(e): the rights and freedoms of others"

    request = models.ForeignKey(AccessRequest, on_delete=models.PROTECT, related_name="items")
    model = models.CharField(max_length=80)
    row = models.BigIntegerField()
    about_others = models.BooleanField()
    given = models.BooleanField(null=True)
    ground = models.CharField(max_length=1, choices=Ground.choices, blank=True)
    reason = models.TextField(blank=True)
    decided_by = models.ForeignKey(USER, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "item of a subject access request"
        constraints = [
            models.UniqueConstraint(fields=["request", "model", "row"], name="retention_access_item_once"),
            models.CheckConstraint(
                condition=Q(given=None, decided_by=None)
                | Q(given=True, decided_by__isnull=False, ground="")
                | (Q(given=False, decided_by__isnull=False) & ~Q(ground="") & ~Q(reason="")),
                name="retention_withheld_on_a_ground",
            ),
        ]
