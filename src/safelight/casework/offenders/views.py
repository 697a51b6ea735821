"""Pages that show offenders. The steps that change one are in :mod:`.steps`."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from safelight.casework.accounts.models import User
from safelight.casework.base.policy import look, page, require
from safelight.casework.cases.models import Case, CasePerson
from safelight.casework.offenders import queries
from safelight.casework.offenders.importing import export_register
from safelight.casework.offenders.keeping import ANNOUNCED
from safelight.casework.offenders.models import Naming, Offender
from safelight.casework.offenders.services import reactive_from
from safelight.casework.offenders.timeline import timeline_of
from safelight.casework.offenders.visiting import decision_waits
from safelight.casework.workforce.models import Unit


def filters_of(request: HttpRequest, units: dict[str, str], managers: dict[str, str]) -> queries.Filters:
    """The filters in the address; unknown values are dropped."""

    def one(name: str, known: Any) -> str:
        value = request.GET.get(name, "")
        return value if value in known else ""

    return queries.Filters(
        unit=one("unit", units), risk=one("risk", {**queries.LEVELS, "none": ""}), state=one("state", queries.STATES),
        manager=one("manager", managers),
    )  # fmt: skip


def _managers(user: Any) -> dict[str, str]:
    rows = User.objects.filter(role="offender_manager", is_active=True)
    if user.role != "chief_officer":
        rows = rows.filter(unit=user.unit_id)
    return {**dict(rows.order_by("name").values_list("username", "name")), "none": "Nobody"}


@page("offenders.view", looks="list")
def mine(request: HttpRequest) -> HttpResponse:
    """My offenders, those longest past their visit first. ``?after=...``"""
    return _list(request, mine=True)


@page("offenders.view", looks="list")
def index(request: HttpRequest) -> HttpResponse:
    """The register: ``?risk=high&state=not_seen&manager=...&unit=CN&after=...``."""
    return _list(request, mine=False)


def _list(request: HttpRequest, *, mine: bool) -> HttpResponse:
    user = request.user
    chief = user.role == "chief_officer"
    units = dict(Unit.objects.values_list("code", "name")) if chief else {}
    managers = _managers(user)
    filters = filters_of(request, units, managers)
    after = request.GET.get("after", "")
    found = queries.offender_page(user, filters, mine=mine, after=after)
    name = "my offenders" if mine else "offenders"
    look(
        request, "list", None, list=name, filters=filters.chosen(), shown=[row.offender.reference for row in found.rows]
    )
    rows = Offender.objects.visible_to(user).on_register()
    chosen = filters.chosen()
    context = {
        "mine": mine,
        "rows": found.rows,
        "counts": queries.counts_of(rows.filter(manager=user) if mine else rows),
        "filters": filters,
        "filtered": bool(chosen),
        "risks": {**queries.LEVELS, "none": "Not assessed"},
        "states": queries.STATES,
        "managers": managers,
        "units": units,
        "today": timezone.localdate(),
        "pages": {
            "previous_url": f"?{urlencode(chosen)}" if after else "",
            "next_url": f"?{urlencode({**chosen, 'after': found.after})}" if found.after else "",
        },
        "export_url": f"{reverse('offenders:export')}?{urlencode(chosen)}",
        "may": {"add": user.has_perm("offenders.manage"), "import": user.has_perm("offenders.import")},
    }
    return render(request, "offenders/index.html", context)


@page("offenders.view", looks="list")
def export(request: HttpRequest) -> HttpResponse:
    """The register under the filters of the address as CSV, at most 5,000 lines; no cell runs as a formula."""
    user = request.user
    units = dict(Unit.objects.values_list("code", "name"))
    filters = filters_of(request, units, _managers(user))
    rows = queries.narrowed(Offender.objects.visible_to(user).on_register(), filters, timezone.localdate())
    found = queries.rows_of(list(rows.select_related("person", "manager", "unit").order_by("pk")[:5_000]))
    look(request, "list", None, list="offenders", filters=filters.chosen(), shown=len(found))
    answer = HttpResponse(export_register(user, found), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="offenders.csv"'
    return answer


@page("offenders.view", looks="list")
def officers(request: HttpRequest) -> HttpResponse:
    """Offenders per officer against policy."""
    found = queries.officers(request.user)
    look(request, "list", None, list="offender managers", shown=[one.user.pk for one in found])
    amber, red = queries.caseload_limits()
    rows = Offender.objects.visible_to(request.user).on_register()
    return render(
        request,
        "offenders/officers.html",
        {"officers": found, "amber": amber, "red": red, "nobody": rows.filter(manager=None).count(),
         "counts": queries.counts_of(rows)},
    )  # fmt: skip


def shown(request: HttpRequest, reference: str) -> Any:
    """The offender, the look recorded; 404 for one that this person may not see."""
    rows = Offender.objects.select_related("person", "unit", "manager", "registered_by")
    offender = rows.get_visible(request.user, reference)
    look(request, "offender", offender)
    return offender


@page("offenders.view", looks="offender")
def detail(request: HttpRequest, reference: str) -> HttpResponse:
    """What is due, where the offender is named, plan, duties, and the life of the record."""
    offender = shown(request, reference)
    user = request.user
    person = offender.person
    seen = Case.objects.visible_to(user).holding("case")
    stands = CasePerson.objects.filter(seen, person=person).select_related("case")
    duties = list(offender.duties.filter(met_by=None, ended=""))
    return render(
        request,
        "offenders/detail.html",
        {
            "offender": offender,
            "person": person,
            "row": queries.rows_of([offender])[0],
            "identifiers": sorted(person.identifiers.all(), key=lambda one: (one.kind, one.value)),
            "clocks": queries.clocks_of(offender),
            "duties": duties,
            "announced": [duty for duty in duties if duty.rule == ANNOUNCED],
            "named": queries.named_in(offender, user),
            "stands": list(stands.order_by("-case_id")),
            "timeline": timeline_of(offender),
            "reactive_from": reactive_from(offender),
            "decide": decision_waits(offender),
            "today": timezone.localdate(),
            "may": {
                "manage": user.has_perm("offenders.manage", offender) and not offender.ended_on,
                "approve": user.has_perm("offenders.approve", offender) and not offender.ended_on,
            },
        },
    )


@page("offenders.manage", methods=("POST",))
def noted(request: HttpRequest, reference: str, pk: int) -> HttpResponse:
    """I have seen that a referral names the offender."""
    from safelight.casework.offenders.alerts import take_note

    offender = Offender.objects.get_visible(request.user, reference)
    require(request.user, "offenders.manage", offender)
    naming = Naming.objects.filter(pk=pk, offender=offender).first()
    if naming is None:
        raise Http404("There is no such notice of this offender.")
    take_note(request.user, naming)
    messages.success(request, "Noted: you have seen it.")
    return redirect("offenders:detail", reference=offender.reference)
