"""Rotating the keys: a row that only a removed key could read is lost for good."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from tests.casework.factories import make_person
from typer.testing import CliRunner

from safelight.casework.ciphers import ring as rings
from safelight.casework.ciphers import rows
from safelight.casework.ciphers.keys import place, ring
from safelight.casework.ciphers.ring import KeyRingError
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.people.models import Identifier, Person
from safelight.casework.search.models import NameTerm
from safelight.casework.search.names import learn
from safelight.cli.main import app

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_ring(settings: Any, tmp_path: Path) -> Path:
    settings.FIELD_KEYS = tmp_path / "own" / "field.keys"
    return settings.FIELD_KEYS


def some(many: int = 7) -> list[Identifier]:
    made = []
    for number in range(many):
        person = make_person(address=f"{number} Canary Row", postcode="N1 9GU")
        made.append(Identifier.objects.create(person=person, kind="email", value=f"canary{number}@example.org"))
    return made


def whole(made: list[Identifier]) -> None:
    """Everything is read, and found by its value."""
    for number, one in enumerate(made):
        again = Identifier.objects.get(kind="email", value=f"canary{number}@example.org")
        assert again == one and again.value == f"canary{number}@example.org"
        assert Person.objects.get(pk=one.person_id).address == f"{number} Canary Row"
    assert Person.objects.filter(postcode="N1 9GU").count() == len(made)


def test_everything_is_written_anew_and_the_old_key_goes() -> None:
    made, old = some(), ring().newest.id
    done = rows.rotate(step=3, settle=0)
    assert done.removed and done.old == [old] and not done.faults
    assert done.rows["people_identifier"] == 7 and done.rows["people_person"] == 7
    assert [one.id for one in ring().keys] == [done.new] and set(rows.keys_in_use()) == {done.new}
    whole(made)
    entry = LedgerEntry.objects.get(verb="keys.rotated")
    assert entry.payload["old"] == [old] and entry.payload["rows"]["people_person"] == 7


def test_in_the_middle_both_keys_read_and_find_and_it_is_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    made = some()
    real, steps = rows._renewed, []

    def cut_off(model: Any, done: Any, step: int) -> Any:
        for count in real(model, done, step):
            steps.append(count)
            if model is Identifier:
                raise KeyboardInterrupt  # killed after three of seven
            yield count

    monkeypatch.setattr(rows, "_renewed", cut_off)
    with pytest.raises(KeyboardInterrupt):
        rows.rotate(step=3, settle=0)
    used = rows.keys_in_use()
    assert len(ring().keys) == 2 and sum(per.get("people_identifier.value", 0) for per in used.values()) == 7
    assert len(used) == 2, "it was not in the middle"
    whole(made)
    Identifier.objects.create(person=made[0].person, kind="phone", value="07700 900123")
    monkeypatch.setattr(rows, "_renewed", real)
    done = rows.rotate(step=3, settle=0)
    assert done.resumed and done.removed and done.rows["people_identifier"] == 4
    whole(made)


def test_a_row_that_cannot_be_read_keeps_the_old_key_and_is_named() -> None:
    made, old = some(3), ring().newest.id
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE people_identifier SET value = SUBSTR(value, 1, 40) || 'AAAA' WHERE id = %s", [made[1].pk]
        )
    done = rows.rotate(settle=0)
    assert not done.removed and [one.id for one in ring().keys] == [old, done.new]
    assert len(done.faults) == 1 and f"people_identifier, row {made[1].pk}, value" in done.faults[0]
    assert Identifier.objects.get(pk=made[0].pk).value == "canary0@example.org"


def test_a_row_written_meanwhile_with_the_old_key_is_taken_along(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that was slow would leave a row behind that nobody can read."""
    made = some(2)
    old = ring()
    real = rows.time.sleep

    def late(seconds: float) -> None:
        with monkeypatch.context() as patch:
            patch.setattr("safelight.casework.ciphers.fields.ring", lambda: old)
            made.append(Identifier.objects.create(person=make_person(address="2 Canary Row", postcode="N1 9GU"),
                                                  kind="email", value="canary2@example.org"))  # fmt: skip
        real(0)

    monkeypatch.setattr(rows.time, "sleep", late)
    assert rows.rotate(settle=60).removed
    whole(made)


def test_a_name_that_was_learned_again_amid_a_rotation_keeps_no_old_key() -> None:
    """One list of names would keep the old key for ever."""
    made = some(1)
    learn(["thornbury"])
    rings.write(place(), rings.Ring((*ring().keys, rings.new_key())))
    learn(["thornbury"])
    assert NameTerm.objects.count() == 2
    assert rows.rotate(settle=0).removed and NameTerm.objects.get(term="thornbury").term == "thornbury"
    whole(made)


def test_a_lost_key_file_is_never_made_anew_over_encrypted_rows(own_ring: Path) -> None:
    made = some(1)
    aside = own_ring.rename(own_ring.with_name("aside"))
    with pytest.raises(KeyRingError, match=r"key file of encrypted fields is missing .*\(people_"):
        _ = Identifier.objects.get(pk=made[0].pk).value
    assert not own_ring.exists()
    rings.make(own_ring)
    with pytest.raises(Exception, match="which the key file does not hold"):
        _ = Identifier.objects.get(pk=made[0].pk).value
    aside.replace(own_ring)
    whole(made)


def test_the_commands_say_what_there_is_and_what_was_done() -> None:
    some(2)
    said = CliRunner().invoke(app, ["keys", "list"])
    assert said.exit_code == 0 and str(place()) in said.output
    assert re.search(r"[0-9a-f]{8}  made 20\S+  encrypts and decrypts  10 values", said.output), said.output
    done = CliRunner().invoke(app, ["keys", "rotate", "--settle", "0"])
    assert done.exit_code == 0 and "4 rows were written anew" in done.output, done.output
    assert "Make a backup now" in done.output
    place().rename(place().with_name("aside"))
    rings.make(place())
    lost = CliRunner().invoke(app, ["keys", "list"])
    assert lost.exit_code == 1 and "IS MISSING, and encrypts 10 values in people_identifier.value" in lost.output
