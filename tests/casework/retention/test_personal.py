"""A field that nobody declared would survive every erasure and stay out of every subject access."""

from __future__ import annotations

from django.db import models

from safelight.casework.retention.personal import casework_models, register, undeclared


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
