"""Recording children, changing what is known of one, and holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt
from safelight.casework.base.policy import look, page, require
from safelight.casework.cases.models import Case
from safelight.casework.people.models import Person
from safelight.casework.people.queries import candidates
from safelight.casework.referrals.models import Referral
from safelight.casework.safeguarding.forms import (
    CONTACT,
    ChildForm,
    ContactFields,
    FindForm,
    HoldForm,
    NewChildForm,
    NewChildren,
)
from safelight.casework.safeguarding.models import ChildAtRisk
from safelight.casework.safeguarding.queries import child_views, named_in_report
from safelight.casework.safeguarding.services import add_child, hold_child_clock, lift_child_hold, update_child

ONLY_SUPERVISOR = (
    "Only a supervisor of the unit may put a hold on telling social care, with a reason and for at most 24 hours. "
    "Tell social care now, or ask a supervisor."
)


class _OneRefused(Exception):
    """One of several children cannot be recorded: none of the page is, and its faults are shown."""


@page("safeguarding.add_child", looks="list", methods=("GET", "POST"))
def add_to_referral(request: HttpRequest, reference: str) -> HttpResponse:
    """Children found at intake, several at once; ``?person=P-000001`` links one who is on record."""
    referral = Referral.objects.select_related("unit", "case").get_visible(request.user, reference)
    require(request.user, "safeguarding.add_child", referral)
    done = reverse("referrals:detail", args=[referral.reference])
    return _add(request, referral=referral, borough=referral.borough, done=done, unnamed=named_in_report(referral))


@page("safeguarding.add_child", looks="list", methods=("GET", "POST"))
def add_to_case(request: HttpRequest, reference: str) -> HttpResponse:
    """Children found while a case is worked."""
    case = Case.objects.select_related("unit").get_visible(request.user, reference)
    require(request.user, "safeguarding.add_child", case)
    done = reverse("safeguarding:case_children", args=[case.reference])
    return _add(request, case=case, borough=case.borough, done=done, unnamed=[])


def _add(
    request: HttpRequest, *, borough: str, done: str, unnamed: list[Any], referral: Any = None, case: Any = None
) -> HttpResponse:
    subject = referral or case
    context = {
        "title": "Record children at risk",
        "caption": subject.reference,
        "cancel_url": done,
        "unnamed": unnamed,
        "intro": "The clock to tell children's social care starts for each child when police first knew of it. "
        "Nothing in the investigation stops it.",
    }
    where = {"referral": referral, "case": case}
    chosen = request.POST.get("person") or request.GET.get("person", "")
    if chosen:
        return _add_known(request, Person.objects.get_visible(request.user, chosen), borough, where, done, context)
    initial = {"borough": borough if borough in dict(NewChildForm().fields["borough"].choices) else ""}  # type: ignore[attr-defined]
    data = None
    if request.method == "POST":
        data = request.POST.copy()
        if "more" in data:
            # Another child on the same page, also without JavaScript: what was typed stays, nothing is checked yet.
            data["form-TOTAL_FORMS"] = str(min(_number(data.get("form-TOTAL_FORMS")), 19) + 1)
    forms = NewChildren(data, form_kwargs={"initial": initial})
    if data is not None and "more" not in data and forms.is_valid():
        made = _record_new(request, forms, where)
        if made:
            return _recorded(request, made, done)
    elif data is not None and "more" in data:
        forms = _unchecked(forms, data, initial)
    find = FindForm(request.GET if "find" in request.GET else None)
    found = candidates(request.user, **find.cleaned_data) if find.is_bound and find.is_valid() else []
    shown = [one.person.reference for one in found]
    look(request, "list", None, list="children to record", of=subject.reference, shown=shown)
    context |= {"forms": forms, "find": find, "found": found, "searched": find.is_bound}
    return render(request, "safeguarding/child_add.html", context)


def _number(text: Any) -> int:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 4 else 1


def _unchecked(forms: Any, data: Any, initial: dict[str, Any]) -> Any:
    """The same forms with what was typed as their beginning, so that an unfinished child shows no errors yet."""
    typed = []
    for form in forms.forms:
        values = {name: form[name].data for name in form.fields}
        typed.append({**initial, **{name: value for name, value in values.items() if value not in (None, "")}})
    made = NewChildren(initial=typed, form_kwargs={"use_required_attribute": False})
    made.extra = 0
    return made


def _record_new(request: HttpRequest, forms: Any, where: dict[str, Any]) -> list[ChildAtRisk]:
    """Every child of the page or none; the faults are put on the forms."""
    filled = [form for form in forms.forms if form.has_changed()]
    made: list[ChildAtRisk] = []

    def each(form: Any) -> ChildAtRisk:
        times = {"identified_at": form.cleaned_data["identified_at"]}
        return add_child(request.user, **where, person=form.person(), **form.flags(), **times)

    try:
        with transaction.atomic():
            for form in filled:
                child = attempt(form, lambda form=form: each(form))  # type: ignore[misc]
                if child is None:
                    raise _OneRefused
                made.append(child)
    except _OneRefused:
        return []
    return made


def _add_known(
    request: HttpRequest, person: Person, borough: str, where: dict[str, Any], done: str, context: dict[str, Any]
) -> HttpResponse:
    initial = {"borough": person.borough or borough}
    form = ChildForm(request.POST if "contact_form" in request.POST else None, initial=initial)
    if form.is_bound:

        def step() -> ChildAtRisk:
            times = {"identified_at": form.cleaned_data["identified_at"]}
            return add_child(request.user, **where, person=person, **form.flags(), **times)

        made = attempt(form, step)
        if made is not None:
            return _recorded(request, [made], done)
    look(request, "list", None, list="children to record", shown=[person.reference])
    context |= {"form": form, "person": person, "button": "Record the child"}
    return render(request, "safeguarding/child_known.html", context)


def _recorded(request: HttpRequest, made: list[ChildAtRisk], done: str) -> HttpResponse:
    names = ", ".join(child.reference for child in made)
    if any(child.immediate_danger for child in made):
        messages.error(request, f"{names}: immediate danger. Call 999 or act now; do not wait for a form.")
    messages.success(request, f"Recorded: {names}. The clock to tell social care is running.")
    return redirect(done)


def _child(request: HttpRequest, reference: str, rule: str, refusal: str = "") -> ChildAtRisk:
    rows = ChildAtRisk.objects.select_related("person", "case", "referral")
    child: ChildAtRisk = rows.get_visible(request.user, reference)
    if refusal and not request.user.has_perm(rule, child):
        raise PermissionDenied(refusal)
    require(request.user, rule, child)
    look(request, "child", child)
    return child


def _back(child: ChildAtRisk) -> str:
    if child.case is not None:
        return reverse("safeguarding:case_children", args=[child.case.reference])
    assert child.referral is not None
    return reverse("referrals:detail", args=[child.referral.reference])


@page("safeguarding.add_child", looks="child", methods=("GET", "POST"))
def change(request: HttpRequest, reference: str) -> HttpResponse:
    """One child: how in contact, what the child says, where."""
    child = _child(request, reference, "safeguarding.add_child")
    names = ("immediate_danger", "relationship", "school", "borough", "voice")
    initial = {name: getattr(child, name) for name in names}
    initial["contact"] = [name for name, _ in CONTACT if getattr(child, name)]
    form = ContactFields(request.POST or None, initial=initial)
    return _step(
        request,
        child,
        form,
        lambda: update_child(request.user, child, **form.flags()),
        done="The record of the child is changed.",
        title=f"{child.reference} {child.person.name}",
        button="Save",
        template="safeguarding/child.html",
    )


@page("safeguarding.view", looks="child", methods=("GET", "POST"))
def hold(request: HttpRequest, reference: str) -> HttpResponse:
    """A supervisor's reasoned delay. Everyone else gets 403 with the reason."""
    child = _child(request, reference, "safeguarding.hold", ONLY_SUPERVISOR)
    form = HoldForm(request.POST or None)
    return _step(
        request,
        child,
        form,
        lambda: hold_child_clock(
            request.user, child, reason=form.cleaned_data["reason"], hours=form.cleaned_data["hours"]
        ),
        done="The hold is recorded under your name. The clock runs on.",
        title="Put a hold on telling social care",
        button="Put on hold",
        destructive=True,
        intro=[
            "A hold explains to everyone why social care is told later. It never stops the clock and never moves its "
            "time. It ends by itself.",
            "Enquiries that must stay covert can be told to social care in confidence. A child is not left with a "
            "suspect to protect an investigation.",
        ],
    )


@page("safeguarding.view", looks="child", methods=("GET", "POST"))
def lift(request: HttpRequest, reference: str) -> HttpResponse:
    """End a hold before it expires."""
    child = _child(request, reference, "safeguarding.hold", ONLY_SUPERVISOR)
    form = Form(request.POST or None)
    if request.method == "POST":
        form = Form({})
    return _step(
        request,
        child,
        form,
        lambda: lift_child_hold(request.user, child),
        done="The hold is lifted.",
        title="Lift the hold",
        button="Lift the hold",
        intro="Social care can then be told at once.",
    )


def _step(
    request: HttpRequest,
    child: ChildAtRisk,
    form: Any,
    step: Callable[[], Any],
    *,
    done: str,
    template: str = "form_page.html",
    **context: Any,
) -> HttpResponse:
    """One form about one child."""
    back = _back(child)
    if request.method == "POST" and attempt(form, step) is not None:
        messages.success(request, done)
        return redirect(back)
    view = child_views(ChildAtRisk.objects.filter(pk=child.pk).select_related("person", "case"))[0]
    caption = f"{child.reference} {child.person.name}"
    made = {"caption": caption, "form": form, "cancel_url": back, "child": child, "view": view, **context}
    return render(request, template, made)
