"""DPA 2018 s.62: every page that collects, alters, consults, discloses, combines or erases leaves an entry with who,
when and what. Pages, methods and kinds come from the URL table and the policy file.

Each page is opened, and each form filled in and sent, by somebody who may. Where a form needs more than the first thing
that each box takes, ``SAID`` gives it; where a step before it, ``BEFORE``. What needs a story of its own is in
``STORIES``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from tests.casework.asking import ask
from tests.casework.everything import address, everything, pages, people_in
from tests.casework.factories import make_case, make_user
from tests.casework.filling import filled, watched
from tests.casework.world import World

from safelight.casework.base.permissions import YES, permissions
from safelight.casework.base.policy import SIGNED_IN, page
from safelight.casework.ledger.models import LedgerEntry

pytestmark = pytest.mark.django_db

ROLES = (
    "investigator", "supervisor", "examiner", "referral_desk", "administrator", "exchange_manager", "chief_officer",
    "auditor", "offender_manager", "custody_officer", "partner",
)  # fmt: skip

# Steps that come first, in the same case.
BEFORE: dict[str, tuple[str, ...]] = {
    "clocks:hold": ("clocks:lift",),
    "safeguarding:hold": ("safeguarding:lift",),
    "safeguarding:escalate": ("safeguarding:chase",),
    "fleet:unblock": ("fleet:block",),
    "fleet:complete": ("fleet:take",),
    "submissions:receipt": ("submissions:sent",),
    "people:link": ("people:link_undo",),
    "offenders:back": ("offenders:away",),
    "devices:release": ("devices:release_withdraw",),
    "recommendations:judge": ("recommendations:proof",),
}


def _day(ahead: int) -> dict[str, str]:
    day = timezone.localdate() + timedelta(days=ahead)
    return {"day": str(day.day), "month": str(day.month), "year": str(day.year)}


def _on(name: str, ahead: int) -> dict[str, str]:
    return {f"{name}-{part}": text for part, text in _day(ahead).items()}


# What a form is told beside, or instead of, the first thing that each box takes.
SAID: dict[str, Callable[[World], dict[str, Any]]] = {
    "workforce:period": lambda where: _on("until_day", 300),
    "rereview:new": lambda where: _on("due_on", 9) | {"status": "all"},
    "people:change": lambda where: {"born_precision": "", "identifier_kind": "", "identifier": ""},
    "people:merge": lambda where: {"other": where.case.children.first().person.reference},
    "safeguarding:check": lambda where: {"lives_with": "yes", "sees": "yes", "works_with": "yes"},
    "safeguarding:strategy_call": lambda where: {"covert": "", "covert_reason": "Synthetic."},
    "allocation:complexity": lambda where: {"complexity": "high"},
    "allocation:conflict_new": lambda where: {"reference": where.case.reference},
    "hashsets:negative_add": lambda where: {"pdq": "2" * 64},
    "hashsets:hold": lambda where: {"pdq": "2" * 64},
    "hashsets:import": lambda where: {"file": _file("list.csv", f"md5\n{'0a' * 16}\n")},
    "identification:files": lambda where: {"files": f"{'0a' * 16} A"},
    "identification:feedback_import": lambda where: {
        "file": _file("answers.csv", f"kind,md5,series\nknown_series,{'0a' * 16},X\n")
    },
    "exchange:make_bank": lambda where: {"name": "SYNTHETIC"},
    "exchange:add_content": lambda where: {"md5": "0b" * 16},
    "exchange:send_notice": lambda where: {"url": "https://example.org/y"},
    "exchange:complete_report": lambda where: {"nca_reference": "Synthetic"},
    "inspection:new": lambda where: {"status": "all"},
    "search:results": lambda where: {"q": where.case.reference},
    "devices:image": lambda where: {"path": "synthetic.dd"},
    "offenders:import": lambda where: {
        "file": _file("register.csv", "family_name,relevant_date,born\nSynthetic,2020-01-01,1980-01-01\n")
    },
}

# Forms that need a story before them or a file of their own, so that filling in the boxes does not bring them through.
# That they leave an entry when they change anything, the decorator of every page sees to (below); the stories are told
# by the tests of their rooms.
STORIES = {
    "allocation": ("allocate", "complexity", "hand_over"),
    "breakglass": ("end",),
    "cases": ("close", "open", "reopen"),
    "custody": ("of_case",),
    "devices": ("cancel", "carry_out", "image", "release"),
    "exchange": ("change_bank", "withdraw"),
    "fleet": ("field_report", "submit"),
    "hashsets": ("hold", "import", "negative_add"),
    "inspection": ("assess", "close", "draw", "evidence", "missing", "new", "seal", "settle"),
    "notices": ("read",),
    "offenders": ("decide", "happened", "import", "reactive", "rounds"),
    "oversight": ("export", "publish", "refresh", "reports", "save"),
    "plans": ("run", "scenario"),
    "rereview": ("case", "child", "close", "move", "new"),
    "retention": ("decide", "group"),
    "safeguarding": ("case_child_add", "chase", "child_add", "escalate", "refer"),
    "sharing": ("share_referral",),
    "submissions": ("grade", "import_grades", "nothing", "resubmit", "settle_grade", "write"),
    "workforce": ("session_end", "session_start"),
}


def _has_a_story(name: str, method: str) -> bool:
    room, _, form = name.partition(":")
    row = permissions().routes[name]
    nobody = method == "GET" and name == "rereview:child"  # nobody reviews the case of the world
    return form in STORIES.get(room, ()) and (method == list(row.steps)[-1] or nobody)


def _file(name: str, text: str) -> Any:
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile(name, text.encode())


class Visitor:
    """Goes to every page of a world, as whoever may."""

    def __init__(self, where: World) -> None:
        self.where, self.routes = where, {route.name: route for route in pages()}
        people = {relation: dict(people_in(where, relation)) for relation in ("holder", "own")}
        self.people = {(role, relation): user for relation, row in people.items() for role, user in row.items()}

    def who(self, name: str, method: str) -> list[Any]:
        step = permissions().routes[name].steps[method]
        order = sorted(self.people, key=lambda one: (ROLES.index(one[0]), one[1]))
        return [self.people[one] for one in order if permissions().answer(step.access, *one) == YES]

    def go(self, name: str, method: str, user: Any, seen: list[Any]) -> Any:
        """The answer of the page, with its form filled in."""
        url = address(self.where, name, user)
        data: dict[str, Any] = {}
        if method == "POST":
            seen.clear()
            if "GET" in permissions().routes[name].steps:
                ask(user, "GET", url)
            for form in seen[-1:]:
                data |= filled(form)
            data |= SAID[name](self.where) if name in SAID else {}
            seen.clear()
        return ask(user, method, url, data, keep=True)

    def entries(self, name: str, method: str, user: Any, seen: list[Any]) -> tuple[Any, list[LedgerEntry]]:
        """What the page answered, and what it left in the ledger under the name of ``user``; then all is taken back."""
        with transaction.atomic():
            for first in BEFORE.get(name, ()) if method == "POST" else ():
                for other in self.who(first, "POST"):
                    if self.go(first, "POST", other, seen).status_code == 302:
                        break
            last = LedgerEntry.objects.order_by("-id").values_list("id", flat=True).first() or 0
            answer = self.go(name, method, user, seen)
            found = list(LedgerEntry.objects.filter(id__gt=last, actor=user).exclude(category="system"))
            transaction.set_rollback(True)
        return answer, found


def fault(visitor: Visitor, name: str, method: str, seen: list[Any]) -> str:
    """Why a page left no entry of the kind that it declares, or ""."""
    kinds = set(permissions().routes[name].steps[method].records)
    said = "nobody may"
    for user in visitor.who(name, method):
        begun = timezone.now()
        try:
            answer, found = visitor.entries(name, method, user, seen)
        except Exception as error:  # noqa: BLE001 - stands in the list of what is wrong
            said = f"{user.role}: {type(error).__name__}: {error}"[:200]
            continue
        whole = [one for one in found if one.verb and one.actor_name and begun <= one.at <= timezone.now()]
        if answer.status_code in (200, 302) and kinds <= {one.category for one in whole}:
            return ""
        errors = [getattr(form, "errors", "") for form in seen[-1:]]
        left = sorted({f"{one.category} {one.verb}" for one in found})
        said = f"{user.role}: {answer.status_code}, left {left}, declared {sorted(kinds)} {errors}"
    return said


def test_every_page_leaves_the_entry_that_it_declares(tmp_path, settings) -> None:
    """Somebody would read, change or take away a child's record without a trace."""
    visitor = Visitor(everything(tmp_path, settings))
    wrong, count = [], 0
    with watched() as seen:
        for name, row in permissions().routes.items():
            for method, step in row.steps.items():
                if not step.records or name not in visitor.routes or _has_a_story(name, method):
                    continue
                if visitor.routes[name].policy.unlogged:
                    continue
                count += 1
                found = fault(visitor, name, method, seen)
                if found:
                    wrong.append(f"{name} {method}: {found}")
    assert not wrong, "\n".join(wrong)
    assert count > 330
    assert set(permissions().routes) >= {f"{room}:{form}" for room, forms in STORIES.items() for form in forms}


def test_a_form_that_changes_a_record_without_an_entry_fails_and_keeps_nothing(rf) -> None:
    """The one page that forgets its entry would be found by nobody: the record would simply be different."""
    head = make_user("supervisor")
    case = make_case(actor=head)

    @page(SIGNED_IN, methods=("POST",))
    def forgetful(request: Any) -> HttpResponse:
        type(case).objects.filter(pk=case.pk).update(title="Changed in silence")
        return HttpResponse(status=204)

    request = rf.post("/")
    request.user = head
    with pytest.raises(RuntimeError, match="without a ledger entry"):
        forgetful(request)
    case.refresh_from_db()
    assert case.title != "Changed in silence"
