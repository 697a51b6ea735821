"""What oversight keeps: who answers for the whole, the extracts that figures come from, questions and reports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from safelight.casework.base.models import Referenced


class Accountable(models.Model):
    """The one officer who answers for the whole, from one moment to another. At most one live, kept by the database."""

    officer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    named_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    basis = models.CharField(max_length=300)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                models.ExpressionWrapper(Q(until=None), output_field=models.BooleanField()),
                condition=Q(until=None),
                name="oversight_one_accountable_officer",
            ),
            models.CheckConstraint(condition=~Q(basis=""), name="oversight_named_with_a_basis"),
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gte=models.F("since")), name="oversight_accountable_ends_after_start"
            ),
        ]


class Extract(Referenced):
    """One pseudonymised copy of the records as Parquet files: what figures, questions and reports are computed from.

    ``digest`` is SHA-256 over the files' own digests; it stands in the ledger, so that a figure can be tied to the
    very rows it was computed from. ``values`` holds the figures of the pages.
    """

    PREFIX = "E"

    made_at = models.DateTimeField()
    folder = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    rows = models.JSONField(default=dict)
    seconds = models.FloatField(default=0)
    values = models.JSONField(default=dict)

    class Meta:
        ordering = ["-id"]

    @property
    def path(self) -> Path:
        """Where its files lie."""
        return Path(settings.DATA) / "extracts" / self.folder


class ExtractRequest(models.Model):
    """The one row that says when the clock last asked for an extract, so that it asks once."""

    asked_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="oversight_one_request")]


class Question(Referenced):
    """A saved question to the extract: what is counted, how it is split, and of which rows."""

    PREFIX = "Q"

    title = models.CharField(max_length=120)
    spec = models.JSONField()
    saved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    saved_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [models.CheckConstraint(condition=~Q(title=""), name="oversight_question_has_a_title")]


class PublicReport(Referenced):
    """One quarter as it is told to the public: its tables after disclosure control, and the proof of the attack.

    ``tables`` holds the true counts and what is shown of them: every later report is attacked together with it.
    """

    PREFIX = "Y"

    class State(models.TextChoices):
        DRAFT = "draft", "Draft: attacked and safe, not published"
        PUBLISHED = "published", "Published"

    quarter = models.CharField(max_length=7)
    policy = models.CharField(max_length=30)
    extract = models.ForeignKey(Extract, on_delete=models.PROTECT, related_name="reports")
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    content = models.JSONField()
    tables = models.JSONField()
    proof = models.JSONField()
    digest = models.CharField(max_length=64)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = "public report"
        constraints = [
            models.UniqueConstraint(
                fields=["quarter"], condition=Q(state="published"), name="oversight_one_published_report_a_quarter"
            ),
            models.CheckConstraint(
                condition=Q(state="draft", published_at=None) | Q(state="published", published_at__isnull=False),
                name="oversight_published_has_a_time",
            ),
        ]

    @property
    def folder(self) -> Path:
        """Where its files lie."""
        return Path(settings.DATA) / "reports-public" / self.reference

    def files(self) -> list[Any]:
        """The files that were written, by name."""
        return sorted(self.folder.glob("*")) if self.folder.is_dir() else []
