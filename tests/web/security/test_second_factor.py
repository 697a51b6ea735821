"""A password alone would open a child's record to whoever watched it being typed."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from tests.web.security.people import PASSWORD, give_password, make_person, number, signed_in, with_app

from safelight.casework.accounts import second_factor
from safelight.casework.accounts.models import RecoveryCode
from safelight.casework.accounts.services import create_user
from safelight.casework.base.standards import standards
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.notices.models import Notice
from safelight.web.adapter import seal_anew

pytestmark = pytest.mark.django_db
CLOSED = ("/", "/work/", "/cases/", "/standards/", "/notices/", "/my-sign-in/", "/my-sign-in/codes/", "/accounts/new/")


@pytest.fixture(autouse=True)
def duties(settings):
    """As in production: the demo and the rest of the tests do without."""
    settings.SECOND_FACTOR_DUTY = settings.FRESH_SIGN_IN_DUTY = True


@pytest.mark.parametrize("role", sorted(standards().sign_in))
def test_a_role_that_owes_a_factor_opens_nothing_without_one(role):
    """A role would be forgotten, and its people would sign in with a password for years."""
    client = signed_in(make_person(role=role))
    for address in CLOSED:
        answer = client.get(address)
        assert (answer.status_code, answer.headers.get("Location")) == (302, "/my-sign-in/needed/"), address
    assert client.post("/accounts/new/", {"username": "x"}).headers["Location"] == "/my-sign-in/needed/"
    assert b"Set up a second factor first" in client.get("/my-sign-in/needed/").content
    for address in ("/my-sign-in/app/", "/my-sign-in/keys/add/"):
        assert client.get(address).status_code == 200
    assert client.post("/sign-out/").status_code == 302


def test_a_role_that_owes_none_works_with_a_password(settings, tmp_path):
    """A force that decides otherwise for a role could not."""
    site = tmp_path / "site.toml"
    site.write_text('[sign_in.partner]\nsecond_factor = false\nlabel = "Order 3"\n')
    settings.SITE_STANDARDS = site
    client = signed_in(make_person(role="partner"))
    assert client.get("/standards/").status_code == 200


def test_an_app_is_set_up_and_then_asked_for(monkeypatch):
    """The whole way of a new colleague: password, app, codes, and the next morning."""
    user = make_person()
    client, elsewhere = signed_in(user), signed_in(user)
    page = client.get("/my-sign-in/app/").content.decode()
    secret = re.search(r'<code class="sl-key">([A-Z2-7 ]+)</code>', page)[1].replace(" ", "")
    assert '<svg class="sl-qr" role="img"' in page
    assert b"Incorrect code" in client.post("/my-sign-in/app/", {"code": "000000"}).content
    answer = client.post("/my-sign-in/app/", {"code": number(secret)})
    assert answer.headers["Location"] == "/my-sign-in/codes/"
    assert client.get("/work/").status_code == 200
    # Whoever had the password and signed in before is out, and not merely asked to enrol.
    assert "/sign-in/" in elsewhere.get("/work/").headers["Location"]
    assert secret not in str(Authenticator.objects.get(user=user).data), "the secret stands readable in the database"
    client.post("/sign-out/")
    assert give_password(client).headers["Location"] == "/sign-in/code/"
    assert client.get("/work/").status_code == 302
    assert b"Incorrect code" in client.post("/sign-in/code/", {"code": number(secret)}).content, "it was used already"
    monkeypatch.setattr(auth, "time", SimpleNamespace(time=lambda: time.time() + 8 * 3600))
    client.post("/sign-in/code/", {"code": number(secret)})
    assert client.get("/work/").status_code == 200
    verbs = set(LedgerEntry.objects.filter(actor=user).values_list("verb", flat=True))
    assert {"account.signed_in", "account.factor_added", "account.sessions_ended"} <= verbs
    assert Notice.objects.filter(user=user, kind="account.factor_changed").exists()


def test_a_number_works_once():
    """Somebody who reads a number over a shoulder, or from a false page, would come in behind its owner."""
    user = make_person()
    seen = number(with_app(user))
    first, second = Client(), Client()
    give_password(first)
    assert first.post("/sign-in/code/", {"code": seen}).status_code == 302
    give_password(second)
    assert b"Incorrect code" in second.post("/sign-in/code/", {"code": seen}).content
    assert "_auth_user_id" not in second.session


def test_numbers_cannot_be_guessed():
    """A million numbers are tried in minutes; and the owner would never hear that the password is known."""
    user = make_person()
    secret = with_app(user)
    client = Client()
    give_password(client)
    for _ in range(5):
        client.post("/sign-in/code/", {"code": "000000"})
    answer = client.post("/sign-in/code/", {"code": number(secret)})
    assert answer.status_code == 200 and "Too many failed" in answer.content.decode()
    other = Client()
    give_password(other)
    assert "Too many failed" in other.post("/sign-in/code/", {"code": number(secret)}).content.decode()
    assert Notice.objects.filter(user=user, kind="account.wrong_factor").count() == 1
    assert LedgerEntry.objects.filter(verb="account.wrong_factor").count() == 1


def test_the_second_step_cannot_be_reached_or_left_out_without_the_first():
    """The page for the number would be a way round the password, or the password a way round the number."""
    user = make_person()
    secret = with_app(user)
    client = Client()
    assert client.post("/sign-in/code/", {"code": number(secret)}).headers["Location"] == "/sign-in/"
    give_password(client)
    assert client.get("/").status_code == 302 and "_auth_user_id" not in client.session


def test_a_session_without_the_factor_may_not_set_up_another():
    """A session that somebody opened with a stolen password would give itself a second factor."""
    user = make_person()
    client = signed_in(user)
    with_app(user)
    answer = client.get("/my-sign-in/keys/add/")
    assert "/sign-in/?next=" in answer.headers["Location"] and "_auth_user_id" not in client.session


def test_recovery_codes_are_shown_once_kept_as_hashes_and_used_once():
    """Codes in a copied database, or used twice, would be ten more passwords."""
    user = make_person()
    client = signed_in(user, with_app(user))
    page = client.post("/my-sign-in/codes/").content.decode()
    codes = re.findall(r"<code>([A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4})</code>", page)
    assert len(set(codes)) == 10
    assert codes[0] not in client.get("/my-sign-in/codes/").content.decode()
    stored = list(RecoveryCode.objects.values_list("digest", flat=True))
    assert all(one.startswith("pbkdf2_sha256$") for one in stored) and len({one.split("$")[2] for one in stored}) == 10
    assert not any(code.replace("-", "")[2:] in text for code in codes for text in stored)
    assert codes[0] not in str(list(LedgerEntry.objects.values_list("payload", flat=True)))

    lost, again = Client(), Client()
    give_password(lost)
    lost.post("/sign-in/code/", {"code": codes[0].lower()})
    assert lost.get("/work/").status_code == 200
    give_password(again)
    assert b"Incorrect code" in again.post("/sign-in/code/", {"code": codes[0]}).content
    assert second_factor.codes_left(user) == 9
    assert Notice.objects.filter(user=user, kind="account.code_used").exists()
    client.post("/my-sign-in/codes/")
    assert b"Incorrect code" in again.post("/sign-in/code/", {"code": codes[1]}).content, "new codes make old ones void"


def test_the_last_factor_stays_where_the_role_owes_one():
    """One click, by the person or by who sat down at their desk, and a password would be enough again."""
    user = make_person()
    client = signed_in(user, with_app(user))
    assert b"your role needs one" in client.get("/my-sign-in/app/remove/").content
    client.post("/my-sign-in/app/remove/")
    assert second_factor.has(user)


def test_a_given_password_opens_one_page():
    """A password that an administrator chose would stay known to two people for years."""
    head = make_person("head", "administrator")
    user = create_user(head, username="newcomer", name="New Synthetic", role="investigator", password=PASSWORD)
    client = signed_in(user)
    for address in ("/work/", "/my-sign-in/app/", "/my-sign-in/needed/", "/my-sign-in/"):
        assert client.get(address).headers["Location"] == "/my-sign-in/password/", address
    form = {"oldpassword": PASSWORD, "password1": PASSWORD, "password2": PASSWORD}
    assert b"the password that you have now" in client.post("/my-sign-in/password/", form).content
    own = "other synthetic words here"
    client.post("/my-sign-in/password/", {**form, "password1": own, "password2": own})
    user.refresh_from_db()
    assert user.given_password_until is None and user.check_password(own)
    assert client.get("/work/").headers["Location"] == "/my-sign-in/needed/"


def test_a_given_password_runs_out():
    """A first password in a letter that nobody opened would be a way in for ever."""
    make_person(given_password_until=timezone.now() - timedelta(minutes=1))
    client = Client()
    answer = give_password(client)
    assert answer.status_code == 200 and "has run out" in answer.content.decode()
    assert "_auth_user_id" not in client.session


def older(client: Client, minutes: int) -> None:
    """As if the person had said so many minutes ago who they are."""
    session = client.session
    for one in session["account_authentication_methods"]:
        one["at"] -= minutes * 60
    session.save()


def test_what_is_hard_to_undo_asks_again_who_it_is():
    """Whoever finds an open browser would make themselves an account."""
    user = make_person(role="administrator")
    client = signed_in(user, with_app(user))
    assert client.get("/accounts/new/").status_code == 200
    older(client, 10)
    there = client.get("/accounts/new/").headers["Location"]
    assert there == "/my-sign-in/confirm/?next=%2Faccounts%2Fnew%2F"
    assert b"Confirm that it is you" in client.get(there).content
    wrong = client.post(there, {"password": "wrong", "next": "/accounts/new/"})
    assert wrong.status_code == 200 and client.get("/accounts/new/").status_code == 302
    right = client.post(there, {"password": PASSWORD, "next": "/accounts/new/"})
    assert right.headers["Location"] == "/accounts/new/" and client.get("/accounts/new/").status_code == 200


def test_a_form_left_open_for_too_long_writes_nothing():
    """What was typed by one person would be sent off by another."""
    user = make_person(role="administrator")
    client = signed_in(user, with_app(user))
    older(client, 40)
    form = {"username": "sneak", "name": "Sneak", "role": "investigator", "unit": "", "password": ""}
    answer = client.post(reverse("accounts:create"), form)
    assert "/my-sign-in/confirm/" in answer.headers["Location"]
    ended = client.post(reverse("accounts:end_session"))
    assert ended.headers["Location"] == "/my-sign-in/confirm/?next=%2Fmy-sign-in%2F"
    assert not get_user_model().objects.filter(username="sneak").exists()


def test_in_the_demo_a_password_is_enough_and_the_page_says_so(settings):
    """Trying the product would need a telephone; and somebody would think that production is like the demo."""
    settings.SECOND_FACTOR_DUTY, settings.DEMO = False, True
    client = Client()
    assert b"one password is enough here" in client.get("/sign-in/").content
    make_person()
    give_password(client)
    assert client.get("/work/").status_code == 200
    settings.DEMO = False
    assert b"one password is enough here" not in Client().get("/sign-in/").content


def test_pages_of_the_second_factor_keep_the_content_policy():
    """The script for keys would be the hole through which another runs."""
    client = signed_in(make_person())
    for address in ("/my-sign-in/app/", "/my-sign-in/keys/add/", "/my-sign-in/needed/"):
        answer = client.get(address)
        html, policy = answer.content.decode(), answer["Content-Security-Policy"]
        assert "unsafe" not in policy and " style=" not in html and "<img" not in html
        nonce = re.search(r"'nonce-([^']+)'", policy)[1]
        assert all(f'nonce="{nonce}"' in tag for tag in re.findall(r"<script[^>]*>", html))


def test_passwords_are_taken_as_they_are_typed():
    """A password whose end or capitals do not count is a shorter one."""
    user = make_person()
    for near in (PASSWORD.upper(), PASSWORD + " ", " " + PASSWORD, PASSWORD[:-1], PASSWORD[:8]):
        assert "_auth_user_id" not in (client := Client()).session and give_password(client, password=near)
        assert "_auth_user_id" not in client.session, near
    long = "Ünlike any other phrase " * 5 + "!"
    user.set_password(long)
    user.save()
    client = Client(REMOTE_ADDR="10.0.0.9")
    give_password(client, password=long)
    assert client.session["_auth_user_id"] == str(user.pk)
    assert give_password(Client(REMOTE_ADDR="10.0.0.9"), password=long[:-1]).status_code == 200


def test_a_new_installation_has_no_account():
    """'admin' with a password that everybody knows would be the first thing tried."""
    assert not get_user_model().objects.exists()


def test_a_lost_factor_is_taken_away():
    """Whoever finds the telephone would go on signing in."""
    user = make_person(role="partner")
    secret = with_app(user)
    client = signed_in(user, secret)
    Authenticator.objects.create(user=user, type="webauthn", data={"name": "Blue key", "credential": {}})
    assert client.post("/my-sign-in/app/remove/").status_code == 302
    assert not Authenticator.objects.filter(user=user, type="totp").exists()
    assert LedgerEntry.objects.filter(verb="account.factor_removed", actor=user).exists()
    assert Notice.objects.filter(user=user, kind="account.factor_changed").exists()


def test_every_challenge_is_new_and_long():
    """An answer of a key to an old question would open the account again."""
    client = signed_in(make_person())
    seen = set()
    for _ in range(5):
        text = client.get("/my-sign-in/keys/add/").content.decode()
        seen.add(re.search(r'"challenge": "([A-Za-z0-9_-]+)"', text)[1])
    assert len(seen) == 5 and all(len(one) * 6 >= 128 for one in seen)


def test_a_changed_secret_is_refused():
    """A row that somebody edits in the database would open the account with their own app."""
    from cryptography.fernet import InvalidToken

    from safelight.web.adapter import SecondFactorAdapter

    adapter = SecondFactorAdapter()
    kept = adapter.encrypt("JBSWY3DPEHPK3PXP")
    assert adapter.decrypt(kept) == "JBSWY3DPEHPK3PXP" and adapter.encrypt("JBSWY3DPEHPK3PXP") != kept
    for place in (5, len(kept) // 2, len(kept) - 5):
        other = "A" if kept[place] != "A" else "B"
        with pytest.raises(InvalidToken):
            adapter.decrypt(kept[:place] + other + kept[place + 1 :])


def test_the_key_of_the_service_is_changed_and_nobody_enrols_anew(settings, capsys):
    """A key that leaked would stay for ever, because changing it costs everybody their app."""
    user = make_person()
    secret = with_app(user)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 50, [settings.SECRET_KEY]
    assert seal_anew() == (1, 0)
    settings.SECRET_KEY_FALLBACKS = []
    assert signed_in(user, secret).get("/work/").status_code == 200
    assert LedgerEntry.objects.get(verb="account.secrets_sealed").payload == {"rows": 1, "not_read": 0}
    settings.SECRET_KEY = "m" * 50
    assert seal_anew() == (0, 1), "without the key of before it is said, and nothing is thrown away"
    settings.SECRET_KEY = "n" * 50
    assert seal_anew() == (1, 0)
