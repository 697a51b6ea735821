"""Every form with nothing and with nonsense: an answer in plain words, never a page that breaks."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from tests.casework.everything import ROUTES, named
from tests.casework.factories import make_whatif
from tests.casework.world import client_of
from tests.casework.world import world as make_world

from safelight.casework.clocks.models import Clock
from safelight.casework.ledger.models import LedgerEntry

pytestmark = pytest.mark.django_db

LONG = "x" * 10_000
GARBAGE = {
    "empty": "",
    "long": LONG,
    "emoji": "👧🏽🚨 " * 20,
    "right to left": "شخص مُركّب \u202eתרגום",
    "NUL": "a\x00b",
    "superscript": "²",
    "far future": "9999",
    "negative": "-1",
    "markup": "<script>alert(1)</script>' OR 1=1 --",
}
# What these are is found by the form, before a database is asked.
FOUND_BY_THE_FORM = ("nothing", "empty", "emoji", "right to left", "markup")


def kinds(*names: str) -> list[Any]:
    """Kinds of nonsense as the parameters of a test."""
    once = pytest.mark.one_database("the form refuses it, or keeps it as any other text")
    return [pytest.param(name, marks=once if name in FOUND_BY_THE_FORM else ()) for name in names]


PARTS = {
    "day": {"far future": "31", "negative": "-1"},
    "month": {"far future": "12"},
    "time": {"far future": "23:59"},
}
WITHOUT_RECORD = ("referrals:new", "referrals:import", "accounts:create", "workforce:record", "hashsets:import",
    "hashsets:negative_add", "identification:series_new", "identification:victim_new", "identification:feedback_import",
)  # fmt: skip
POST_ONLY = {
    "allocation:accept": "case",
    "devices:triage": "device",
    "devices:cancel": "run",
    "fleet:ask": "device",
    "fleet:take": "examination",
    "submissions:write": "write",
    "submissions:resubmit": "submission",
    "ledger:verify": "",
    "hashsets:retire": "skip",
    "oversight:publish": "skip",
    "search:export": "skip",
    "plans:scenario": "plan",
    "plans:stop": "plan",
    "plans:run": "plan",
    "breakglass:end": "glass",
    "inspection:seal": "audit",
    "inspection:draw": "audit",
    "inspection:close": "audit",
}


def arguments_of(where: Any, name: str) -> dict[str, Any] | None:
    known = where.arguments
    if name in known:
        return known[name]
    kinds = {
        "case": known.get("cases:detail"),
        "device": known.get("devices:detail"),
        "run": known.get("devices:progress"),
        "examination": known.get("fleet:block"),
        "write": known.get("submissions:nothing"),
        "submission": known.get("submissions:detail"),
        "plan": known.get("plans:detail"),
        "glass": known.get("breakglass:detail"),
        "audit": known.get("inspection:plan"),
    }
    return kinds.get(POST_ONLY.get(name, ""), {})


def posted() -> list[str]:
    names = [name for name, view, _ in named() if view.__module__.startswith("safelight.casework.")]
    views = {name: view for name, view, _ in named()}
    # The exchange has people and records of its own: tests/casework/exchange/test_pages.py.
    names = [name for name in names if not name.startswith("exchange:")]
    # Pages about one account: tests/casework/accounts/test_recovery.py.
    names = [n for n in names if not n.startswith("accounts:") or n in WITHOUT_RECORD or n == "accounts:end_session"]
    return [n for n in names if "POST" in views[n].policy.methods and POST_ONLY.get(n) != "skip"]


def fields_of(client: Any, address: str) -> list[str]:
    """The names of every box of the form on the page, and of those that a view reads beside its form."""
    import re

    text = client.get(address).content.decode()
    names = set(re.findall(r'<(?:input|select|textarea)[^>]*\bname="([^"]+)"', text)) - {"csrfmiddlewaretoken"}
    return sorted(names | {"person", "investigator", "code", "item", "image", "action", "contact_form"})


def values(fields: list[str], kind: str) -> dict[str, str]:
    made = {}
    for name in fields:
        part = name.rpartition("-")[2]
        made[name] = PARTS.get(part, {}).get(kind, GARBAGE[kind])
        if name in ("form-TOTAL_FORMS", "form-INITIAL_FORMS") and kind == "empty":
            made[name] = "1" if "TOTAL" in name else "0"
    return made


FIELDS: dict[str, list[str]] = {}  # by page, read once: what a form asks does not change from one nonsense to the next
ROLE = {
    "accounts": "admin", "submissions": "examiner", "hashsets": "examiner", "inspection": "auditor",
    "recommendations": "chief", "retention": "chief",
}  # fmt: skip


@pytest.mark.parametrize("kind", kinds("nothing", *GARBAGE))
def test_no_form_breaks_or_writes_on_nonsense(kind, tmp_path, settings) -> None:
    """At 2 a.m. a slip of the keyboard would end in 'server error', with everything that was typed lost."""
    settings.EVIDENCE_ROOT = tmp_path
    where = make_world(tmp_path, settings, ROUTES)
    where.arguments["plans:detail"] = {"reference": make_whatif().reference}
    clocks = list(Clock.objects.order_by("pk").values_list("pk", "triggered_at", "due_at", "stopped_at"))
    broken = []
    clients = {who: client_of(where.people[who]) for who in {"super", *ROLE.values()}}
    for name in posted():
        client = clients[ROLE.get(name.split(":")[0], "super")]
        address = reverse(name, kwargs=arguments_of(where, name))
        if name == "cases:open":
            address += f"?referral={where.case.referrals.get().reference}"
        if name not in FIELDS:
            FIELDS[name] = fields_of(client, address)
        fields = FIELDS[name]
        answer = client.post(address, {} if kind == "nothing" else values(fields, kind))
        if answer.status_code >= 500:
            broken.append((name, answer.status_code))
    assert broken == []
    if kind in ("nothing", "empty", "NUL", "superscript", "negative", "far future"):
        kept = Clock.objects.filter(rule__startswith="police_referral").values_list("pk", "triggered_at", "due_at")
        assert set(kept) <= {one[:3] for one in clocks}, "nonsense moved the clock of a child"


ODD = [
        "before=²", "after=²", "before=٣", "after=9999-12-31T23:59:59-23:59~1", "before=0001-01-01T00:00:00%2B14:00~1",
        "after=0~9999-12-31T23:59:59-23:59~1", "actor=%00", "after=%00", "state=%00", "unit=%F0%9F%9A%A8",
        "run=T-²", "after=" + "9" * 18, "before=" + "9" * 25, "find=1&family_name=%00", "person=P-²",
        "before=-1", "state=" + "x" * 5_000,
    ]  # fmt: skip


def test_no_address_breaks_a_list(tmp_path, settings) -> None:
    """A link that a mail program cut or a finger bent would end in 'server error'."""
    where = make_world(tmp_path, settings, ROUTES)
    lists = (
        "work:home", "cases:index", "clocks:index", "devices:index", "fleet:index", "submissions:index",
        "referrals:desk", "supervision:board", "ledger:index", "referrals:quarantine", "workforce:index",
        "hashsets:index", "plans:index", "inspection:index", "inspection:sent_back", "inspection:clocks",
        "inspection:control", "inspection:published", "recommendations:index",
        "offenders:index", "offenders:mine", "offenders:officers", "offenders:rounds", "rereview:index",
    )  # fmt: skip
    some = ("cases:chronology", "cases:ledger", "devices:detail", "submissions:detail", "safeguarding:child_add")
    addresses = [reverse(name) for name in lists] + [reverse(name, kwargs=where.arguments[name]) for name in some]
    client, admin = client_of(where.people["super"]), client_of(where.people["admin"])
    whole = [f"{one}?{query}" for query in ODD for one in addresses]
    broken = [one for one in whole if client.get(one).status_code >= 500]
    people = [f"{reverse('accounts:index')}?{query}" for query in ODD]
    assert broken + [one for one in people if admin.get(one).status_code >= 500] == []
    assert not any("xxxxx" in str(entry.payload) for entry in LedgerEntry.objects.all())


def test_references_with_odd_digits_are_simply_not_there(tmp_path, settings) -> None:
    where = make_world(tmp_path, settings, ROUTES)
    client = client_of(where.people["super"])
    for odd in ("C-²", "C-", "C", "C-٣٣٣٣٣٣", "C-" + "9" * 30, "C-\u202e1"):
        assert client.get(reverse("cases:detail", args=[odd])).status_code == 404
