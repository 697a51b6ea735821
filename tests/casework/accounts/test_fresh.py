"""A page left open is not a person: who makes or ends a key, or breaks the glass, has just said who they are."""

from __future__ import annotations

import re

import pytest
from django.urls import get_resolver, reverse
from tests.casework.exchange.makers import make_key, make_platform
from tests.casework.factories import make_case, make_user
from tests.web.security.people import PASSWORD, make_person, signed_in, with_app
from tests.web.security.test_second_factor import older

from safelight.casework.accounts.fresh import KEPT, MOST_KEPT
from safelight.casework.accounts.models import User
from safelight.casework.breakglass.models import Opening
from safelight.casework.exchange.models import ApiKey
from safelight.casework.exchange.services import suspend_key
from safelight.casework.ledger.models import LedgerEntry

pytestmark = pytest.mark.django_db
OVER, FAR_OVER = 6, 31  # minutes: too late to open a form, and to send it off


@pytest.fixture(autouse=True)
def duties(settings):
    """As in production."""
    settings.SECOND_FACTOR_DUTY = settings.FRESH_SIGN_IN_DUTY = True


class Keys:
    """The exchange manager at an open page, a platform with a key, and one that is suspended."""

    def __init__(self) -> None:
        self.boss = make_person("boss", "exchange_manager")
        self.client = signed_in(self.boss, with_app(self.boss))
        self.platform = make_platform(self.boss)
        self.key, _ = make_key(self.boss, self.platform)
        self.stopped, _ = make_key(self.boss, self.platform)
        suspend_key(None, self.stopped, rule="cluster", counted=140)
        self.at = {
            "issue_key": (self.platform, {"label": "Planted", "scopes": ["lookup"], "days": 30}),
            "rotate_key": (self.key, {"days": 31, "overlap_days": 2}),
            "lift_suspension": (self.stopped, {"reason": "Synthetic words of the manager."}),
            "close_platform": (self.platform, {"reason": "Synthetic words of the manager."}),
        }

    def state(self) -> tuple[object, ...]:
        self.platform.refresh_from_db()
        rows = ApiKey.objects.order_by("pk").values_list("pk", "revoked_at", "expires_at", "suspensions__lifted_at")
        return (*rows, self.platform.closed_at)


@pytest.fixture
def keys() -> Keys:
    return Keys()


EACH = pytest.mark.parametrize("name", ["issue_key", "rotate_key", "lift_suspension", "close_platform"])


@EACH
def test_whoever_finds_the_open_page_of_the_exchange_makes_and_ends_no_key(keys, name):
    """A stranger at the desk would leave with a key to ask after every child's pictures, or cut a platform off."""
    row, form = keys.at[name]
    here, before = reverse(f"exchange:{name}", args=[row.reference]), keys.state()
    assert keys.client.get(here).status_code == 200
    older(keys.client, OVER)
    answer = keys.client.get(here)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/my-sign-in/confirm/?next={_quoted(here)}")
    older(keys.client, FAR_OVER)
    answer = keys.client.post(here, form)
    assert answer.headers["Location"] == f"/my-sign-in/confirm/?next={_quoted(here)}"
    assert keys.state() == before


def _quoted(address: str) -> str:
    return address.replace("/", "%2F")


def _fields(page: str) -> dict[str, list[str]]:
    """What stands filled in on a page: boxes, ticks and texts."""
    found: dict[str, list[str]] = {}
    for tag in re.findall(r"<input [^>]*>", page):
        one = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if one.get("type") not in ("hidden", "checkbox", "radio") or "checked" in tag:
            found.setdefault(one.get("name", ""), []).append(one.get("value", ""))
    for name, text in re.findall(r'<textarea [^>]*name="(\w+)"[^>]*>\s*([^<]*)', page):
        found.setdefault(name, []).append(text.strip())
    return found


@EACH
def test_what_was_typed_is_neither_lost_nor_done_by_itself(keys, name):
    """A reason written with care at 2 a.m. would have to be written again; or saying who one is would be the deed."""
    row, form = keys.at[name]
    here, before = reverse(f"exchange:{name}", args=[row.reference]), keys.state()
    older(keys.client, FAR_OVER)
    there = keys.client.post(here, form).headers["Location"]
    page = keys.client.get(there).content.decode()
    assert "Nothing was recorded" in page and "then you see again what you typed" in page
    assert keys.client.post(there, {"password": "wrong", "next": here}).status_code == 200
    assert "/my-sign-in/confirm/" in keys.client.get(here).headers["Location"]
    answer = keys.client.post(there, {"password": PASSWORD, "next": here})
    assert answer.headers["Location"] == here and keys.state() == before, "only the person sends it off"
    page = keys.client.get(here).content.decode()
    assert "Nothing is recorded before you send it again" in page and "There is a problem" not in page
    filled = _fields(page)
    for field, value in form.items():
        assert filled[field] == [str(one) for one in (value if isinstance(value, list) else [value])], (field, filled)
    assert keys.state() == before
    assert "Nothing is recorded before" not in keys.client.get(here).content.decode(), "it is shown once"
    keys.client.post(here, form)
    assert keys.state() != before


def test_a_key_is_stopped_at_once_without_being_asked(keys):
    """A key was seen in a paste: who may stop it would look for their telephone first. Lifting it asks."""
    older(keys.client, FAR_OVER)
    here = reverse("exchange:suspend_key", args=[keys.key.reference])
    assert keys.client.get(here).status_code == 200
    assert keys.client.post(here, {"reason": "Synthetic: seen in a paste."}).status_code == 302
    assert keys.key.suspensions.filter(lifted_at=None).count() == 1
    lift = keys.client.post(reverse("exchange:lift_suspension", args=[keys.key.reference]), {"reason": "No."})
    assert "/my-sign-in/confirm/" in lift.headers["Location"]
    assert keys.key.suspensions.filter(lifted_at=None).count() == 1


def test_a_key_is_ended_for_good_by_who_has_said_who_they_are(keys):
    """An administrator's open page would cut a platform off, and no step brings that key back."""
    head = make_person("head", "administrator")
    office = signed_in(head, with_app(head))
    here = reverse("exchange:revoke_key", args=[keys.key.reference])
    older(office, FAR_OVER)
    there = office.post(here, {"reason": "Synthetic."}).headers["Location"]
    keys.key.refresh_from_db()
    assert keys.key.revoked_at is None
    office.post(there, {"password": PASSWORD, "next": here})
    assert "Synthetic." in office.get(here).content.decode()
    office.post(here, {"reason": "Synthetic."})
    keys.key.refresh_from_db()
    assert keys.key.revoked_at is not None


def test_the_glass_is_broken_by_a_person_not_by_a_page():
    """Somebody at a colleague's desk would open a restricted child's case in the colleague's name."""
    case = make_case(actor=make_user("supervisor"), restricted=True)
    person = make_person(unit=make_user().unit)
    client, here = signed_in(person, with_app(person)), reverse("breakglass:ask")
    said = {"reference": case.reference, "why": "child_at_risk", "reason": "Synthetic: a child called.", "hours": 2}
    older(client, OVER)
    assert client.get(here).headers["Location"] == f"/my-sign-in/confirm/?next={_quoted(here)}"
    older(client, FAR_OVER)
    there = client.post(here, said).headers["Location"]
    assert not Opening.objects.exists() and not LedgerEntry.objects.filter(verb__startswith="break_glass.").exists()
    kept = client.session[KEPT]
    assert case.reference not in kept and "Synthetic" not in kept, "the session would tell a thief which case it is"
    client.post(there, {"password": PASSWORD, "next": here})
    page = client.get(here).content.decode()
    assert case.reference in page and "Synthetic: a child called." in page and not Opening.objects.exists()
    assert client.post(here, said).status_code == 302 and Opening.objects.get().user == person


def test_too_old_is_asked_again_and_again():
    """To have said it this morning would count for the whole shift."""
    person = make_person(unit=make_user().unit)
    client, here = signed_in(person, with_app(person)), reverse("breakglass:ask")
    for _ in range(2):
        older(client, OVER)
        there = client.get(here).headers["Location"]
        client.post(there, {"password": PASSWORD, "next": here})
        assert client.get(here).status_code == 200
    older(client, 4)
    assert client.get(here).status_code == 200, "four minutes are not too old"


def test_what_was_typed_on_one_page_stands_on_no_other(keys):
    """The reason to end one key would stand under another; or one person's words before the next."""
    first, form = keys.at["close_platform"]
    other, _ = keys.at["lift_suspension"]
    older(keys.client, FAR_OVER)
    there = keys.client.post(reverse("exchange:close_platform", args=[first.reference]), form).headers["Location"]
    elsewhere = reverse("exchange:lift_suspension", args=[other.reference])
    keys.client.post(there, {"password": PASSWORD, "next": elsewhere})
    page = keys.client.get(elsewhere).content.decode()
    assert form["reason"] not in page
    assert "This is what you typed" not in page and KEPT not in keys.client.session


def test_what_is_too_long_to_keep_is_said_to_be_lost(keys):
    """Somebody would look for their words on the next page, or fill the table of sessions."""
    row, _ = keys.at["close_platform"]
    older(keys.client, FAR_OVER)
    there = keys.client.post(
        reverse("exchange:close_platform", args=[row.reference]), {"reason": "x" * (MOST_KEPT + 1)}
    ).headers["Location"]
    page = keys.client.get(there).content.decode()
    assert "then do it again" in page and KEPT not in keys.client.session


def test_saying_who_one_is_takes_no_second_factor_away():
    """A click on 'take away', left when the password was asked for, would be done with the next password given."""
    person = make_person(role="partner")
    client, here = signed_in(person, with_app(person)), "/my-sign-in/app/remove/"
    older(client, FAR_OVER)
    there = client.post(here).headers["Location"]
    client.post(there, {"password": PASSWORD, "next": here})
    assert User.objects.get(pk=person.pk).authenticator_set.count() == 1


def test_every_page_that_makes_or_ends_a_key_or_breaks_the_glass_asks():
    """A page that somebody adds beside these would be the one that does not ask."""
    names = {
        f"exchange:{one.name}": one.callback
        for found in get_resolver().url_patterns
        if getattr(found, "namespace", "") == "exchange"
        for one in found.url_patterns
    }
    for name, view in names.items():
        policy = getattr(view, "policy", None)
        if policy is None or "POST" not in policy.methods or not ("key" in name or "suspension" in name):
            continue
        inner, asks = view, False
        while inner is not None and not asks:
            asks, inner = getattr(inner, "asks_again", False), getattr(inner, "__wrapped__", None)
        assert asks is (name != "exchange:suspend_key"), name
