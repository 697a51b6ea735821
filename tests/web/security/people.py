"""People who sign in for real: with a password, a number of an authenticator app, a recovery code."""

from __future__ import annotations

import time
from typing import Any

from allauth.mfa.totp.internal import auth
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.contrib.auth import get_user_model
from django.test import Client

PASSWORD = "synthetic words for tests"
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def make_person(username: str = "sam", role: str = "investigator", **fields: Any) -> Any:
    user = get_user_model()(username=username, name=f"{username.title()} Synthetic", role=role, **fields)
    user.set_password(PASSWORD)
    user.save()
    return user


def with_app(user: Any) -> str:
    """Give ``user`` an authenticator app; returns its secret."""
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    return secret


def number(secret: str) -> str:
    """What the app shows now; a person does not type a number that is about to go."""
    left = 30 - time.time() % 30
    if left < 3:
        time.sleep(left)
    return format_hotp_value(hotp_value(secret, int(auth.time.time()) // 30))


def give_password(client: Client, username: str = "sam", password: str = PASSWORD, **more: Any) -> Any:
    return client.post("/sign-in/", {"login": username, "password": password}, **more)


def signed_in(user: Any, secret: str = "", **more: Any) -> Client:
    """A browser in which ``user`` has signed in through the pages."""
    client = Client(**more)
    answer = give_password(client, user.username)
    if secret:
        assert answer.url == "/sign-in/code/", answer
        answer = client.post("/sign-in/code/", {"code": number(secret)})
    assert answer.status_code == 302 and "_auth_user_id" in client.session, answer.content
    return client
