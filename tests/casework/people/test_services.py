"""Records of people: what is known is kept, what cannot be is refused, and the ledger never holds a name."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from tests.casework.factories import make_user

from safelight.casework.base.errors import Invalid, NotAllowed
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.people.models import Person
from safelight.casework.people.services import add_identifiers, create_person, update_person

pytestmark = pytest.mark.django_db


def test_a_child_known_only_by_age_can_be_recorded() -> None:
    """A boy of about seven without a name would otherwise not be recorded at all."""
    person = create_person(make_user("referral_desk"), age=7)
    assert person.name == "Name not known"
    assert (person.born_precision, person.age_on()) == ("year", 7)


@pytest.mark.parametrize("born", [date(1899, 12, 31), timezone.localdate() + timedelta(days=1)])
def test_an_impossible_date_of_birth_is_refused(born: date) -> None:
    """A child born in 2107 or 1817 would count as an adult or as nobody."""
    with pytest.raises(Invalid) as refused:
        create_person(make_user("referral_desk"), family_name="Synthetic", born=born)
    assert refused.value.field == "born"
    assert not Person.objects.exists()


def test_an_unborn_child_is_not_recorded_as_a_person() -> None:
    with pytest.raises(Invalid, match="not yet born"):
        create_person(make_user("referral_desk"), born=timezone.localdate() + timedelta(days=90))


def test_a_name_too_long_is_refused_and_not_cut() -> None:
    """A cut name would never be found again."""
    with pytest.raises(Invalid, match="at most 200"):
        create_person(make_user("referral_desk"), family_name="x" * 201)


def test_a_nul_byte_never_reaches_the_database() -> None:
    """PostgreSQL refuses it with an error that nobody at the desk understands."""
    with pytest.raises(Invalid, match="control character"):
        create_person(make_user("referral_desk"), family_name="a\x00b")


def test_names_of_every_script_are_kept() -> None:
    person = create_person(make_user("referral_desk"), family_name="محمد", given_names="José Ångström 🙂")
    person.refresh_from_db()
    assert person.name == "José Ångström 🙂 محمد"


def test_the_ledger_has_the_changed_fields_but_no_name() -> None:
    """An erased name would live on in the ledger for ever."""
    actor = make_user("investigator")
    person = create_person(actor, family_name="Syntheticson", identifiers=[("email", "nobody@example.test")])
    update_person(actor, person, family_name="Newsynthetic", address="1 Example Street")
    add_identifiers(actor, person, [("email", "nobody@example.test"), ("phone", "07700 900000")])
    verbs = list(LedgerEntry.objects.values_list("verb", flat=True))
    assert verbs == ["person.created", "person.changed", "person.identifier_added"]
    written = "".join(str(entry.payload) for entry in LedgerEntry.objects.all())
    assert sorted(LedgerEntry.objects.get(verb="person.changed").payload["changed"]) == ["address", "family_name"]
    for secret in ("yntheticson", "Newsynthetic", "Example Street", "nobody@", "900000"):
        assert secret not in written


def test_a_change_that_changes_nothing_writes_nothing() -> None:
    actor = make_user("investigator")
    person = create_person(actor, family_name="Synthetic", born=date(2014, 5, 1), postcode="nw11aa")
    assert person.postcode == "NW1 1AA"
    update_person(actor, person, family_name=" Synthetic ", born=date(2014, 5, 1))
    assert not LedgerEntry.objects.filter(verb="person.changed").exists()


@pytest.mark.parametrize("role", ["administrator", "examiner"])
def test_who_may_not_change_people_writes_nothing(role: str) -> None:
    with pytest.raises(NotAllowed):
        create_person(make_user(role), family_name="Synthetic")
    assert not Person.objects.exists()


def test_the_database_itself_refuses_a_date_without_its_precision() -> None:
    """A guess that looks exact would make a child an adult a year early."""
    with pytest.raises(IntegrityError), transaction.atomic():
        Person.objects.create(family_name="Synthetic", born=date(2014, 5, 1))
