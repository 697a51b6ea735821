"""Pages of oversight: every figure with what it is, its doubt, its trend and the list behind it."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.policy import look, page
from safelight.casework.oversight import queries, services
from safelight.casework.oversight.figures import figure
from safelight.casework.oversight.forms import AccountableForm


@page("oversight.view", looks="list")
def index(request: HttpRequest) -> HttpResponse:
    """All figures of the force, or of one unit (``?unit=CN``)."""
    extract = queries.latest()
    names = queries.unit_names()
    unit = request.GET.get("unit", "")
    if unit and unit not in names:
        raise Http404(f"There is no unit {unit}.")
    look(request, "list", None, list="oversight", unit=unit, extract=extract)
    context = {
        "extract": extract,
        "age": queries.age_hours(extract) if extract else 0,
        "groups": queries.lines(extract, unit) if extract else [],
        "accountable": queries.accountable(),
        "unit": unit,
        "unit_name": names.get(unit, ""),
        "units": [("", "The whole force"), *sorted(names.items(), key=lambda item: item[1])],
        "may_refresh": request.user.has_perm("oversight.refresh"),
        "may_name": request.user.has_perm("oversight.name_officer"),
    }
    return render(request, "oversight/index.html", context)


@page("oversight.view", looks="figure")
def detail(request: HttpRequest, name: str) -> HttpResponse:
    """One figure: its definition, each unit with its interval, month by month, and the list behind it."""
    one, extract = figure(name.replace("-", "_")), queries.latest()
    if one is None or extract is None:
        raise Http404(f"There is no figure {name}." if one is None else "No figures have been worked out yet.")
    look(request, "figure", None, figure=one.id, extract=extract)
    context = {"extract": extract, **queries.figure_context(one, extract, request.user)}
    return render(request, "oversight/figure.html", context)


@page("oversight.refresh", methods=("POST",))
def refresh(request: HttpRequest) -> HttpResponse:
    """Have the figures worked out anew."""
    services.ask_for_extract(request.user)
    messages.success(request, "A worker is reading the records. The figures change when it has ended.")
    return redirect("oversight:index")


@page("oversight.name_officer", methods=("GET", "POST"))
def name_officer(request: HttpRequest) -> HttpResponse:
    """Name the one officer who answers for the whole."""
    form = AccountableForm(posted(request))
    back = reverse("oversight:index") if request.user.has_perm("oversight.view") else reverse("work:home")
    if request.method == "POST":

        def step() -> object:
            return services.name_accountable(
                request.user, form.cleaned_data["officer"], basis=form.cleaned_data["basis"]
            )

        if attempt(form, step) is not None:
            messages.success(request, f"{form.cleaned_data['officer']} answers for the whole from now on.")
            return redirect(back)
    live = queries.accountable()
    intro = f"Now: {live.officer}. A new name ends this one." if live else "Nobody is named now."
    context = {
        "title": "Who answers for the whole?", "form": form, "intro": intro, "button": "Name this officer",
        "cancel_url": back, "caption": "",
    }  # fmt: skip
    return render(request, "form_page.html", context)
