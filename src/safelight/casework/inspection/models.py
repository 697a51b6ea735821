"""Audits: a plan made before looking, the cases drawn by it, and what the unit and an independent auditor found.

A plan and its list of cases are frozen when it is made; the draw follows from them alone (docs/decisions/0032).
"""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q

from safelight.casework.base.models import Referenced, VisibleQuerySet

USER = settings.AUTH_USER_MODEL


class AuditPlanQuerySet(VisibleQuerySet):
    def visible_to(self, user: Any) -> Self:
        """Auditors and chief officers see every plan; a supervisor those that drew a case of the unit."""
        if not user.is_authenticated:
            return self.none()
        if user.role in ("auditor", "chief_officer"):
            return self
        if user.role == "supervisor":
            return self.filter(Exists(AuditCase.objects.filter(plan=OuterRef("pk"), unit=user.unit)))
        return self.none()


class AuditPlan(Referenced):
    """What is to be audited and how cases are drawn, written down before anybody looks.

    ``query`` is the filter that declared the population; ``strata`` holds name, population and how many are drawn of
    each; ``digest`` is the SHA-256 of all of it with the list's own digest, and stands in the ledger (``entry``).
    ``draw_seed`` is the declared seed and the root of the seal that covers that entry: known to nobody beforehand.
    """

    PREFIX = "AM"

    title = models.CharField(max_length=120)
    criteria = models.CharField(max_length=40)
    criteria_version = models.CharField(max_length=40)
    scale = models.CharField(max_length=40)
    query = models.JSONField(default=dict)
    strata_by = models.JSONField(default=list)
    strata = models.JSONField()
    population = models.PositiveIntegerField()
    population_digest = models.CharField(max_length=64, db_index=True)
    margin = models.FloatField()
    minimum = models.PositiveSmallIntegerField()
    reserve = models.PositiveSmallIntegerField(default=0)
    size = models.PositiveIntegerField()
    seed = models.CharField(max_length=120)
    digest = models.CharField(max_length=64)
    entry = models.OneToOneField("ledger.LedgerEntry", null=True, on_delete=models.PROTECT, related_name="+")
    self_due_at = models.DateTimeField()
    made_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    draw_seed = models.CharField(max_length=200, blank=True)
    drawn_by = models.ForeignKey(USER, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    drawn_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(USER, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = AuditPlanQuerySet.as_manager()

    class Meta:
        verbose_name = "audit plan"
        constraints = [
            models.CheckConstraint(
                condition=Q(drawn_at=None, draw_seed="") | (Q(drawn_at__isnull=False) & ~Q(draw_seed="")),
                name="inspection_drawn_with_a_seed",
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None) | Q(drawn_at__isnull=False), name="inspection_closed_after_the_draw"
            ),
            models.CheckConstraint(condition=~Q(seed=""), name="inspection_plan_has_a_seed"),
            models.CheckConstraint(condition=Q(size__gte=1), name="inspection_plan_draws_a_case"),
        ]


class PopulationCase(models.Model):
    """One case of the frozen list of a plan, with the stratum that it was in when the plan was made."""

    plan = models.ForeignKey(AuditPlan, on_delete=models.PROTECT, related_name="listed")
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="+")
    stratum = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "case"], name="inspection_listed_once")]


class AuditCaseQuerySet(VisibleQuerySet):
    def visible_to(self, user: Any) -> Self:
        """Drawn cases: for an auditor those of other units than the own, for a supervisor those of the unit.

        A case that was restricted after the draw is seen by those on its access list only, one with which a conflict of
        interest is declared not by that person. A case in reserve is seen by nobody until it stands in for another.
        """
        if not user.is_authenticated or user.role not in ("auditor", "supervisor"):
            return self.none()
        from safelight.casework.allocation.models import Conflict
        from safelight.casework.cases.models import Case

        found = self.filter(reserve=False)
        if user.role == "supervisor":
            return found.filter(Case.objects.visible_to(user).holding("case"), unit=user.unit)
        closed = Case.objects.filter(Conflict.objects.cases_closed_to(user)).values("pk")
        seen = Q(case__restricted=False) | Q(case__access__user=user)
        return found.filter(seen).exclude(unit=user.unit).exclude(case__in=closed).distinct()


class AuditCase(Referenced):
    """A drawn case. ``key`` is what the draw sorted it by; ``weight`` is how many cases of its stratum it stands for.

    ``reserve`` cases wait, in order, to stand in for one whose file cannot be had; ``stands_in_for`` says for which.
    """

    PREFIX = "AU"

    plan = models.ForeignKey(AuditPlan, on_delete=models.PROTECT, related_name="cases")
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="audits")
    unit = models.ForeignKey("workforce.Unit", on_delete=models.PROTECT, related_name="+")
    stratum = models.CharField(max_length=200)
    weight = models.FloatField()
    position = models.PositiveIntegerField()
    key = models.CharField(max_length=64)
    reserve = models.BooleanField(default=False)
    stands_in_for = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="stand_in"
    )
    missing_reason = models.TextField(blank=True)
    missing_by = models.ForeignKey(USER, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    missing_at = models.DateTimeField(null=True, blank=True)

    objects = AuditCaseQuerySet.as_manager()

    class Meta:
        verbose_name = "audited case"
        constraints = [
            models.UniqueConstraint(fields=["plan", "case"], name="inspection_drawn_once"),
            models.UniqueConstraint(fields=["plan", "stratum", "position"], name="inspection_one_position_each"),
            models.CheckConstraint(
                condition=Q(missing_at=None, missing_reason="") | (Q(missing_at__isnull=False) & ~Q(missing_reason="")),
                name="inspection_missing_with_a_reason",
            ),
        ]
        indexes = [models.Index(fields=["plan", "reserve", "id"], name="inspection_by_plan")]


class Assessment(models.Model):
    """What one side found in one case. Written as a draft and finished once; nothing changes it after that."""

    class Stage(models.TextChoices):
        SELF = "self", "The unit's own assessment"
        INSPECTOR = "inspector", "The independent audit"

    audit = models.ForeignKey(AuditCase, on_delete=models.PROTECT, related_name="assessments")
    stage = models.CharField(max_length=10, choices=Stage.choices)
    scale = models.CharField(max_length=40)
    criteria = models.CharField(max_length=40)
    criteria_version = models.CharField(max_length=40)
    grade = models.CharField(max_length=40, blank=True)
    summary = models.TextField(blank=True)
    by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["audit", "stage"], name="inspection_one_assessment_each"),
            models.CheckConstraint(
                condition=Q(finished_at=None) | (~Q(grade="") & ~Q(summary="")), name="inspection_finished_with_a_grade"
            ),
        ]

    @property
    def case_id(self) -> int:
        """For the ledger: entries belong to the case."""
        return self.audit.case_id

    @property
    def reference(self) -> str:
        return self.audit.reference


class HeadingGrade(models.Model):
    """The grade under one heading; an empty grade says that the heading does not apply to the case."""

    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, related_name="headings")
    heading = models.CharField(max_length=40)
    grade = models.CharField(max_length=40, blank=True)
    note = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["assessment", "heading"], name="inspection_heading_once")]


class Evidence(models.Model):
    """A record of the case that a grade rests on. ``kind`` is a key of :data:`inspection.evidence.KINDS`."""

    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, related_name="evidence")
    heading = models.CharField(max_length=40)
    kind = models.CharField(max_length=24)
    key = models.BigIntegerField()
    label = models.CharField(max_length=200)
    added_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["assessment", "heading", "kind", "key"], name="inspection_evidence_once")
        ]


class Agreement(models.Model):
    """How a disagreement was settled: the grade that stands, with whom it was talked through, and why.

    Both grades stay as they were given, and figures use the auditor's.
    """

    audit = models.OneToOneField(AuditCase, on_delete=models.PROTECT, related_name="agreement")
    grade = models.CharField(max_length=40)
    reason = models.TextField()
    unit_person = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="inspection_agreed_with_a_reason")]

    @property
    def case_id(self) -> int:
        return self.audit.case_id


class ReferredBackQuerySet(VisibleQuerySet):
    def visible_to(self, user: Any) -> Self:
        """The recipient, supervisors of the unit, and auditors who see the audited case."""
        if not user.is_authenticated:
            return self.none()
        seen = Q(recipient=user)
        if user.role in ("auditor", "supervisor"):
            seen |= Q(AuditCase.objects.visible_to(user).holding("audit"))
        found = self.filter(seen)
        if user.role != "auditor":
            from safelight.casework.cases.models import Case

            found = found.filter(Case.objects.visible_to(user).holding("audit__case"))
        return found


class ReferredBack(Referenced):
    """A case that the auditor sent back: to whom, why, by when, and what came of it."""

    PREFIX = "RE"

    audit = models.ForeignKey(AuditCase, on_delete=models.PROTECT, related_name="referred_back")
    recipient = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=40)
    note = models.TextField()
    made_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    due_at = models.DateTimeField()
    outcome = models.CharField(max_length=40, blank=True)
    outcome_note = models.TextField(blank=True)
    outcome_by = models.ForeignKey(USER, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    outcome_at = models.DateTimeField(null=True, blank=True)

    objects = ReferredBackQuerySet.as_manager()

    class Meta:
        verbose_name = "case sent back"
        constraints = [
            models.UniqueConstraint(
                fields=["audit", "reason"], condition=Q(outcome_at=None), name="inspection_sent_back_once_at_a_time"
            ),
            models.CheckConstraint(condition=~Q(note=""), name="inspection_sent_back_with_a_note"),
            models.CheckConstraint(
                condition=Q(due_at__gt=models.F("made_at")), name="inspection_sent_back_with_time_to_answer"
            ),
            models.CheckConstraint(
                condition=Q(outcome_at=None, outcome="")
                | (Q(outcome_at__isnull=False) & ~Q(outcome="") & ~Q(outcome_note="")),
                name="inspection_answered_with_an_outcome",
            ),
        ]
        indexes = [
            models.Index(fields=["recipient", "due_at"], condition=Q(outcome_at=None), name="inspection_rb_open")
        ]

    @property
    def case_id(self) -> int:
        return self.audit.case_id
