"""People who use Safelight. What they may do follows from role, unit and skill, never from a row per object."""

from __future__ import annotations

import rules
from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """One account. ``role`` is a code of standards/roles.toml; ``unit`` is where the person is posted."""

    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=40, db_index=True)
    unit = models.ForeignKey("workforce.Unit", null=True, blank=True, on_delete=models.PROTECT, related_name="people")
    glass_until = models.DateTimeField(null=True, blank=True)
    """Until when a case is open to the person by broken glass; None for nearly everybody."""

    REQUIRED_FIELDS = ["email", "name", "role"]

    class Meta:
        constraints = [models.CheckConstraint(condition=~models.Q(role=""), name="accounts_user_has_a_role")]

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """By the rules alone: no permission is a row, and nobody is above them (a superuser's flag opens nothing)."""
        return self.is_active and rules.has_perm(perm, self, obj)

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name

    def __str__(self) -> str:
        return self.name or self.username


class PostedForm(models.Model):
    """A form that was sent off, so that the same sheet sent twice is one act.

    ``key`` is a digest of who sent which sheet with which answers; what they were is not kept. ``answer`` is where the
    first sending led. Rows are of use for minutes and go after a day.
    """

    key = models.CharField(max_length=64, unique=True)
    at = models.DateTimeField(db_index=True)
    answer = models.CharField(max_length=500)
