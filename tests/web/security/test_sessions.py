"""A session that never ends is a child's record on an unattended screen."""

from __future__ import annotations

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from tests.web.security.people import BACKEND, PASSWORD, give_password, make_person, signed_in

from safelight.casework.accounts.services import close_account
from safelight.casework.accounts.sessions import BEGAN, USED
from safelight.casework.base.standards import standards
from safelight.casework.ledger.models import LedgerEntry

pytestmark = pytest.mark.django_db


def moved(client: Client, **seconds: float) -> None:
    session = client.session
    for key, by in seconds.items():
        session[key] -= by
    session.save()


@pytest.mark.parametrize("role", ["investigator", "administrator", "custody_officer"])
def test_a_session_ends_when_nobody_uses_it_and_after_a_shift(role):
    """The limits would be one number for everybody, or stand in a file and do nothing."""
    rule = standards().sign_in[role]
    user = make_person(role=role)
    client = signed_in(user)
    moved(client, **{USED: rule.idle_minutes * 60 - 30})
    assert client.get("/standards/").status_code == 200
    moved(client, **{USED: rule.idle_minutes * 60 + 90})
    answer = client.get("/standards/?status=draft")
    assert answer.headers["Location"] == "/sign-in/?next=/standards/%3Fstatus%3Ddraft"
    assert b"You did nothing for a while" in client.get(answer.headers["Location"]).content
    client = signed_in(user)
    moved(client, **{BEGAN: rule.longest_hours * 3600 + 1})
    assert client.get("/standards/").status_code == 302 and "_auth_user_id" not in client.session


def test_a_page_that_asks_again_by_itself_keeps_no_session_alive():
    """A progress page left open over lunch would keep the desk signed in all day."""
    client = signed_in(make_person())
    moved(client, **{USED: 20 * 60})
    used = client.session[USED]
    client.get("/standards/", headers={"HX-Request": "true"})
    assert client.session[USED] == used
    moved(client, **{USED: 20 * 60})
    answer = client.get("/standards/", headers={"HX-Request": "true"})
    assert answer.headers["HX-Refresh"] == "true" and "_auth_user_id" not in client.session


def test_signing_in_changes_the_key_of_the_session_and_signing_out_ends_it():
    """A key planted before signing in, or copied after signing out, would open the account (fixation, replay)."""
    make_person()
    client, thief = Client(), Client()
    session = client.session
    session["planted"] = True
    session.save()
    planted = session.session_key
    client.cookies["safelight-session"] = planted
    give_password(client)
    inside = client.cookies["safelight-session"].value
    assert inside != planted and client.get("/standards/").status_code == 200
    thief.cookies["safelight-session"] = planted
    assert thief.get("/standards/").status_code == 302
    client.post("/sign-out/")
    thief.cookies["safelight-session"] = inside
    assert thief.get("/standards/").status_code == 302


def test_a_person_sees_and_ends_the_own_sessions_and_nobody_elses():
    """A forgotten sign-in on a shared computer could not be ended from elsewhere; or a stranger could end mine."""
    sam, tom = make_person(), make_person("tom")
    here = signed_in(sam, headers={"User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/140.0"})
    there = signed_in(sam, headers={"User-Agent": "Mozilla/5.0 (iPhone) Safari/605"})
    other = signed_in(tom)
    page = here.get("/my-sign-in/").content.decode()
    assert "Firefox on Linux" in page and "Safari on iPhone" in page and "This one" in page
    row = UserSession.objects.get(user=sam, session_key=there.session.session_key)
    assert other.post("/my-sign-in/sessions/end/", {"session": row.pk}).status_code == 404
    assert there.get("/standards/").status_code == 200
    assert here.post("/my-sign-in/sessions/end/", {"session": row.pk}).status_code == 302
    assert there.get("/standards/").status_code == 302 and here.get("/standards/").status_code == 200
    more = [signed_in(sam), signed_in(sam)]
    here.post("/my-sign-in/sessions/end/")
    assert [one.get("/standards/").status_code for one in (*more, here, other)] == [302, 302, 200, 200]
    for odd in ("x", "-1", "²", "9" * 30):
        assert here.post("/my-sign-in/sessions/end/", {"session": odd}).status_code == 404
    assert LedgerEntry.objects.filter(verb="account.sessions_ended", actor=sam).count() == 2


def test_one_session_too_many_ends_the_oldest():
    """A password that is passed round would be used by a whole office."""
    user = make_person(role="administrator")
    clients = [signed_in(user) for _ in range(standards().sign_in["administrator"].sessions + 1)]
    assert [one.get("/standards/").status_code for one in clients] == [302, 200, 200]


def test_a_new_password_ends_every_other_session():
    """Whoever had the old one would stay inside."""
    user = make_person()
    here, there = signed_in(user), signed_in(user)
    own = "entirely other words here"
    here.post("/my-sign-in/password/", {"oldpassword": PASSWORD, "password1": own, "password2": own})
    assert here.get("/standards/").status_code == 200 and there.get("/standards/").status_code == 302


def test_a_closed_account_is_out_at_once():
    """Somebody who was suspended at noon would read on until the evening."""
    head, user = make_person("head", "administrator"), make_person()
    client = signed_in(user)
    close_account(head, user, reason="Synthetic.")
    assert client.get("/standards/").status_code == 302
    again = give_password(Client())
    assert again.status_code == 403 and b"This account is closed" in again.content


def test_a_session_made_without_the_page_has_limits_too():
    """A way in that somebody adds later would have sessions without an end."""
    client = Client()
    client.force_login(make_person(), backend=BACKEND)
    assert client.get("/standards/").status_code == 200
    moved(client, **{BEGAN: 13 * 3600})
    assert client.get("/standards/").status_code == 302


def test_an_administrator_ends_the_sessions_of_somebody_else(settings):
    """A telephone is stolen with a session open: closing the account would be the only way, and lock its owner out."""
    head, user = make_person("head", "administrator"), make_person()
    desk, telephone = signed_in(user), signed_in(user)
    page = "/accounts/of/sam/sessions/end/"
    office = signed_in(head)
    assert "End every session" in office.get("/accounts/of/sam/").content.decode()
    assert b"Enter reason" in office.post(page, {"reason": ""}).content
    assert telephone.get("/standards/").status_code == 200, "nothing was said yet"
    assert office.post(page, {"reason": "Synthetic: a telephone was stolen."}).status_code == 302
    assert [one.get("/standards/").status_code for one in (desk, telephone, office)] == [302, 302, 200]
    entry = LedgerEntry.objects.get(verb="account.sessions_ended", actor=head)
    assert entry.subject_id == str(user.pk) and entry.payload["sessions"] == 2 and "stolen" not in str(entry.payload)
    assert user.notices.filter(kind="account.sessions_ended").exists()
    assert signed_in(user).get("/standards/").status_code == 200, "the account is open"
    assert b"These are your own" in office.post("/accounts/of/head/sessions/end/", {"reason": "Synthetic."}).content
    assert desk.post(page, {"reason": "Synthetic."}).status_code in (302, 403)


def test_signing_out_tells_the_browser_to_forget(client):
    """What the browser kept would be read by the next person at the desk."""
    user = make_person()
    answer = signed_in(user).post("/sign-out/")
    assert answer["Clear-Site-Data"] == '"cache", "storage"' and "no-store" in answer["Cache-Control"]
    assert "Clear-Site-Data" not in client.get("/sign-out/"), "asking is not signing out"


def test_the_page_of_ones_own_sign_in_opens_although_an_older_session_is_dead():
    """Whoever chose a password, or was signed in yesterday, would meet a fault in place of the list."""
    head = make_person("head", "administrator")
    user = make_person()
    here, yesterday = signed_in(user), signed_in(user)
    Session.objects.get(pk=yesterday.session.session_key).delete()  # as the cleaning of every night does
    own = "entirely other words here"
    here.post("/my-sign-in/password/", {"oldpassword": PASSWORD, "password1": own, "password2": own})
    assert UserSession.objects.filter(user=user).count() == 3, "the one of before the password, and yesterday's"
    page = here.get("/my-sign-in/")
    assert page.status_code == 200 and page.content.decode().count("This one") == 1
    assert "Your password is changed" in page.content.decode()
    assert "End it" not in page.content.decode(), "there is no other to end"
    assert "1 session" in signed_in(head).get("/accounts/of/sam/").content.decode()
    assert here.post("/my-sign-in/sessions/end/").status_code == 302
    assert not LedgerEntry.objects.filter(verb="account.sessions_ended", actor=user, payload__sessions__gt=0).exists()
    give_password(Client(), password=own)
    assert UserSession.objects.filter(user=user).count() == 2, "signing in clears away what is dead"
