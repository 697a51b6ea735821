"""Grades and submissions to the national database (CAID)."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from safelight.casework.base.models import Referenced, VisibleQuerySet


class Grade(models.Model):
    """The category that a qualified person gave a file in their grading tool. Safelight holds the letter, the digest
    and who decided; the picture is never here."""

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="grades")
    md5 = models.CharField(max_length=32)
    category = models.CharField(max_length=20)
    graded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    graded_at = models.DateTimeField()
    graded_in = models.CharField(max_length=120)
    # The votes behind it (GradeVote) disagree, and nobody has settled it: the gravest category stands here meanwhile,
    # and the file is not submitted as graded.
    disputed = models.BooleanField(default=False)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "md5"], name="submissions_one_grade_per_case_and_file"),
            models.CheckConstraint(
                condition=Q(settled_by=None, settled_at=None, settled_reason="")
                | Q(settled_by__isnull=False, settled_at__isnull=False, disputed=False) & ~Q(settled_reason=""),
                name="submissions_settled_with_a_reason",
            ),
        ]
        indexes = [models.Index(fields=["case"], condition=Q(disputed=True), name="submissions_disputed_grades")]


class GradeVote(models.Model):
    """What one qualified person decided about one file. Votes are kept, whatever comes of them."""

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="grade_votes")
    md5 = models.CharField(max_length=32)
    category = models.CharField(max_length=20)
    grader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="grade_votes")
    graded_at = models.DateTimeField()
    graded_in = models.CharField(max_length=120)

    class Meta:
        ordering = ["graded_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["case", "md5", "grader"], name="submissions_one_vote_per_grader_and_file")
        ]


class SubmissionQuerySet(VisibleQuerySet):
    def visible_to(self, user: Any) -> Self:
        from safelight.casework.cases.models import Case

        return self.filter(Case.objects.visible_to(user).holding("case"))


class Submission(Referenced):
    """One CAID submission: a VICS 2.0 JSON file of hashes and metadata, and what the national database answered."""

    PREFIX = "N"

    class State(models.TextChoices):
        WRITTEN = "written", "File written"
        SENT = "sent", "Sent"
        RECEIPTED = "receipted", "Receipt recorded"
        PART_REJECTED = "part_rejected", "Receipt recorded, some items rejected"

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="submissions")
    device = models.ForeignKey("devices.Device", on_delete=models.PROTECT, related_name="submissions")
    run = models.ForeignKey("devices.TriageRun", on_delete=models.PROTECT, related_name="submissions")
    state = models.CharField(max_length=14, choices=State.choices, default=State.WRITTEN)
    context = models.CharField(max_length=200)
    path = models.CharField(max_length=500)
    sha256 = models.CharField(max_length=64)
    written_at = models.DateTimeField()
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    sent_at = models.DateTimeField(null=True, blank=True)
    receipt = models.CharField(max_length=120, blank=True)
    receipted_at = models.DateTimeField(null=True, blank=True)

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        verbose_name = "CAID submission"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state__in=["receipted", "part_rejected"]) | ~Q(receipt=""),
                name="submissions_receipt_has_a_reference",
            )
        ]


class SubmissionItem(models.Model):
    """One file (by digest) in a submission."""

    class State(models.TextChoices):
        INCLUDED = "included", "Included"
        ACCEPTED = "accepted", "Accepted"
        REJECTED = "rejected", "Rejected: back to a person"
        SETTLED = "settled", "Rejected and settled"

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="items")
    finding = models.ForeignKey("devices.Finding", on_delete=models.PROTECT, related_name="submission_items")
    md5 = models.CharField(max_length=32)
    category = models.CharField(max_length=20)
    basis = models.CharField(max_length=10, choices=[("known", "Known file"), ("graded", "Newly graded")])
    # How many qualified people gave the category; 0 for a known file.
    votes = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State.choices, default=State.INCLUDED)
    rejected_reason = models.CharField(max_length=300, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="submission_items"
    )
    settled_note = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["submission", "md5"], name="submissions_item_once"),
            models.CheckConstraint(
                condition=~Q(state="rejected") | ~Q(rejected_reason=""), name="submissions_rejected_with_a_reason"
            ),
        ]
