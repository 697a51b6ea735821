"""Taking a list out as a sheet: what for is asked first, and the ledger has it as a disclosure."""

from __future__ import annotations

import itertools

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from safelight.casework.base.attempt import posted
from safelight.casework.base.policy import page, require
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.casework.search.lists import LISTS, MOST, Listed
from safelight.casework.search.sheets import FORMATS, book, csv_lines


class ExportForm(forms.Form):
    """In which format, and what for."""

    format = forms.ChoiceField(
        label="Format", choices=[(code, words) for code, (words, _) in FORMATS.items()], widget=forms.RadioSelect
    )
    purpose = forms.CharField(
        label="What it is for, and who receives it", max_length=500,
        help_text="It leaves Safelight and its access rules: say no names of people in a case here",
    )  # fmt: skip


def _filters(request: HttpRequest) -> dict[str, str]:
    """What the list is filtered by, without the place in it."""
    return {name: value[:80] for name, value in request.GET.items() if value and name not in ("before", "after")}


@page("search.use", methods=("GET", "POST"))
def export(request: HttpRequest, name: str) -> HttpResponseBase:
    """``?`` with the filters of the list's own page. Only what the person sees there, 10,000 rows at most."""
    listed = LISTS.get(name)
    if listed is None:
        raise Http404(f"There is no list {name!r}.")
    require(request.user, listed.rule, None)
    form = ExportForm(posted(request), initial={"format": "csv"})
    if request.method == "POST" and form.is_valid():
        return _sheet(request, name, listed, form.cleaned_data["format"], form.cleaned_data["purpose"])
    filters = _filters(request)
    back = f"{reverse(listed.page)}?{request.GET.urlencode()}" if filters else reverse(listed.page)
    said = "; ".join(f"{key.replace('_', ' ')}: {value}" for key, value in filters.items()) or "none"
    intro = [
        f"The list as you see it, with all its pages, {MOST:,} rows at most. Filters in use: {said}.",
        "Taking it out is recorded as a disclosure, with the filters, the number of rows and their references.",
    ]
    context = {"title": f"Take the list out: {listed.title.lower()}", "form": form, "intro": intro}
    return render(request, "form_page.html", {**context, "button": "Make the sheet", "cancel_url": back})


def _sheet(request: HttpRequest, name: str, listed: Listed, kind: str, purpose: str) -> HttpResponseBase:
    rows = list(itertools.islice(listed.rows(request.user, request.GET), MOST))
    payload = {
        "list": name, "format": kind, "filters": sorted(_filters(request)), "rows": len(rows),
        "shown": [row[0] for row in rows], "cut": len(rows) == MOST,
    }  # fmt: skip
    record(request.user, "list.exported", category=Category.DISCLOSURE, payload=payload, reason=purpose)
    head = list(listed.head)
    if kind == "csv":
        response: HttpResponseBase = StreamingHttpResponse(csv_lines(head, rows), content_type=FORMATS[kind][1])
    else:
        response = HttpResponse(book(kind, listed.title, head, rows), content_type=FORMATS[kind][1])
    stamp = f"{timezone.localtime():%Y-%m-%d-%H%M}"
    response["Content-Disposition"] = f'attachment; filename="{name}-{stamp}.{kind}"'
    return response
