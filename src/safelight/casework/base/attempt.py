"""A form's step: run the service, and put what it refuses beside the field it concerns."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django import forms
from django.db import transaction
from django.http import HttpRequest, QueryDict

from safelight.casework.base.errors import Invalid
from safelight.errors import CaseworkError

Result = TypeVar("Result")
KEPT = "form_kept"  # of a request: what was sent before the person said again who they are (accounts.fresh)


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form was sent; for a GET what was kept of it, else None: views act on a POST alone.

    ``request.POST or None`` would take an empty form for none at all.
    """
    return request.POST if request.method == "POST" else getattr(request, KEPT, None)


def attempt(form: forms.Form, step: Callable[[], Result]) -> Result | None:
    """Run ``step`` for a form that is valid; None when a typed error was put on the form and nothing was written.

    Steps return a row, never None, so that None means refusal.
    """
    if not form.is_valid():
        return None
    try:
        with transaction.atomic():
            return step()
    except CaseworkError as error:
        field = error.field if isinstance(error, Invalid) and error.field in form.fields else None
        form.add_error(field, str(error))
        return None
