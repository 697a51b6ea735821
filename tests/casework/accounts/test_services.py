"""Accounts."""

from __future__ import annotations

import pytest
from tests.casework.factories import make_unit, make_user

from safelight.casework.accounts.services import create_user
from safelight.casework.base.errors import Invalid, NotAllowed
from safelight.casework.ledger.models import LedgerEntry

pytestmark = pytest.mark.django_db


def test_only_an_administrator_makes_accounts():
    """Otherwise anybody could make themselves a second identity in the ledger."""
    for role in ("supervisor", "investigator", "referral_desk", "examiner"):
        with pytest.raises(NotAllowed):
            create_user(make_user(role), username="x", name="X (synthetic)", role="investigator")
    made = create_user(
        make_user("administrator"), username=" New.Name ", name="X (synthetic)", role="investigator", unit=make_unit()
    )
    assert made.username == "new.name"
    assert not made.has_usable_password()
    assert "password" not in str(LedgerEntry.objects.get(verb="account.created").payload)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"role": "wizard"}, "role"),
        ({"username": " "}, "username"),
        ({"name": ""}, "name"),
        ({"username": "TAKEN"}, "username"),
    ],
)
def test_what_is_wrong_names_its_field(fields, field):
    create_user(None, username="taken", name="First (synthetic)", role="investigator")
    with pytest.raises(Invalid) as caught:
        create_user(None, **{"username": "new", "name": "New (synthetic)", "role": "investigator", **fields})
    assert caught.value.field == field


def test_an_administrator_has_no_right_over_cases():
    """Otherwise whoever runs the machine reads about children."""
    user = make_user("administrator")
    rights = (
        "cases.view",
        "cases.open",
        "cases.close",
        "allocation.allocate",
        "supervision.board",
        "clocks.view",
        "clocks.hold",
    )
    assert [rule for rule in rights if user.has_perm(rule)] == []
    assert user.has_perm("accounts.manage")
