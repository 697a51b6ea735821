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


class MergeForm(forms.Form):
    """Which record goes into this one, and why."""

    other = forms.CharField(
        label="Reference of the other record", max_length=20, help_text="For example P-000123. It goes into this one"
    )
    reason = forms.CharField(
        label="How you know that it is the same person", widget=forms.Textarea, max_length=2000,
        help_text="What you checked and with whom",
    )  # fmt: skip
    sure = forms.BooleanField(
        label="I have compared both records, and they are of one person",
        error_messages={"required": "Compare both records first, then say so"},
    )
