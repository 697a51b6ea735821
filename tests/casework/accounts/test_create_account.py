"""Without this command nobody could sign in to a new installation."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from safelight.casework.accounts.models import User
from safelight.casework.ledger.models import LedgerEntry

pytestmark = pytest.mark.django_db


def make(monkeypatch: pytest.MonkeyPatch, *words: str, password: str = "a long synthetic password") -> Any:
    monkeypatch.setattr("sys.stdin", io.StringIO(password + "\n"))
    return call_command("create_account", *words, stdout=io.StringIO())


def test_the_first_administrator_can_be_made_and_is_in_the_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    make(monkeypatch, "ada", "--name", "Ada Synthetic", "--role", "administrator")
    user = User.objects.get(username="ada")
    assert user.role == "administrator"
    assert user.check_password("a long synthetic password")
    assert LedgerEntry.objects.filter(verb="account.created", subject_id=str(user.pk)).exists()


@pytest.mark.parametrize(
    ("words", "password", "message"),
    [
        (("--role", "wizard"), "a long synthetic password", "There is no role"),
        (("--role", "supervisor", "--unit", "XX"), "a long synthetic password", "There is no unit"),
        (("--role", "supervisor"), "123", "too short"),
    ],
)
def test_a_mistake_is_named_and_no_account_is_made(
    monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], password: str, message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        make(monkeypatch, "ada", "--name", "Ada Synthetic", *words, password=password)
    assert not User.objects.exists()
