"""Units of the force and what their people are accredited to do."""

from __future__ import annotations

from datetime import date
from typing import Self

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

    objects = AccreditationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "skill", "valid_from"], name="workforce_accreditation_once"),
            models.CheckConstraint(
                condition=models.Q(valid_until=None) | models.Q(valid_until__gte=models.F("valid_from")),
                name="workforce_accreditation_ends_after_it_starts",
            ),
        ]
