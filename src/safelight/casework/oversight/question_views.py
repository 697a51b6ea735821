"""Open questions to the extract, by anyone allowed: table, chart, the query, and export under disclosure control."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt
from safelight.casework.base.errors import NotPossible
from safelight.casework.base.policy import look, page
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.casework.oversight import queries, services
from safelight.casework.oversight.asking import MOST_ROWS, Answer, Spec, answer, checked, splits_of, times_of
from safelight.casework.oversight.charts import answer_chart
from safelight.casework.oversight.forms import SaveForm
from safelight.casework.oversight.models import Extract, Question
from safelight.casework.oversight.safe import policy_in_force, safe_csv
from safelight.casework.oversight.tables import TABLES
from safelight.errors import CaseworkError


@page("oversight.ask", looks="list")
def index(request: HttpRequest) -> HttpResponse:
    """The saved questions, and what can be asked."""
    saved = list(Question.objects.select_related("saved_by")[:200])
    look(request, "list", None, list="questions", shown=[row.reference for row in saved])
    context = {
        "saved": [(row, queries.address_of(row.spec)) for row in saved],
        "tables": [(table.name, table.row_is) for table in TABLES],
        "extract": queries.latest(),
    }
    return render(request, "oversight/questions.html", context)


@page("oversight.ask", looks="question")
def ask(request: HttpRequest) -> HttpResponse:
    """One question (in the address) and its answer."""
    extract = queries.latest()
    spec, found, fault = None, None, ""
    try:
        spec = checked(asked(request))
        if extract is not None:
            found = answer(extract.path, spec)
    except CaseworkError as error:
        fault = str(error)
    table = spec.table if spec else ""
    look(request, "question", None, spec=spec.as_dict() if spec else {}, extract=extract)
    context = {
        "extract": extract,
        "fault": fault,
        "about": table,
        "tables": [(one.name, one.row_is) for one in TABLES],
        "splits": splits_of(table).items() if table else (),
        "times": times_of(table).items() if table else (),
        "spec": spec,
        "found": found,
        "shown": _shown(found) if found else [],
        "chart": answer_chart(_bars(found), "Number") if found and found.spec.by else None,
        "address": queries.address_of(spec.as_dict()) if spec else "",
        "save": SaveForm(),
        "most": MOST_ROWS,
        "policy": policy_in_force().title,
    }
    return render(request, "oversight/ask.html", context)


@page("oversight.ask", methods=("POST",))
def save(request: HttpRequest) -> HttpResponse:
    """Keep the question of the address."""
    form = SaveForm(request.POST)
    try:
        spec = checked(asked(request))
    except CaseworkError as error:
        messages.error(request, str(error))
        return redirect("oversight:questions")
    kept = attempt(
        form, lambda: services.save_question(request.user, title=form.cleaned_data["title"], spec=spec.as_dict())
    )
    if kept is None:
        messages.error(request, "; ".join(text for texts in form.errors.values() for text in texts))
    else:
        messages.success(request, f"Kept as {kept.reference}.")
    return redirect(f"{reverse('oversight:ask')}?{queries.address_of(spec.as_dict())}")


@page("oversight.ask")
def export(request: HttpRequest) -> HttpResponse:
    """The answer as CSV, small counts hidden. Recorded in the ledger with the query."""
    extract: Extract | None = queries.latest()
    spec: Spec | None = None
    try:
        spec = checked(asked(request))
        if extract is None:
            raise NotPossible("There is no extract yet.", fix="Have the figures worked out first.")
        text, release = safe_csv(answer(extract.path, spec), extract)
    except CaseworkError as error:
        messages.error(request, str(error))
        return redirect(
            f"{reverse('oversight:ask')}?{queries.address_of(spec.as_dict())}" if spec else "oversight:questions"
        )
    response = HttpResponse(text, content_type="text/csv")
    response["Content-Disposition"] = f'attachment; filename="answer-{extract.reference}.csv"'
    payload = {"spec": spec.as_dict(), "digest": release.digest(), "hidden": f"{release.hidden_share:.3f}"}
    record(request.user, "question.exported", extract, category=Category.DISCLOSURE, payload=payload)
    return response


def asked(request: HttpRequest) -> dict[str, Any]:
    """The question in an address."""
    given = request.GET
    where = {name.removeprefix("where_"): value for name, value in given.items() if name.startswith("where_")}
    return {
        "table": given.get("table", ""), "by": [one for one in given.getlist("by") if one],
        "time": given.get("time", ""), "since": given.get("since", ""), "until": given.get("until", ""), "where": where,
    }  # fmt: skip


def _shown(found: Answer) -> list[list[str]]:
    return [[str(cell) or "(empty)" for cell in row[:-1]] + [f"{row[-1]:,}"] for row in found.rows]


def _bars(found: Answer) -> list[dict[str, Any]]:
    return [{"label": " / ".join(str(cell) for cell in row[:-1]), "value": row[-1]} for row in found.rows]
