"""What stands beside a child at risk: the child's own words, who is around, schools, and what the law sets in motion.

Strategy discussions, section 47 enquiries and police protection follow the domain notes §0 and §4 (Working Together,
local procedures, Children Act 1989 s.46 and s.47).
"""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from safelight.casework.base.models import Referenced, VisibleQuerySet
from safelight.casework.ciphers.fields import EncryptedField, SealedRow

USER = settings.AUTH_USER_MODEL


def _children(user: Any) -> Any:
    from safelight.casework.safeguarding.models import ChildAtRisk

    return ChildAtRisk.objects.visible_to(user)


def _cases(user: Any) -> Any:
    from safelight.casework.cases.models import Case

    return Case.objects.visible_to(user)


class VoiceEntry(models.Model):
    """What a child said, wanted or showed, on one day, in the child's own words. Entries are added, never changed."""

    child = models.ForeignKey("safeguarding.ChildAtRisk", on_delete=models.PROTECT, related_name="voices")
    said_on = models.DateField()
    words = models.TextField()
    heard_by = models.CharField(max_length=160)
    how = models.CharField(max_length=160, blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-said_on", "-id"]
        constraints = [models.CheckConstraint(condition=~Q(words=""), name="safeguarding_voice_has_words")]


class PersonAround(models.Model):
    """Somebody around a child: an adult, whose risk is assessed whoever it is, or a brother, sister or other child."""

    class Kind(models.TextChoices):
        ADULT = "adult", "Adult"
        SIBLING = "sibling", "Brother or sister"
        CHILD = "child", "Another child"

    class Responsibility(models.TextChoices):
        YES = "yes", "Has parental responsibility"
        NO = "no", "Has none"
        NOT_KNOWN = "not_known", "Not known"

    class Risk(models.TextChoices):
        NOT_ASSESSED = "not_assessed", "Not assessed yet"
        NONE_KNOWN = "none_known", "No risk known after checks"
        CONCERN = "concern", "Concern"
        RISK = "risk", "Risk to the child"
        PROTECTIVE = "protective", "Protects the child"

    child = models.ForeignKey("safeguarding.ChildAtRisk", on_delete=models.PROTECT, related_name="around")
    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="around_children")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    relationship = models.CharField(max_length=120)
    lives_with = models.BooleanField(default=False)
    responsibility = models.CharField(max_length=10, choices=Responsibility.choices, default=Responsibility.NOT_KNOWN)
    risk = models.CharField(max_length=12, choices=Risk.choices, default=Risk.NOT_ASSESSED)
    basis = models.TextField(blank=True)
    assessed_at = models.DateTimeField(null=True, blank=True)
    assessed_by = models.ForeignKey(USER, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["kind", "id"]
        constraints = [
            models.UniqueConstraint(fields=["child", "person"], name="safeguarding_around_once"),
            models.CheckConstraint(
                condition=Q(risk="not_assessed", assessed_at=None) | (Q(assessed_at__isnull=False) & ~Q(basis="")),
                name="safeguarding_around_assessed_with_its_basis",
            ),
        ]


class SchoolPlace(SealedRow):
    """A school, nursery, college or club that a child goes or went to."""

    child = models.ForeignKey("safeguarding.ChildAtRisk", on_delete=models.PROTECT, related_name="schools")
    name = models.CharField(max_length=160)
    contact = EncryptedField(blank=True, default="")  # the designated safeguarding lead
    since = models.DateField(null=True, blank=True)
    until = models.DateField(null=True, blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = [F("until").desc(nulls_first=True), "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(since=None) | Q(until=None) | Q(until__gte=F("since")), name="safeguarding_school_in_order"
            )
        ]


class StrategyQuerySet(VisibleQuerySet):
    def visible_to(self, user: Any) -> Self:
        """An ordinary one: whoever sees the case. A covert one: whoever is on its need-to-know list, and nobody else;
        for everybody else it does not exist."""
        if not user.is_authenticated or user.role == "partner":
            return self.none()
        listed = StrategyAccess.objects.filter(user=user, removed_at=None).values("discussion")
        return self.filter((Q(covert=False) & Q(_cases(user).holding("case"))) | Q(covert=True, pk__in=listed))


class StrategyDiscussion(Referenced):
    """A strategy discussion: police, social care and health decide together what is done for children who may be
    suffering significant harm. A covert one is known only to its need-to-know list."""

    PREFIX = "SD"

    class State(models.TextChoices):
        CALLED = "called", "Called, not held yet"
        NO_QUORUM = "no_quorum", "Met without a quorum"
        HELD = "held", "Held"
        CALLED_OFF = "called_off", "Called off"

    class Outcome(models.TextChoices):
        JOINT = "joint_47", "Section 47 enquiry, jointly by social care and police"
        SINGLE = "single_47", "Section 47 enquiry, by social care alone"
        ASSESSMENT = "assessment", "Assessment (section 17)"
        NO_FURTHER = "no_further", "No further action under child protection"

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="strategy_discussions")
    children = models.ManyToManyField("safeguarding.ChildAtRisk", related_name="strategy_discussions")
    covert = models.BooleanField(default=False)
    opened_at = models.DateTimeField(null=True, blank=True)  # when a covert one stopped being covert
    state = models.CharField(max_length=10, choices=State.choices, default=State.CALLED)
    why = models.TextField()
    suspected_at = models.DateTimeField()
    planned_for = models.DateTimeField(null=True, blank=True)
    called_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    called_at = models.DateTimeField()
    held_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True)
    decisions = models.TextField(blank=True)
    no_quorum_reason = models.TextField(blank=True)
    circulated_at = models.DateTimeField(null=True, blank=True)
    called_off_reason = models.TextField(blank=True)

    objects = StrategyQuerySet.as_manager()

    class Meta:
        verbose_name = "strategy discussion"
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="held") | (Q(held_at__gte=F("suspected_at")) & ~Q(outcome="") & ~Q(decisions="")),
                name="safeguarding_strategy_held_with_decisions",
            ),
            models.CheckConstraint(
                condition=~Q(state="no_quorum") | ~Q(no_quorum_reason=""), name="safeguarding_strategy_quorum_or_reason"
            ),
        ]

    @property
    def outside_ledger_of_case(self) -> bool:
        """Whether its ledger entries stay out of the case's (they would tell everyone who reads those)."""
        return self.covert

    def need_to_know(self) -> list[Any] | None:
        """Those of the force on the list of a covert discussion; None for an ordinary one."""
        live = self.access.filter(removed_at=None).exclude(user__role="partner").select_related("user")
        return [one.user for one in live] if self.covert else None


class StrategyAttendance(models.Model):
    """Who took part in a strategy discussion, and for which agency."""

    class Agency(models.TextChoices):
        POLICE = "police", "Police"
        SOCIAL_CARE = "social_care", "Children's social care (manager)"
        HEALTH = "health", "Health"
        EDUCATION = "education", "Education"
        OTHER = "other", "Another agency"

    discussion = models.ForeignKey(StrategyDiscussion, on_delete=models.PROTECT, related_name="attendance")
    at = models.DateTimeField()
    agency = models.CharField(max_length=12, choices=Agency.choices)
    name = models.CharField(max_length=160)

    class Meta:
        ordering = ["at", "id"]


class StrategyAccess(models.Model):
    """The need-to-know list of a covert strategy discussion: who, on whose word, and why."""

    discussion = models.ForeignKey(StrategyDiscussion, on_delete=models.PROTECT, related_name="access")
    user = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="strategy_access")
    granted_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    granted_at = models.DateTimeField()
    reason = models.TextField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["granted_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["discussion", "user"], condition=Q(removed_at=None), name="safeguarding_need_to_know_once"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="safeguarding_need_to_know_with_its_reason"),
        ]


class EnquiryQuerySet(VisibleQuerySet):
    def visible_to(self, user: Any) -> Self:
        """Those of children whom ``user`` sees; of a covert discussion only for its list."""
        discussions = StrategyDiscussion.objects.visible_to(user)
        return self.filter(
            (Q(discussion__covert=False) & Q(_children(user).holding("child")))
            | Q(discussion__covert=True, discussion__in=discussions)
        )


class Section47(Referenced):
    """A section 47 enquiry about one child: the child is seen, and a conference follows where harm is substantiated."""

    PREFIX = "EN"

    class Ending(models.TextChoices):
        RUNNING = "", "Under way"
        PLAN = "plan", "Conference held: child protection plan"
        NO_PLAN = "no_plan", "Conference held: no plan"
        NOT_SUBSTANTIATED = "not_substantiated", "Concerns not substantiated"

    child = models.ForeignKey("safeguarding.ChildAtRisk", on_delete=models.PROTECT, related_name="enquiries")
    discussion = models.ForeignKey(StrategyDiscussion, on_delete=models.PROTECT, related_name="enquiries")
    joint = models.BooleanField()
    decided_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, blank=True)
    seen_by = models.CharField(max_length=160, blank=True)
    seen_alone = models.BooleanField(null=True)
    seen_words = models.TextField(blank=True)
    conference_planned = models.DateTimeField(null=True, blank=True)
    conference_at = models.DateTimeField(null=True, blank=True)
    ending = models.CharField(max_length=18, choices=Ending.choices, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ending_words = models.TextField(blank=True)

    objects = EnquiryQuerySet.as_manager()

    class Meta:
        verbose_name = "section 47 enquiry"
        constraints = [
            models.UniqueConstraint(fields=["child", "discussion"], name="safeguarding_one_enquiry_of_a_discussion"),
            models.CheckConstraint(
                condition=Q(seen_at=None) | (Q(seen_at__gte=F("decided_at")) & ~Q(seen_by="")),
                name="safeguarding_seen_after_decided",
            ),
            models.CheckConstraint(
                condition=Q(ending="", ended_at=None) | (~Q(ending="") & Q(ended_at__isnull=False)),
                name="safeguarding_enquiry_ended_with_how",
            ),
        ]

    @property
    def case(self) -> Any:
        return self.child.case

    @property
    def outside_ledger_of_case(self) -> bool:
        return self.discussion.covert

    def need_to_know(self) -> list[Any] | None:
        """As the discussion's."""
        return self.discussion.need_to_know()


class ProtectionQuerySet(VisibleQuerySet):
    def visible_to(self, user: Any) -> Self:
        return self.filter(_children(user).holding("child"))


class PoliceProtection(Referenced):
    """A child in police protection (Children Act 1989 s.46): 72 hours from the moment, and nothing extends them."""

    PREFIX = "PP"

    class Ending(models.TextChoices):
        RUNNING = "", "In police protection"
        HOME = "home", "Returned home or to a parent"
        FAMILY = "family", "With family or friends, with agreement"
        ACCOMMODATED = "accommodated", "Accommodated by the local authority (section 20)"
        ORDER = "order", "Emergency protection order made"
        HOSPITAL = "hospital", "In hospital"
        OTHER = "other", "Otherwise"

    child = models.ForeignKey("safeguarding.ChildAtRisk", on_delete=models.PROTECT, related_name="protections")
    taken_at = models.DateTimeField()
    initiating_officer = models.CharField(max_length=160)
    why = models.TextField()
    place = models.CharField(max_length=300)  # where the child is: suitable accommodation
    local_authority_told_at = models.DateTimeField(null=True, blank=True)
    local_authority_told = models.CharField(max_length=160, blank=True)
    child_told_at = models.DateTimeField(null=True, blank=True)
    child_wishes = models.TextField(blank=True)
    parents_told_at = models.DateTimeField(null=True, blank=True)
    parents_told = models.CharField(max_length=300, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ending = models.CharField(max_length=14, choices=Ending.choices, blank=True)
    ended_words = models.TextField(blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")

    objects = ProtectionQuerySet.as_manager()

    class Meta:
        verbose_name = "police protection"
        constraints = [
            models.UniqueConstraint(
                fields=["child"], condition=Q(ended_at=None), name="safeguarding_one_protection_at_once"
            ),
            models.CheckConstraint(
                condition=Q(ending="", ended_at=None) | (Q(ended_at__gte=F("taken_at")) & ~Q(ending="")),
                name="safeguarding_protection_ended_with_how",
            ),
            models.CheckConstraint(
                condition=~Q(why="") & ~Q(place="") & ~Q(initiating_officer=""), name="safeguarding_protection_says_why"
            ),
        ]

    @property
    def case(self) -> Any:
        return self.child.case


class DesignatedOfficer(models.Model):
    """Who inquires into a police protection and keeps it under review, since when: each handover is a row."""

    protection = models.ForeignKey(PoliceProtection, on_delete=models.PROTECT, related_name="designated")
    name = models.CharField(max_length=160)
    since = models.DateTimeField()
    words = models.TextField(blank=True)  # what the inquiry found at this time
    recorded_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["since", "id"]
