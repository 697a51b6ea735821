"""Units of the force, what their people are accredited to do, when they work, and where they are posted."""

from __future__ import annotations

from datetime import date
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.utils import timezone


class Unit(models.Model):
    """A unit (BCU team, central unit); the rows come from standards/units.toml."""

    code = models.CharField(max_length=12, unique=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=20)
    boroughs = models.JSONField(default=list)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class AccreditationQuerySet(models.QuerySet["Accreditation"]):
    def in_force(self, on: date | None = None) -> Self:
        day = on or timezone.localdate()
        return self.filter(valid_from__lte=day).filter(models.Q(valid_until=None) | models.Q(valid_until__gte=day))


class Accreditation(models.Model):
    """One person's skill (a code of standards/skills.toml) from one day to another; both days included."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="accreditations")
    skill = models.CharField(max_length=40, db_index=True)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)
    evidence = models.CharField(max_length=200, blank=True)
    end_reason = models.CharField(max_length=300, blank=True)

    objects = AccreditationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "skill", "valid_from"], name="workforce_accreditation_once"),
            models.CheckConstraint(
                condition=models.Q(valid_until=None) | models.Q(valid_until__gte=models.F("valid_from")),
                name="workforce_accreditation_ends_after_it_starts",
            ),
        ]


class PeriodQuerySet(models.QuerySet[Any]):
    def on(self, day: date | None = None) -> Self:
        """Those in force on a day (today); a period that was cancelled never is."""
        return self.between(day or timezone.localdate(), day or timezone.localdate())

    def between(self, first: date, last: date) -> Self:
        """Those that touch any of these days, both included."""
        return self.filter(cancelled_at=None, from_day__lte=last).filter(
            models.Q(until_day=None) | models.Q(until_day__gte=first)
        )


class Period(models.Model):
    """Something about a person from one day to another, both included; ``until_day`` None: nobody knows yet.

    Two periods of one kind never overlap: the database refuses it (migration 0003).
    """

    from_day = models.DateField()
    until_day = models.DateField(null=True, blank=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    cancel_reason = models.CharField(max_length=300, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)

    objects = PeriodQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ["-from_day", "-id"]

    @property
    def days(self) -> int | None:
        """How many days it lasts; None while nobody knows."""
        return None if self.until_day is None else (self.until_day - self.from_day).days + 1


class Absence(Period):
    """Somebody is not at work. Why is a code; no word about health or family is kept."""

    class Kind(models.TextChoices):
        LEAVE = "leave", "On leave"
        LONG = "long", "Away for long"
        TRAINING = "training", "On training"
        LEFT = "left", "Left the force"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="absences")
    kind = models.CharField(max_length=10, choices=Kind.choices)

    class Meta(Period.Meta):
        constraints = [
            models.CheckConstraint(
                condition=models.Q(until_day=None) | models.Q(until_day__gte=models.F("from_day")),
                name="workforce_absence_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=~models.Q(kind="left") | models.Q(until_day=None), name="workforce_leaving_has_no_end"
            ),
        ]
        indexes = [models.Index(fields=["user", "from_day"], name="workforce_absences")]


class Posting(Period):
    """Somebody works in another unit for a time, or from a day on. On its first day the tick moves the person
    (``applied_at``), on the day after its last it moves them back home (``returned_at``); their cases stay where they
    are until a supervisor decides."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="postings")
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="postings")
    home = models.ForeignKey(Unit, null=True, on_delete=models.PROTECT, related_name="+")
    applied_at = models.DateTimeField(null=True, blank=True)
    returned_at = models.DateTimeField(null=True, blank=True)

    class Meta(Period.Meta):
        constraints = [
            models.CheckConstraint(
                condition=models.Q(until_day=None) | models.Q(until_day__gte=models.F("from_day")),
                name="workforce_posting_ends_after_it_starts",
            ),
        ]
        indexes = [models.Index(fields=["user", "from_day"], name="workforce_postings")]


class WorkingHours(models.Model):
    """Hours a week that a person is contracted to work, from a day on. Without a row: a full week."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="working_hours")
    hours = models.DecimalField(max_digits=4, decimal_places=1)
    from_day = models.DateField()

    class Meta:
        ordering = ["-from_day"]
        constraints = [
            models.UniqueConstraint(fields=["user", "from_day"], name="workforce_hours_once_a_day"),
            models.CheckConstraint(
                condition=models.Q(hours__gt=0, hours__lte=168), name="workforce_hours_within_a_week"
            ),
        ]


class Reduction(Period):
    """Hours a week that a person is not there for cases (another duty, a gradual return): taken from their hours."""

    class Kind(models.TextChoices):
        DUTY = "duty", "Another duty"
        RETURN = "return", "Gradual return"
        TRAINING = "training", "Training"
        STUDENT = "student", "Supports a new colleague"
        WELFARE = "welfare", "On advice of occupational health"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reductions")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    hours = models.DecimalField(max_digits=4, decimal_places=1)

    class Meta(Period.Meta):
        constraints = [
            models.CheckConstraint(
                condition=models.Q(until_day=None) | models.Q(until_day__gte=models.F("from_day")),
                name="workforce_reduction_ends_after_it_starts",
            ),
            models.CheckConstraint(condition=models.Q(hours__gt=0), name="workforce_reduction_of_something"),
        ]


class GradingSession(models.Model):
    """From when to when a person graded, and how many files: minutes and counts, no content, no case.

    ``timed`` False: grades were recorded outside a session, so that only their number is known. ``day`` is the local
    day on which it began.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="grading_sessions")
    day = models.DateField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    files = models.PositiveIntegerField(default=0)
    timed = models.BooleanField(default=True)
    ended_by_system = models.BooleanField(default=False)

    class Meta:
        ordering = ["-started_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=models.Q(ended_at=None), name="workforce_one_grading_session_at_a_time"
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at=None) | models.Q(ended_at__gte=models.F("started_at")),
                name="workforce_grading_ends_after_it_starts",
            ),
        ]
        indexes = [models.Index(fields=["user", "day"], name="workforce_grading_by_day")]

    @property
    def minutes(self) -> int:
        """Whole minutes; 0 while it runs."""
        return 0 if self.ended_at is None else int((self.ended_at - self.started_at).total_seconds() // 60)


class Appointment(models.Model):
    """A welfare appointment: its day, and whether it was kept. What was said in it is never here."""

    class Outcome(models.TextChoices):
        KEPT = "kept", "Kept"
        MISSED = "missed", "Missed"
        OFFERED = "offered", "Offered and declined"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="appointments")
    held_on = models.DateField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["-held_on", "-id"]
