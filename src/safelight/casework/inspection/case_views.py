"""Pages of one audited case: both assessments, evidence, wording, disagreement, and sending it back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.policy import look, page, require
from safelight.casework.base.standards import standards
from safelight.casework.cases.models import Case
from safelight.casework.inspection import following, queries
from safelight.casework.inspection.assessing import (
    INSPECTOR,
    SELF,
    criteria_of,
    link_evidence,
    scale_of,
    self_settled,
    shown_to,
    stage_for,
    write,
)
from safelight.casework.inspection.evidence import KINDS, records_of, spotted_in, wording_of
from safelight.casework.inspection.forms import (
    AnswerForm,
    AssessForm,
    EvidenceForm,
    MissingForm,
    SendBackForm,
    SettleForm,
    supervisors_of,
)
from safelight.casework.inspection.models import Assessment, AuditCase, ReferredBack
from safelight.casework.inspection.rules import is_recipient

STATES = {"open": "Waiting for an answer", "all": "All"}


def find(request: HttpRequest, reference: str, *, rule: str = "inspection.case") -> AuditCase:
    """The audited case if this person sees it, else 404; 403 where the rule does not allow the step."""
    row: AuditCase = AuditCase.objects.select_related("plan", "case", "unit", "stands_in_for").get_visible(
        request.user, reference
    )
    require(request.user, rule, row)
    return row


@page("inspection.case", looks="audit_case")
def detail(request: HttpRequest, reference: str) -> HttpResponse:
    """One audited case: how far each side is, and what this person may read of it."""
    row = find(request, reference)
    shown = shown_to(request.user, row)
    look(request, "audit_case", row, shown=sorted(shown))
    stages = {one.stage: one for one in row.assessments.all()}
    mine = stage_for(request.user)
    both = all(stage in shown and shown[stage].finished_at for stage in (SELF, INSPECTOR))
    context = {
        "row": row,
        "shown": shown,
        "stages": stages,
        "mine": mine,
        "may_write": _may_write(request.user, row, stages, mine),
        "ready": self_settled(row),
        "criteria": criteria_of(row.plan),
        "scale": scale_of(row.plan.scale),
        "kinds": KINDS,
        "case_url": _case_url(request.user, row),
        "back": list(row.referred_back.select_related("recipient", "made_by", "outcome_by").order_by("-pk")),
        "reasons": standards().refer_back_reasons,
        "outcomes": standards().refer_back_outcomes,
        "is_late": queries.is_late,
        "agreement": getattr(row, "agreement", None),
        "differs": both and shown[SELF].grade != shown[INSPECTOR].grade,
        "auditor": mine == INSPECTOR,
    }
    return render(request, "inspection/case.html", context)


def _may_write(user: Any, row: AuditCase, stages: dict[str, Assessment], mine: str) -> bool:
    if row.plan.closed_at or row.missing_at:
        return False
    own, theirs = stages.get(mine), stages.get(INSPECTOR)
    if mine == SELF and theirs is not None and theirs.finished_at:
        return False
    return own is None or (not own.finished_at and (mine == SELF or own.by_id == user.pk))


def _case_url(user: Any, row: AuditCase) -> str:
    seen = Case.objects.visible_to(user).filter(pk=row.case_id).exists()
    return reverse("cases:detail", args=[row.case.reference]) if seen else ""


@page("inspection.assess", looks="audit_case", methods=("GET", "POST"))
def assess(request: HttpRequest, reference: str) -> HttpResponse:
    """Write this side's assessment: a draft, or to the end. The other side's is not on this page."""
    row = find(request, reference, rule="inspection.assess")
    stage = stage_for(request.user)
    own = row.assessments.filter(stage=stage).prefetch_related("headings", "evidence").first()
    if own is not None and (own.finished_at or (stage == INSPECTOR and own.by_id != request.user.pk)):
        return redirect("inspection:case", reference=row.reference)
    form = AssessForm(criteria_of(row.plan), scale_of(row.plan.scale), posted(request), row=own)
    if request.method == "POST":
        finish = request.POST.get("action") == "finish"
        made = attempt(form, lambda: write(request.user, row, **form.values(), finish=finish))
        if made is not None:
            _point_at_wording(request, form.values())
            if finish:
                messages.success(request, "The assessment is finished.")
                return redirect("inspection:case", reference=row.reference)
            messages.success(request, "The draft is saved.")
            return redirect("inspection:assess", reference=row.reference)
    else:
        look(request, "audit_case", row, shown=[stage])
    context = {
        "row": row,
        "form": form,
        "stage": stage,
        "own": own,
        "criteria": criteria_of(row.plan),
        "kinds": KINDS,
        "case_url": _case_url(request.user, row),
        "wording": wording_of(row.case, request.user),
        "ready": self_settled(row),
    }
    return render(request, "inspection/assess.html", context)


def _point_at_wording(request: HttpRequest, values: dict[str, Any]) -> None:
    """Says where the assessment itself uses wording that somebody should look at. What was written stays."""
    texts = [values["summary"], *(note for _, note in values["headings"].values())]
    found = [one for text in texts for one in spotted_in(text, "")]
    for one in found[:5]:
        messages.warning(request, f"You wrote “{one.words}”. {one.why} Consider: {one.consider}.")


@page("inspection.assess", looks="audit_case", methods=("GET", "POST"))
def evidence(request: HttpRequest, reference: str) -> HttpResponse:
    """Link records of the case to a heading."""
    row = find(request, reference, rule="inspection.assess")
    headings = [(one.id, one.title) for one in criteria_of(row.plan)]
    records = [(one.code, f"{KINDS[one.kind]}: {one.label}") for one in records_of(row.case, request.user)]
    form = EvidenceForm(headings, records, posted(request), initial={"heading": request.GET.get("heading", "")[:40]})
    if request.method == "POST":
        data = form.data
        chosen = {"heading": data.get("heading", ""), "records": form.data.getlist("records")}
        if attempt(form, lambda: link_evidence(request.user, row, **chosen)) is not None:
            return redirect("inspection:assess", reference=row.reference)
    else:
        look(request, "audit_case", row, shown=["records"])
    intro = "The records of the case that a grade rests on. They are linked, not copied." if records else (
        "You cannot see the records of this case at present."
    )  # fmt: skip
    return _form(request, row, form, "Link records of the case", intro, "Link them", back="inspection:assess")


@page("inspection.audit", looks="audit_case", methods=("GET", "POST"))
def missing(request: HttpRequest, reference: str) -> HttpResponse:
    """A file that cannot be had; the next case in reserve stands in."""
    row = find(request, reference, rule="inspection.audit")
    form = MissingForm(posted(request))
    if request.method == "POST":

        def step() -> tuple[Any]:
            return (following.file_missing(request.user, row, reason=form.cleaned_data["reason"]),)

        made = attempt(form, step)
        if made is not None:
            said = f"{made[0].reference} stands in for it." if made[0] else "The reserve of this stratum is used up."
            messages.success(request, f"Recorded. {said}")
            return redirect("inspection:plan", reference=row.plan.reference)
    else:
        look(request, "audit_case", row, shown=[])
    intro = "Only for a file that cannot be had. A case is never replaced because of what stands in it."
    return _form(request, row, form, "The file cannot be had", intro, "Record it")


@page("inspection.audit", looks="audit_case", methods=("GET", "POST"))
def settle(request: HttpRequest, reference: str) -> HttpResponse:
    """How a disagreement was settled. Both grades stay as they were given."""
    row = find(request, reference, rule="inspection.audit")
    form = SettleForm(scale_of(row.plan.scale), supervisors_of(row), posted(request))
    if request.method == "POST":
        if attempt(form, lambda: following.settle(request.user, row, **form.cleaned_data)) is not None:
            messages.success(request, "Recorded. Both grades stay as they were given; figures use the auditor's.")
            return redirect("inspection:case", reference=row.reference)
    else:
        look(request, "audit_case", row, shown=[])
    intro = "Both grades stay on record as they were given, and figures use the auditor's."
    return _form(request, row, form, "Settle the disagreement", intro, "Record how it was settled")


@page("inspection.audit", looks="audit_case", methods=("GET", "POST"))
def send_back(request: HttpRequest, reference: str) -> HttpResponse:
    """Send the case back, at any time: a child at risk does not wait for a grade."""
    row = find(request, reference, rule="inspection.audit")
    form = SendBackForm(following.recipients(row), posted(request))
    if request.method == "POST":
        if attempt(form, lambda: following.send_back(request.user, row, **form.cleaned_data)) is not None:
            messages.success(request, "The case is sent back. It stands first in the recipient's work.")
            return redirect("inspection:case", reference=row.reference)
    else:
        look(request, "audit_case", row, shown=[])
    intro = (
        "Do not wait for the grade. The recipient is told at once and answers by the time that follows from the reason."
    )
    return _form(request, row, form, "Send the case back", intro, "Send it back")


def _form(
    request: HttpRequest,
    row: AuditCase,
    form: Any,
    title: str,
    intro: str,
    button: str,
    *,
    back: str = "inspection:case",
) -> HttpResponse:
    context = {
        "title": title,
        "caption": f"{row.reference} · {row.case.reference}",
        "form": form,
        "intro": intro,
        "button": button,
        "cancel_url": reverse(back, args=[row.reference]),
    }
    return render(request, "form_page.html", context)


@page("inspection.referred", looks="list")
def sent_back(request: HttpRequest) -> HttpResponse:
    """Cases sent back: ``?state=open`` (as it opens) or ``all``."""
    state = request.GET.get("state", "open")
    state = state if state in STATES else "open"
    before = request.GET.get("before", "")
    rows, more = queries.sent_back_page(request.user, state, before)
    look(request, "list", None, list="cases sent back", state=state, shown=[row.reference for row in rows])
    pages = {"previous_url": "?state=all" if before else "", "next_url": f"?state=all&before={more}" if more else ""}
    context = {
        "rows": rows,
        "pages": pages,
        "state": state,
        "states": STATES,
        "reasons": standards().refer_back_reasons,
        "outcomes": standards().refer_back_outcomes,
        "is_late": queries.is_late,
    }
    return render(request, "inspection/sent_back.html", context)


@page("inspection.referred", looks="referred_back", methods=("GET", "POST"))
def answer(request: HttpRequest, reference: str) -> HttpResponse:
    """One case that was sent back: what must be done, and the recipient's answer."""
    row: ReferredBack = ReferredBack.objects.select_related(
        "audit__case", "audit__plan", "recipient", "made_by", "outcome_by"
    ).get_visible(request.user, reference)
    mine = bool(is_recipient(request.user, row)) and not row.outcome_at
    form = AnswerForm(posted(request)) if mine else None
    if request.method == "POST":
        require(request.user, "inspection.answer", row)
        if form is None:
            messages.info(request, f"{row.reference} is answered.")
            return redirect("inspection:answer", reference=row.reference)
        if attempt(form, lambda: following.answer(request.user, row, **form.cleaned_data)) is not None:
            messages.success(request, "Your answer is recorded. The auditor sees it.")
            return redirect("inspection:answer", reference=row.reference)
    else:
        look(request, "referred_back", row)
    context = {
        "row": row,
        "form": form,
        "reason": standards().refer_back_reasons.get(row.reason),
        "outcome": standards().refer_back_outcomes.get(row.outcome),
        "late": queries.is_late(row),
        "case_url": _case_url(request.user, row.audit),
    }
    return render(request, "inspection/answer.html", context)
