"""Writing to children's social care, and what came back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from safelight.casework.base.attempt import attempt
from safelight.casework.base.policy import look, page, require
from safelight.casework.cases.models import Case
from safelight.casework.people.boroughs import social_care_for
from safelight.casework.safeguarding.content import compose, sections
from safelight.casework.safeguarding.content import first_concern as begin
from safelight.casework.safeguarding.forms import AnswerForm, ChaseForm, ReferForm
from safelight.casework.safeguarding.models import SafeguardingReferral
from safelight.casework.safeguarding.queries import children_of, sent_views
from safelight.casework.safeguarding.record_forms import EscalateForm
from safelight.casework.safeguarding.services import (
    record_acknowledgement,
    record_chase,
    record_escalation,
    send_safeguarding_referral,
)


@page("safeguarding.refer", looks="case", methods=("GET", "POST"))
def refer(request: HttpRequest, reference: str) -> HttpResponse:
    """Write the referral, read it as social care will, then record it as sent."""
    case = Case.objects.select_related("unit").get_visible(request.user, reference)
    require(request.user, "safeguarding.refer", case)
    look(request, "case", case, tab="referral to social care")
    children = children_of(case)
    back = reverse("safeguarding:case_children", args=[case.reference])
    if not children.exists():
        messages.error(request, "No child is recorded in this case. Record the child first.")
        return redirect("safeguarding:case_child_add", reference=case.reference)
    action = request.POST.get("action", "")
    form = ReferForm(
        request.POST or None, children=children, initial=None if request.POST else _initial(case, children)
    )
    if action == "send":
        made = attempt(form, lambda: send_safeguarding_referral(request.user, case, **form.arguments()))
        if made is not None:
            messages.success(
                request, f"{made.reference} is recorded as sent. Chase it if no decision comes by its clock."
            )
            return redirect("safeguarding:sent", reference=made.reference)
    elif action == "preview" and form.is_valid():
        return _preview(request, case, form, back)
    context = {
        "title": "Tell children's social care",
        "caption": f"{case.reference} {case.title}",
        "case": case,
        "form": form,
        "cancel_url": back,
    }
    return render(request, "safeguarding/refer.html", context)


def _initial(case: Case, children: Any) -> dict[str, Any]:
    """What the records know: the children not yet told of, their authority when it is one, the report."""
    untold = [child for child in children if not child.safeguarding_referrals.all()]
    authorities = {social_care_for(child.borough) for child in untold}
    return {
        "children": [child.pk for child in untold],
        "authority": authorities.pop() if len(authorities) == 1 else "",
        "concern": begin(case),
    }


def _preview(request: HttpRequest, case: Case, form: ReferForm, back: str) -> HttpResponse:
    arguments = form.arguments()
    content = compose(request.user, case, **{**arguments, "sent_at": arguments["sent_at"] or timezone.now()})
    typed = [
        (n, v) for n in request.POST for v in request.POST.getlist(n) if n not in ("action", "csrfmiddlewaretoken")
    ]
    context = {"case": case, "sections": sections(content), "typed": typed, "cancel_url": back}
    return render(request, "safeguarding/preview.html", context)


def _sent(request: HttpRequest, reference: str, rule: str) -> SafeguardingReferral:
    rows = SafeguardingReferral.objects.select_related("case__unit", "sent_by")
    row: SafeguardingReferral = rows.get_visible(request.user, reference)
    require(request.user, rule, row)
    look(request, "safeguarding_referral", row)
    return row


@page("safeguarding.view", looks="safeguarding_referral")
def sent(request: HttpRequest, reference: str) -> HttpResponse:
    """One referral as it was sent, to read or print, with its clocks and what came back."""
    row = _sent(request, reference, "safeguarding.view")
    view = next(one for one in sent_views(row.case) if one.sent.pk == row.pk)
    may = request.user.has_perm("safeguarding.refer", row)
    context = {"sent": row, "case": row.case, "view": view, "sections": sections(row.content), "may": may}
    return render(request, "safeguarding/sent.html", context)


@page("safeguarding.view", looks="safeguarding_referral")
def text(request: HttpRequest, reference: str) -> HttpResponse:
    """The same as a text file, for the secure route to social care."""
    row = _sent(request, reference, "safeguarding.view")
    parts = [f"REFERRAL TO CHILDREN'S SOCIAL CARE {row.reference}", "OFFICIAL-SENSITIVE"]
    for heading, rows in sections(row.content):
        parts += ["", heading.upper(), *(f"{label}: {value}" for label, value in rows)]
    response = HttpResponse("\r\n".join(parts) + "\r\n", content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{row.reference}.txt"'
    return response


@page("safeguarding.refer", looks="safeguarding_referral", methods=("GET", "POST"))
def chase(request: HttpRequest, reference: str) -> HttpResponse:
    """Record that social care was asked again."""
    row = _sent(request, reference, "safeguarding.refer")
    form = ChaseForm(request.POST or None)
    if request.method == "POST":
        made = attempt(form, lambda: record_chase(request.user, row, text=form.cleaned_data["text"]))
        if made is not None:
            messages.success(request, f"Chased, time {made.chases}. The clock to chase again has started.")
            return redirect("safeguarding:sent", reference=row.reference)
    return _form(request, row, form, "Chase social care", "Record the chase")


@page("safeguarding.refer", looks="safeguarding_referral", methods=("GET", "POST"))
def escalate(request: HttpRequest, reference: str) -> HttpResponse:
    """Record that social care's silence was taken to somebody above."""
    row = _sent(request, reference, "safeguarding.refer")
    form = EscalateForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        made = attempt(form, lambda: record_escalation(request.user, row, **form.cleaned_data))
        if made is not None:
            messages.success(request, "The escalation is recorded. The clock to chase again has started.")
            return redirect("safeguarding:sent", reference=row.reference)
    return _form(request, row, form, "Escalate social care's silence", "Record the escalation")


@page("safeguarding.refer", looks="safeguarding_referral", methods=("GET", "POST"))
def answer(request: HttpRequest, reference: str) -> HttpResponse:
    """Record that social care acknowledged it, and what they decided."""
    row = _sent(request, reference, "safeguarding.refer")
    form = AnswerForm(request.POST or None, initial={"by": row.acknowledged_by})
    if request.method == "POST":

        def step() -> SafeguardingReferral:
            data = form.cleaned_data
            decision = "" if data["decision"] == "none" else data["decision"]
            return record_acknowledgement(request.user, row, by=data["by"], decision=decision, at=data["at"])

        made = attempt(form, step)
        if made is not None:
            messages.success(request, "The answer of social care is recorded.")
            return redirect("safeguarding:sent", reference=row.reference)
    return _form(request, row, form, "What social care answered", "Record the answer")


def _form(request: HttpRequest, row: SafeguardingReferral, form: Any, title: str, button: str) -> HttpResponse:
    context = {
        "title": title,
        "caption": f"{row.reference} to {row.authority}",
        "form": form,
        "button": button,
        "cancel_url": reverse("safeguarding:sent", args=[row.reference]),
    }
    return render(request, "form_page.html", context)
