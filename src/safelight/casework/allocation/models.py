"""Allocation: which qualified investigator has the case. At most one live allocation, kept by the database.

Beside it what allocation weighs: how complex a case is, who has a conflict of interest, and what each person carried on
each day (rows of a day that has passed are never written again).
"""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from safelight.casework.base.memory import any_of, keys


class Allocation(models.Model):
    """An investigator has a case from ``started_at`` until ``ended_at`` (None: live).

    ``points`` are those in force when it began. A sensitive reason is for supervisors; the pages of the case say only
    that there is one.
    """

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="allocations")
    investigator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="allocations")
    allocated_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    sensitive = models.BooleanField(default=False)
    suggested = models.BooleanField(default=False)
    points = models.DecimalField(max_digits=6, decimal_places=2)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    end_code = models.CharField(max_length=20, blank=True)
    end_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-started_at"]
        constraints = [
            models.UniqueConstraint(fields=["case"], condition=Q(ended_at=None), name="allocation_one_live_per_case"),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=models.F("started_at")), name="allocation_ends_after_start"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="allocation_has_a_reason"),
        ]
        indexes = [models.Index(fields=["investigator"], condition=Q(ended_at=None), name="allocation_live_by_officer")]


class ConflictQuerySet(models.QuerySet["Conflict"]):
    def live(self) -> Self:
        return self.filter(ended_at=None)

    def cases_closed_to(self, user: Any, field: str = "pk") -> Q:
        """The cases that are closed to ``user``, as a condition on :class:`Case` (or on ``field``): those declared,
        and those in which a person declared stands as anything. Sub-queries from the few rows of this user, not one
        for each case."""
        return any_of(field, keys(user, "cases in conflict", _cases_closed_to))

    def people_closed_to(self, user: Any) -> Q:
        """The same of rows that name a person by ``person``."""
        return any_of("person", keys(user, "people in conflict", _people_closed_to))

    def visible_to(self, user: Any) -> Self:
        """Those that one declared oneself, and for a supervisor those of the people of the unit. What others declared
        about a person is not shown to that person: it would tell them who is known to the police."""
        mine = Q(user=user, declared_by=user)
        if user.role == "supervisor" and user.unit_id is not None:
            mine |= Q(user__unit=user.unit_id) & ~Q(user=user)
        return self.filter(mine)


def _cases_closed_to(user: Any) -> list[Any]:
    from safelight.casework.cases.models import CasePerson
    from safelight.casework.safeguarding.models import ChildAtRisk

    live = Conflict.objects.filter(ended_at=None, user=user)
    people = live.exclude(person=None).values("person")
    return [
        live.exclude(case=None).values("case"),
        CasePerson.objects.filter(person__in=people).values("case"),
        ChildAtRisk.objects.filter(person__in=people).exclude(case=None).values("case"),
    ]


def _people_closed_to(user: Any) -> list[Any]:
    return [Conflict.objects.filter(ended_at=None, user=user).exclude(person=None).values("person")]


class Conflict(models.Model):
    """Somebody's conflict of interest with one case or one person. While it lasts nobody gives them the case, and they
    do not see it; why is written for supervisors alone."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="conflicts")
    case = models.ForeignKey("cases.Case", null=True, blank=True, on_delete=models.PROTECT, related_name="conflicts")
    person = models.ForeignKey(
        "people.Person", null=True, blank=True, on_delete=models.PROTECT, related_name="conflicts"
    )
    reason = models.TextField()
    declared_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    declared_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    end_reason = models.CharField(max_length=300, blank=True)

    objects = ConflictQuerySet.as_manager()

    class Meta:
        ordering = ["-declared_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(case__isnull=False, person=None) | Q(case=None, person__isnull=False),
                name="allocation_conflict_with_one_thing",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="allocation_conflict_has_a_reason"),
            models.UniqueConstraint(
                fields=["user", "case"], condition=Q(ended_at=None), name="allocation_conflict_once_per_case"
            ),
            models.UniqueConstraint(
                fields=["user", "person"], condition=Q(ended_at=None), name="allocation_conflict_once_per_person"
            ),
        ]


class Complexity(models.Model):
    """How complex a supervisor found a case, from one moment to another (``ended_at`` None: now). Without a row a case
    is of standard complexity."""

    class Level(models.TextChoices):
        STANDARD = "standard", "Standard"
        COMPLEX = "complex", "Complex"
        VERY_COMPLEX = "very_complex", "Very complex"

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="complexities")
    level = models.CharField(max_length=12, choices=Level.choices)
    reason = models.TextField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-started_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["case"], condition=Q(ended_at=None), name="allocation_one_complexity_now"),
            models.CheckConstraint(condition=~Q(reason=""), name="allocation_complexity_has_a_reason"),
        ]


class CaseloadDay(models.Model):
    """What one person carried on one day, under the weights of that day. Written once a day by the tick, never again:
    a later change of weights moves no history."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="caseload_days")
    unit = models.ForeignKey("workforce.Unit", null=True, on_delete=models.PROTECT, related_name="+")
    day = models.DateField()
    cases = models.PositiveIntegerField()
    points = models.DecimalField(max_digits=8, decimal_places=2)
    available = models.DecimalField(max_digits=8, decimal_places=2)
    percent = models.DecimalField(max_digits=9, decimal_places=3)
    overloaded = models.BooleanField()
    standards_version = models.CharField(max_length=64)

    class Meta:
        ordering = ["-day"]
        constraints = [models.UniqueConstraint(fields=["user", "day"], name="allocation_one_caseload_per_day")]
