"""Nominals: any person a record is about."""

from __future__ import annotations

from datetime import date
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from safelight.casework.base.memory import built_once
from safelight.casework.base.models import Referenced, VisibleQuerySet
from safelight.casework.ciphers.fields import EncryptedField, EncryptedJSONField, ExactIndex, SealedRow, WordIndex


class Sex(models.TextChoices):
    FEMALE = "female", "Female"
    MALE = "male", "Male"
    OTHER = "other", "Other"
    NOT_KNOWN = "not_known", "Not known"


class PersonQuerySet(VisibleQuerySet):
    @built_once
    def visible_to(self, user: Any) -> Self:
        """People of the referrals and cases that ``user`` sees and those around the children in them, but for those
        with whom a conflict of interest of theirs is declared."""
        from safelight.casework.allocation.models import Conflict
        from safelight.casework.cases.models import Case, CasePerson
        from safelight.casework.referrals.models import Referral, ReferralPerson
        from safelight.casework.safeguarding.models import ChildAtRisk, PersonAround

        cases, referrals = Case.objects.visible_to(user), Referral.objects.visible_to(user)
        # Asked person by person: a person in many cases would multiply the rows of a join.
        mine = {"person": OuterRef("pk")}
        around = Q(cases.holding("child__case")) | (Q(child__case=None) & Q(referrals.holding("child__referral")))
        return self.filter(
            Q(Exists(CasePerson.objects.filter(cases.holding("case"), **mine)))
            | Q(Exists(ReferralPerson.objects.filter(referrals.holding("referral"), **mine)))
            | Q(Exists(ChildAtRisk.objects.visible_to(user).filter(**mine)))
            | Q(Exists(PersonAround.objects.filter(around, **mine)))
        ).exclude(pk__in=Conflict.objects.live().filter(user=user).exclude(person=None).values("person"))


class Person(SealedRow, Referenced):
    """A nominal. Names are as given to us; ``born_precision`` says how far the date of birth can be trusted."""

    PREFIX = "P"

    # Blank: a report may give no more than an on-line name, and a child may be known only as "a boy of about seven".
    family_name = EncryptedField(blank=True, default="", folded="family_like")
    given_names = EncryptedField(blank=True, default="", folded="given_like")
    family_like = ExactIndex(of="family_name", fold=True)
    given_like = ExactIndex(of="given_names", fold=True)
    name_words = WordIndex(of=("given_names", "family_name"), begins=("given_names", "family_name"))
    born = models.DateField(null=True, blank=True)
    born_precision = models.CharField(
        max_length=8,
        choices=[("day", "Exact day"), ("month", "Month"), ("year", "Year"), ("none", "Not known")],
        default="none",
    )
    sex = models.CharField(max_length=12, choices=Sex.choices, default=Sex.NOT_KNOWN)
    address = EncryptedField(blank=True, default="")
    postcode = EncryptedField(blank=True, default="", index="postcode_is")
    postcode_is = ExactIndex(of="postcode")
    address_words = WordIndex(of=("address", "postcode"))
    borough = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    # The record that this one was merged into: never one that is merged itself (people/merging.py).
    merged_into = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="merged")

    objects = PersonQuerySet.as_manager()

    class Meta:
        verbose_name = "person"
        verbose_name_plural = "people"
        constraints = [
            models.CheckConstraint(
                condition=Q(born=None, born_precision="none") | (Q(born__isnull=False) & ~Q(born_precision="none")),
                name="people_birth_date_with_its_precision",
            ),
        ]
        indexes = [
            models.Index(fields=["family_like", "given_like"], name="people_by_name"),
            models.Index(fields=["postcode_is"], name="people_by_postcode", condition=~Q(postcode_is="")),
        ]

    @property
    def name(self) -> str:
        return f"{self.given_names} {self.family_name}".strip() or "Name not known"

    @property
    def born_words(self) -> str:
        """``4 May 2016``, ``May 2016``, ``about 2016`` or ``not known``: never more exact than what is known."""
        if self.born is None:
            return "not known"
        exact = {"day": f"{self.born.day} {self.born:%B %Y}", "month": f"{self.born:%B %Y}"}
        return exact.get(self.born_precision, f"about {self.born.year}")

    def age_on(self, day: date | None = None) -> int | None:
        """Age in whole years, or None when the date of birth is not known."""
        if self.born is None:
            return None
        at = day or timezone.localdate()
        return at.year - self.born.year - ((at.month, at.day) < (self.born.month, self.born.day))


class LinkQuerySet(VisibleQuerySet):
    @built_once
    def visible_to(self, user: Any) -> Self:
        """Links of which ``user`` may see one side at least; what of the other is shown, :mod:`.sides` says."""
        people = Person.objects.visible_to(user)
        return self.filter(Q(people.holding("person")) | Q(people.holding("other")))


class PossibleLink(SealedRow, Referenced):
    """Two records that may be one person's, or that stand at one address, with why, and what a person decided.

    ``other`` is a nominal of Safelight; without it ``source`` and ``key`` name a record of another system, and
    ``handling`` whom to ask about a restricted one.
    """

    PREFIX = "L"

    class Kind(models.TextChoices):
        PERSON = "person", "May be the same person"
        ADDRESS = "address", "At the same address"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting for a decision"
        SAME = "same", "The same person"
        DIFFERENT = "different", "Different people"

    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.PERSON)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="links")
    other = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="linked_from")
    source = models.CharField(max_length=80)
    key = EncryptedField(index="key_is")
    key_is = ExactIndex(of="key")
    handling = models.CharField(max_length=200, blank=True)
    referral = models.ForeignKey(
        "referrals.Referral", null=True, blank=True, on_delete=models.PROTECT, related_name="possible_links"
    )
    found_at = models.DateTimeField()
    model = models.CharField(max_length=12)
    weight = models.FloatField(default=0)
    evidence = EncryptedJSONField(default=dict)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.TextField(blank=True)

    objects = LinkQuerySet.as_manager()

    class Meta:
        verbose_name = "possible link"
        constraints = [
            models.UniqueConstraint(fields=["person", "kind", "source", "key_is"], name="people_link_once"),
            models.CheckConstraint(
                condition=Q(state="waiting", decided_at=None)
                | (Q(decided_at__isnull=False, decided_by__isnull=False) & ~Q(state="waiting") & ~Q(reason="")),
                name="people_link_decided_with_a_reason",
            ),
        ]
        indexes = [models.Index(fields=["state", "-weight"], name="people_links_waiting")]

    @property
    def probability(self) -> float:
        """The chance that it is one person, as the model sees it."""
        return float(1 / (1 + 2.0 ** -max(min(self.weight, 100.0), -100.0)))


class MergeQuerySet(VisibleQuerySet):
    @built_once
    def visible_to(self, user: Any) -> Self:
        """Those whose kept record ``user`` sees."""
        return self.filter(Person.objects.visible_to(user).holding("kept"))


class Merge(Referenced):
    """Two records of one person were brought together. ``moved`` names every row that pointed at the one that went and
    points at the kept one now; ``stayed`` those that the kept one had already. Undoing gives back what was moved."""

    PREFIX = "M"

    kept = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="merges")
    gone = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="merged_by")
    reason = models.TextField()
    merged_at = models.DateTimeField()
    merged_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    moved = models.JSONField(default=list)
    stayed = models.JSONField(default=list)
    link = models.ForeignKey(PossibleLink, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = MergeQuerySet.as_manager()

    class Meta:
        verbose_name = "merge"
        constraints = [
            models.UniqueConstraint(fields=["gone"], condition=Q(undone_at=None), name="people_merged_once"),
            models.CheckConstraint(condition=~Q(kept=models.F("gone")), name="people_merged_with_another"),
            models.CheckConstraint(condition=~Q(reason=""), name="people_merged_with_a_reason"),
        ]


class Identifier(SealedRow):
    """A name, number or address that a person uses on line or to be reached."""

    class Kind(models.TextChoices):
        SCREEN_NAME = "screen_name", "On-line name"
        EMAIL = "email", "E-mail address"
        PHONE = "phone", "Telephone number"
        IP = "ip", "IP address"
        PROFILE = "profile", "Profile address"
        ACCOUNT = "account", "Account number at the platform"

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="identifiers")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    value = EncryptedField(index="value_is", folded="value_like")
    value_is = ExactIndex(of="value")
    value_like = ExactIndex(of="value", fold=True)
    value_words = WordIndex(of=("value",))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "kind", "value_is"], name="people_identifier_once")]
        indexes = [
            models.Index(fields=["kind", "value_is"], name="people_by_identifier"),
            models.Index(fields=["kind", "value_like"], name="people_by_identifier_like"),
        ]
