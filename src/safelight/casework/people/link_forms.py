"""Forms of the pages of possible links."""

from __future__ import annotations

from django import forms


class DecideForm(forms.Form):
    """One person or two, and why."""

    verdict = forms.ChoiceField(
        label="Are the two records of the same person?",
        choices=[("same", "Yes, the same person"), ("different", "No, different people")],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label="How you know", widget=forms.Textarea, max_length=2000,
        help_text="What you checked and with whom. The decision holds in every later run until it is taken back",
    )  # fmt: skip


class UndoForm(forms.Form):
    """Why a decision is taken back."""

    reason = forms.CharField(label="Why it is taken back", widget=forms.Textarea, max_length=2000)
