"""The search page. What is typed is sent in the body: a name in an address would stay in histories and logs."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.policy import page
from safelight.casework.search.services import search
from safelight.casework.search.sources import KINDS


class SearchForm(forms.Form):
    """What is looked for, and in which kind of record."""

    q = forms.CharField(
        label="Look for",
        required=False,
        help_text="A reference, a name (also misspelt), an address, a number, a digest, or words from a note",
    )
    kind = forms.ChoiceField(label="In", required=False, choices=[("", "Everything"), *KINDS.items()])
    before = forms.IntegerField(required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput)


@page("search.use", methods=("GET", "POST"), only_reads=True)
def results(request: HttpRequest) -> HttpResponse:
    """The results, by kind, each with why it was found."""
    form = SearchForm(posted(request))
    found = None
    if request.method == "POST":
        found = attempt(
            form,
            lambda: search(
                request.user, form.cleaned_data["q"], kind=form.cleaned_data["kind"], before=form.cleaned_data["before"]
            ),
        )
    return render(request, "search/results.html", {"form": form, "found": found, "kinds": KINDS})
