"""A person's page."""

from __future__ import annotations

import pytest
from tests.casework.factories import make_case, make_child, make_referral, make_user

from safelight.casework.ledger.models import LedgerEntry

pytestmark = pytest.mark.django_db


def test_a_person_is_shown_with_their_parts_and_the_look_is_recorded(sign_in) -> None:
    child = make_child(referral=make_referral())
    page = sign_in(make_user("referral_desk")).get(f"/people/{child.person.reference}/")
    assert page.status_code == 200 and b"Child at risk: lives with the suspect" in page.content
    entry = LedgerEntry.objects.get(verb="person.viewed")
    assert entry.subject_label == child.person.reference and entry.category == "consultation"


def test_a_person_is_changed_and_an_identifier_added(sign_in) -> None:
    child = make_child(case=make_case())
    client, address = sign_in(make_user("investigator")), f"/people/{child.person.reference}/change/"
    assert client.get(address).status_code == 200
    data = {"family_name": "Newsynthetic", "sex": "female", "born-day": "1", "born-month": "1", "born-year": "2015",
            "born_precision": "year", "identifier_kind": "screen_name", "identifier": "synthetic_child"}  # fmt: skip
    assert client.post(address, {**data, "identifier_kind": ""}).status_code == 200
    assert client.post(address, data).status_code == 302
    child.person.refresh_from_db()
    assert child.person.born_precision == "year" and child.person.identifiers.get().value == "synthetic_child"
    assert (
        client.post(address, {**data, "identifier": "", "identifier_kind": "", "born-year": "2190"}).status_code == 200
    )


@pytest.mark.parametrize(("role", "status"), [("administrator", 403), ("examiner", 404)])
def test_who_sees_no_record_of_a_person_sees_no_person(sign_in, role: str, status: int) -> None:
    child = make_child(case=make_case())
    assert sign_in(make_user(role)).get(f"/people/{child.person.reference}/").status_code == status
