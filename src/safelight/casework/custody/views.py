"""Pages of custody: who is in a cell now, one child's record, its steps, and the figures."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.errors import Invalid
from safelight.casework.base.policy import look, page, require
from safelight.casework.base.step import chosen_step, offered, step_view
from safelight.casework.cases.models import Case
from safelight.casework.custody.accommodation import link_to_case
from safelight.casework.custody.forms import LinkForm, OpenForm
from safelight.casework.custody.models import Detention
from safelight.casework.custody.queries import PERIODS, STATES, detention_page, figures, suites, views
from safelight.casework.custody.services import open_detention
from safelight.casework.custody.steps import STEPS


@page("custody.list", looks="list")
def index(request: HttpRequest) -> HttpResponse:
    """Filters in the address: ``?state=now&suite=Example&before=12``. Names are for who may open the record."""
    state = request.GET.get("state", "now")
    state = state if state in STATES else "now"
    known = suites(request.user)
    suite = request.GET.get("suite", "")
    suite = suite if suite in known else ""
    key = request.GET.get("before", "")
    before = int(key) if key.isascii() and key.isdigit() and len(key) < 19 else None
    found = detention_page(request.user, state=state, suite=suite, before=before)
    chosen = {"state": state, **({"suite": suite} if suite else {})}
    shown = [view.row.reference for view in found.rows]
    look(request, "list", None, list="children in custody", filters=chosen, shown=shown)
    context = {
        "rows": found.rows,
        "states": STATES,
        "suites": known,
        "picked": {"state": state, "suite": suite},
        "named": request.user.has_perm("custody.keep"),
        "pages": {
            "previous_url": f"?{urlencode(chosen)}" if before is not None else "",
            "next_url": f"?{urlencode({**chosen, 'before': found.before})}" if found.before else "",
        },
    }
    return render(request, "custody/index.html", context)


@page("custody.keep", methods=("GET", "POST"))
def new(request: HttpRequest) -> HttpResponse:
    """A child whose detention was authorised."""
    form = OpenForm(posted(request))
    if request.method == "POST":
        made = attempt(form, lambda: open_detention(request.user, **form.arguments()))
        if made is not None:
            messages.success(request, f"{made.reference} is open. The first review is due six hours after authority.")
            return redirect("custody:detail", reference=made.reference)
    context = {
        "title": "A child is detained",
        "caption": "Custody",
        "form": form,
        "button": "Open the record",
        "cancel_url": reverse("custody:index"),
        "intro": "For everyone under 18, and for anyone who may be. An appropriate adult is asked for at once.",
    }
    return render(request, "form_page.html", context)


def _detention(request: HttpRequest, reference: str, rule: str) -> Any:
    row = Detention.objects.select_related("person", "unit", "case").get_visible(request.user, reference)
    require(request.user, rule, row)
    look(request, "custody", row)
    return row


@page("custody.view", looks="custody")
def detail(request: HttpRequest, reference: str) -> HttpResponse:
    """The whole record, with what may be done next."""
    row = _detention(request, reference, "custody.view")
    view = views(Detention.objects.filter(pk=row.pk))[0]
    keeps = request.user.has_perm("custody.keep", row)
    case = row.case if row.case and Case.objects.visible_to(request.user).filter(pk=row.case_id).exists() else None
    context = {
        "view": view,
        "row": view.row,
        "case": case,
        "reviews": list(row.reviews.select_related("recorded_by")),
        "steps": offered(STEPS, view.row) if keeps else {},
    }
    return render(request, "custody/detail.html", context)


@page("custody.keep", looks="custody", methods=("GET", "POST"))
def step(request: HttpRequest, reference: str, step: str) -> HttpResponse:
    """One step of the record (see :mod:`.steps`)."""
    chosen = chosen_step(STEPS, step)
    row = _detention(request, reference, "custody.keep")
    back = reverse("custody:detail", args=[row.reference])
    return step_view(request, chosen, row, caption=f"{row.reference} {row.person.name}", back=back)


@page("custody.list", looks="list")
def figures_page(request: HttpRequest) -> HttpResponse:
    """Figures of the children who arrived in a period: ``?days=28``."""
    days = request.GET.get("days", "28")
    days = days if days in PERIODS else "28"
    look(request, "list", None, list="figures of custody", filters={"days": days})
    context = {"figures": figures(request.user, int(days)), "periods": PERIODS, "days": days}
    return render(request, "custody/figures.html", context)


@page("safeguarding.refer", looks=("case", "list"), methods=("GET", "POST"))
def of_case(request: HttpRequest, reference: str) -> HttpResponse:
    """The detentions of children in a case, and a form to link one."""
    case = Case.objects.select_related("unit").get_visible(request.user, reference)
    require(request.user, "safeguarding.refer", case)
    look(request, "case", case, tab="custody")
    form = LinkForm(posted(request))
    if request.method == "POST":
        made = attempt(form, lambda: link_to_case(request.user, _meant(form.cleaned_data), case))
        if made is not None:
            messages.success(request, f"{made.reference} belongs to this case now.")
            return redirect("custody:of_case", reference=case.reference)
    rows = views(Detention.objects.filter(case=case).order_by("-pk"))
    look(request, "list", None, list="custody records of a case", shown=[view.row.reference for view in rows])
    context = {
        "title": "Children of this case in custody",
        "caption": f"{case.reference} {case.title}",
        "rows": rows,
        "form": form,
        "button": "Link the record",
        "cancel_url": reverse("safeguarding:case_children", args=[case.reference]),
    }
    return render(request, "custody/of_case.html", context)


def _meant(data: dict[str, str]) -> Detention:
    """The record with this number, if the name fits: a number alone tells nobody whether there is such a record."""
    wanted = data["family_name"].strip()
    try:
        key = Detention.key_of(data["detention"])
    except Http404:
        key = 0
    found = Detention.objects.filter(pk=key, person__family_name__iexact=wanted).first()
    if found is None:
        raise Invalid(
            "There is no custody record with this number and this name.",
            fix="Ask the custody officer for both.",
            field="detention",
        )
    return found
