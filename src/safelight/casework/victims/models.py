"""Victims of a case, what they are entitled to, and what they were told of which event (Victims' Code)."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from safelight.casework.base.models import Referenced, VisibleQuerySet

EVENTS = {
    "arrest": "Arrest",
    "interview": "Interview",
    "suspect_released": "Suspect released",
    "bail_set": "Bail set",
    "bail_changed": "Bail changed",
    "bail_cancelled": "Bail cancelled",
    "charge": "Charge",
    "no_further_action": "No further action",
    "case_closed": "Case closed",
}
"""Kinds of the chronology of which a victim is told."""


class _OfACase(VisibleQuerySet):
    def visible_to(self, user: Any) -> Self:
        from safelight.casework.cases.models import Case

        return self.filter(Case.objects.visible_to(user).holding("case"))


class Victim(Referenced):
    """A victim in one case: the entitlement with its reason, and whether updates are wished."""

    PREFIX = "V"

    class Entitlement(models.TextChoices):
        ENHANCED = "enhanced", "Enhanced: told within 1 working day"
        STANDARD = "standard", "Standard: told within 5 working days"

    class Reason(models.TextChoices):
        CHILD = "child", "Under 18"
        VULNERABLE = "vulnerable", "Vulnerable or intimidated"
        SERIOUS = "serious", "Victim of the most serious crime"
        TARGETED = "targeted", "Persistently targeted"
        NONE = "none", "None of the reasons for enhanced rights"
        NOT_ASSESSED = "not_assessed", "Not assessed yet"

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="victims")
    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="victim_in")
    entitlement = models.CharField(max_length=8, choices=Entitlement.choices)
    reason = models.CharField(max_length=12, choices=Reason.choices)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    no_updates_since = models.DateField(null=True, blank=True)
    no_updates_recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = _OfACase.as_manager()

    class Meta:
        verbose_name = "victim"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["case", "person"], name="victims_once_in_a_case"),
            models.CheckConstraint(
                condition=(Q(entitlement="standard") & Q(reason="none"))
                | (Q(entitlement="enhanced") & ~Q(reason="none")),
                name="victims_entitlement_has_its_reason",
            ),
            models.CheckConstraint(
                condition=Q(no_updates_since=None) | Q(no_updates_recorded_by__isnull=False),
                name="victims_wish_recorded_by_name",
            ),
        ]


class VictimUpdate(Referenced):
    """That one victim is to be told of one event. What was said stays with the officer: only how, when and by whom."""

    PREFIX = "VU"

    class How(models.TextChoices):
        IN_PERSON = "in_person", "In person"
        TELEPHONE = "telephone", "By telephone"
        LETTER = "letter", "By letter"
        EMAIL = "email", "By e-mail"
        PARENT = "parent", "Through a parent or guardian"
        ADVOCATE = "advocate", "Through an advocate or support service"

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="victim_updates")
    victim = models.ForeignKey(Victim, on_delete=models.PROTECT, related_name="updates")
    event = models.ForeignKey("cases.ChronologyEntry", on_delete=models.PROTECT, related_name="victim_updates")
    kind = models.CharField(max_length=40)
    happened_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True, blank=True)
    how = models.CharField(max_length=10, choices=How.choices, blank=True)
    told_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    not_wished_at = models.DateTimeField(null=True, blank=True)

    objects = _OfACase.as_manager()

    class Meta:
        verbose_name = "update of a victim"
        ordering = ["-happened_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["victim", "event"], name="victims_told_once_of_an_event"),
            models.CheckConstraint(
                condition=Q(told_at=None, how="", told_by=None)
                | (Q(told_at__gte=models.F("happened_at"), told_by__isnull=False, not_wished_at=None) & ~Q(how="")),
                name="victims_told_how_and_by_whom",
            ),
        ]

    @property
    def title(self) -> str:
        return EVENTS.get(self.kind, self.kind.replace("_", " ").capitalize())
