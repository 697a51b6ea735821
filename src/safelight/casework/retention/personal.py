"""The declared register of personal data: which field of which model, and of what kind (personal.toml)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.apps import apps
from django.db import models

KINDS = ("name", "contact", "identifier", "birth", "place", "words", "content", "staff")
PLAIN = "plain"


@dataclass(frozen=True)
class Fields:
    """The fields of one model by kind; ``row``: its rows are deleted rather than emptied."""

    of: Mapping[str, tuple[str, ...]]
    row: bool

    @property
    def personal(self) -> tuple[str, ...]:
        """Everything that is not plain, in the order of the kinds."""
        return tuple(name for kind in KINDS for name in self.of.get(kind, ()))

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.personal, *self.of.get(PLAIN, ()))


@cache
def register() -> Mapping[str, Fields]:
    """Model label to its fields.

    Raises:
        ValueError: the file has a kind that there is not (a fault of ours).
    """
    data = tomllib.loads((Path(__file__).parent / "personal.toml").read_text(encoding="utf-8"))
    found = {}
    for label, kinds in data.items():
        row = bool(kinds.pop("row", False))
        if unknown := set(kinds) - {*KINDS, PLAIN}:
            raise ValueError(f"personal.toml: {label} has the unknown kinds {sorted(unknown)}.")
        found[label] = Fields({kind: tuple(names) for kind, names in kinds.items()}, row)
    return found


def casework_models() -> list[type[models.Model]]:
    """Every model of the case work."""
    return [model for model in apps.get_models() if model.__module__.startswith("safelight.casework.")]


def undeclared() -> list[str]:
    """Fields that the register does not name, names twice, or names though they are no more. Empty: it is complete."""
    wrong, known = [], register()
    for model in casework_models():
        label = model._meta.label
        there = {field.name for field in model._meta.concrete_fields}
        named = known[label].all if label in known else ()
        wrong += [f"{label}.{name} is not declared" for name in sorted(there - set(named))]
        wrong += [f"{label}.{name} is no field" for name in sorted(set(named) - there)]
        wrong += [f"{label}.{name} is declared twice" for name in sorted({n for n in named if named.count(n) > 1})]
    labels = {model._meta.label for model in casework_models()}
    return wrong + [f"{label} is no model" for label in sorted(set(known) - labels)]
