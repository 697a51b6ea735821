"""A field that nobody declared would survive every erasure and stay out of every subject access."""

from __future__ import annotations

import re
from pathlib import Path

from django.db import models

from safelight.casework.ciphers.fields import EncryptedField, EncryptedJSONField, ExactIndex, WordIndex
from safelight.casework.retention.personal import KINDS, PLAIN, casework_models, register, undeclared


def test_every_field_of_the_case_work_is_declared() -> None:
    """Fails for a new field: say in retention/personal.toml what it holds."""
    assert undeclared() == []


def test_no_free_text_is_called_plain() -> None:
    """Notes about a child would be left standing because somebody was in a hurry."""
    known = register()
    # What witnesses signed; the words of the triage engine about a run.
    allowed = {"ledger.SealMark.body", "devices.TriageRun.verdict", "fleet.FirstLook.verdict"}
    plain = {
        f"{model._meta.label}.{field.name}"
        for model in casework_models()
        for field in model._meta.concrete_fields
        if type(field) is models.TextField and field.name in known[model._meta.label].of.get("plain", ())
    }
    assert plain <= allowed


def test_what_is_emptied_can_be_emptied() -> None:
    """An erasure would stop half-way on a number that was taken for a text."""
    text = (models.CharField, models.TextField, models.JSONField)
    wrong = []
    for model in casework_models():
        for name in register()[model._meta.label].personal:
            field = model._meta.get_field(name)
            assert isinstance(field, models.Field)
            if not isinstance(field, text) and not field.null:
                wrong.append(f"{model._meta.label}.{name}")
    assert wrong == []


PAGE = (Path(__file__).resolve().parents[3] / "docs/data-classes.md").read_text(encoding="utf-8")


def test_every_kind_of_data_stands_in_one_class_of_the_page() -> None:
    """Nobody would know how a new kind of data is to be protected."""
    classes = [line for line in PAGE.splitlines() if re.match(r"\| [A-E], ", line)]
    kinds = [kind for line in classes for kind in re.findall(r"`([a-z]+)`", line.split("|")[2])]
    assert sorted(kinds) == sorted((*KINDS, PLAIN))
    assert all(len([cell for cell in line.split("|") if cell.strip()]) == 8 for line in classes), "an empty cell"


def test_ways_to_find_a_person_stand_encrypted_as_the_page_says() -> None:
    """A telephone number in a field that somebody adds next year would be readable in every copy of the database."""
    allowed = set(re.findall(r"`([a-z]+\.[A-Za-z]+\.[a-z_]+)`", PAGE.split("**Of class B and not encrypted**")[1]))
    plain, sealed = set(), (EncryptedField, EncryptedJSONField, ExactIndex, WordIndex)
    for model in casework_models():
        of = register()[model._meta.label].of
        for name in (*of.get("contact", ()), *of.get("identifier", ())):
            if not isinstance(model._meta.get_field(name), sealed):
                plain.add(f"{model._meta.label}.{name}")
    assert plain == allowed
