"""Forms of the exchange pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from safelight.casework.base.fields import MomentField
from safelight.casework.exchange.models import Bank, Platform
from safelight.casework.exchange.reports import LONGEST_URL
from safelight.casework.hashsets.models import HashSetRecord
from safelight.errors import ExchangeError
from safelight.exchange.keys import SCOPES
from safelight.exchange.query import ALGORITHMS, Query

HASHES = {"md5": "MD5", "sha1": "SHA-1", "sha256": "SHA-256", "pdq": "PDQ"}


class PlatformForm(forms.Form):
    """What is agreed with a platform."""

    name = forms.CharField(label="Name of the platform", max_length=120)
    contact = forms.CharField(label="Who to speak to there", max_length=160)
    contact_email = forms.EmailField(label="E-mail address", max_length=200)
    agreement = forms.CharField(
        label="Agreement", max_length=300, help_text="What was agreed, when, and the legal basis for sharing"
    )
    per_minute = forms.IntegerField(label="Look-ups a minute", min_value=1, max_value=1_000_000, initial=600)
    per_day = forms.IntegerField(label="Look-ups a day", min_value=1, max_value=1_000_000_000, initial=100_000)
    banks = forms.ModelMultipleChoiceField(
        label="Banks it may look into",
        queryset=Bank.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None: nothing is found for it",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["banks"].queryset = Bank.objects.order_by("name")  # type: ignore[attr-defined]
        self.fields["banks"].label_from_instance = lambda bank: bank.name  # type: ignore[attr-defined]


class TermsForm(PlatformForm):
    """The same, for a platform that is there: its name stays."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["name"]


class KeyForm(forms.Form):
    """What a key is for."""

    label = forms.CharField(label="What the key is called", max_length=80, help_text="Such as: upload service, London")
    scopes = forms.MultipleChoiceField(
        label="What it is for", choices=list(SCOPES.items()), widget=forms.CheckboxSelectMultiple
    )
    days = forms.IntegerField(label="Days until it runs out", min_value=1, max_value=366, initial=180)


class RotateForm(forms.Form):
    """How a key is replaced."""

    days = forms.IntegerField(label="Days until the new key runs out", min_value=1, max_value=366, initial=180)
    overlap_days = forms.IntegerField(
        label="Days for which the old key works on", min_value=0, max_value=30, initial=7, help_text="0 ends it at once"
    )


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(label="Reason", max_length=300)


class BankForm(forms.Form):
    """A new bank."""

    name = forms.CharField(label="Name", max_length=60, help_text="As programs write it: UK_KNOWN")
    purpose = forms.CharField(label="What it is for", max_length=300)
    hash_set = forms.ModelChoiceField(
        label="Hash set that it shares",
        queryset=HashSetRecord.objects.none(),
        required=False,
        empty_label="None: entries of our own",
        help_text="Check that the publisher's terms allow sharing with platforms",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _known_sets(self.fields["hash_set"])


class ChangeBankForm(forms.Form):
    """A bank that is there."""

    enabled = forms.BooleanField(label="Platforms may look into it", required=False)
    purpose = forms.CharField(label="What it is for", max_length=300)
    hash_set = forms.ModelChoiceField(
        label="Version of the hash set", queryset=HashSetRecord.objects.none(), required=False, empty_label="As it is"
    )

    def __init__(self, *args: Any, bank: Bank, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if bank.kind == Bank.Kind.OWN:
            del self.fields["hash_set"]
        else:
            _known_sets(self.fields["hash_set"])


def _known_sets(field: Any) -> None:
    field.queryset = HashSetRecord.objects.filter(kind="known", retired_at=None).order_by("name")
    field.label_from_instance = lambda row: f"{row.name}, version {row.version}"


class _Hash:
    """Turns what is typed as a hash into one, or says what is wrong with it."""

    @staticmethod
    def of(kind: str, text: str) -> str:
        try:
            return Query.parse(kind, text).text
        except ExchangeError as error:
            raise ValidationError(str(error)) from error


class ContentForm(forms.Form):
    """An entry by its hashes."""

    pdq = forms.CharField(label="PDQ", max_length=80, required=False)
    md5 = forms.CharField(label="MD5", max_length=60, required=False)
    sha1 = forms.CharField(label="SHA-1", max_length=60, required=False)
    sha256 = forms.CharField(label="SHA-256", max_length=80, required=False)
    note = forms.CharField(
        label="Note", max_length=200, required=False, help_text="No names, no description of content"
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for kind in ALGORITHMS:
            if data.get(kind):
                try:
                    data[kind] = _Hash.of(kind, data[kind])
                except ValidationError as error:
                    self.add_error(kind, error)
        return data

    def signals(self) -> dict[str, str]:
        return {kind: self.cleaned_data[kind] for kind in ALGORITHMS if self.cleaned_data.get(kind)}


class WithdrawForm(forms.Form):
    """Which entry is a false match."""

    content = forms.IntegerField(
        label="Number of the entry", min_value=0, max_value=1 << 40, help_text="As hits and the bank's list show it"
    )
    reason = forms.CharField(label="Why platforms are no longer told of it", max_length=300)


class CompleteForm(forms.Form):
    """To whom a finding was reported."""

    nca_reference = forms.CharField(label="Reference of the National Crime Agency", max_length=60, required=False)
    ncmec_report_id = forms.CharField(label="Report number of NCMEC", max_length=40, required=False)


class ExportForm(forms.Form):
    """Which reports, in which form, for whom."""

    form = forms.ChoiceField(
        label="Format",
        choices=[("json", "JSON, field names of Safelight"), ("xml", "XML in the shape of a CyberTipline report")],
        widget=forms.RadioSelect,
        initial="json",
    )
    which = forms.ChoiceField(
        label="Reports",
        choices=[("waiting", "Those that no authority has yet"), ("all", "All, newest 1,000")],
        widget=forms.RadioSelect,
        initial="waiting",
    )
    recipient = forms.CharField(label="Who receives the file", max_length=160)


class NoticeForm(forms.Form):
    """A notice that was sent."""

    platform = forms.ModelChoiceField(label="Platform", queryset=Platform.objects.none(), empty_label="Choose")
    url = forms.CharField(label="Address of the material", max_length=LONGEST_URL)
    recipient = forms.CharField(label="Who received the notice", max_length=160)
    sent_at = MomentField(label="When it was sent", required=False, help_text="Leave empty for now")
    signal_type = forms.ChoiceField(label="Kind of hash", choices=[("", "None"), *HASHES.items()], required=False)
    signal = forms.CharField(label="Hash", max_length=80, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        open_ones = Platform.objects.filter(closed_at=None).order_by("name")
        self.fields["platform"].queryset = open_ones  # type: ignore[attr-defined]
        self.fields["platform"].label_from_instance = lambda row: row.name  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        kind, text = data.get("signal_type", ""), data.get("signal", "")
        if text and not kind:
            self.add_error("signal_type", "Choose the kind of hash")
        elif text:
            try:
                data["signal"] = _Hash.of(kind, text)
            except ValidationError as error:
                self.add_error("signal", error)
        return data


class ChaseForm(forms.Form):
    """How the platform was asked again."""

    how = forms.CharField(label="How it was chased, and whom you reached", max_length=200)


class RemovedForm(forms.Form):
    """When the material was gone."""

    removed_at = MomentField(label="When it was removed", required=False, help_text="Leave empty for now")
    told_by = forms.CharField(label="Who says so, or who looked", max_length=160)
