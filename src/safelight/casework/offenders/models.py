"""Registered sex offenders (RSO): who manages them, what they must notify, how they are visited, where they are named.

What is overdue is never stored: the days below are derived from events by :mod:`.keeping` and compared with today.
"""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from safelight.casework.base.models import Referenced, VisibleQuerySet
from safelight.casework.ciphers.fields import EncryptedField, EncryptedJSONField, ExactIndex, SealedRow

RISKS = [("very_high", "Very high"), ("high", "High"), ("medium", "Medium"), ("low", "Low")]


class OffenderQuerySet(VisibleQuerySet):
    def visible_to(self, user: Any) -> Self:
        """Offender managers and supervisors: those of their unit; chief officers: all; nobody else the register. Nobody
        sees a person with whom a conflict of interest of theirs is declared."""
        from safelight.casework.allocation.models import Conflict

        if not user.is_authenticated:
            return self.none()
        conflicts = Conflict.objects.live().filter(user=user).exclude(person=None).values("person")
        if user.role == "chief_officer":
            return self.exclude(person__in=conflicts)
        if user.role in ("offender_manager", "supervisor") and user.unit_id is not None:
            return self.filter(unit=user.unit_id).exclude(person__in=conflicts)
        return self.none()

    def on_register(self) -> Self:
        return self.filter(ended_on=None)


class Offender(SealedRow, Referenced):
    """A person who is subject to notification requirements, as the force manages them."""

    PREFIX = "O"

    class Management(models.TextChoices):
        ACTIVE = "active", "Active"
        REACTIVE = "reactive", "Reactive"

    person = models.OneToOneField("people.Person", on_delete=models.PROTECT, related_name="offender")
    register_reference = EncryptedField(blank=True, default="", index="register_is")
    register_is = ExactIndex(of="register_reference")
    aliases = EncryptedJSONField(default=list)
    unit = models.ForeignKey("workforce.Unit", on_delete=models.PROTECT, related_name="offenders")
    manager = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="offenders"
    )
    relevant_date = models.DateField()
    # The last day of the notification period; None is indefinite.
    until = models.DateField(null=True, blank=True)
    has_home = models.BooleanField(default=True)
    risk = models.CharField(max_length=10, choices=RISKS, blank=True)
    low_since = models.DateField(null=True, blank=True)
    management = models.CharField(max_length=8, choices=Management.choices, default=Management.ACTIVE)
    mappa_category = models.PositiveSmallIntegerField(default=1)
    mappa_level = models.PositiveSmallIntegerField(default=1)
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    registered_at = models.DateTimeField()
    registered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    ended_on = models.DateField(null=True, blank=True)
    end_reason = models.CharField(max_length=300, blank=True)

    # Derived from the events below, for lists: see :mod:`.keeping`.
    visit_due_on = models.DateField(null=True, blank=True)
    attempt_due_on = models.DateField(null=True, blank=True)
    seen_on = models.DateField(null=True, blank=True)
    failed_since_seen = models.PositiveSmallIntegerField(default=0)
    notify_due_on = models.DateField(null=True, blank=True)
    away = models.CharField(max_length=10, blank=True)

    objects = OffenderQuerySet.as_manager()

    class Meta:
        verbose_name = "offender"
        constraints = [
            models.UniqueConstraint(
                fields=["register_is"], condition=~Q(register_is=""), name="offenders_reference_once"
            ),
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gte=F("relevant_date")), name="offenders_period_ends_after_it_begins"
            ),
            models.CheckConstraint(
                condition=Q(management="active") | Q(risk="low"), name="offenders_reactive_only_at_low_risk"
            ),
            models.CheckConstraint(
                condition=Q(mappa_level__gte=1, mappa_level__lte=3, mappa_category__gte=1, mappa_category__lte=3),
                name="offenders_mappa_1_to_3",
            ),
            models.CheckConstraint(
                condition=Q(ended_on=None) | ~Q(end_reason=""), name="offenders_leave_the_register_with_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(latitude=None, longitude=None)
                | Q(latitude__gte=-90, latitude__lte=90, longitude__gte=-180, longitude__lte=180),
                name="offenders_place_on_earth",
            ),
        ]
        indexes = [
            models.Index(fields=["unit", "visit_due_on", "id"], name="offenders_by_visit"),
            models.Index(fields=["manager", "visit_due_on", "id"], name="offenders_of_manager"),
        ]

    def __str__(self) -> str:
        return self.reference if self.pk else "new offender"


class OfOffender(models.Model):
    """What hangs on an offender; read by whoever may see the offender."""

    offender = models.ForeignKey(Offender, on_delete=models.PROTECT, related_name="%(class)ss")
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        abstract = True


class RiskLevel(OfOffender):
    """A level that somebody assessed with the force's own tool; never the tool's questions or scores."""

    level = models.CharField(max_length=10, choices=RISKS)
    on = models.DateField()
    source = models.CharField(max_length=120)

    class Meta:
        ordering = ["-on", "-id"]
        constraints = [models.CheckConstraint(condition=~Q(source=""), name="offenders_risk_names_its_source")]


class Plan(OfOffender):
    """The risk management plan: how often this one person is visited, and what else is done. The latest one counts.

    There is no frequency by category: it is set for each offender (NPCC, 29 June 2017).
    """

    class Unit(models.TextChoices):
        DAYS = "calendar_days", "days"
        MONTHS = "months", "months"

    every = models.PositiveSmallIntegerField()
    every_unit = models.CharField(max_length=14, choices=Unit.choices)
    actions = models.TextField()
    minutes = models.PositiveSmallIntegerField(default=45)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(every__gte=1, every__lte=36) | Q(every_unit="calendar_days", every__gte=1, every__lte=366),
                name="offenders_visit_frequency_is_possible",
            ),
        ]

    @property
    def words(self) -> str:
        unit = self.get_every_unit_display()
        return f"every {unit[:-1]}" if self.every == 1 else f"every {self.every} {unit}"


class Absence(OfOffender):
    """A stay in custody, in hospital or abroad: it suspends what cannot be done meanwhile."""

    class Kind(models.TextChoices):
        CUSTODY = "custody", "Custody"
        HOSPITAL = "hospital", "Hospital"
        ABROAD = "abroad", "Abroad"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    begins = models.DateField()
    # The day of release or return; None while away.
    ends = models.DateField(null=True, blank=True)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-begins", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends=None) | Q(ends__gte=F("begins")), name="offenders_absence_ends_after_it_begins"
            ),
            models.UniqueConstraint(fields=["offender"], condition=Q(ends=None), name="offenders_one_absence_at_once"),
        ]


class Notification(OfOffender):
    """What the offender told the police: when, where, what changed, and whether it was in time."""

    class Kind(models.TextChoices):
        INITIAL = "initial", "First notification (s.83)"
        CHANGE = "change", "Change of name, address, or release (s.84)"
        ADVANCE = "advance", "Change announced in advance (s.84)"
        ANNUAL = "annual", "Yearly notification (s.85)"
        WEEKLY = "weekly", "Weekly notification without a home"
        TRAVEL = "travel", "Travel abroad"
        RETURNED = "returned", "Return from abroad"
        CHILD = "child", "Stay in a household with a child"
        OTHER = "other", "Other particulars (bank, card, passport: 2012 Regulations)"

    kind = models.CharField(max_length=8, choices=Kind.choices)
    at = models.DateTimeField()
    place = models.CharField(max_length=160)
    in_person = models.BooleanField(default=True)
    identity_seen = models.BooleanField(default=False)
    changed = models.TextField(blank=True)
    # What it is about: the day of the change, of departure, of the return.
    event_on = models.DateField(null=True, blank=True)
    due_on = models.DateField(null=True, blank=True)
    late = models.BooleanField(null=True)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["offender", "-at"], name="offenders_notified")]


class Duty(OfOffender):
    """An event after which the offender must notify within days, with a clock of its own until they have."""

    offender = models.ForeignKey(Offender, on_delete=models.PROTECT, related_name="duties")
    rule = models.CharField(max_length=60)
    event_on = models.DateField()
    what = models.CharField(max_length=300)
    met_by = models.ForeignKey(Notification, null=True, blank=True, on_delete=models.PROTECT, related_name="duties")
    # Why it fell away without a notification (the announced change took place).
    ended = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["event_on", "id"]
        verbose_name_plural = "duties"
        indexes = [models.Index(fields=["event_on"], condition=Q(met_by=None, ended=""), name="offenders_open_duties")]

    @property
    def reference(self) -> str:
        """What a clock calls it: the offender."""
        return self.offender.reference

    @property
    def is_open(self) -> bool:
        return self.met_by_id is None and not self.ended


class Visit(OfOffender):
    """A visit to the home, made or tried."""

    class Outcome(models.TextChoices):
        SUCCESSFUL = "successful", "Successful: the offender was seen"
        FAILED = "failed", "Failed: not seen"

    at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    # Why it was announced; "" is unannounced, as visits should be.
    announced = models.CharField(max_length=300, blank=True)
    officers = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="visits_made")
    joint_with = models.CharField(max_length=120, blank=True)
    devices_checked = models.BooleanField(default=False)
    text = models.TextField()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["offender", "-at"], name="offenders_visited")]


class Decision(OfOffender):
    """What a supervisor decided after failed visits: whether arrest or a warrant was considered, and why (not)."""

    class Step(models.TextChoices):
        ARREST = "arrest", "Arrest"
        WARRANT = "warrant", "Warrant to enter and search"
        GO_ON = "go_on", "Neither: visits go on"

    failed = models.PositiveSmallIntegerField()
    step = models.CharField(max_length=8, choices=Step.choices)
    reason = models.TextField()

    class Meta:
        ordering = ["-id"]
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="offenders_decision_has_a_reason")]


class Event(OfOffender):
    """Anything else in the life of the record: intelligence, reviews, meetings, moves between officers."""

    class Kind(models.TextChoices):
        INTELLIGENCE = "intelligence", "Intelligence"
        REACTIVE = "reactive", "Reactive management approved"
        ACTIVE = "active", "Active management again"
        MAPPA = "mappa", "MAPPA meeting"
        MANAGER = "manager", "Given to an offender manager"
        NOTE = "note", "Note"
        BREACH = "breach", "Breach established"

    kind = models.CharField(max_length=12, choices=Kind.choices)
    at = models.DateTimeField()
    text = models.TextField()

    class Meta:
        ordering = ["-at", "-id"]


class Naming(models.Model):
    """A referral that names an offender, or may: told to the offender manager within the minute."""

    class How(models.TextChoices):
        REFERENCE = "reference", "By the reference of the register"
        IDENTIFIER = "identifier", "Same on-line name, number or address"
        EXACT = "exact", "Same name and date of birth"
        LINKED = "linked", "The records may be of one person"
        ADDRESS = "address", "Recorded at the same address"

    offender = models.ForeignKey(Offender, on_delete=models.PROTECT, related_name="namings")
    referral = models.ForeignKey("referrals.Referral", on_delete=models.PROTECT, related_name="offenders_named")
    part = models.CharField(max_length=10, blank=True)
    how = models.CharField(max_length=10, choices=How.choices)
    # Certain enough to open the case to the manager; a possible link becomes so when a person decides it.
    certain = models.BooleanField()
    found_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    seen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["-found_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["offender", "referral"], name="offenders_named_once")]


class Search(models.Model):
    """That the people of a referral were looked up in the register: exactly when it was recorded, and by the linking
    engine afterwards. What the worker did not do within seconds, the tick does."""

    referral = models.OneToOneField("referrals.Referral", on_delete=models.PROTECT, related_name="offender_search")
    at = models.DateTimeField()
    linked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["at"], condition=Q(linked_at=None), name="offenders_search_waits")]


class Rounds(models.Model):
    """Rounds of visits planned for one offender manager, kept so that the officers' list and the map are the same."""

    manager = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="visit_rounds")
    unit = models.ForeignKey("workforce.Unit", on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    first_day = models.DateField()
    days = models.PositiveSmallIntegerField()
    latitude = models.FloatField()
    longitude = models.FloatField()
    data = models.JSONField()
    svg = models.TextField()

    class Meta:
        ordering = ["-id"]


class RegisterImport(Referenced):
    """One file of a register that was imported, with what became of each line."""

    PREFIX = "OI"

    file_name = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    imported_at = models.DateTimeField()
    imported_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = "import of a register"


class RegisterLine(SealedRow):
    """What became of one line. A line that could not be taken keeps its text."""

    class Outcome(models.TextChoices):
        ADDED = "added", "Added"
        HELD = "held", "Already held"
        REFUSED = "refused", "Not taken"

    batch = models.ForeignKey(RegisterImport, on_delete=models.PROTECT, related_name="lines")
    number = models.PositiveIntegerField()
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    reason = models.CharField(max_length=500, blank=True)
    raw = EncryptedField(blank=True, default="")
    offender = models.ForeignKey(Offender, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "number"], name="offenders_import_line_once"),
            models.CheckConstraint(
                condition=~Q(outcome="refused") | (~Q(reason="") & ~Q(raw="")), name="offenders_refused_line_is_kept"
            ),
        ]
