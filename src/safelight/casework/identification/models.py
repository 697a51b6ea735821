"""Victim identification: series of material (hashes and counts, never content), children nobody has named yet, leads,
and what the national database answers."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from safelight.casework.base.models import Referenced, VisibleQuerySet


class SeriesQuerySet(VisibleQuerySet):
    def visible_to(self, user: Any) -> Self:
        """A series is a list of digests and holds no case content: whoever may open these pages sees it."""
        return self if user.has_perm("identification.view") else self.none()


class Series(Referenced):
    """Material that belongs together: it shows the same child, or was made in the same place. Digests only."""

    PREFIX = "VM"

    class Source(models.TextChoices):
        HERE = "here", "Put together here"
        NATIONAL = "national", "National database"
        OTHER = "other", "Another force or country"

    name = models.CharField(max_length=120, unique=True)
    source = models.CharField(max_length=8, choices=Source.choices)
    note = models.TextField(blank=True)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    objects = SeriesQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = "series"
        verbose_name_plural = "series"


class SeriesFile(models.Model):
    """One file of a series by its MD5."""

    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="files")
    md5 = models.CharField(max_length=32, db_index=True)
    category = models.CharField(max_length=20, blank=True)
    added_at = models.DateTimeField()
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["series", "md5"], name="identification_file_once_per_series")]


class VictimQuerySet(VisibleQuerySet):
    def visible_to(self, user: Any) -> Self:
        from safelight.casework.cases.models import Case

        if not user.has_perm("identification.view"):
            return self.none()
        return self.filter(Q(case=None) | Q(Case.objects.visible_to(user).holding("case")))


class Victim(Referenced):
    """A child who is shown in material and whom nobody has named yet. No picture, no description of abuse: only what
    helps to find the child."""

    PREFIX = "VQ"

    class State(models.TextChoices):
        UNKNOWN = "unknown", "Not identified"
        IDENTIFIED = "identified", "Identified here"
        ELSEWHERE = "elsewhere", "Identified elsewhere"

    class Sex(models.TextChoices):
        GIRL = "girl", "Girl"
        BOY = "boy", "Boy"
        NOT_KNOWN = "not_known", "Not known"

    label = models.CharField(max_length=120)
    series = models.ForeignKey(Series, null=True, blank=True, on_delete=models.PROTECT, related_name="victims")
    case = models.ForeignKey(
        "cases.Case", null=True, blank=True, on_delete=models.PROTECT, related_name="unidentified_children"
    )
    sex = models.CharField(max_length=10, choices=Sex.choices, default=Sex.NOT_KNOWN)
    age_from = models.PositiveSmallIntegerField()
    age_to = models.PositiveSmallIntegerField()
    first_made = models.DateField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.UNKNOWN)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    # Once identified: the child at risk (with the person) whose clock then runs; or who identified them elsewhere.
    child = models.OneToOneField(
        "safeguarding.ChildAtRisk", null=True, blank=True, on_delete=models.PROTECT, related_name="victim"
    )
    identified_at = models.DateTimeField(null=True, blank=True)
    identified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    how = models.TextField(blank=True)

    objects = VictimQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = "unidentified child"
        verbose_name_plural = "unidentified children"
        constraints = [
            models.CheckConstraint(
                condition=Q(series__isnull=False) | Q(case__isnull=False),
                name="identification_victim_belongs_somewhere",
            ),
            models.CheckConstraint(
                condition=Q(age_from__lte=models.F("age_to"), age_to__lte=17), name="identification_victim_is_a_child"
            ),
            models.CheckConstraint(
                condition=Q(state="unknown", child=None, identified_at=None)
                | Q(state="identified", child__isnull=False, identified_at__isnull=False) & ~Q(how="")
                | Q(state="elsewhere", child=None, identified_at__isnull=False) & ~Q(how=""),
                name="identification_identified_has_a_child_and_a_way",
            ),
        ]
        indexes = [models.Index(fields=["-id"], condition=Q(state="unknown"), name="identification_unknown")]


class LeadQuerySet(VisibleQuerySet):
    def visible_to(self, user: Any) -> Self:
        return self.filter(Victim.objects.visible_to(user).holding("victim"))


class Lead(Referenced):
    """Something that may tell who a child is, and where it comes from."""

    PREFIX = "VI"

    class Kind(models.TextChoices):
        PLACE = "place", "Place or surroundings"
        SPEECH = "speech", "Language or speech"
        SCHOOL = "school", "School, club or clothing"
        DEVICE = "device", "Camera or device"
        ACCOUNT = "account", "Account or nickname"
        MATCH = "match", "Match in another case or country"
        TIP = "tip", "Information from a person"
        OTHER = "other", "Other"

    class State(models.TextChoices):
        OPEN = "open", "Open"
        LED = "led", "Led to the child"
        NOT_LED = "not_led", "Led nowhere"

    victim = models.ForeignKey(Victim, on_delete=models.PROTECT, related_name="leads")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    text = models.TextField()
    source = models.CharField(max_length=200)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="leads")
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)
    outcome = models.TextField(blank=True)

    objects = LeadQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = "lead"
        constraints = [
            models.CheckConstraint(condition=~Q(source="") & ~Q(text=""), name="identification_lead_names_its_source"),
            models.CheckConstraint(
                condition=Q(state="open", closed_at=None)
                | ~Q(state="open") & Q(closed_at__isnull=False) & ~Q(outcome=""),
                name="identification_closed_lead_has_an_outcome",
            ),
        ]


class FeedbackFileQuerySet(VisibleQuerySet):
    def visible_to(self, user: Any) -> Self:
        return self if user.has_perm("identification.import") else self.none()


class FeedbackFile(Referenced):
    """A file of answers from the national database, as it came."""

    PREFIX = "VG"

    name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64, unique=True)
    imported_at = models.DateTimeField()
    imported_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    objects = FeedbackFileQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = "feedback file"


class FeedbackLine(models.Model):
    """One line of it, and what became of it. No line is lost: one that cannot be used is kept with the reason."""

    class Kind(models.TextChoices):
        SERIES = "known_series", "Known series"
        VICTIM = "victim_identified", "Victim identified"
        CATEGORY = "category_changed", "Category changed"
        BAD = "", "Not understood"

    class Outcome(models.TextChoices):
        TOLD = "told", "Told to cases"
        NO_CASE = "no_case", "Taken in; no case here has it"
        SAME = "same", "Known already"
        QUARANTINED = "quarantined", "Cannot be used"

    file = models.ForeignKey(FeedbackFile, on_delete=models.PROTECT, related_name="lines")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=20, choices=Kind.choices, blank=True)
    outcome = models.CharField(max_length=12, choices=Outcome.choices)
    reason = models.CharField(max_length=300, blank=True)
    raw = models.CharField(max_length=1000)
    cases = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["file", "number"], name="identification_line_once"),
            models.CheckConstraint(
                condition=~Q(outcome="quarantined") | ~Q(reason=""), name="identification_quarantined_with_a_reason"
            ),
        ]


class FeedbackQuerySet(VisibleQuerySet):
    def visible_to(self, user: Any) -> Self:
        from safelight.casework.cases.models import Case

        return self.filter(Case.objects.visible_to(user).holding("case"))


class Feedback(Referenced):
    """What one line says to one case: a task with a clock until somebody has settled it."""

    PREFIX = "VA"

    line = models.ForeignKey(FeedbackLine, on_delete=models.PROTECT, related_name="told")
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="feedback")
    kind = models.CharField(max_length=20)
    text = models.CharField(max_length=400)
    md5s = models.JSONField(default=list)
    category = models.CharField(max_length=20, blank=True)
    series = models.ForeignKey(Series, null=True, blank=True, on_delete=models.PROTECT, related_name="feedback")
    told_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    note = models.TextField(blank=True)

    objects = FeedbackQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = "answer of the national database"
        constraints = [
            models.UniqueConstraint(fields=["line", "case"], name="identification_told_once_per_case"),
            models.CheckConstraint(
                condition=Q(settled_at=None, settled_by=None)
                | Q(settled_at__isnull=False, settled_by__isnull=False) & ~Q(note=""),
                name="identification_settled_with_a_note",
            ),
        ]
        indexes = [models.Index(fields=["case"], condition=Q(settled_at=None), name="identification_open_feedback")]
