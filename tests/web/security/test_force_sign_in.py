"""The force's own sign-in service, against a real provider: it says who somebody is, not that they have an account."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests
from allauth.socialaccount.models import SocialAccount, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from cryptography.hazmat.primitives.asymmetric import rsa
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from tests.web.security.people import BACKEND, make_person, with_app

from safelight.casework.accounts import external
from safelight.casework.accounts.models import UnknownSubject
from safelight.casework.accounts.work import items_for
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.notices.models import Notice
from safelight.web import service
from safelight.web.env import SettingsError
from safelight.web.force_sign_in import VerifiedAdapter

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[3]
BACK = "/sign-in/service/force/back/"


@dataclass
class Provider:
    issuer: str


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tests.support.oidc_provider", str(port), str(tmp_path_factory.mktemp("provider"))]
    process = subprocess.Popen([*command, f"http://testserver{BACK}"], cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"ready\n"
    yield Provider(f"http://localhost:{port}/o")
    process.terminate()
    process.wait(10)


@pytest.fixture
def service_on(provider: Provider, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Provider:
    monkeypatch.setenv("SAFELIGHT_OIDC_ISSUER", provider.issuer)
    monkeypatch.setenv("SAFELIGHT_OIDC_CLIENT_ID", "safelight")
    monkeypatch.setenv("SAFELIGHT_OIDC_CLIENT_SECRET", "synthetic-client-secret")
    monkeypatch.setenv("SAFELIGHT_OIDC_SECOND_FACTOR", "mfa,hwk")
    for name, value in service.settings_of_service(plain_http=True).items():
        setattr(settings, name, value)
    settings.SECOND_FACTOR_DUTY = True
    return provider


def to_the_service(client: Client, next_page: str = "") -> str:
    """Press the button; returns where the browser is sent."""
    answer = client.post("/sign-in/service/force/", {"next": next_page} if next_page else {})
    assert answer.status_code == 302, answer.content
    return str(answer.headers["Location"])


def at_the_service(there: str, name: str) -> str:
    """Sign in at the provider as ``name``; returns the address that it sends the browser back to."""
    browser = requests.Session()
    page = browser.get(there)
    assert "/login/" in page.url
    answer = browser.post(page.url, {"username": name, "password": "synthetic"}, allow_redirects=False)
    answer = browser.get(
        answer.headers["Location"] if "//" in answer.headers["Location"] else there, allow_redirects=False
    )
    return str(answer.headers["Location"])


def through(client: Client, name: str, next_page: str = "") -> Any:
    back = at_the_service(to_the_service(client, next_page), name)
    assert back.startswith(f"http://testserver{BACK}?"), back
    return client.get(back.removeprefix("http://testserver"))


def connected(user: Any, name: str) -> Any:
    """Connect an account with a person of the provider, the way an administrator does."""
    through(Client(), name)
    head = get_user_model().objects.filter(role="administrator").first() or make_person("head", "administrator")
    external.connect(head, UnknownSubject.objects.get(said__startswith=name.title()), user=user)
    return user


def test_whom_nobody_knows_gets_no_account_and_an_administrator_hears(service_on):
    """Everybody in the force, the canteen included, would have an account; or would not know why there is none."""
    head = make_person("head", "administrator")
    before = get_user_model().objects.count()
    for _ in range(2):
        answer = through(Client(), "lee")
        assert answer.status_code == 403 and b"knows you as Lee Stranger" in answer.content
    assert get_user_model().objects.count() == before and not SocialAccount.objects.exists()
    row = UnknownSubject.objects.get()
    assert (row.said, row.tries, row.provider) == ("Lee Stranger", 2, "force")
    assert Notice.objects.filter(user=head, kind="account.unknown_subject").count() == 1
    assert any(item.url == reverse("accounts:subjects") for item in items_for(head))
    # Connected by an administrator, through the pages, they come in as that account.
    user = make_person()
    client = Client()
    client.force_login(head, backend=BACKEND)
    session = client.session
    session["second_factor"] = [str(head.pk), "totp"]
    session.save()
    page = reverse("accounts:subject", args=[row.pk])
    assert b"Lee Stranger" in client.get(page).content
    assert b"There is no account nobody" in client.post(page, {"username": "nobody"}).content
    assert client.post(page, {"username": "sam"}).status_code == 302
    newcomer = Client()
    assert through(newcomer, "lee").headers["Location"] == "/"
    assert newcomer.session["_auth_user_id"] == str(user.pk)
    # Not by a second factor yet: the service said only "password".
    assert newcomer.get("/standards/").headers["Location"] == "/my-sign-in/needed/"
    # And disconnected again, they are out and unknown.
    assert client.post(reverse("accounts:disconnect", args=["sam"])).status_code == 302
    assert newcomer.get("/standards/").status_code == 302 and "_auth_user_id" not in newcomer.session
    assert through(Client(), "lee").status_code == 403
    verbs = set(LedgerEntry.objects.values_list("verb", flat=True))
    assert {"account.unknown_subject", "account.connected", "account.disconnected", "account.signed_in"} <= verbs


def test_the_service_s_second_factor_counts_only_where_it_says_so(service_on):
    """A password at the service would count as two factors here, or a hardware key there as none."""
    strong, weak = connected(make_person("strong"), "pat"), connected(make_person("weak"), "kim")
    client = Client()
    assert through(client, "pat", "/standards/").headers["Location"] == "/standards/"
    assert client.get("/standards/").status_code == 200 and client.session["_auth_user_id"] == str(strong.pk)
    client = Client()
    through(client, "kim")
    assert client.get("/standards/").headers["Location"] == "/my-sign-in/needed/"
    with_app(weak)
    client = Client()
    assert through(client, "kim").headers["Location"] == "/sign-in/code/", "the own factor is asked for, too"


def test_an_answer_fits_the_one_request_it_was_made_for(service_on):
    """A link from somebody else would sign a person in as them (login CSRF), and a copied answer would work twice."""
    connected(make_person(), "pat")
    client = Client()
    back = at_the_service(to_the_service(client), "pat").removeprefix("http://testserver")
    assert Client().get(back).status_code == 403, "another browser"
    assert client.get(back).status_code == 302
    client.post("/sign-out/")
    assert client.get(back).status_code == 403 and "_auth_user_id" not in client.session, "a second time"
    mine, theirs = Client(), Client()
    state = parse_qs(urlsplit(to_the_service(mine)).query)["state"][0]
    other = at_the_service(to_the_service(theirs), "pat").removeprefix("http://testserver")
    code = parse_qs(urlsplit(other).query)["code"][0]
    answer = mine.get(f"{BACK}?code={code}&state={state}")
    assert answer.status_code == 403 and b"did not work" in answer.content, "the code of another request"


def test_what_is_sent_to_the_service(service_on):
    """Without PKCE, state and nonce an answer could be stolen or planted; wider scopes tell more than needed."""
    client = Client()
    answer = client.post("/sign-in/service/force/?scope=email,admin&auth_params=prompt%3Dnone")
    asked = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert set(asked["scope"][0].split()) == {"openid", "profile"} and "prompt" not in asked
    assert asked["code_challenge_method"] == ["S256"] and len(asked["nonce"][0]) >= 32 and len(asked["state"][0]) >= 16
    assert asked["response_type"] == ["code"] and asked["redirect_uri"] == [f"http://testserver{BACK}"]
    assert client.get("/sign-in/service/force/").status_code == 405, "a picture's address would start it"
    assert client.post("/sign-in/service/other/").status_code == 404
    assert b"Sign in with your force" in client.get("/sign-in/").content
    evil = Client()
    back = at_the_service(to_the_service(evil, "https://evil.example/"), "lee")
    assert "evil" not in back


def test_nothing_of_the_service_is_kept_but_the_subject(service_on):
    """Tokens and claims in a copied database would open other systems of the force."""
    connected(make_person(), "pat")
    through(Client(), "pat")
    assert SocialAccount.objects.get().extra_data == {} and not SocialToken.objects.exists()


def test_a_closed_account_stays_closed_at_the_service_s_door(service_on):
    """Somebody who left would come in through the other door."""
    user = connected(make_person(), "pat")
    user.is_active = False
    user.save()
    client = Client()
    answer = through(client, "pat")
    assert answer.status_code == 403 and b"This account is closed" in answer.content
    assert "_auth_user_id" not in client.session


def test_cancelling_and_nonsense_end_in_words(service_on):
    """A person who presses 'cancel' at the service would see 'server error'."""
    for query in ("", "error=access_denied", "code=x", "code=x&state=y", "error=%00&state=%00", "state=" + "9" * 5000):
        answer = Client().get(f"{BACK}?{query}")
        assert answer.status_code in (403, 404), query
    state = parse_qs(urlsplit(to_the_service(client := Client())).query)["state"][0]
    answer = client.get(f"{BACK}?error=access_denied&state={state}")
    assert answer.status_code == 403 and b"Nobody is signed in" in answer.content


def test_a_service_that_is_away_or_lies_about_its_name_signs_nobody_in(service_on, settings):
    """While the service is down the page would hang; and another server could answer in its name."""
    app = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]
    right = app["settings"]["server_url"]
    app["settings"]["server_url"] = "http://localhost:9"
    answer = Client().post("/sign-in/service/force/")
    assert answer.status_code == 403 and b"did not work" in answer.content
    app["settings"]["server_url"] = right.replace("localhost", "127.0.0.1")
    assert Client().post("/sign-in/service/force/").status_code == 403


def test_a_redirect_of_the_service_is_not_followed(service_on, settings):
    """Who can answer in the service's place would send us to any machine of the force's own network (SSRF)."""
    app = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]
    app["settings"]["server_url"] = f"{service_on.issuer}/authorize/?/.well-known/"  # redirects to its own sign-in page
    answer = Client().post("/sign-in/service/force/")
    assert answer.status_code == 403 and b"did not work" in answer.content


class TestTokens:
    """A forged token would be anybody's account."""

    @pytest.fixture
    def decode(self, service_on, rf, monkeypatch):
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": "1", "alg": "RS256"}

        def decoded(claims: dict[str, Any], *, algorithm: str = "RS256", with_key: Any = None, kid: str = "1") -> Any:
            token = jwt.encode(claims, with_key if with_key is not None else key, algorithm, headers={"kid": kid})
            request = rf.get("/")
            request.session = {"force_sign_in_nonce": "n" * 32}
            adapter = VerifiedAdapter(request, "force")
            adapter._openid_config = {"issuer": service_on.issuer, "jwks_uri": f"{service_on.issuer}/keys"}
            answer = requests.Response()
            answer.status_code, answer._content = 200, json.dumps({"keys": [public]}).encode()
            monkeypatch.setattr(requests.Session, "get", lambda *a, **k: answer)
            monkeypatch.setattr(requests.Session, "request", lambda *a, **k: answer)
            return adapter._decode_id_token(adapter.get_provider().app, token)

        now = int(time.time())
        good = {
            "iss": service_on.issuer,
            "aud": "safelight",
            "sub": "1",
            "exp": now + 60,
            "iat": now,
            "nonce": "n" * 32,
        }
        return decoded, good

    def test_a_good_one_is_believed(self, decode):
        decoded, good = decode
        assert decoded(good)["sub"] == "1"

    @pytest.mark.parametrize(
        "wrong",
        [
            {"nonce": "m" * 32}, {"nonce": ""}, {"aud": "another"}, {"iss": "https://evil.example"},
            {"exp": 1_000_000_000}, {"nbf": 4_000_000_000},
        ],
    )  # fmt: skip
    def test_one_for_another_time_place_or_request_is_not(self, decode, wrong):
        decoded, good = decode
        with pytest.raises(OAuth2Error):
            decoded(good | wrong)

    @pytest.mark.parametrize("algorithm", ["none", "HS256"])
    def test_one_signed_with_nothing_or_with_the_public_key_is_not(self, decode, algorithm):
        decoded, good = decode
        with pytest.raises(OAuth2Error):
            decoded(good, algorithm=algorithm, with_key="" if algorithm == "none" else "k" * 64)

    def test_one_signed_by_somebody_else_is_not(self, decode):
        decoded, good = decode
        stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        for kid in ("1", "2"):
            with pytest.raises(OAuth2Error):
                decoded(good, with_key=stranger, kid=kid)


@pytest.mark.parametrize(
    "issuer", ["http://sso.example", "sso.example", "https://", "ftp://sso.example", "https://a/?x=1"]
)
def test_the_service_s_address_must_be_https(issuer, monkeypatch):
    """Tokens would travel in the clear because of one letter."""
    monkeypatch.setenv("SAFELIGHT_OIDC_ISSUER", issuer)
    with pytest.raises(SettingsError, match="SAFELIGHT_OIDC_ISSUER"):
        service.settings_of_service(plain_http=False)
    monkeypatch.setenv("SAFELIGHT_OIDC_ISSUER", "https://sso.example")
    with pytest.raises(SettingsError, match="SAFELIGHT_OIDC_CLIENT_ID"):
        service.settings_of_service(plain_http=False)


ENDED = "/sign-in/service/force/ended/"


def logout_token(provider: Provider, name: str, by: str = "sid") -> str:
    """What the provider posts when ``name`` signs out there."""
    answer = requests.get(provider.issuer.removesuffix("/o") + "/logout/", {"name": name, "by": by}, timeout=20)
    assert answer.status_code == 200
    return answer.text


def told(token: str) -> int:
    """Our answer to the service, which sends no cookie and no CSRF token."""
    return int(Client(enforce_csrf_checks=True).post(ENDED, {"logout_token": token}).status_code)


def test_who_signs_out_at_the_service_is_signed_out_here(service_on):
    """Somebody leaves the force's systems for the day, and the child's record stays open on the screen."""
    connected(make_person(), "pat")
    early, late = Client(), Client()
    through(early, "pat")
    through(late, "pat")
    assert early.get("/standards/").status_code == late.get("/standards/").status_code == 200
    token = logout_token(service_on, "pat")
    assert told(token) == 200, "the provider's number is that of its last session"
    assert late.get("/standards/").status_code == 302 and early.get("/standards/").status_code == 200
    assert told(token) == 400, "the same token twice"
    assert told(logout_token(service_on, "pat", by="sub")) == 200
    assert early.get("/standards/").status_code == 302, "and without a number all of the person's"
    assert told(logout_token(service_on, "lee")) == 200, "nobody here: nothing to end"
    ended = LedgerEntry.objects.filter(verb="account.sessions_ended", actor=None)
    assert [one.reason for one in ended] == ["the sign-in service ended it"] * 2


@pytest.mark.django_db(transaction=True)
def test_the_service_reaches_the_site_over_the_wire(service_on, live_server):
    """Tried only in this process, the real request could meet a redirect, a missing cookie or a form's token."""
    connected(make_person(), "pat")
    client = Client()
    through(client, "pat")
    there = {"name": "pat", "to": live_server.url + ENDED}
    answer = requests.get(service_on.issuer.removesuffix("/o") + "/logout/", there, timeout=20)
    assert answer.status_code == 200, answer.text
    assert client.get("/standards/").status_code == 302


class TestLogoutTokens:
    """A forged one signs everybody out, again and again; another kind of token passed for one would do the same."""

    @pytest.fixture
    def believed(self, service_on, rf, monkeypatch):
        from safelight.web.force_sign_out import EVENT, claims_of

        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": "1", "alg": "RS256"}
        answer = requests.Response()
        answer.status_code, answer._content = 200, json.dumps({"keys": [public]}).encode()
        asked = []
        monkeypatch.setattr(requests.Session, "get", lambda *a, **k: asked.append(a) or answer)
        now = int(time.time())
        good = {
            "iss": service_on.issuer, "aud": "safelight", "sub": "1", "sid": "2", "iat": now, "exp": now + 60,
            "events": {EVENT: {}},
        }  # fmt: skip

        def check(without: str = "", with_key: Any = key, algorithm: str = "RS256", **changed: Any) -> Any:
            claims = {**good, "jti": str(len(asked)), **changed}
            claims.pop(without, None)
            adapter = VerifiedAdapter(rf.post("/"), "force")
            adapter._openid_config = {"issuer": service_on.issuer, "jwks_uri": f"{service_on.issuer}/keys"}
            token = jwt.encode(claims, with_key, algorithm, headers={"kid": "1"})
            return claims_of(adapter, adapter.get_provider().app, token)

        check.asked = asked
        return check

    def test_a_good_one_is_believed(self, believed):
        assert believed()["sid"] == "2" and believed(without="sub") and believed(without="sid")

    @pytest.mark.parametrize(
        "wrong",
        [
            {"aud": "another"}, {"iss": "https://evil.example"}, {"exp": 1_000_000_000}, {"iat": 1_700_000_000},
            {"iat": 4_000_000_000}, {"nonce": "n"}, {"events": {}}, {"events": "x"}, {"events": {"other": {}}},
            {"without": "events"}, {"without": "jti"}, {"without": "iat"}, {"without": "exp"},
            {"sub": "", "sid": ""}, {"sub": 1, "sid": 2},
        ],
    )  # fmt: skip
    def test_any_other_is_not(self, believed, wrong):
        with pytest.raises(OAuth2Error):
            believed(**wrong)

    def test_one_signed_by_somebody_else_or_by_nobody_is_not(self, believed):
        stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        for key, algorithm in ((stranger, "RS256"), ("", "none"), ("k" * 64, "HS256")):
            with pytest.raises(OAuth2Error):
                believed(with_key=key, algorithm=algorithm)

    def test_nonsense_makes_us_ask_nobody(self, believed, service_on):
        """Every word posted by a stranger would make the site ask the service for its keys."""
        for text in ("", "x", "a.b.c", "x" * 9_000):
            assert told(text) == 400
        with pytest.raises(OAuth2Error):
            believed(aud="another")
        assert believed.asked == []
        assert Client().get(ENDED).status_code == 405
        assert Client().post("/sign-in/service/other/ended/", {"logout_token": "x"}).status_code == 404
