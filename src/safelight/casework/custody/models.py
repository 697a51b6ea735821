"""Children in police custody: one record for each detention of a child, with what the law asks to be written down.

What is held follows §8 of the domain notes (the Concordat on children in custody, College APP, PACE 1984 s.37 to s.44).
Seventeen-year-olds are children here (since 26 October 2015).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from safelight.casework.base.models import Referenced, VisibleQuerySet
from safelight.casework.custody.overnight import held_overnight

LISTED_TO = ("custody_officer", "supervisor", "chief_officer")


class DetentionQuerySet(VisibleQuerySet):
    def visible_to(self, user: Any) -> Self:
        """Whose record ``user`` may open: a custody officer every child's, whoever works cases that of a child whose
        detention belongs to a case they see."""
        if not user.is_authenticated:
            return self.none()
        if user.role == "custody_officer":
            return self.all()
        from safelight.casework.cases.models import Case

        return self.filter(Case.objects.visible_to(user).holding("case"))

    def listed_to(self, user: Any) -> Self:
        """Which detentions stand in the lists and figures of ``user``: without a name for who may not open them."""
        return self.all() if user.role in LISTED_TO else self.none()

    def in_custody(self) -> Self:
        """Children whom the police hold now."""
        return self.filter(released_at=None)


class Detention(Referenced):
    """One child's time in police detention, from the arrival at the station to release or transfer."""

    PREFIX = "CU"

    class AgeBasis(models.TextChoices):
        DOCUMENT = "document", "A document was seen"
        RECORD = "record", "Police or other records"
        PARENT = "parent", "A parent or carer said so"
        SAID = "said", "The child said so"
        APPEARANCE = "appearance", "Appearance only: treated as a child in doubt"

    class Place(models.TextChoices):
        CELL = "cell", "A cell"
        ROOM = "detention_room", "A detention room"
        OTHER = "other", "Another room of the station"

    class Bail(models.TextChoices):
        NOT_DECIDED = "", "Not decided"
        BAILED = "bailed", "Bailed"
        REFUSED = "refused", "Bail refused"

    class Certificate(models.TextChoices):
        NONE = "", "No certificate"
        IMPRACTICABLE = "impracticable", "Transfer is impracticable"
        NO_SECURE = "no_secure", "No secure place, and other accommodation would not protect the public"

    class Ending(models.TextChoices):
        RUNNING = "", "Still detained"
        BAIL = "bail", "Released on bail"
        INVESTIGATION = "investigation", "Released under investigation"
        NO_ACTION = "no_action", "Released, no further action"
        LOCAL_AUTHORITY = "local_authority", "Transferred to local authority accommodation"
        COURT = "court", "Taken to court"
        HOSPITAL = "hospital", "Taken to hospital"
        OTHER = "other", "Otherwise"

    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="detentions")
    case = models.ForeignKey("cases.Case", null=True, blank=True, on_delete=models.PROTECT, related_name="detentions")
    unit = models.ForeignKey("workforce.Unit", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    suite = models.CharField(max_length=80)
    borough = models.CharField(max_length=60)
    age_basis = models.CharField(max_length=12, choices=AgeBasis.choices)
    offence = models.CharField(max_length=200)
    necessity = models.TextField()
    arrested_at = models.DateTimeField()
    arrived_at = models.DateTimeField()
    authorised_at = models.DateTimeField(null=True, blank=True)
    authorised_by = models.CharField(max_length=120)
    placed = models.CharField(max_length=14, choices=Place.choices)
    why_in_cell = models.TextField()

    parent_told_at = models.DateTimeField(null=True, blank=True)
    parent_told = models.CharField(max_length=160, blank=True)
    merlin_at = models.DateTimeField(null=True, blank=True)
    diversion_at = models.DateTimeField(null=True, blank=True)
    diversion = models.CharField(max_length=300, blank=True)

    extended_at = models.DateTimeField(null=True, blank=True)
    extended_by = models.CharField(max_length=120, blank=True)
    extended_why = models.TextField(blank=True)
    charged_at = models.DateTimeField(null=True, blank=True)
    charge = models.CharField(max_length=200, blank=True)
    bail = models.CharField(max_length=8, choices=Bail.choices, blank=True)
    bail_reason = models.TextField(blank=True)
    certificate = models.CharField(max_length=14, choices=Certificate.choices, blank=True)
    certificate_reason = models.TextField(blank=True)
    certificate_by = models.CharField(max_length=120, blank=True)
    certified_at = models.DateTimeField(null=True, blank=True)
    certificate_to_court_at = models.DateTimeField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    ending = models.CharField(max_length=16, choices=Ending.choices, blank=True)
    released_to = models.CharField(max_length=160, blank=True)
    cost_claimed_at = models.DateTimeField(null=True, blank=True)

    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    objects = DetentionQuerySet.as_manager()

    class Meta:
        verbose_name = "detention"
        constraints = [
            models.UniqueConstraint(fields=["person"], condition=Q(released_at=None), name="custody_one_at_a_time"),
            models.CheckConstraint(condition=Q(arrived_at__gte=F("arrested_at")), name="custody_arrived_after_arrest"),
            models.CheckConstraint(
                condition=Q(authorised_at=None) | Q(authorised_at__gte=F("arrived_at")),
                name="custody_authorised_after_arrival",
            ),
            models.CheckConstraint(
                condition=Q(released_at=None, ending="") | (Q(released_at__gte=F("arrived_at")) & ~Q(ending="")),
                name="custody_ended_with_how",
            ),
            models.CheckConstraint(condition=~Q(why_in_cell=""), name="custody_says_why_in_a_cell"),
            models.CheckConstraint(
                condition=Q(certificate="", certified_at=None)
                | (Q(bail="refused", certified_at__isnull=False) & ~Q(certificate_reason="") & ~Q(certificate_by="")),
                name="custody_certificate_with_its_reason",
            ),
        ]
        indexes = [models.Index(fields=["arrived_at"], condition=Q(released_at=None), name="custody_now")]

    @property
    def age(self) -> int | None:
        """Age in whole years on the day of arrival; None when the date of birth is not known."""
        return self.person.age_on(timezone.localdate(self.arrived_at))

    def length(self, now: datetime | None = None) -> timedelta:
        """How long the child has been, or was, in detention since the arrival at the station."""
        return (self.released_at or now or timezone.now()) - self.arrived_at

    def overnight(self, now: datetime | None = None) -> bool:
        """Whether the child counts as held overnight so far (see :mod:`.overnight`)."""
        return held_overnight(self.arrived_at, self.released_at or now or timezone.now())

    @property
    def waits_for_accommodation(self) -> bool:
        """Charged and refused bail, still here, and no certificate says why: the law says transfer (s.38(6))."""
        return self.bail == self.Bail.REFUSED and self.released_at is None and not self.certificate


class DetentionReview(models.Model):
    """A review of detention, with the answer to the one question: why is this child in a cell?"""

    class Outcome(models.TextChoices):
        KEEP = "keep", "Detention goes on"
        RELEASE = "release", "The child is to be released"

    detention = models.ForeignKey(Detention, on_delete=models.PROTECT, related_name="reviews")
    at = models.DateTimeField()
    reviewer = models.CharField(max_length=120)
    why_in_cell = models.TextField()
    heard = models.TextField(blank=True)  # what the child, the appropriate adult or the solicitor said
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    late = models.BooleanField(default=False)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["at", "id"]
        constraints = [models.CheckConstraint(condition=~Q(why_in_cell=""), name="custody_review_answers_why")]


class AppropriateAdult(models.Model):
    """An appropriate adult who was asked to come, and when they came."""

    detention = models.ForeignKey(Detention, on_delete=models.PROTECT, related_name="adults")
    name = models.CharField(max_length=160)
    relation = models.CharField(max_length=120)
    requested_at = models.DateTimeField()
    arrived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["requested_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(arrived_at=None) | Q(arrived_at__gte=F("requested_at")), name="custody_adult_after_asking"
            )
        ]


class AccommodationRequest(models.Model):
    """Local authority accommodation asked for, and what the authority answered."""

    class Kind(models.TextChoices):
        NON_SECURE = "non_secure", "Non-secure"
        SECURE = "secure", "Secure"

    class Answer(models.TextChoices):
        NONE = "", "No answer yet"
        OFFERED = "offered", "Offered"
        REFUSED = "refused", "Refused"

    detention = models.ForeignKey(Detention, on_delete=models.PROTECT, related_name="requests")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    authority = models.CharField(max_length=60)
    asked_of = models.CharField(max_length=160)
    asked_at = models.DateTimeField()
    why_secure = models.TextField(blank=True)
    answer = models.CharField(max_length=8, choices=Answer.choices, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.CharField(max_length=160, blank=True)
    answer_words = models.TextField(blank=True)

    class Meta:
        ordering = ["asked_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="non_secure") | ~Q(why_secure=""), name="custody_secure_only_with_its_reason"
            ),
            models.CheckConstraint(
                condition=Q(answer="", answered_at=None) | (Q(answered_at__gte=F("asked_at")) & ~Q(answered_by="")),
                name="custody_answered_after_asking",
            ),
        ]
