"""What the GOV.UK macros need to draw any Django form field: described here, drawn in components/forms.html.

A page author writes ``field(form["name"])``; this module finds the kind of widget, its label, hint, error, choices and
value. Options a form may declare about its own looks:

- ``display = {"field": {"width": 10, "inline": True}}``: options for :func:`describe`;
- ``reveals = {"field": {"yes": ("other",)}}``: fields asked only when that answer is chosen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.utils.safestring import SafeString
from markupsafe import Markup

_WIDTHS = (2, 3, 4, 5, 10, 20, 30)
_PASSED_ON = ("autocomplete", "inputmode", "accept", "min", "max", "step", "capture")

_ASKING = {"radios": "Choose", "checkboxes": "Choose", "select": "Choose", "file": "Choose", "checkbox": "Confirm:"}


@dataclass(frozen=True)
class Problem:
    """One line of the error summary: its text and, where a field is at fault, the address of its first box."""

    text: str
    href: str = ""


def text_or_html(value: Any) -> dict[str, Any]:
    """``{"text": ...}``, or ``{"html": ...}`` for what is already marked safe."""
    if isinstance(value, SafeString | Markup):
        return {"html": str(value)}
    return {"text": str(value)}


def kind(bound: BoundField) -> str:
    """Which macro draws it: hidden, parts, file, radios, checkbox, checkboxes, select, textarea, password or input."""
    widget = bound.field.widget
    if bound.is_hidden:
        return "hidden"
    if hasattr(widget, "parts"):
        return "parts"
    if isinstance(widget, forms.FileInput):
        return "file"
    if isinstance(widget, forms.CheckboxInput):
        return "checkbox"
    # A multiple select is unusable with a keyboard or a screen reader: checkboxes post the same data.
    if isinstance(widget, forms.CheckboxSelectMultiple | forms.SelectMultiple):
        return "checkboxes"
    if isinstance(widget, forms.RadioSelect):
        return "radios"
    if isinstance(widget, forms.Select):
        return "select"
    if isinstance(widget, forms.Textarea):
        return "textarea"
    if isinstance(widget, forms.PasswordInput):
        return "password"
    return "input"


def first_id(bound: BoundField) -> str:
    """The id of the first box of a field, where the error summary's link goes."""
    name = str(bound.auto_id or bound.html_name)
    parts = getattr(bound.field.widget, "parts", None)
    return f"{name}-{parts[0][0]}" if parts else name


def sayings(bound: BoundField) -> list[str]:
    """The errors of a field, with "This field is required" turned into what to do."""
    said: list[str] = []
    for error in bound.errors.as_data():
        for message in error.messages:
            plain = error.code == "required" and message == str(forms.Field.default_error_messages["required"])
            said.append(_asked(bound) if plain else message)
    return said


def _asked(bound: BoundField) -> str:
    label = str(bound.label)
    if label.endswith("?"):
        return f"Answer: {label}"
    if not label[:2].isupper():
        label = label[:1].lower() + label[1:]
    return f"{_ASKING.get(kind(bound), 'Enter')} {label}"


def problems(*bound_forms: forms.BaseForm) -> list[Problem]:
    """Every error of the given forms, in the order of the fields; errors of the whole form come first."""
    found: list[Problem] = []
    for form in bound_forms:
        found += [Problem(str(error)) for error in form.non_field_errors()]
        for bound in form.hidden_fields():
            found += [Problem(f"{bound.label}: {error}") for error in bound.errors]
        for bound in form.visible_fields():
            for text in sayings(bound):
                # "Enter a whole number" alone does not say where; what we phrased ourselves does.
                named = text if text == _asked(bound) else f"{bound.label}: {text[:1].lower()}{text[1:]}"
                found.append(Problem(named, f"#{first_id(bound)}"))
    return found


def revealed(form: forms.BaseForm) -> set[str]:
    """The names of the fields that another field reveals; they are not drawn on their own."""
    names: set[str] = set()
    for by_value in getattr(form, "reveals", {}).values():
        for others in by_value.values():
            names.update(others)
    return names


def plain_fields(form: forms.BaseForm) -> list[BoundField]:
    """The visible fields that stand on their own, in order."""
    inside = revealed(form)
    return [bound for bound in form.visible_fields() if bound.name not in inside]


def describe(
    bound: BoundField,
    *,
    label: str | None = None,
    hint: str | None = None,
    heading: bool = False,
    size: str = "",
    width: int | None = None,
    inline: bool = False,
    small: bool = False,
    rows: int | None = None,
    prefix: str = "",
    suffix: str = "",
    hints: Mapping[str, str] | None = None,
    search: bool = False,
    classes: str = "",
    mark_optional: bool = True,
    autocomplete: str = "",
) -> dict[str, Any]:
    """``{"kind": ..., "params": ...}`` for the macro that draws ``bound``.

    Args:
        label, hint: in place of the field's own.
        heading: the label is the page's h1.
        size: "s", "m" or "l" for the label or legend.
        width: in characters (2, 3, 4, 5, 10, 20, 30); by default from ``max_length``.
        inline, small: for radio buttons and checkboxes.
        rows: of a text area.
        prefix, suffix: such as "£" or "days".
        hints: by choice value.
        search: a long list becomes searchable when there is JavaScript.
        mark_optional: "(optional)" after the label of a field that may stay empty.
    """
    field, widget = bound.field, bound.field.widget
    what = kind(bound)
    name = bound.html_name
    element = str(bound.auto_id or name)
    if what == "hidden":
        return {"kind": "hidden", "html": Markup(str(bound))}  # noqa: S704  Django's own rendering, escaped by it
    text = label if label is not None else str(bound.label)
    if mark_optional and not field.required and what != "checkbox":
        text = f"{text} (optional)"
    params: dict[str, Any] = {"id": element, "name": name, "attributes": {}}
    hint = hint if hint is not None else (bound.help_text or "")
    if hint:
        params["hint"] = text_or_html(hint)
    if bound.errors:
        params["errorMessage"] = {"text": " ".join(sayings(bound))}
    for attribute, value in widget.attrs.items():
        if attribute in _PASSED_ON or attribute.startswith(("data-", "aria-label", "hx-")):
            params["attributes"][attribute] = value
    size = size or ("l" if heading else "")

    if what in {"radios", "checkboxes", "parts"}:
        legend: dict[str, Any] = {"text": text, "isPageHeading": heading}
        if size:
            legend["classes"] = f"govuk-fieldset__legend--{size}"
        params["fieldset"] = {"legend": legend}
    else:
        params["label"] = {"text": text, "isPageHeading": heading}
        if size:
            params["label"]["classes"] = f"govuk-label--{size}"

    if what == "parts":
        params["items"] = _part_items(bound, widget, element, name)
    elif what in {"radios", "checkboxes", "select"}:
        params["items"] = list(_choices(bound, what, hints or {}))
        params["idPrefix"] = element
        extra = [f"govuk-{what}--inline" if inline else "", f"govuk-{what}--small" if small else "", classes]
        params["classes"] = " ".join(part for part in extra if part)
        if what == "select" and search:
            params["attributes"]["data-sl-search"] = "true"
    elif what == "checkbox":
        params.pop("label")
        params["idPrefix"] = element
        item: dict[str, Any] = {"value": "on", **text_or_html(text), "checked": bool(bound.value()), "id": element}
        if "hint" in params:
            item["hint"] = params.pop("hint")
        params["items"] = [item]
        params["classes"] = "govuk-checkboxes--small" if small else classes
    elif what == "file":
        params["multiple"] = bool(getattr(widget, "allow_multiple_selected", False))
        params["classes"] = classes
    else:
        _box(params, bound, what, width=width, rows=rows, prefix=prefix, suffix=suffix, classes=classes)
        if autocomplete:
            params["autocomplete"] = autocomplete
    return {"kind": what, "params": params}


def _box(
    params: dict[str, Any],
    bound: BoundField,
    what: str,
    *,
    width: int | None,
    rows: int | None,
    prefix: str,
    suffix: str,
    classes: str,
) -> None:
    """Text boxes, text areas and passwords."""
    field, widget = bound.field, bound.field.widget
    longest = getattr(field, "max_length", None)
    if what == "textarea":
        declared = widget.attrs.get("rows")
        # Django's own default is 10; most answers are a few lines.
        params["rows"] = str(rows or (declared if declared not in (None, "10", 10) else 5))
        params["value"] = widget.format_value(bound.value()) or ""
        params["classes"] = classes
        if longest:
            params["maxlength"] = longest
        return
    if what == "password":
        params["autocomplete"] = widget.attrs.get("autocomplete", "current-password")
        params["attributes"].pop("autocomplete", None)
        params["classes"] = classes
        return
    value = widget.format_value(bound.value())
    params["value"] = "" if value is None else str(value)
    params["type"] = getattr(widget, "input_type", "text")
    if params["type"] == "number":
        # A number box changes under the mouse wheel; GOV.UK asks for a text box with a numeric keyboard.
        params["type"] = "text"
        params["inputmode"] = "decimal" if isinstance(field, forms.DecimalField | forms.FloatField) else "numeric"
        width = width or 5
    if isinstance(field, forms.DateField):
        width = width or 10
    if width is None and longest and not isinstance(field, forms.EmailField | forms.URLField):
        width = next((step for step in _WIDTHS if step >= longest), None)
    sized = f"govuk-input--width-{width}" if width else ""
    params["classes"] = " ".join(part for part in (sized, classes) if part)
    params["spellcheck"] = False
    if prefix:
        params["prefix"] = {"text": prefix}
    if suffix:
        params["suffix"] = {"text": suffix}


def _part_items(bound: BoundField, widget: Any, element: str, name: str) -> list[dict[str, Any]]:
    values = widget.part_values(bound.value())
    wrong = " govuk-input--error" if bound.errors else ""
    return [
        {
            "id": f"{element}-{part}",
            "name": f"{name}-{part}",
            "label": label,
            "value": values[part],
            "classes": f"govuk-input--width-{width}{wrong}",
            "inputmode": "text" if part == "time" else "numeric",
        }
        for part, label, width in widget.parts
    ]


def _choices(bound: BoundField, what: str, hints: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The items of a list of choices; the empty choice is kept in a select only."""
    widget: Any = bound.field.widget
    for _group, options, _index in widget.optgroups(bound.html_name, widget.format_value(bound.value())):
        for option in options:
            value = "" if option["value"] is None else str(option["value"])
            if not value and what != "select":
                continue
            item: dict[str, Any] = {"value": value, **text_or_html(option["label"])}
            item["selected" if what == "select" else "checked"] = bool(option["selected"])
            if value in hints:
                item["hint"] = {"text": hints[value]}
            yield item
