"""A step of a record as data: its form, its service and its words. One view then serves all steps of a record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from safelight.casework.base.attempt import attempt, posted


class OfRow(forms.Form):
    """A form whose choices follow from the record it changes (``self.row``)."""

    def __init__(self, *args: Any, row: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.row = row


def _always(row: Any) -> bool:
    return True


@dataclass(frozen=True)
class Step:
    """One step.

    Args:
        act: the service, called with the acting user, the record and the form's values.
        done: what the page says afterwards.
        fits: whether the record's page offers the step; whether it may be done, the service decides.
    """

    title: str
    form: Any
    act: Callable[..., Any]
    done: str
    fits: Callable[[Any], bool] = _always
    intro: str = ""
    destructive: bool = False
    button: str = "Record it"


def offered(steps: dict[str, Step], row: Any) -> dict[str, Step]:
    """The steps that fit the record as it is now."""
    return {code: step for code, step in steps.items() if step.fits(row)}


def chosen_step(steps: dict[str, Step], code: str) -> Step:
    """The step of an address. Raises Http404 for one that does not exist."""
    if code not in steps:
        raise Http404(f"There is no step {code!r}.")
    return steps[code]


def step_view(request: HttpRequest, step: Step, row: Any, *, caption: str, back: str) -> HttpResponse:
    """Show the form of a step, or do it and go ``back``."""
    more = {"row": row} if issubclass(step.form, OfRow) else {}
    form = step.form(posted(request), **more)
    if request.method == "POST":
        made = attempt(form, lambda: step.act(request.user, row, **form.cleaned_data))
        if made is not None:
            messages.success(request, step.done)
            return redirect(back)
    context = {
        "title": step.title,
        "caption": caption,
        "form": form,
        "button": step.button,
        "intro": step.intro,
        "destructive": step.destructive,
        "cancel_url": back,
    }
    return render(request, "form_page.html", context)
