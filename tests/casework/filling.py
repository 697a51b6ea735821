"""Filling in a form as a careful person would: every box with something that its field takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from safelight.casework.base.fields import DayField, MomentField


@contextmanager
def watched() -> Iterator[list[forms.BaseForm]]:
    """Templates give an empty page; the forms that they would have drawn are collected, the newest last."""
    seen: list[forms.BaseForm] = []

    def render(self: Any, context: Any = None, request: Any = None) -> str:
        for value in (context or {}).values():
            if isinstance(value, forms.BaseForm | forms.BaseFormSet):
                seen.append(value)  # type: ignore[arg-type]
        return ""

    with patch("django.template.backends.jinja2.Template.render", render):
        yield seen


def filled(form: Any) -> dict[str, Any]:
    """What to send for ``form``: what stands in it already, and elsewhere the first thing that its field takes."""
    if isinstance(form, forms.BaseFormSet):
        made = dict(form.management_form.initial)
        sent = {f"{form.prefix}-{name}": value for name, value in made.items()}
        for one in form.forms:
            sent |= filled(one)
        return sent
    sent: dict[str, Any] = {}
    for name, field in form.fields.items():
        sent |= _value(form, form.add_prefix(name), name, field)
    return sent


def _value(form: Any, box: str, name: str, field: forms.Field) -> dict[str, Any]:
    if field.disabled:
        return {}
    known = form.get_initial_for_field(field, name)
    if isinstance(field, DayField | MomentField):
        # Boxes hold minutes, and what happened a moment ago lies in this one: a minute ahead counts as now.
        at = known or (timezone.localtime() + timedelta(minutes=isinstance(field, MomentField)))
        return {f"{box}-{part}": text for part, text in field.widget.part_values(at).items()}
    if isinstance(field, forms.FileField):
        return {box: SimpleUploadedFile("synthetic.csv", b"synthetic\n")}
    if known not in (None, "", []) and not isinstance(
        field, forms.ModelMultipleChoiceField | forms.MultipleChoiceField
    ):
        prepared = field.prepare_value(known)
        return {box: prepared}
    if isinstance(field, forms.ModelMultipleChoiceField | forms.MultipleChoiceField):
        return {box: [value for value in _choices(field) if value][:1]}
    if isinstance(field, forms.ChoiceField):
        return {box: next((value for value in _choices(field) if value), "")}
    if isinstance(field, forms.BooleanField):
        return {box: "on"}
    if isinstance(field, forms.IntegerField | forms.DecimalField | forms.FloatField):
        return {box: str(field.min_value or 1)}
    if isinstance(field, forms.EmailField):
        return {box: "example@example.org"}
    if isinstance(field, forms.URLField):
        return {box: "https://example.org/"}
    return {box: "Synthetic."} if field.required else {}


def _choices(field: Any) -> list[str]:
    found: list[str] = []
    for value, label in field.choices:
        if isinstance(label, list | tuple):
            found += [str(inner) for inner, _ in label]
        else:
            found.append(str(getattr(value, "value", value) or ""))
    return found
