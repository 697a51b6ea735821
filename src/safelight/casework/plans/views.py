"""Pages of plans: ask what would happen if, watch it being worked out, compare, take the figures along."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.policy import look, page
from safelight.casework.ledger.services import record
from safelight.casework.plans import queries, services
from safelight.casework.plans.forms import NewForm, ScenarioForm, SmallestForm
from safelight.casework.plans.models import WhatIf
from safelight.casework.plans.records import from_records, open_cases_ahead
from safelight.errors import CaseworkError


def find(reference: str) -> WhatIf:
    """The plan, else 404."""
    row = WhatIf.objects.select_related("made_by").filter(pk=WhatIf.key_of(reference)).first()
    if row is None:
        raise Http404(f"There is no plan {reference}.")
    return row


@page("plans.view", looks="list")
def index(request: HttpRequest) -> HttpResponse:
    """Every plan, newest first."""
    before = request.GET.get("before", "")
    rows, more = queries.plans_page(before)
    look(request, "list", None, list="plans", shown=[row.reference for row in rows])
    here = reverse("plans:index")
    pages = {"previous_url": here if before else "", "next_url": f"{here}?before={more}" if more else ""}
    return render(request, "plans/index.html", {"rows": rows, "pages": pages})


@page("plans.view", looks="whatif")
def detail(request: HttpRequest, reference: str) -> HttpResponse:
    """One plan: the answer side by side, or how far it is."""
    row = find(reference)
    look(request, "whatif", row)
    said = [(one["name"], queries.changes_in_words(one["changes"])) for one in row.scenarios]
    context = {
        "row": row,
        "result": row.result,
        "base": queries.changes_in_words(row.base),
        "said": said,
        "lines": queries.table_of(row.result),
        "most": services.MOST_SCENARIOS,
    }
    return render(request, "plans/detail.html", context)


@page("plans.view", looks="whatif", unlogged="a fragment of the plan's page, which is logged")
def progress(request: HttpRequest, reference: str) -> HttpResponse:
    """How far a plan is, asked for every two seconds; the whole page again once it has ended."""
    row = find(reference)
    if not row.open:
        answer = HttpResponse(status=204)
        answer["HX-Redirect"] = reverse("plans:detail", args=[row.reference])
        return answer
    return render(request, "plans/_progress.html", {"row": row})


@page("plans.make", methods=("GET", "POST"))
def new(request: HttpRequest) -> HttpResponse:
    """A question: the force as it is beside one scenario."""
    form = NewForm(posted(request))
    if request.method == "POST":

        def step() -> WhatIf:
            data = form.cleaned_data
            return services.make_plan(
                request.user,
                title=data["title"],
                scenario=form.scenario(),
                rule="growing",
                years=float(data["years"]),
                replications=int(data["replications"]),
                **_base(data["records"]),
            )

        made = attempt(form, step)
        if made is not None:
            return redirect("plans:detail", reference=made.reference)
    intro = "Change what you ask about and leave the rest empty. The force as it is stands beside it."
    return _form(request, form, "What if?", intro, "Work it out", reverse("plans:index"))


@page("plans.make", methods=("GET", "POST"))
def scenario(request: HttpRequest, reference: str) -> HttpResponse:
    """Another scenario of a plan."""
    row = find(reference)
    form = ScenarioForm(posted(request))
    if request.method == "POST":
        made = attempt(form, lambda: services.add_scenario(request.user, row, form.scenario()))
        if made is not None:
            return redirect("plans:detail", reference=row.reference)
    here = reverse("plans:detail", args=[row.reference])
    return _form(request, form, "Another scenario", "", "Add it and work it out again", here, f"{row.reference}")


@page("plans.make", methods=("GET", "POST"))
def smallest(request: HttpRequest) -> HttpResponse:
    """Search the smallest staffing that keeps a clock."""
    form = SmallestForm(posted(request))
    if request.method == "POST":

        def step() -> WhatIf:
            data = form.cleaned_data
            return services.search_smallest(
                request.user,
                clock=data["clock"],
                risk=data["risk"],
                share=data["share"] / 100,
                levers=data["levers"],
                **_base(data["records"]),
            )

        made = attempt(form, step)
        if made is not None:
            return redirect("plans:detail", reference=made.reference)
    intro = "How few people keep a clock? Found by search, with the proof that one post fewer does not."
    return _form(request, form, "The smallest staffing", intro, "Search", reverse("plans:index"))


@page("plans.make", methods=("POST",))
def stop(request: HttpRequest, reference: str) -> HttpResponse:
    """Stop at the next step; what is done is kept."""
    return _do(request, reference, services.stop)


@page("plans.make", methods=("POST",))
def run(request: HttpRequest, reference: str) -> HttpResponse:
    """Run it again."""
    return _do(request, reference, services.run_again)


@page("plans.view")
def figures(request: HttpRequest, reference: str) -> HttpResponse:
    """The answer as a file: ``?format=csv`` or JSON. Recorded in the ledger."""
    from safelight.planning.outcome import as_csv

    row = find(reference)
    if not row.result:
        raise Http404(f"{row.reference} has no figures yet.")
    table = request.GET.get("format") == "csv" and not row.goal
    data = {name: value for name, value in row.result.items() if name != "charts"}
    text = as_csv(data) if table else json.dumps(data, indent=2, ensure_ascii=False)
    answer = HttpResponse(text, content_type="text/csv" if table else "application/json")
    kind = "csv" if table else "json"
    answer["Content-Disposition"] = f'attachment; filename="{row.reference}.{kind}"'
    record(request.user, "whatif.exported", row, payload={"format": kind})
    return answer


@page("plans.view", looks="list")
def parameters(request: HttpRequest) -> HttpResponse:
    """Every parameter of the model beside what the force's own records say."""
    found = from_records()
    look(request, "list", None, list="planning parameters", shown=[])
    ahead = open_cases_ahead()
    context = {"rows": found.rows(), "found": found, "ahead": ahead, "why_not": ahead if isinstance(ahead, str) else ""}
    return render(request, "plans/parameters.html", context)


@page("plans.view")
def records_file(request: HttpRequest) -> HttpResponse:
    """What the records say, as a file for ``safelight plan``. Recorded in the ledger."""
    answer = HttpResponse(from_records().as_toml(), content_type="application/toml")
    answer["Content-Disposition"] = 'attachment; filename="from-our-records.toml"'
    record(request.user, "whatif.exported", None, payload={"format": "toml"})
    return answer


def _base(records: bool) -> dict[str, Any]:
    if not records:
        return {}
    found = from_records()
    return {"base": found.changes(), "base_source": found.source}


def _do(request: HttpRequest, reference: str, service: Any) -> HttpResponse:
    row = find(reference)
    try:
        service(request.user, row)
    except CaseworkError as error:
        messages.error(request, str(error))
    return redirect("plans:detail", reference=row.reference)


def _form(
    request: HttpRequest, form: Any, title: str, intro: str, button: str, back: str, caption: str = ""
) -> HttpResponse:
    context = {"title": title, "caption": caption, "form": form, "intro": intro, "button": button, "cancel_url": back}
    return render(request, "form_page.html", context)
