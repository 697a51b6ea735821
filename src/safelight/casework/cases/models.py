"""Cases: investigations, the people in them, and their chronology."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Prefetch, Q
from django.utils import timezone

from safelight.casework.allocation.models import Allocation, Conflict
from safelight.casework.base.memory import any_of, built_once, keys
from safelight.casework.base.models import ROW, Referenced, VisibleQuerySet


def _drawn_for(user: Any) -> Any:
    from safelight.casework.inspection.models import AuditCase

    drawn = AuditCase.objects.filter(reserve=False, plan__closed_at=None)
    return drawn.exclude(unit=user.unit).values("case")


def opened_by_glass(user: Any) -> Any:
    """The cases that broken glass opens to ``user`` now (:mod:`safelight.casework.breakglass`)."""
    from safelight.casework.breakglass.models import Opening

    return Opening.objects.running().filter(user=user).values("case")


def _named(user: Any) -> list[Any]:
    """The cases that name ``user``: the access list, the live allocation, what an open re-review lends, what
    broken glass opens."""
    found = [
        CaseAccess.objects.filter(user=user).values("case"),
        Allocation.objects.filter(investigator=user, ended_at=None).values("case"),
    ]
    if user.role in {"investigator", "supervisor"}:
        from safelight.casework.rereview.models import Entry

        lent = Entry.objects.filter(reviewer=user, rereview__closed_at=None, case__restricted=False)
        found.append(lent.values("case"))
    if user.glass_until and user.glass_until > timezone.now():
        found.append(opened_by_glass(user))
    return found


def named_to(user: Any, field: str) -> Q:
    """That ``field`` is a case that names ``user``."""
    return any_of(field, keys(user, "cases by name", _named))


def carried_by(user: Any, field: str) -> Q:
    """That ``field`` is a case of which ``user`` is the live investigator, and which ``user`` may see."""
    return any_of(field, keys(user, "cases carried", _carried))


def _carried(user: Any) -> list[Any]:
    mine = {"allocations__investigator": user, "allocations__ended_at": None}
    return [Case.objects.visible_to(user).filter(**mine).values("pk")]


class CaseQuerySet(VisibleQuerySet):
    def open(self) -> Self:
        return self.filter(status=Case.Status.OPEN)

    def unallocated(self) -> Self:
        """Open cases that nobody has."""
        return self.open().filter(~Exists(Allocation.objects.filter(case=OuterRef("pk"), ended_at=None)))

    def with_investigator(self) -> Self:
        """Load the live allocation with its investigator, so that :attr:`Case.investigator` asks nothing more."""
        live = Allocation.objects.filter(ended_at=None).select_related("investigator")
        return self.prefetch_related(Prefetch("allocations", queryset=live, to_attr="live_allocations"))

    @built_once
    def visible_to(self, user: Any) -> Self:
        """Who sees a case.

        The administrator sees none. A restricted case is seen only by its access list and its live investigator.
        Otherwise the desk and chief officers see all; investigators and supervisors see their unit's, their
        own and those of their access list; examiners see cases that have a device; auditors those drawn for an
        audit that runs, of other units than their own; offender managers those linked to an offender whom they
        manage. An open re-review lends its cases to their reviewers. Broken glass opens its case for some hours. Nobody
        sees a case with which, or with anybody in which, a conflict of interest of theirs is declared.
        """
        if not user.is_authenticated or user.role == "administrator":
            return self.none()
        # Sub-queries of few rows (one person's), asked once; joins would multiply the rows and force a DISTINCT.
        named = named_to(user, "pk")
        few = False
        if user.role in {"referral_desk", "chief_officer"}:
            wide = Q(restricted=False)
        elif user.role in {"investigator", "supervisor"}:
            wide = Q(restricted=False, unit=user.unit)
        elif user.role == "examiner":
            devices = self.model._meta.get_field("devices").related_model
            wide = Q(restricted=False) & Q(Exists(devices._default_manager.filter(case__pk__in=ROW)))
        elif user.role == "auditor":
            wide, few = Q(restricted=False, pk__in=_drawn_for(user)), True
        elif user.role == "offender_manager":
            from safelight.casework.offenders.queries import linked_to

            wide, few = Q(restricted=False) & linked_to(user), True
        else:
            wide, few = Q(pk__in=[]), True
        found = self.filter(wide | named).exclude(Conflict.objects.cases_closed_to(user))
        found.few = few
        return found


class Case(Referenced):
    """An investigation. Where it stands is read from its allocation, children, devices and submissions, not kept."""

    PREFIX = "C"

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        CLOSED = "closed", "Closed"

    title = models.CharField(max_length=160)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN)
    risk = models.CharField(max_length=20, blank=True)
    risk_source = models.CharField(max_length=120, blank=True)
    risk_recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    risk_recorded_at = models.DateTimeField(null=True, blank=True)
    unit = models.ForeignKey("workforce.Unit", on_delete=models.PROTECT, related_name="cases")
    borough = models.CharField(max_length=60, blank=True)
    required_skill = models.CharField(max_length=40)
    live_contact = models.BooleanField(default=False)
    restricted = models.BooleanField(default=False)
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    last_action_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    outcome = models.CharField(max_length=40, blank=True)
    outcome_note = models.TextField(blank=True)

    objects = CaseQuerySet.as_manager()

    class Meta:
        verbose_name = "case"
        constraints = [
            models.CheckConstraint(
                condition=Q(status="open", closed_at=None, outcome="")
                | (Q(status="closed", closed_at__isnull=False) & ~Q(outcome="")),
                name="cases_closed_with_an_outcome",
            ),
        ]
        indexes = [
            models.Index(fields=["unit", "status", "-id"], name="cases_by_unit"),
            models.Index(fields=["last_action_at"], condition=Q(status="open"), name="cases_drift"),
            models.Index(fields=["unit", "last_action_at"], condition=Q(status="open"), name="cases_drift_of_unit"),
            models.Index(fields=["-id"], condition=Q(status="open"), name="cases_open"),
            models.Index(fields=["-id"], condition=Q(live_contact=True), name="cases_live_first"),
            models.Index(fields=["unit"], condition=Q(live_contact=True), name="cases_live_of_unit"),
        ]

    @property
    def investigator(self) -> Any:
        """Who has the case now, or None."""
        if not hasattr(self, "live_allocations"):
            self.live_allocations = list(self.allocations.filter(ended_at=None).select_related("investigator"))
        return self.live_allocations[0].investigator if self.live_allocations else None

    def header_for(self, user: Any, tab: str) -> Any:
        """What stands at the head of the page ``tab`` (:class:`safelight.casework.cases.header.Header`)."""
        from safelight.casework.cases.header import header_of

        return header_of(self, user, tab)


class CasePerson(models.Model):
    """The part a person plays in a case."""

    class Role(models.TextChoices):
        SUSPECT = "suspect", "Suspect"
        VICTIM = "victim", "Victim"
        WITNESS = "witness", "Witness"
        ASSOCIATE = "associate", "Associate"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="people")
    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="case_links")
    role = models.CharField(max_length=10, choices=Role.choices)
    added_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "person", "role"], name="cases_person_once_per_role")]


class CaseAccess(models.Model):
    """Who may see a restricted case, and why (the need-to-know list)."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="access")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="case_access")
    granted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    granted_at = models.DateTimeField()
    reason = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "user"], name="cases_access_once")]


class LiveContact(models.Model):
    """A time during which a suspect was in contact with a child. While one is open, ``Case.live_contact`` is set; only
    :mod:`safelight.casework.cases.live` writes either. Rows stay."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="live_contacts")
    found_at = models.DateTimeField()
    found_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    how_known = models.TextField()
    recorded_at = models.DateTimeField()
    chief_told_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    how_ended = models.TextField(blank=True)
    end_recorded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["found_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["case"], condition=Q(ended_at=None), name="cases_one_open_live_contact"),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_by=None, how_ended="", end_recorded_at=None)
                | (
                    Q(ended_at__gte=models.F("found_at"), ended_by__isnull=False, end_recorded_at__isnull=False)
                    & ~Q(how_ended="")
                ),
                name="cases_live_contact_ends_by_name",
            ),
        ]
        indexes = [models.Index(fields=["found_at", "id"], condition=Q(ended_at=None), name="cases_live_queue")]


class ChronologyEntry(models.Model):
    """Something that happened in the case. ``kind`` is a code of cases/chronology.py, which says whether it counts as
    a meaningful action (drift ignores the rest)."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="chronology")
    at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    kind = models.CharField(max_length=40)
    meaningful = models.BooleanField()
    text = models.TextField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["case", "-at", "-id"], name="cases_chronology")]


class Settlement(models.Model):
    """A supervisor's recorded reason why an unfinished part (safeguarding, devices, submissions) does not keep the
    case open."""

    class Area(models.TextChoices):
        SAFEGUARDING = "safeguarding", "Safeguarding"
        DEVICES = "devices", "Devices"
        SUBMISSIONS = "submissions", "Submissions to the national database"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="settlements")
    area = models.CharField(max_length=14, choices=Area.choices)
    reason = models.TextField()
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    settled_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "area"], name="cases_settled_once_per_area"),
            models.CheckConstraint(condition=~Q(reason=""), name="cases_settled_with_a_reason"),
        ]
