"""Pages of victim identification: children nobody has named yet, series, leads. They show no picture."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.policy import look, page, require
from safelight.casework.devices.forms import category_words
from safelight.casework.devices.views import with_query
from safelight.casework.identification import queries, services
from safelight.casework.identification.forms import (
    CloseLeadForm,
    FilesForm,
    IdentifyForm,
    LeadForm,
    SeriesForm,
    VictimForm,
)
from safelight.casework.identification.models import Lead, Series, Victim

TAGS = {"unknown": "orange", "identified": "green", "elsewhere": "blue"}
LEAD_TAGS = {"open": "yellow", "led": "green", "not_led": "grey"}


def pages_of(request: HttpRequest, here: str, kept: dict[str, str], after: str, name: str = "before") -> dict[str, str]:
    """The links of a keyset page."""
    return {
        "previous_url": with_query(here, **kept) if request.GET.get(name) else "",
        "next_url": with_query(here, **kept, **{name: after}) if after else "",
    }


def _typed(request: HttpRequest) -> str:
    return " ".join(request.GET.get("q", "").split())[:120]


@page("identification.view", looks="list")
def index(request: HttpRequest) -> HttpResponse:
    """Children in the material, those nobody has named first of all."""
    state = request.GET.get("state", "unknown")
    state = state if state in {*Victim.State.values, "all"} else "unknown"
    text = _typed(request)
    rows = queries.victims(request.user, state=state, text=text, before=request.GET.get("before", ""))
    shown = [row.reference for row in rows.rows]
    look(request, "list", None, list="unidentified children", shown=shown, filter={"state": state, "q": bool(text)})
    here = reverse("identification:index")
    return render(
        request,
        "identification/index.html",
        {
            "rows": rows.rows,
            "tags": TAGS,
            "chosen": {"state": state, "q": text},
            "states": [*Victim.State.choices, ("all", "All")],
            "pages": pages_of(request, here, {"state": state, "q": text}, rows.after),
            "may_record": request.user.has_perm("identification.record"),
        },
    )


@page("identification.view", looks="list")
def series_list(request: HttpRequest) -> HttpResponse:
    """Series, found by name or by the MD5 of one of their files."""
    text = _typed(request)
    rows = queries.series_page(request.user, text=text, before=request.GET.get("before", ""))
    shown = [row.reference for row, *_ in rows.rows]
    look(request, "list", None, list="series", shown=shown, filter={"q": bool(text)})
    here = reverse("identification:series_list")
    return render(
        request,
        "identification/series_list.html",
        {
            "rows": rows.rows,
            "q": text,
            "pages": pages_of(request, here, {"q": text}, rows.after),
            "may_record": request.user.has_perm("identification.record"),
        },
    )


def _form(request: HttpRequest, form: Any, title: str, back: str, **context: Any) -> HttpResponse:
    values = {"title": title, "form": form, "button": "Record", "cancel_url": back}
    return render(request, "form_page.html", {**values, **context})


@page("identification.record", methods=("GET", "POST"))
def series_new(request: HttpRequest) -> HttpResponse:
    """Record a series."""
    form = SeriesForm(posted(request))
    if request.method == "POST":
        made = attempt(form, lambda: services.make_series(request.user, **form.cleaned_data))
        if made:
            messages.success(request, f"{made.reference} is recorded. Add its files.")
            return redirect("identification:series", made.reference)
    return _form(request, form, "Record a series", reverse("identification:series_list"))


@page("identification.view", looks="series")
def series(request: HttpRequest, reference: str) -> HttpResponse:
    """One series: counts of its files, cases in which they were found, its children."""
    found = Series.objects.select_related("made_by").get_visible(request.user, reference)
    facts = queries.facts_of(request.user, found)
    look(request, "series", found, cases=[case.reference for case, _ in facts.cases])
    context = {
        "series": found,
        "facts": facts,
        "tags": TAGS,
        "words": category_words,
        "may_record": request.user.has_perm("identification.record"),
    }
    return render(request, "identification/series.html", context)


@page("identification.record", looks="series", methods=("GET", "POST"))
def files(request: HttpRequest, reference: str) -> HttpResponse:
    """Add files to a series."""
    found = Series.objects.get_visible(request.user, reference)
    form = FilesForm(posted(request))
    if request.method == "POST":

        def step() -> int | None:
            return services.add_files(request.user, found, services.parse_files(form.cleaned_data["files"]))

        fresh = attempt(form, step)
        if fresh is not None:
            messages.success(request, f"{fresh} {'file is' if fresh == 1 else 'files are'} new in {found.name}.")
            return redirect("identification:series", found.reference)
    look(request, "series", found, page="add files")
    back = reverse("identification:series", args=[found.reference])
    return _form(request, form, "Add files", back, caption=found.name, button="Add")


@page("identification.record", methods=("GET", "POST"))
def victim_new(request: HttpRequest) -> HttpResponse:
    """Record a child whom nobody has named."""
    start = {}
    if request.GET.get("series"):
        start["series"] = Series.objects.get_visible(request.user, request.GET["series"])
    if request.GET.get("case"):
        start["case"] = request.GET["case"][:20]
    form = VictimForm(posted(request), user=request.user, initial=start)
    if request.method == "POST":
        made = attempt(form, lambda: services.record_victim(request.user, **form.cleaned_data))
        if made:
            messages.success(request, f"{made.reference} is recorded. Record the leads.")
            return redirect("identification:victim", made.reference)
    return _form(request, form, "Record an unidentified child", reverse("identification:index"))


def _victim(request: HttpRequest, reference: str) -> Victim:
    found: Victim = Victim.objects.select_related(
        "series", "case__unit", "child__person", "recorded_by", "identified_by"
    ).get_visible(request.user, reference)
    return found


@page("identification.view", looks="unidentified")
def victim(request: HttpRequest, reference: str) -> HttpResponse:
    """One child: what is known, and the leads."""
    found = _victim(request, reference)
    look(request, "unidentified", found)
    user = request.user
    return render(
        request,
        "identification/victim.html",
        {
            "victim": found,
            "leads": queries.leads_of(found),
            "tags": TAGS,
            "lead_tags": LEAD_TAGS,
            "may_record": user.has_perm("identification.record", found),
            "may_identify": found.state != "identified" and user.has_perm("identification.identify", found.case),
        },
    )


@page("identification.record", looks="unidentified", methods=("GET", "POST"))
def lead(request: HttpRequest, reference: str) -> HttpResponse:
    """Record a lead."""
    found = _victim(request, reference)
    require(request.user, "identification.record", found)
    form = LeadForm(posted(request), user=request.user)
    if request.method == "POST" and attempt(form, lambda: services.add_lead(request.user, found, **form.cleaned_data)):
        messages.success(request, "The lead is recorded.")
        return redirect("identification:victim", found.reference)
    look(request, "unidentified", found, page="lead")
    back = reverse("identification:victim", args=[found.reference])
    return _form(request, form, "Record a lead", back, caption=f"{found.reference} {found.label}")


@page("identification.record", looks="unidentified", methods=("GET", "POST"))
def close_lead(request: HttpRequest, reference: str) -> HttpResponse:
    """Close a lead."""
    found = Lead.objects.select_related("victim__case").get_visible(request.user, reference)
    form = CloseLeadForm(posted(request))
    if request.method == "POST" and attempt(
        form, lambda: services.close_lead(request.user, found, **form.cleaned_data)
    ):
        messages.success(request, f"{found.reference} is closed.")
        return redirect("identification:victim", found.victim.reference)
    look(request, "unidentified", found.victim, page="close a lead")
    back = reverse("identification:victim", args=[found.victim.reference])
    intro = f"{found.get_kind_display()}: {found.text} Source: {found.source}"
    return _form(request, form, "Close a lead", back, caption=found.reference, intro=intro, button="Close the lead")


@page("identification.identify", looks="unidentified", methods=("GET", "POST"))
def identify(request: HttpRequest, reference: str) -> HttpResponse:
    """The child is identified: a child at risk in a case, at once."""
    found = _victim(request, reference)
    require(request.user, "identification.identify", found.case)
    start = {"contact": ["online"], "borough": found.case.borough if found.case else ""}
    form = IdentifyForm(posted(request), user=request.user, ask_case=found.case is None, initial=start)
    if request.method == "POST":

        def step() -> Victim:
            data = form.cleaned_data
            return services.identify(
                request.user, found, how=data["how"], case=data.get("case"), person=form.person(),
                identified_at=data["identified_at"], **form.flags(),
            )  # fmt: skip

        made = attempt(form, step)
        if made:
            assert made.child is not None
            messages.success(request, f"{made.child.reference}: the clock to tell social care runs. Tell them now.")
            return redirect("safeguarding:case_children", made.case.reference)
    look(request, "unidentified", found, page="identify")
    back = reverse("identification:victim", args=[found.reference])
    intro = (
        "The child becomes a child at risk in the case, and the 24 hours to tell social care begin. Whatever is not "
        "known stays empty."
    )
    return _form(
        request, form, "The child is identified", back, caption=f"{found.reference} {found.label}", intro=intro
    )
