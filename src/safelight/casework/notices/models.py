"""Notices: what somebody has to know, until they say that they have read it; and the letters that carry them."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from safelight.casework.base.models import Referenced, VisibleQuerySet
from safelight.casework.notices.kinds import INFORMATION, KINDS, Kind


class NoticeQuerySet(VisibleQuerySet):
    def visible_to(self, user: Any) -> Self:
        """One's own; one about a restricted case only for as long as one may see that case."""
        from safelight.casework.cases.models import Case

        if not user.is_authenticated:
            return self.none()
        open_to_all = Q(case=None) | Q(case__restricted=False)
        return self.filter(open_to_all | Q(Case.objects.visible_to(user).holding("case")), user=user)

    def unread(self) -> Self:
        return self.filter(read_at=None)


class Notice(Referenced):
    """One thing that one person is told. It holds a reference and no words: what it is about stays where it is."""

    PREFIX = "NO"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="notices")
    kind = models.CharField(max_length=60)
    subject_type = models.CharField(max_length=60, blank=True)
    subject_id = models.BigIntegerField(null=True, blank=True)
    about = models.CharField(max_length=20, blank=True)
    case = models.ForeignKey("cases.Case", null=True, blank=True, on_delete=models.PROTECT, related_name="notices")
    at = models.DateTimeField()
    key = models.CharField(max_length=160, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = "notice"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], condition=~Q(key=""), name="notices_told_once"),
            models.CheckConstraint(
                condition=Q(about="") | Q(about__regex=r"^[A-Z]{1,4}-[0-9]{6,12}$"), name="notices_about_a_reference"
            ),
        ]
        indexes = [
            models.Index(fields=["user", "-id"], name="notices_of_user"),
            models.Index(fields=["user"], condition=Q(read_at=None), name="notices_unread"),
        ]

    @property
    def what(self) -> Kind:
        """Its kind; a bare one for a code that this version no longer knows."""
        return KINDS.get(self.kind) or Kind(self.kind.replace(".", ": ").replace("_", " "), INFORMATION)


class Letter(models.Model):
    """A notice on its way by e-mail (the outbox). A letter that could not be sent waits and is tried again, for as
    long as it takes; ``fault`` is the last reason as a code, never what the other side wrote."""

    notice = models.OneToOneField(Notice, on_delete=models.PROTECT, related_name="letter")
    next_try_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveIntegerField(default=0)
    fault = models.CharField(max_length=60, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    dropped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(Q(sent_at=None, dropped_at=None) & Q(next_try_at__isnull=False))
                | ((Q(sent_at__isnull=False) | Q(dropped_at__isnull=False)) & Q(next_try_at=None)),
                name="notices_letter_waits_or_is_done",
            ),
        ]
        indexes = [
            models.Index(fields=["next_try_at"], condition=Q(next_try_at__isnull=False), name="notices_outbox"),
        ]
