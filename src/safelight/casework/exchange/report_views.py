"""Pages of the exchange: reports of platforms, takedown notices, and what they achieve."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.policy import look, page
from safelight.casework.exchange import charts, notices, queries, reports
from safelight.casework.exchange.forms import (
    ChaseForm,
    CompleteForm,
    ExportForm,
    NoticeForm,
    ReasonForm,
    RemovedForm,
)
from safelight.casework.exchange.models import PlatformReport, TakedownNotice
from safelight.casework.exchange.views import find, form_page, pages


@page("exchange.view", looks="exchange")
def report_list(request: HttpRequest) -> HttpResponse:
    """Reports of platforms: those that no authority has yet, or all."""
    waiting = request.GET.get("show") != "all"
    found = queries.reports(waiting=waiting, before=request.GET.get("before", ""))
    shown = [one.row.reference for one in found.rows]
    look(request, "exchange", None, list="reports", waiting=waiting, shown=shown)
    here = reverse("exchange:reports")
    return render(
        request,
        "exchange/reports.html",
        {
            "rows": found.rows,
            "waiting": waiting,
            "may_manage": request.user.has_perm("exchange.manage"),
            "pages": pages(request, here, found.after, show="" if waiting else "all"),
        },
    )


@page("exchange.view", looks="platform_report")
def report(request: HttpRequest, reference: str) -> HttpResponse:
    """One report."""
    row = find(PlatformReport, reference, "platform", "hit__bank", "key")
    look(request, "platform_report", row)
    return render(
        request,
        "exchange/report.html",
        {
            "row": row,
            "clock": queries.clock_of_report(row),
            "notices": queries.clocked_notices(list(row.notices.select_related("platform"))),
            "may_manage": request.user.has_perm("exchange.manage"),
        },
    )


@page("exchange.manage", looks="platform_report", methods=("GET", "POST"))
def complete_report(request: HttpRequest, reference: str) -> HttpResponse:
    """To whom it was reported."""
    row = find(PlatformReport, reference, "platform")
    form = CompleteForm(
        posted(request), initial={"nca_reference": row.nca_reference, "ncmec_report_id": row.ncmec_report_id}
    )
    back = reverse("exchange:report", args=[row.reference])
    if request.method == "POST" and attempt(
        form, lambda: reports.complete_report(request.user, row, **form.cleaned_data)
    ):
        messages.success(request, "The reference is recorded; the clock has stopped.")
        return redirect(back)
    look(request, "platform_report", row, page="complete")
    intro = (
        "What was reported to NCMEC is not reported to the National Crime Agency again (Online Safety Act 2023, s.66)."
    )
    return form_page(request, form, title="To whom was it reported?", intro=intro, button="Save", cancel=back)


@page("exchange.manage", methods=("GET", "POST"))
def export(request: HttpRequest) -> HttpResponse:
    """Reports as a file for an authority."""
    form = ExportForm(posted(request))
    if request.method == "POST":

        def make() -> bytes:
            rows = PlatformReport.objects.select_related("platform", "hit__bank").order_by("-pk")
            if form.cleaned_data["which"] == "waiting":
                rows = rows.filter(ncmec_report_id="", nca_reference="").exclude(uk_linked=False)
            return reports.export_reports(
                request.user, rows[:1000], form=form.cleaned_data["form"], recipient=form.cleaned_data["recipient"]
            )

        body = attempt(form, make)
        if body is not None:
            kind = form.cleaned_data["form"]
            answer = HttpResponse(body, content_type=reports.FORMATS[kind])
            answer["Content-Disposition"] = f'attachment; filename="platform-reports.{kind}"'
            return answer
    intro = "The file leaves the force: who receives it is written down. No picture and no name of a person is in it."
    back = reverse("exchange:reports")
    return form_page(request, form, title="Export reports", intro=intro, button="Download", cancel=back)


@page("exchange.view", looks="exchange")
def notice_list(request: HttpRequest) -> HttpResponse:
    """Takedown notices: open, or closed."""
    closed = request.GET.get("show") == "closed"
    found = queries.notices(closed=closed, before=request.GET.get("before", ""))
    shown = [one.row.reference for one in found.rows]
    look(request, "exchange", None, list="notices", closed=closed, shown=shown)
    return render(
        request,
        "exchange/notices.html",
        {
            "rows": found.rows,
            "closed": closed,
            "may_manage": request.user.has_perm("exchange.manage"),
            "pages": pages(request, reverse("exchange:notices"), found.after, show="closed" if closed else ""),
        },
    )


@page("exchange.manage", methods=("GET", "POST"))
def send_notice(request: HttpRequest) -> HttpResponse:
    """A notice that was sent."""
    first = {}
    about = None
    if request.GET.get("report"):
        about = find(PlatformReport, request.GET["report"], "platform")
        first = {"platform": about.platform, "url": about.url, "signal_type": about.algorithm, "signal": about.value}
    form = NoticeForm(posted(request), initial=first)
    if request.method == "POST":

        def step() -> TakedownNotice:
            data = dict(form.cleaned_data)
            return notices.send_notice(request.user, data.pop("platform"), report=about, **data)

        made = attempt(form, step)
        if made:
            messages.success(request, f"{made.reference} is recorded; its clock runs.")
            return redirect("exchange:notice", made.reference)
    intro = "Record the notice as it was sent. The clock runs from then to the removal."
    back = reverse("exchange:notices")
    return form_page(request, form, title="Record a takedown notice", intro=intro, button="Record", cancel=back)


@page("exchange.view", looks="notice")
def notice(request: HttpRequest, reference: str) -> HttpResponse:
    """One notice: its clock, and how it was chased."""
    row = find(TakedownNotice, reference, "platform", "sent_by", "report")
    look(request, "notice", row)
    return render(
        request,
        "exchange/notice.html",
        {
            "row": row,
            "clock": queries.clocked_notices([row])[0].clock,
            "chases": list(row.chases.select_related("by")[:100]),
            "may_manage": row.is_open and request.user.has_perm("exchange.manage"),
        },
    )


@page("exchange.manage", looks="notice", methods=("GET", "POST"))
def chase(request: HttpRequest, reference: str) -> HttpResponse:
    """The platform was asked again."""
    row = find(TakedownNotice, reference, "platform")
    form, back = ChaseForm(posted(request)), reverse("exchange:notice", args=[row.reference])
    if request.method == "POST" and attempt(form, lambda: notices.chase(request.user, row, **form.cleaned_data)):
        messages.success(request, "The chasing is recorded. The clock runs on.")
        return redirect(back)
    look(request, "notice", row, page="chase")
    return form_page(
        request, form, title=f"Chase {row.reference}", caption=row.platform.name, button="Save", cancel=back
    )


@page("exchange.manage", looks="notice", methods=("GET", "POST"))
def removed(request: HttpRequest, reference: str) -> HttpResponse:
    """The material is gone."""
    row = find(TakedownNotice, reference, "platform")
    form, back = RemovedForm(posted(request)), reverse("exchange:notice", args=[row.reference])
    if request.method == "POST" and attempt(
        form, lambda: notices.record_removal(request.user, row, **form.cleaned_data)
    ):
        messages.success(request, "The removal is recorded.")
        return redirect(back)
    look(request, "notice", row, page="removed")
    return form_page(request, form, title="Record a removal", caption=row.reference, button="Save", cancel=back)


@page("exchange.manage", looks="notice", methods=("GET", "POST"))
def refused(request: HttpRequest, reference: str) -> HttpResponse:
    """The platform will not remove it."""
    row = find(TakedownNotice, reference, "platform")
    form, back = ReasonForm(posted(request)), reverse("exchange:notice", args=[row.reference])
    if request.method == "POST" and attempt(
        form, lambda: notices.record_refusal(request.user, row, **form.cleaned_data)
    ):
        messages.success(request, "The refusal is recorded. It never counts as removed.")
        return redirect(back)
    look(request, "notice", row, page="refused")
    intro = "The material stays available: the figures go on counting it as not removed."
    title = "Record that it will not be removed"
    return form_page(request, form, title=title, caption=row.reference, intro=intro, button="Save", cancel=back)


@page("exchange.view", looks="exchange")
def availability(request: HttpRequest) -> HttpResponse:
    """What the notices of the last year achieved."""
    rows = queries.availability()
    look(request, "exchange", None, list="availability")
    shown = [row for row in rows if row.notices]
    return render(
        request,
        "exchange/availability.html",
        {
            "rows": rows,
            "limit": queries.removal_limit_hours(),
            "chart": charts.availability_chart(rows[1:]) if len(shown) > 1 else "",
        },
    )
