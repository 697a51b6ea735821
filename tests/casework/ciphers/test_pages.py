"""One value that was changed past Safelight: the page says which, and everybody else's work goes on."""

from __future__ import annotations

import logging
from datetime import date
from typing import Any

import pytest
from django.db import connection
from tests.casework.factories import make_case, make_person, make_user

from safelight.casework.people.linking import bring_in
from safelight.casework.people.matching import match_person, match_referral
from safelight.casework.people.models import Identifier, Person
from safelight.linkage import LinkStore

pytestmark = pytest.mark.django_db


@pytest.fixture
def changed() -> tuple[Any, Person]:
    """A case whose suspect's address was copied over their postcode."""
    head = make_user("supervisor")
    case = make_case(actor=head)
    person = case.people.get(role="suspect").person
    person.address, person.postcode = "12 Nettle Row", "N1 9GU"
    person.save()
    Identifier.objects.create(person=person, kind="email", value="canary@example.org")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE people_person SET postcode = address WHERE id = %s", [person.pk])
    return head, person


def test_the_page_names_row_and_column_and_no_value(changed: Any, sign_in: Any, caplog: Any) -> None:
    head, person = changed
    with caplog.at_level(logging.ERROR, "safelight.keys"):
        answer = sign_in(head).get(f"/people/{person.reference}/")
    said = answer.content.decode()
    assert answer.status_code == 500
    assert f"people_person, row {person.pk}, postcode: this value was changed, or moved" in said
    assert "emergency process" in said and "Nettle" not in said and "Traceback" not in said
    assert [one.getMessage() for one in caplog.records if one.name == "safelight.keys"] == [
        f"people_person, row {person.pk}, postcode: this value was changed, or moved here from another row or column."
    ]


def test_nobody_else_goes_unmatched_for_it(changed: Any, settings: Any, tmp_path: Any) -> None:
    """A child's new referral would not be matched because of a row of somebody else's."""
    settings.DATA = tmp_path
    _, person = changed
    new = make_person(family_name="Wimborne", given_names="Alba", born=date(1980, 1, 2))
    same = make_person(family_name="Wimborne", given_names="Alba", born=date(1980, 1, 2))
    assert [link.other for link in match_person(new)] == [same]
    assert match_referral(person.referral_links.get().referral_id) == 0
    with LinkStore() as store:
        assert bring_in(store)[0] == Person.objects.count()
