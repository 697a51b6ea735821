"""People who use Safelight. What they may do follows from role, unit and skill, never from a row per object."""

from __future__ import annotations

import rules
from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import F, Q


class User(AbstractUser):
    """One account. ``role`` is a code of standards/roles.toml; ``unit`` is where the person is posted."""

    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=40, db_index=True)
    unit = models.ForeignKey("workforce.Unit", null=True, blank=True, on_delete=models.PROTECT, related_name="people")
    glass_until = models.DateTimeField(null=True, blank=True)
    """Until when a case is open to the person by broken glass; None for nearly everybody."""
    # Set while the password is one that somebody else chose: it opens nothing but the page for an own one, until then.
    given_password_until = models.DateTimeField(null=True, blank=True)

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


class RecoveryCode(models.Model):
    """One code for the day on which a second factor is lost. Used once; kept as a hash with a salt, never as itself.

    ``hint`` is the code's first two characters: with it one hash is computed when a code is tried, and not ten.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="codes")
    hint = models.CharField(max_length=2)
    digest = models.CharField(max_length=200)
    made_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "hint"], name="accounts_one_code_for_each_hint")]


class Recovery(models.Model):
    """An administrator asks that somebody may enrol anew; a second person says yes or no.

    ``password`` tells whether a new password is asked for too. Nothing changes before ``decided_at``.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="recoveries")
    password = models.BooleanField(default=False)
    reason = models.TextField()
    identity = models.TextField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    approved = models.BooleanField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    note = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(decided_at=None), name="accounts_one_open_recovery_for_each_person"
            ),
            models.CheckConstraint(condition=~Q(asked_by=F("user")), name="accounts_nobody_recovers_themselves"),
            models.CheckConstraint(
                condition=Q(decided_by=None) | (~Q(decided_by=F("asked_by")) & ~Q(decided_by=F("user"))),
                name="accounts_a_second_person_decides",
            ),
        ]

    def __str__(self) -> str:
        return f"recovery {self.pk} of {self.user.username}"


class UnknownSubject(models.Model):
    """Somebody whom the force's sign-in service knows and Safelight does not: an administrator connects or turns away.

    ``subject`` is the service's own number of the person; ``said`` is the name that it gave.
    """

    provider = models.CharField(max_length=60)
    subject = models.CharField(max_length=191)
    said = models.CharField(max_length=200, blank=True)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    tries = models.PositiveIntegerField(default=1)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "subject"], name="accounts_one_row_for_each_subject")
        ]
