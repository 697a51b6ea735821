"""Contact details in the tables: unreadable in the file, found all the same, and never read in the wrong place."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import FieldError
from django.db import connection, transaction
from django.db.models import Q
from tests.casework.factories import make_person

from safelight.casework.ciphers import cipher, rows
from safelight.casework.ciphers.cipher import CipherError
from safelight.casework.ciphers.fields import Sealed, beside, encrypted
from safelight.casework.people.models import Identifier, Person, PossibleLink

pytestmark = pytest.mark.django_db
MAIL = "Canary.Jo@Example.org"


def stored(model: Any, pk: int, column: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {model._meta.db_table} WHERE id = %s", [pk])  # noqa: S608
        return cursor.fetchone()[0]


def identifier(value: str = MAIL, kind: str = "email", person: Person | None = None) -> Identifier:
    return Identifier.objects.create(person=person or make_person(), kind=kind, value=value)


def test_the_table_holds_nothing_readable_and_the_row_everything() -> None:
    one = identifier()
    for field in (*encrypted(Identifier), *beside(Identifier)):
        assert "canary" not in stored(Identifier, one.pk, field.column).lower()
    assert Identifier.objects.get(pk=one.pk).value == MAIL
    assert Identifier.objects.defer("value").get(pk=one.pk).value == MAIL
    assert one.person.identifiers.get().value == MAIL


def test_it_is_found_by_the_exact_value_only() -> None:
    one, other = identifier(), identifier("someone@example.org")
    assert list(Identifier.objects.filter(kind="email", value=MAIL)) == [one]
    assert not Identifier.objects.filter(value=MAIL.lower()).exists()
    assert list(Identifier.objects.filter(value__iexact=MAIL.upper())) == [one]
    assert set(Identifier.objects.filter(value__in=[MAIL, other.value, "x"])) == {one, other}
    assert not Identifier.objects.filter(value__in=[]).exists()
    assert list(Identifier.objects.filter(Q(value=MAIL) | Q(value=other.value)).exclude(value=MAIL)) == [other]
    home = make_person(address="1 Canary Row", postcode="N1 9GU")
    assert list(Person.objects.filter(postcode="N1 9GU").exclude(address="")) == [home]
    assert Identifier.objects.filter(person__postcode="N1 9GU").count() == 0
    for wrong in ({"value__contains": "a"}, {"value__startswith": "a"}, {"value__gt": "a"}, {"value": 7}):
        with pytest.raises(FieldError, match="encrypted"):
            list(Identifier.objects.filter(**wrong))
    with pytest.raises(FieldError, match="no index"):
        list(Person.objects.filter(address="1 Canary Row"))


def test_one_person_has_an_identifier_once() -> None:
    """A merge would move a second row of the same number beside the first."""
    from django.db import IntegrityError

    one = identifier()
    with pytest.raises(IntegrityError), transaction.atomic():
        identifier(person=one.person)
    identifier(MAIL.lower(), person=one.person)


def test_a_change_changes_the_columns_beside_it() -> None:
    """A telephone number put right would be found by the wrong one."""
    one = identifier()
    row = Identifier.objects.get(pk=one.pk)
    row.value = "new@example.org"
    row.save(update_fields=["value"])
    assert list(Identifier.objects.filter(value="new@example.org")) == [one]
    assert not Identifier.objects.filter(value=MAIL).exists() and not Identifier.objects.filter(value__iexact=MAIL)
    person = make_person(address="2 Canary Row", postcode="N1 9GU")
    again = Person.objects.get(pk=person.pk)
    again.postcode = ""
    again.save()
    assert (Person.objects.get(pk=person.pk).address, stored(Person, person.pk, "postcode_is")) == ("2 Canary Row", "")


def test_what_nobody_reads_is_not_decrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of fifty people would decrypt all that is on record of them."""
    for number in range(3):
        identifier(f"{number}@example.org", person=make_person(address=f"{number} Row", postcode="N1 9GU"))
    counted: list[str] = []
    real = cipher.decrypt
    monkeypatch.setattr(cipher, "decrypt", lambda *a: counted.append(a[2]) or real(*a))
    people = list(Person.objects.prefetch_related("identifiers"))
    assert counted == []
    assert [one.postcode for one in people] == ["N1 9GU"] * 3 and counted == ["postcode"] * 3
    before = stored(Person, people[0].pk, "address")
    people[0].family_name = "Changed"
    people[0].save()
    assert stored(Person, people[0].pk, "address") == before and "address" not in counted


def test_a_value_moved_to_another_row_or_column_is_refused_by_name() -> None:
    """Whoever writes to the database could put a neighbour's number on a suspect."""
    one, other = identifier(), identifier("b@example.org")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE people_identifier SET value = %s WHERE id = %s", [stored(Identifier, one.pk, "value"), other.pk]
        )
    with pytest.raises(
        CipherError, match=rf"people_identifier, row {other.pk}, value: this value was changed, or moved"
    ):
        _ = Identifier.objects.get(pk=other.pk).value
    home = make_person(address="1 Row", postcode="N1 9GU")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE people_person SET address = postcode WHERE id = %s", [home.pk])
    with pytest.raises(CipherError, match=rf"people_person, row {home.pk}, address"):
        _ = Person.objects.get(pk=home.pk).address


def test_nothing_is_written_past_the_cipher() -> None:
    """One forgotten update would put a plain number in the table."""
    one = identifier()
    with pytest.raises(CipherError, match="not written by update"), transaction.atomic():
        Identifier.objects.filter(pk=one.pk).update(value="plain@example.org")
    one.value = "plain@example.org"
    with pytest.raises(CipherError, match="not written by update"), transaction.atomic():
        Identifier.objects.bulk_update([one], ["value"])
    with pytest.raises(CipherError, match="without its row"):
        str(Identifier.objects.values_list("value", flat=True).get(pk=one.pk))
    assert "encrypted with" in repr(Identifier.objects.values_list("value", flat=True).get(pk=one.pk))
    Identifier.objects.filter(pk=one.pk).update(value="")
    assert Identifier.objects.get(pk=one.pk).value == ""


def test_structures_come_back_as_they_were() -> None:
    link = PossibleLink.objects.create(
        person=make_person(), source="visor", key="V-1", found_at="2026-01-01T00:00:00Z", model="1",
        evidence={"reasons": ["the same e-mail address"], "é": [1, None, 2.5]},
    )  # fmt: skip
    again = PossibleLink.objects.get(source="visor", key="V-1")
    assert again == link and again.evidence == {"reasons": ["the same e-mail address"], "é": [1, None, 2.5]}
    assert "mail" not in stored(PossibleLink, link.pk, "evidence")
    empty = PossibleLink.objects.create(
        person=make_person(), source="visor", key="V-2", found_at="2026-01-01T00:00:00Z", model="1"
    )
    assert (PossibleLink.objects.get(pk=empty.pk).evidence, stored(PossibleLink, empty.pk, "evidence")) == ({}, "")


def test_every_model_with_such_fields_can_find_its_row() -> None:
    """A field on a model without the random name could be written and never read."""
    for model in rows.models():
        names = {field.name for field in model._meta.concrete_fields}
        assert "sealed_as" in names, model
        for field in encrypted(model):
            assert {one for one in (field.index, field.folded) if one} <= names
        for one in beside(model):
            assert set(one.of) <= {field.name for field in encrypted(model)}
    assert isinstance(Identifier(value=Sealed("v1.x.y")).__dict__["value"], Sealed)
