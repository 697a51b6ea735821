"""References: the names people use for a row, on paper and on the telephone."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import OuterRef
from django.http import Http404

from safelight.casework.base.held import Held

NOBODY = -1  # no row has this key
ROW = [OuterRef("pk"), NOBODY]
"""The outer row, for ``case__pk__in=ROW`` in a sub-query that is to be asked row by row (see :meth:`holding`)."""


class Referenced(models.Model):
    """A row with a public reference derived from its key (``C-000123``), so that no counter can be contended.

    Subclasses set ``PREFIX``. The reference says nothing about the person it concerns.
    """

    PREFIX: ClassVar[str] = ""

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.reference if self.pk else f"new {self._meta.verbose_name}"

    @property
    def reference(self) -> str:
        return f"{self.PREFIX}-{self.pk:06d}"

    @classmethod
    def key_of(cls, reference: str) -> int:
        """The primary key in ``reference``.

        Raises:
            Http404: the text is not a reference of this kind.
        """
        prefix, _, digits = reference.strip().upper().partition("-")
        if prefix != cls.PREFIX or not digits.isdecimal() or len(digits) > 15:
            raise Http404(f"{reference!r} is not a reference of a {cls._meta.verbose_name}.")
        return int(digits)


class VisibleQuerySet(models.QuerySet[Any]):
    """Every manager of case content has ``visible_to(user)``; a page never starts from ``.all()``."""

    def visible_to(self, user: Any) -> Self:
        raise NotImplementedError(f"{type(self).__name__} must say who sees its rows.")

    few = False
    """Set where a person sees few rows at most (those that name the person): these are gathered, not asked for."""
    written: dict[str, Any] | None = None
    """The text of :meth:`holding`, where it is kept (:func:`safelight.casework.base.memory.built_once`)."""

    def _clone(self) -> Self:
        made = super()._clone()  # type: ignore[misc]
        made.few = self.few
        return made

    def holding(self, key: str) -> Held:
        """Whether the row whose key is the outer row's ``key`` is among these: ``filter(cases.holding("case"))``.

        Asked row by row, by key: a page of 50 rows asks 50 times, where ``case__in`` would first gather every visible
        case.
        """
        return Held(key, self, {} if self.written is None else self.written)

    def get_visible(self, user: Any, reference: str) -> Any:
        """The row with this reference if ``user`` may see it; otherwise 404, so that even its existence is hidden."""
        row = self.visible_to(user).filter(pk=self.model.key_of(reference)).first()
        if row is None:
            raise Http404(f"There is no {self.model._meta.verbose_name} {reference} that you may see.")
        return row
