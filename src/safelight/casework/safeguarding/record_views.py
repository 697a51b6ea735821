"""Pages of the child's record, strategy discussions, section 47 enquiries and police protection."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.accounts.models import User
from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.policy import look, page, require
from safelight.casework.base.step import chosen_step, offered, step_view
from safelight.casework.cases.models import Case
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.ledger.queries import lines
from safelight.casework.safeguarding.bulk import linked_children, refer_linked
from safelight.casework.safeguarding.child_record import unassessed
from safelight.casework.safeguarding.content import first_concern
from safelight.casework.safeguarding.models import ChildAtRisk, PoliceProtection, Section47, StrategyDiscussion
from safelight.casework.safeguarding.queries import child_views, children_of, clocks_about, measures_of
from safelight.casework.safeguarding.record_forms import BulkForm, CallForm
from safelight.casework.safeguarding.record_steps import CHILD, ENQUIRY, PROTECTION, STRATEGY
from safelight.casework.safeguarding.strategy import call_strategy, missing_from_quorum


def _row(request: HttpRequest, rows: Any, reference: str, rule: str, kind: str) -> Any:
    row = rows.get_visible(request.user, reference)
    require(request.user, rule, row)
    look(request, kind, row)
    return row


def _child(request: HttpRequest, reference: str, rule: str) -> Any:
    rows = ChildAtRisk.objects.select_related("person", "case", "referral")
    return _row(request, rows, reference, rule, "child")


@page("safeguarding.view", looks="child")
def child_record(request: HttpRequest, reference: str) -> HttpResponse:
    """One child: the child's words by day, who is around and the risk from each adult, schools, what is under way."""
    child = _child(request, reference, "safeguarding.view")
    may = request.user.has_perm("safeguarding.add_child", child)
    enquiries = list(Section47.objects.visible_to(request.user).filter(child=child).order_by("-pk"))
    protections = list(child.protections.order_by("-taken_at"))
    of_enquiry, of_protection = clocks_about(enquiries), clocks_about(protections)
    context = {
        "child": child,
        "view": child_views(ChildAtRisk.objects.filter(pk=child.pk).select_related("person", "case"))[0],
        "voices": list(child.voices.select_related("recorded_by")),
        "around": list(child.around.select_related("person", "assessed_by")),
        "unassessed": unassessed(child),
        "schools": list(child.schools.all()),
        "measures": measures_of(child),
        "enquiries": [(row, of_enquiry[row.pk]) for row in enquiries],
        "protections": [(row, of_protection[row.pk]) for row in protections],
        "steps": offered(CHILD, child) if may else {},
        "may": may,
    }
    return render(request, "safeguarding/record.html", context)


@page("safeguarding.add_child", looks="child", methods=("GET", "POST"))
def child_step(request: HttpRequest, reference: str, step: str) -> HttpResponse:
    """One step of a child's record."""
    chosen = chosen_step(CHILD, step)
    child = _child(request, reference, "safeguarding.add_child")
    back = reverse("safeguarding:record", args=[child.reference])
    return step_view(request, chosen, child, caption=f"{child.reference} {child.person.name}", back=back)


@page("safeguarding.refer", looks="case", methods=("GET", "POST"))
def strategy_call(request: HttpRequest, reference: str) -> HttpResponse:
    """Call a strategy discussion about children of a case."""
    case = Case.objects.select_related("unit").get_visible(request.user, reference)
    require(request.user, "safeguarding.refer", case)
    look(request, "case", case, tab="strategy discussion")
    back = reverse("safeguarding:case_children", args=[case.reference])
    here = Q(unit=case.unit) | Q(case_access__case=case) | Q(allocations__case=case, allocations__ended_at=None)
    people = User.objects.filter(here, is_active=True, role__in=("investigator", "supervisor", "examiner"))
    people = people.exclude(pk=request.user.pk).distinct().order_by("name")
    form = CallForm(posted(request), children=children_of(case), people=people)
    if request.method == "POST":
        made = attempt(form, lambda: call_strategy(request.user, case, **form.cleaned_data))
        if made is not None:
            messages.success(request, f"{made.reference} is called. Its clock runs.")
            return redirect("safeguarding:strategy", reference=made.reference)
    context = {
        "title": "Call a strategy discussion",
        "caption": f"{case.reference} {case.title}",
        "form": form,
        "button": "Call it",
        "cancel_url": back,
        "intro": "There is reasonable cause to suspect that a child suffers, or is likely to suffer, significant harm. "
        "Social care convenes it; police call for it. An enquiry that must stay covert is no reason to wait.",
    }
    return render(request, "form_page.html", context)


@page("safeguarding.strategy_view", looks="strategy")
def strategy(request: HttpRequest, reference: str) -> HttpResponse:
    """One strategy discussion. A covert one exists for its list only: everybody else meets 404."""
    rows = StrategyDiscussion.objects.select_related("case__unit", "called_by")
    row = _row(request, rows, reference, "safeguarding.strategy_view", "strategy")
    attendance = list(row.attendance.all())
    enquiries = list(Section47.objects.visible_to(request.user).filter(discussion=row).select_related("child__person"))
    own = LedgerEntry.objects.filter(subject_type=row._meta.label_lower, subject_id=str(row.pk)).order_by("-id")[:50]
    sees_case = Case.objects.visible_to(request.user).filter(pk=row.case_id).exists()
    of_enquiry = clocks_about(enquiries)
    context = {
        "row": row,
        "case": row.case if sees_case else None,
        "children": list(row.children.select_related("person")),
        "clocks": clocks_about([row])[row.pk],
        "attendance": attendance,
        "missing": missing_from_quorum(one.agency for one in attendance) if attendance else [],
        "enquiries": [(one, of_enquiry[one.pk]) for one in enquiries],
        "listed": list(row.access.select_related("user", "granted_by")) if row.covert else [],
        "entries": lines(list(own)) if row.covert else [],
        "steps": offered(STRATEGY, row) if request.user.has_perm("safeguarding.strategy", row) else {},
    }
    return render(request, "safeguarding/strategy.html", context)


@page("safeguarding.strategy", looks="strategy", methods=("GET", "POST"))
def strategy_step(request: HttpRequest, reference: str, step: str) -> HttpResponse:
    """One step of a strategy discussion."""
    chosen = chosen_step(STRATEGY, step)
    rows = StrategyDiscussion.objects.select_related("case")
    row = _row(request, rows, reference, "safeguarding.strategy", "strategy")
    # Who takes themselves off a list does not see it any more.
    back = reverse("work:home") if step == "no-longer" else reverse("safeguarding:strategy", args=[row.reference])
    return step_view(request, chosen, row, caption=row.reference, back=back)


@page("safeguarding.strategy_view", looks="enquiry47")
def enquiry(request: HttpRequest, reference: str) -> HttpResponse:
    """One section 47 enquiry."""
    rows = Section47.objects.select_related("child__person", "child__case", "discussion")
    row = _row(request, rows, reference, "safeguarding.strategy_view", "enquiry47")
    context = {
        "row": row,
        "clocks": clocks_about([row])[row.pk],
        "steps": offered(ENQUIRY, row) if request.user.has_perm("safeguarding.enquiry", row) else {},
    }
    return render(request, "safeguarding/enquiry.html", context)


@page("safeguarding.enquiry", looks="enquiry47", methods=("GET", "POST"))
def enquiry_step(request: HttpRequest, reference: str, step: str) -> HttpResponse:
    """One step of a section 47 enquiry."""
    chosen = chosen_step(ENQUIRY, step)
    rows = Section47.objects.select_related("child__person", "discussion")
    row = _row(request, rows, reference, "safeguarding.enquiry", "enquiry47")
    back = reverse("safeguarding:enquiry", args=[row.reference])
    return step_view(request, chosen, row, caption=f"{row.reference} {row.child.person.name}", back=back)


@page("safeguarding.strategy_view", looks="protection")
def protection(request: HttpRequest, reference: str) -> HttpResponse:
    """One police protection, with its 72 hours."""
    rows = PoliceProtection.objects.select_related("child__person", "child__case", "recorded_by")
    row = _row(request, rows, reference, "safeguarding.strategy_view", "protection")
    context = {
        "row": row,
        "clocks": clocks_about([row])[row.pk],
        "designated": list(row.designated.all()),
        "steps": offered(PROTECTION, row) if request.user.has_perm("safeguarding.protect", row) else {},
    }
    return render(request, "safeguarding/protection.html", context)


@page("safeguarding.protect", looks="protection", methods=("GET", "POST"))
def protection_step(request: HttpRequest, reference: str, step: str) -> HttpResponse:
    """One step of a police protection."""
    chosen = chosen_step(PROTECTION, step)
    rows = PoliceProtection.objects.select_related("child__person")
    row = _row(request, rows, reference, "safeguarding.protect", "protection")
    back = reverse("safeguarding:protection", args=[row.reference])
    return step_view(request, chosen, row, caption=f"{row.reference} {row.child.person.name}", back=back)


@page("safeguarding.refer", looks=("case", "list"), methods=("GET", "POST"))
def bulk(request: HttpRequest, reference: str) -> HttpResponse:
    """Every child linked to a suspect of the case, told of in one step: ``?suspect=P-000001``."""
    case = Case.objects.select_related("unit").get_visible(request.user, reference)
    require(request.user, "safeguarding.refer", case)
    look(request, "case", case, tab="all linked children")
    suspects = [link.person for link in case.people.filter(role="suspect").select_related("person").order_by("pk")]
    wanted = request.GET.get("suspect", "")
    suspect = next((one for one in suspects if one.reference == wanted), suspects[0] if suspects else None)
    linked = linked_children(request.user, case, suspect) if suspect else []
    look(request, "list", None, list="children linked to a suspect", shown=[one.person.reference for one in linked])
    ticked = [one.person.reference for one in linked if one.told is None and one.age_known]
    first = {"people": ticked, "concern": first_concern(case), "together": True}
    form = BulkForm(posted(request), linked=linked, initial=first)
    lines_: Any = None
    if request.method == "POST" and suspect is not None:

        def step() -> Any:
            data = form.cleaned_data
            people = [one.person for one in linked if one.person.reference in data["people"]]
            return refer_linked(
                request.user, case, suspect=suspect, people=people, recipient=data["recipient"],
                concern=data["concern"], all_or_nothing=data["together"], linked=linked,
            )  # fmt: skip

        lines_ = attempt(form, step)
        if lines_ is not None and all(line.sent for line in lines_):
            messages.success(request, f"Social care is told of {len(lines_)} children, each by a referral of its own.")
            return redirect("safeguarding:case_children", reference=case.reference)
    context = {
        "title": "Every child linked to the suspect",
        "caption": f"{case.reference} {case.title}",
        "case": case,
        "suspects": suspects,
        "suspect": suspect,
        "linked": linked,
        "lines": lines_,
        "form": form,
        "button": "Record as told",
        "cancel_url": reverse("safeguarding:case_children", args=[case.reference]),
    }
    return render(request, "safeguarding/bulk.html", context)
