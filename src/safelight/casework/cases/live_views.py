"""The queue of live contact, and the step that begins or ends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from safelight.casework.allocation.models import Allocation
from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.policy import look, page
from safelight.casework.cases.forms import LiveContactForm
from safelight.casework.cases.live import CLOCK, record_live_contact
from safelight.casework.cases.models import Case, LiveContact
from safelight.casework.cases.steps import case_for, step_page
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.queries import moment_key, views_of
from safelight.casework.workforce.models import Unit

STATES = {"open": "Goes on", "ended": "Ended", "all": "Both"}


@dataclass(frozen=True)
class Line:
    """One line of the queue."""

    row: LiveContact
    clock: Any


def live_page(
    user: Any, *, state: str = "open", unit: str = "", unallocated: bool = False, after: str = "", size: int = 50
) -> tuple[list[Line], str]:
    """Live contact in the cases that ``user`` may see, the longest first, and the key of the next page or "".

    Three queries, whatever the number of cases.
    """
    rows = LiveContact.objects.filter(Case.objects.visible_to(user).holding("case"))
    if state != "all":
        rows = rows.filter(ended_at__isnull=state == "open")
    if unit:
        rows = rows.filter(case__unit__code=unit)
    if unallocated:
        rows = rows.filter(~Exists(Allocation.objects.filter(case=OuterRef("case"), ended_at=None)))
    key = moment_key(after)
    if key is not None:
        rows = rows.filter(Q(found_at__gt=key[0]) | Q(found_at=key[0], pk__gt=key[1]))
    found = list(rows.select_related("case__unit", "found_by", "ended_by").order_by("found_at", "pk")[: size + 1])
    more = found[size - 1] if len(found) > size else None
    keys = [row.case_id for row in found[:size]]
    cases = {case.pk: case for case in Case.objects.filter(pk__in=keys).select_related("unit").with_investigator()}
    clocks = {view.clock.case_id: view for view in views_of(Clock.objects.open().filter(case__in=keys, rule=CLOCK))}
    lines = []
    for row in found[:size]:
        row.case = cases[row.case_id]
        lines.append(Line(row, clocks.get(row.case_id) if row.ended_at is None else None))
    return lines, f"{more.found_at.isoformat()}~{more.pk}" if more else ""


@page("cases.view", looks="list")
def live(request: HttpRequest) -> HttpResponse:
    """Filters in the address: ``?state=ended&unit=CN&unallocated=1&after=...``."""
    units = dict(Unit.objects.values_list("code", "name"))
    state = request.GET.get("state", "") if request.GET.get("state", "") in STATES else "open"
    unit = request.GET.get("unit", "") if request.GET.get("unit", "") in units else ""
    unallocated = request.GET.get("unallocated") == "1"
    typed = request.GET.get("after", "")
    lines, after = live_page(request.user, state=state, unit=unit, unallocated=unallocated, after=typed)
    chosen = {"state": state if state != "open" else "", "unit": unit, "unallocated": "1" if unallocated else ""}
    chosen = {name: value for name, value in chosen.items() if value}
    look(request, "list", None, list="live contact", filters=chosen, shown=[one.row.case.reference for one in lines])
    return render(
        request,
        "cases/live.html",
        {
            "lines": lines,
            "states": STATES,
            "units": units,
            "picked": {"state": state, "unit": unit, "unallocated": unallocated},
            "filtered": bool(chosen),
            "pages": {
                "previous_url": f"?{urlencode(chosen)}" if typed else "",
                "next_url": f"?{urlencode({**chosen, 'after': after})}" if after else "",
            },
        },
    )


@page("cases.live_contact", looks="case", methods=("GET", "POST"))
def live_contact(request: HttpRequest, reference: str) -> HttpResponse:
    """Record that a suspect is in contact with a child, or that this has ended; below it, what was recorded before."""
    case = case_for(request, reference, "cases.live_contact")
    contact = not case.live_contact
    form = LiveContactForm(posted(request))
    form.fields["at"].label = "Since when" if contact else "When it ended"
    if request.method == "POST":
        made = attempt(
            form,
            lambda: record_live_contact(
                request.user,
                case,
                contact=contact,
                how_known=form.cleaned_data["how_known"],
                at=form.cleaned_data["at"],
            ),
        )
        if made is not None:
            messages.success(
                request,
                "Live contact recorded. The investigator, the supervisors and the desk are told."
                if contact
                else "The end of the contact is recorded.",
            )
            return redirect("cases:detail", reference=case.reference)
    title = "Record live contact with a child" if contact else "Record that the contact has ended"
    intro = (
        "A suspect is in contact with a child now. The case goes to the top of every list, its clocks become the "
        "shortest there are, and it stays so until a named person records that it has ended."
        if contact
        else "You record this by name: when it ended, and how you know. The case leaves the top of the lists; other "
        "clocks run on."
    )
    history = LiveContact.objects.filter(case=case).select_related("found_by", "ended_by").order_by("-found_at", "-pk")
    return step_page(
        request,
        case,
        form,
        title,
        template="cases/live_contact.html",
        intro=intro,
        button="Record",
        destructive=not contact,
        history=list(history[:50]),
    )
