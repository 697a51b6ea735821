"""Clocks: durations that law, guidance or policy sets from a trigger. A clock is a row derived from an event, never a
counter; its state follows from its times and the present, so every page reads the same state."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from safelight.casework.base.memory import built_once

MET, RUNNING, BREACHED, NOT_APPLICABLE, NOT_SET = "met", "running", "breached", "not_applicable", "not_set"
PAUSED, REACHED = "paused", "reached"
WAITED_FOR = ("not_before", "threshold")  # senses of which nobody is late: their time is waited for


class ClockQuerySet(models.QuerySet["Clock"]):
    def open(self) -> Self:
        """Clocks that nobody has stopped, whether or not they are past their time."""
        return self.filter(stopped_at=None, not_applicable=False)

    def breached(self, now: datetime | None = None) -> Self:
        """Open clocks that are past their time."""
        return self.open().filter(due_at__lt=now or timezone.now()).exclude(sense__in=WAITED_FOR)

    def running(self, now: datetime | None = None) -> Self:
        """Open clocks that still have time."""
        return self.open().filter(Q(due_at__gte=now or timezone.now()) | Q(due_at=None))

    def ever_breached(self, now: datetime | None = None) -> Self:
        """Clocks that are, or were when stopped, past their time."""
        moment = now or timezone.now()
        late = Q(stopped_at=None, due_at__lt=moment) | Q(stopped_at__gt=models.F("due_at"))
        return self.filter(late, not_applicable=False).exclude(sense__in=WAITED_FOR)

    @built_once
    def visible_to(self, user: Any) -> Self:
        from safelight.casework.cases.models import Case
        from safelight.casework.referrals.models import Referral

        seen = Q(Case.objects.visible_to(user).holding("case"))
        seen |= Q(case=None) & Referral.objects.visible_to(user).holding("referral")
        if user.is_authenticated and user.role != "administrator":
            # Of an offender or a child in custody without a case: whoever answers, and the supervisors of the unit.
            bare = Q(owner=user)
            if user.role == "supervisor" and user.unit_id:
                bare |= Q(unit=user.unit_id)
            seen |= Q(case=None, referral=None) & bare
        return self.filter(seen)


class Clock(models.Model):
    """One duration running from one event about one subject.

    ``rule`` is an id of standards/clocks.toml. ``due_at`` is None only where the standard is 'required' and the force
    has not set it (such a clock is shown as 'not set', never hidden), or while the clock is paused. ``base_due_at`` is
    when it would be due without any pause. ``next_step_at`` is when the sweep next has to look at it.
    """

    rule = models.CharField(max_length=60)
    stage = models.CharField(max_length=10, default="first")
    risk = models.CharField(max_length=20, blank=True)
    subject_type = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    subject_label = models.CharField(max_length=120)
    case = models.ForeignKey("cases.Case", null=True, blank=True, on_delete=models.PROTECT, related_name="clocks")
    referral = models.ForeignKey(
        "referrals.Referral", null=True, blank=True, on_delete=models.PROTECT, related_name="clocks"
    )
    unit = models.ForeignKey("workforce.Unit", null=True, blank=True, on_delete=models.PROTECT, related_name="clocks")
    owner_role = models.CharField(max_length=40)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="clocks"
    )
    triggered_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, blank=True)
    duration = models.CharField(max_length=60, blank=True)
    borough = models.CharField(max_length=60, blank=True)
    sense = models.CharField(max_length=12, default="deadline")
    base_due_at = models.DateTimeField(null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    standards_version = models.CharField(max_length=64)
    stopped_at = models.DateTimeField(null=True, blank=True)
    stop_reason = models.CharField(max_length=300, blank=True)
    not_applicable = models.BooleanField(default=False)
    rebased_from = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="rebased_to"
    )
    alerted_at = models.DateTimeField(null=True, blank=True)
    next_step_at = models.DateTimeField(null=True, blank=True)
    swept_through = models.DateTimeField(null=True, blank=True)

    objects = ClockQuerySet.as_manager()

    class Meta:
        ordering = ["due_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "subject_type", "subject_id"],
                condition=Q(stopped_at=None, not_applicable=False),
                name="clocks_one_open_clock_per_rule_and_subject",
            ),
            models.CheckConstraint(
                condition=Q(stopped_at=None) | Q(stopped_at__gte=models.F("triggered_at")) | Q(sense="notice"),
                name="clocks_stop_after_trigger",
            ),
            models.CheckConstraint(
                condition=Q(due_at=None) | Q(due_at__gte=models.F("triggered_at")) | Q(sense="notice"),
                name="clocks_due_after_trigger",
            ),
            models.CheckConstraint(
                condition=Q(paused_at=None) | Q(due_at=None, next_step_at=None), name="clocks_paused_has_no_time"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_step_at"],
                condition=Q(stopped_at=None, not_applicable=False, next_step_at__isnull=False),
                name="clocks_next_step",
            ),
            models.Index(
                fields=["due_at", "id"],
                condition=Q(stopped_at=None, not_applicable=False),
                name="clocks_open_by_due",
            ),
            models.Index(
                fields=["unit", "due_at"],
                condition=Q(stopped_at=None, not_applicable=False),
                name="clocks_open_by_unit",
            ),
            models.Index(
                fields=["owner", "due_at"],
                condition=Q(stopped_at=None, not_applicable=False),
                name="clocks_open_by_owner",
            ),
            models.Index(
                fields=["rule", "due_at"],
                condition=Q(stopped_at=None, not_applicable=False),
                name="clocks_open_by_rule",
            ),
            models.Index(fields=["subject_type", "subject_id"], name="clocks_by_subject"),
        ]

    def state(self, now: datetime | None = None) -> str:
        """``met``, ``running``, ``breached``, ``paused``, ``reached``, ``not_applicable`` or ``not_set`` at ``now``."""
        if self.not_applicable:
            return NOT_APPLICABLE
        if self.paused_at is not None and self.stopped_at is None:
            return PAUSED
        end = self.stopped_at or now or timezone.now()
        if self.due_at is None:
            return MET if self.stopped_at else NOT_SET
        if self.sense in WAITED_FOR and not self.stopped_at:
            return REACHED if end >= self.due_at else RUNNING
        if self.sense in WAITED_FOR:
            return MET
        if end > self.due_at:
            return BREACHED
        return MET if self.stopped_at else RUNNING

    def need_to_know(self) -> list[Any] | None:
        """Who alone may hear of the clock, where what it hangs on keeps such a list (a covert strategy discussion)."""
        model = apps.get_model(self.subject_type)
        if not hasattr(model, "need_to_know"):
            return None
        listed: list[Any] | None = model._default_manager.get(pk=self.subject_id).need_to_know()
        return listed

    @property
    def title(self) -> str:
        from safelight.casework.base.standards import standards

        rule = standards().clocks.get(self.rule)
        return rule.title if rule else self.rule


class ClockPause(models.Model):
    """A time during which a clock does not count, for a reason that its rule names (custody, hospital, abroad).

    Only a rule that says so can be paused, never one that protects a child. ``due_before`` is when the clock was due
    before the pause was recorded: an old time stays visible.
    """

    clock = models.ForeignKey(Clock, on_delete=models.PROTECT, related_name="pauses")
    reason = models.CharField(max_length=40)
    note = models.TextField(blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    due_before = models.DateTimeField(null=True, blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["started_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["clock", "reason"], condition=Q(ended_at=None), name="clocks_one_open_pause_per_reason"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=models.F("started_at")), name="clocks_pause_ends_later"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="clocks_pause_has_a_reason"),
        ]


class Hold(models.Model):
    """A reasoned, expiring delay by a named supervisor. It explains a clock; it never stops it or moves its time.

    That it expires within its hours is a rule of the database as well (migration 0002)."""

    clock = models.ForeignKey(Clock, on_delete=models.PROTECT, related_name="holds")
    supervisor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="holds")
    reason = models.TextField()
    placed_at = models.DateTimeField()
    hours = models.PositiveSmallIntegerField()
    expires_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-placed_at"]
        constraints = [
            models.CheckConstraint(condition=Q(hours__gte=1, hours__lte=24), name="clocks_hold_at_most_24_hours"),
            models.CheckConstraint(condition=~Q(reason=""), name="clocks_hold_has_a_reason"),
            models.CheckConstraint(
                condition=Q(expires_at__gt=models.F("placed_at")), name="clocks_hold_expires_after_it_is_placed"
            ),
            models.UniqueConstraint(fields=["clock"], condition=Q(lifted_at=None), name="clocks_one_live_hold"),
        ]

    def is_live(self, now: datetime | None = None) -> bool:
        return self.lifted_at is None and self.expires_at > (now or timezone.now())
