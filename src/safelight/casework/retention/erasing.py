"""Taking everything out that says who somebody was, in one transaction, and leaving proof without content."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any

from django.db import models
from django.db.models import Case as When_
from django.db.models import Value, When
from django.db.models.functions import Cast, Concat

from safelight.casework.ciphers.cipher import CipherError
from safelight.casework.ciphers.fields import Beside
from safelight.casework.people.models import Person
from safelight.casework.retention.personal import register
from safelight.casework.retention.reach import Rows, chunks

ERASED = "[erased]"


def erase_rows(rows: Rows) -> tuple[dict[str, int], str, str]:
    """Empty or delete the rows, inside the caller's transaction.

    Returns:
        (rows by model, nonce, digest of all that was taken out).
    """
    known = register()
    nonce = secrets.token_hex(16)
    digest = hashlib.sha256(nonce.encode())
    counts: dict[str, int] = {}
    ordered = _children_first(rows)
    for model in ordered:
        fields = known[model._meta.label]
        if not fields.personal and not fields.row:
            continue
        counts[model._meta.label] = len(rows[model])
        for some in chunks(rows[model]):
            for row in model._default_manager.filter(pk__in=some).order_by("pk"):
                said = [name for name in fields.personal if not _mark(model, name)]
                values = {"pk": row.pk, **{name: _read(row, name) for name in said}}
                digest.update(
                    json.dumps({model._meta.label: values}, sort_keys=True, default=str, separators=(",", ":")).encode()
                )
    for model in ordered:
        fields = known[model._meta.label]
        for some in chunks(rows[model]) if fields.personal or fields.row else ():
            found = model._default_manager.filter(pk__in=some)
            if fields.row:
                # Not `delete()`: it would follow keys by itself. Whatever refers to these rows was deleted before.
                found._raw_delete(found.db)  # type: ignore[attr-defined]
            else:
                found.update(**_emptied(model, fields.personal))
    return counts, nonce, digest.hexdigest()


def _mark(model: type[models.Model], name: str) -> bool:
    """Whether a column only says how another is found: it changes with the keys, and tells nothing of its own."""
    return isinstance(model._meta.get_field(name), Beside)


def _read(row: models.Model, name: str) -> Any:
    """A value; of an encrypted one that cannot be read any more what stands there: it is erased all the same."""
    try:
        return getattr(row, name)
    except CipherError:
        return repr(row.__dict__.get(name))


def _children_first(rows: Rows) -> list[type[models.Model]]:
    """The models in an order in which none is deleted before what refers to it."""
    left, ordered = sorted(rows, key=lambda model: model._meta.label), []
    while left:
        for model in left:
            refers = {
                other
                for other in left
                if other is not model
                for field in other._meta.concrete_fields
                if field.related_model is model
            }
            if not refers:
                break
        else:
            model = left[0]  # a ring of keys: its rows are emptied, not deleted
        left.remove(model)
        ordered.append(model)
    return ordered


def _emptied(model: type[models.Model], names: tuple[str, ...]) -> dict[str, Any]:
    unique = {name for one in model._meta.total_unique_constraints for name in one.fields}
    partly = {
        name for one in model._meta.constraints if isinstance(one, models.UniqueConstraint) for name in one.fields
    }
    made: dict[str, Any] = {}
    for name in names:
        field = model._meta.get_field(name)
        if field.null:  # type: ignore[union-attr]
            made[name] = None
        elif isinstance(field, models.JSONField):
            made[name] = field.get_default() if field.has_default() else {}
        elif name in unique | partly or getattr(field, "unique", False):
            made[name] = Concat(Value("erased-"), Cast("pk", models.CharField()), output_field=models.CharField())
        else:
            # What was empty stays so: a rule of the table may want it empty, or not.
            word = ERASED[: getattr(field, "max_length", None) or len(ERASED)]
            made[name] = When_(When(**{name: ""}, then=Value("")), default=Value(word), output_field=models.TextField())
    if model is Person:
        made["born_precision"] = "none"
    return made
