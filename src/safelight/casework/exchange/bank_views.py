"""Pages of the exchange: banks."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.policy import look, page
from safelight.casework.exchange import banks, queries
from safelight.casework.exchange.forms import BankForm, ChangeBankForm, ContentForm, WithdrawForm
from safelight.casework.exchange.models import Bank, WithdrawnRow
from safelight.casework.exchange.views import find, form_page

MOST = 100


@page("exchange.view", looks="exchange")
def bank_list(request: HttpRequest) -> HttpResponse:
    """What platforms look into."""
    rows = queries.banks()
    look(request, "exchange", None, list="banks", shown=[row.reference for row in rows])
    return render(
        request, "exchange/banks.html", {"rows": rows, "may_manage": request.user.has_perm("exchange.manage")}
    )


@page("exchange.manage", methods=("GET", "POST"))
def make_bank(request: HttpRequest) -> HttpResponse:
    """A new bank."""
    form = BankForm(posted(request))
    if request.method == "POST":
        made = attempt(form, lambda: banks.make_bank(request.user, **form.cleaned_data))
        if made:
            messages.success(request, f"{made.name} is made. No platform may look into it before its terms say so.")
            return redirect("exchange:bank", made.reference)
    return form_page(request, form, title="Make a bank", button="Make it", cancel=reverse("exchange:banks"))


@page("exchange.view", looks="bank")
def bank(request: HttpRequest, reference: str) -> HttpResponse:
    """One bank."""
    row = find(Bank, reference, "hash_set", "made_by")
    look(request, "bank", row)
    contents = row.contents.select_related("added_by", "added_with").prefetch_related("signals").order_by("-pk")
    return render(
        request,
        "exchange/bank.html",
        {
            "row": row,
            "contents": list(contents[:MOST]),
            "withdrawn": list(row.withdrawn_rows.filter(restored_at=None).select_related("by").order_by("-pk")[:MOST]),
            "platforms": list(row.platforms.filter(closed_at=None).order_by("name")),
            "most": MOST,
            "may_manage": request.user.has_perm("exchange.manage"),
        },
    )


@page("exchange.manage", looks="bank", methods=("GET", "POST"))
def change_bank(request: HttpRequest, reference: str) -> HttpResponse:
    """Switch a bank, or let it follow another version."""
    row = find(Bank, reference, "hash_set")
    form = ChangeBankForm(posted(request), bank=row, initial={"enabled": row.enabled, "purpose": row.purpose})
    back = reverse("exchange:bank", args=[row.reference])
    if request.method == "POST" and attempt(form, lambda: banks.change_bank(request.user, row, **form.cleaned_data)):
        messages.success(request, f"{row.name} is changed.")
        return redirect(back)
    look(request, "bank", row, page="change")
    return form_page(request, form, title=f"Change {row.name}", button="Save", cancel=back)


@page("exchange.manage", looks="bank", methods=("GET", "POST"))
def add_content(request: HttpRequest, reference: str) -> HttpResponse:
    """An entry by its hashes."""
    row = find(Bank, reference)
    form = ContentForm(posted(request))
    back = reverse("exchange:bank", args=[row.reference])
    if request.method == "POST":
        made = attempt(
            form,
            lambda: banks.add_content(
                request.user, row, signals=form.signals(), note=form.cleaned_data.get("note", "")
            ),
        )
        if made:
            messages.success(request, f"Entry {made.pk} is in {row.name}; platforms find it within a second.")
            return redirect(back)
    look(request, "bank", row, page="add")
    intro = "Hashes only: no picture is uploaded here."
    return form_page(request, form, title=f"Add to {row.name}", intro=intro, button="Add", cancel=back)


@page("exchange.manage", looks="bank", methods=("GET", "POST"))
def withdraw(request: HttpRequest, reference: str) -> HttpResponse:
    """Take an entry out of what platforms are told."""
    row = find(Bank, reference, "hash_set")
    first = {"content": request.GET["entry"]} if request.GET.get("entry", "").isdecimal() else {}
    form = WithdrawForm(posted(request), initial=first)
    back = reverse("exchange:bank", args=[row.reference])
    if request.method == "POST":
        done = attempt(form, lambda: [banks.withdraw(request.user, row, **form.cleaned_data)])
        if done and done[0]:
            messages.success(request, "Platforms are no longer told of it.")
            return redirect(back)
        if done:
            form.add_error("content", f"{row.name} has no such entry that platforms are told of")
    look(request, "bank", row, page="withdraw")
    title = f"Withdraw an entry of {row.name}"
    return form_page(request, form, title=title, button="Withdraw", destructive=True, cancel=back)


@page("exchange.manage", methods=("POST",))
def restore(request: HttpRequest, reference: str, pk: int) -> HttpResponse:
    """Tell platforms of a row again."""
    row = find(Bank, reference)
    withdrawn = WithdrawnRow.objects.filter(bank=row, pk=pk, restored_at=None).first() if pk < 1 << 62 else None
    if withdrawn is None:
        raise Http404("There is no such withdrawn entry.")
    banks.restore(request.user, withdrawn)
    messages.success(request, f"Platforms are told of entry {withdrawn.row} again.")
    return redirect("exchange:bank", row.reference)
