"""Names that resemble: kept in memory, because the database has them encrypted only."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.db import OperationalError, connection
from tests.casework.factories import make_case, make_person, make_user

from safelight.casework.people.lists import PeopleFilters, people_page
from safelight.casework.people.queries import candidates
from safelight.casework.search import likeness
from safelight.casework.search import names as names_module
from safelight.casework.search.models import NameTerm
from safelight.casework.search.names import alike, distance, learn

pytestmark = pytest.mark.django_db


def test_the_names_stand_encrypted_and_are_known_at_once() -> None:
    learn(["ravenscroft", "o'brien", "müller"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT term, term_is FROM search_nameterm")
        assert "ravens" not in str(cursor.fetchall()).lower()
    assert alike("ravenscraft") == ["ravenscroft"] and alike("obrian") == ["o'brien"] and alike("mueller") == ["müller"]
    learn(["ravenscraft", "müller"])
    assert alike("ravenscruft") == ["ravenscraft", "ravenscroft"] and NameTerm.objects.count() == 4


def test_a_name_that_was_taken_out_is_forgotten() -> None:
    """An erased child's name would go on being offered."""
    learn(["thornbury", "wimborne"])
    assert alike("thornberry") == ["thornbury"]
    NameTerm.objects.filter(term="thornbury").delete()
    assert alike("thornberry") == []
    learn(["thornbery"])
    assert alike("thornberry") == ["thornbery"]


def test_the_table_of_triples_finds_what_going_through_all_names_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(5)
    syllables = [
        "an",
        "ber",
        "cal",
        "dor",
        "el",
        "fen",
        "gar",
        "hol",
        "ix",
        "jun",
        "kel",
        "lam",
        "mor",
        "nev",
        "pel",
        "ros",
    ]
    names = sorted({"".join(chance.choices(syllables, k=chance.choice((2, 3, 4)))) for _ in range(900)})
    learn(names)
    monkeypatch.setattr(likeness, "TAIL", 0)
    monkeypatch.setattr(likeness, "_known", likeness.Known())
    missed = tried = 0
    for name in chance.sample([one for one in names if len(one) >= 5], 60):
        at = chance.randrange(len(name))
        typed = chance.choice(
            (name[:at] + name[at + 1 :], name[:at] + "z" + name[at:], name[:at] + "z" + name[at + 1 :])
        )
        allowed = 1 if len(typed) < 6 else 2
        least = min(distance(typed, one, allowed) for one in names)
        want = {one for one in names if one != typed and distance(typed, one, allowed) == least <= allowed}
        got = alike(typed)
        tried += len(want)
        missed += len(want - set(got)) if len(want) < 8 else 0
    assert likeness._known.indexed == len(names) and missed == 0, f"{missed} of {tried}"


def test_lists_and_the_desk_find_people_by_the_beginnings_of_their_names() -> None:
    head = make_user("supervisor")
    case = make_case(actor=head)
    made = {}
    for given, family in (("Mary Ann", "O'Brien"), ("Obadiah", "Smith"), ("Zoë", "Ångström"), ("", "李小龍")):
        made[family] = make_person(given_names=given, family_name=family)
        case.people.create(person=made[family], role="other", added_at=case.opened_at)

    def listed(name: str) -> set[str]:
        return {one.family_name for one in people_page(head, PeopleFilters(name=name)).rows} & set(made)

    assert listed("o") == {"O'Brien"} and listed("O'B") == {"O'Brien"} and listed("obri") == {"O'Brien"}
    assert listed("ang") == {"Ångström"} and listed("李") == {"李小龍"} and listed("Brien") == set() == listed("'")
    assert listed("s") == {"Smith"} and listed("") == set(made)
    [best] = candidates(head, family_name="O'Bri", given_names="Mary")
    assert best.person == made["O'Brien"] and best.weight == 2
    assert {one.person.family_name for one in candidates(head, given_names="Oba")} == {"Smith"}
    assert [one.reasons for one in candidates(head, family_name="Obadiah")] == [("names may be swapped",)]


def test_a_name_recorded_just_before_the_database_went_away_is_learnt_when_it_is_back(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    """Whoever mistypes that child's name would never be shown the record, and nobody would know why."""

    def away(terms: set[str]) -> None:
        raise OperationalError("database is locked")

    with monkeypatch.context() as patched:
        patched.setattr(names_module, "learn", away)
        with django_capture_on_commit_callbacks(execute=True):
            make_person(given_names="Synthetic", family_name="Ravensworth")
        assert alike("ravenswarth") == []
    with django_capture_on_commit_callbacks(execute=True):
        make_person(given_names="Synthetic", family_name="Thornbury")
    assert alike("ravenswarth") == ["ravensworth"]
    assert not names_module._missed
