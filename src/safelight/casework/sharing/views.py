"""Pages of sharing for police: what is shared of a case, on which basis, and the conversation with each partner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.policy import look, page, require
from safelight.casework.base.step import chosen_step, offered, step_view
from safelight.casework.cases.models import Case
from safelight.casework.safeguarding.models import SafeguardingReferral, StrategyDiscussion
from safelight.casework.sharing import services
from safelight.casework.sharing.forms import MessageForm, ShareForm
from safelight.casework.sharing.models import Agency, Sharing
from safelight.casework.sharing.queries import of_case, views
from safelight.casework.sharing.steps import POLICE


@page("safeguarding.view", looks=("case", "list"))
def case_sharing(request: HttpRequest, reference: str) -> HttpResponse:
    """Everything shared of a case: with whom, on which basis, by whom, when, whether it was read, until when."""
    case = Case.objects.select_related("unit").get_visible(request.user, reference)
    look(request, "case", case, tab="sharing")
    found = of_case(request.user, case)
    look(request, "list", None, list="what is shared of a case", shown=[view.row.reference for view in found])
    may = request.user.has_perm("safeguarding.refer", case)
    return render(request, "sharing/of_case.html", {"case": case, "tab": "children", "rows": found, "may": may})


def _share(
    request: HttpRequest, form: Any, act: Callable[[], Any], *, title: str, caption: str, back: str
) -> HttpResponse:
    if request.method == "POST":
        made = attempt(form, act)
        if made is not None:
            messages.success(request, f"{made.agency} can read it now ({made.reference}).")
            return redirect("sharing:detail", reference=made.reference)
    context = {
        "title": title,
        "caption": caption,
        "form": form,
        "button": "Share it",
        "cancel_url": back,
        "intro": "What is shared is kept exactly as it is now, with its basis. The ledger has it as a disclosure.",
    }
    return render(request, "form_page.html", context)


@page("safeguarding.refer", looks="safeguarding_referral", methods=("GET", "POST"))
def referral(request: HttpRequest, reference: str) -> HttpResponse:
    """Put a referral, as it was sent, into a partner's portal."""
    row = SafeguardingReferral.objects.select_related("case").get_visible(request.user, reference)
    require(request.user, "safeguarding.refer", row)
    look(request, "safeguarding_referral", row)
    agencies = Agency.objects.filter(active=True)
    first = agencies.filter(name=row.authority).first()
    initial = {"agency": first, "basis": "section_47"}
    form = ShareForm(posted(request), agencies=agencies, initial=initial)
    return _share(
        request, form, lambda: services.share_referral(request.user, row, **form.cleaned_data),
        title="Share the referral with a partner", caption=f"{row.reference} to {row.authority}",
        back=reverse("safeguarding:sent", args=[row.reference]),
    )  # fmt: skip


@page("safeguarding.strategy", looks="strategy", methods=("GET", "POST"))
def strategy(request: HttpRequest, reference: str) -> HttpResponse:
    """Invite an agency to a strategy discussion, or share its record."""
    row = StrategyDiscussion.objects.select_related("case", "called_by").get_visible(request.user, reference)
    require(request.user, "safeguarding.strategy", row)
    look(request, "strategy", row)
    form = ShareForm(posted(request), initial={"basis": "section_47"})
    return _share(
        request, form, lambda: services.share_strategy(request.user, row, **form.cleaned_data),
        title="Share the record with a partner" if row.state == "held" else "Invite a partner",
        caption=row.reference, back=reverse("safeguarding:strategy", args=[row.reference]),
    )  # fmt: skip


@page("safeguarding.refer", looks="case", methods=("GET", "POST"))
def message(request: HttpRequest, reference: str) -> HttpResponse:
    """Write to an agency about a case."""
    case = Case.objects.select_related("unit").get_visible(request.user, reference)
    require(request.user, "safeguarding.refer", case)
    look(request, "case", case, tab="message to a partner")
    form = MessageForm(posted(request))
    return _share(
        request, form, lambda: services.share_message(request.user, case, **form.cleaned_data),
        title="Write to a partner", caption=f"{case.reference} {case.title}",
        back=reverse("sharing:of_case", args=[case.reference]),
    )  # fmt: skip


def _row(request: HttpRequest, reference: str, rule: str) -> Any:
    rows = Sharing.objects.select_related("agency", "case", "referral", "strategy", "shared_by", "acknowledged_by")
    row = rows.get_visible(request.user, reference)
    require(request.user, rule, row)
    look(request, "sharing", row)
    return row


@page("sharing.view", looks="sharing")
def detail(request: HttpRequest, reference: str) -> HttpResponse:
    """One sharing as police see it."""
    row = _row(request, reference, "sharing.view")
    context = {
        "row": row,
        "view": views([row], by_partner=True)[0],
        "sections": row.content,
        "talk": list(row.messages.select_related("author")),
        "sees_case": Case.objects.visible_to(request.user).filter(pk=row.case_id).exists(),
        "steps": offered(POLICE, row) if request.user.has_perm("sharing.manage", row) else {},
    }
    return render(request, "sharing/detail.html", context)


@page("sharing.manage", looks="sharing", methods=("GET", "POST"))
def step(request: HttpRequest, reference: str, step: str) -> HttpResponse:
    """Write to the partner, withdraw."""
    chosen = chosen_step(POLICE, step)
    row = _row(request, reference, "sharing.manage")
    back = reverse("sharing:detail", args=[row.reference])
    return step_view(request, chosen, row, caption=f"{row.reference} with {row.agency}", back=back)
