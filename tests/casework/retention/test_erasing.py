"""Erasure that leaves a name in a forgotten table, or takes one that an inquiry needs."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models
from django.utils import timezone
from tests.casework.factories import make_case, make_user
from tests.casework.test_matrix import ROUTES
from tests.casework.world import world as make_world

from safelight.casework.base.errors import NotAllowed, NotPossible
from safelight.casework.cases.models import Case, CasePerson
from safelight.casework.cases.services import note
from safelight.casework.ciphers.fields import EncryptedField, EncryptedJSONField
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.people.models import Identifier, Person
from safelight.casework.retention import queries, services
from safelight.casework.retention.models import Decision, Erasure, Hold, Schedule
from safelight.casework.retention.personal import register
from safelight.casework.retention.reach import rows_of_case

pytestmark = pytest.mark.django_db
CANARY = "Qwyxzcanary"


def closed(case: Any, days_ago: int = 4_000) -> Any:
    """``case``, closed so long ago; whatever it still had to settle is not what these tests are about."""
    Case.objects.filter(pk=case.pk).update(
        status="closed", closed_at=timezone.now() - timedelta(days=days_ago), opened_at=timezone.now()
        - timedelta(days=days_ago + 30), outcome="no_suspect", closed_by=case.opened_by, outcome_note=f"{CANARY} note",
    )  # fmt: skip
    case.refresh_from_db()
    return case


def everything() -> str:
    """All values of all tables, the ledger and the index of the search among them."""
    found = []
    with connection.cursor() as cursor:
        for model in apps.get_models():
            columns = [field.column for field in model._meta.concrete_fields]
            quoted = ", ".join(connection.ops.quote_name(name) for name in columns)
            cursor.execute(f"SELECT {quoted} FROM {connection.ops.quote_name(model._meta.db_table)}")  # noqa: S608
            found += [(model._meta.label, row) for row in cursor.fetchall()]
    return "\n".join(map(str, found))


def plant(case: Any) -> int:
    """Write the canary into every personal text of every row that hangs on the case; how many fields took it."""
    planted = 0
    for model, keys in rows_of_case(case).items():
        for name in register()[model._meta.label].personal:
            field = model._meta.get_field(name)
            if isinstance(field, models.CharField | models.TextField) and not field.choices:
                word = f"{CANARY} {name}"[: field.max_length or 99]
                for row in model._default_manager.filter(pk__in=keys):
                    if isinstance(field, EncryptedField):
                        setattr(row, name, {"said": word} if isinstance(field, EncryptedJSONField) else word)
                        row.save(update_fields=[name])
                        planted += 1
                    elif getattr(row, name):
                        try_to = model._default_manager.filter(pk=row.pk)
                        planted += try_to.update(**{name: f"{word}{row.pk}" if field.unique else word})
    return planted


def decided(case: Any, outcome: str = "erase", **more: Any) -> Decision:
    supervisor = make_user("supervisor", case.unit)
    services.set_group(supervisor, case, group="2")
    return services.propose(supervisor, case, outcome=outcome, reason="Synthetic: no longer needed.", **more)


def test_nothing_that_says_who_it_was_is_left_in_any_table(tmp_path: Any, settings: Any) -> None:
    """A child's name would stand in an extract, a note or a search ten years after it was erased."""
    where = make_world(tmp_path, settings, ROUTES)
    case, chief = where.case, where.people["chief"]
    Decision.objects.all().delete()
    Hold.objects.all().delete()
    person = Person.objects.create(
        family_name=f"{CANARY}son", given_names="Ada", born=date(2015, 5, 4), born_precision="day"
    )
    CasePerson.objects.create(case=case, person=person, role="suspect", added_at=timezone.now())
    Identifier.objects.create(person=person, kind="email", value=f"{CANARY}@example.org")
    note(where.people["has"], case, "note", f"{CANARY} was seen at the school.")
    closed(case)
    assert plant(case) > 40
    assert everything().count(CANARY) > 60
    decision = decided(case)
    services.settle(chief, decision, approve=True)
    left = [line[:300] for line in everything().splitlines() if CANARY.lower() in line.lower()]
    assert left == []
    person.refresh_from_db()
    assert (person.family_name, person.born, person.born_precision) == ("[erased]", None, "none")
    made = Erasure.objects.get()
    assert made.rows["people.Identifier"] >= 1
    assert len(made.digest) == 64
    entry = LedgerEntry.objects.get(verb="retention.erased")
    assert (entry.category, entry.payload["digest"]) == ("erasure", made.digest)
    assert Case.objects.get(pk=case.pk).title == "[erased]"
    with pytest.raises(NotPossible, match="was erased"):
        services.set_group(chief, case, group="1")


def test_a_person_who_stands_in_another_case_is_kept() -> None:
    """The live case of the same suspect would lose him."""
    case, other = make_case(), make_case()
    shared = case.people.get(role="suspect").person
    CasePerson.objects.create(case=other, person=shared, role="suspect", added_at=timezone.now())
    name = shared.family_name
    services.settle(make_user("chief_officer", None), decided(closed(case)), approve=True)
    shared.refresh_from_db()
    assert shared.family_name == name
    assert other.title == Case.objects.get(pk=other.pk).title


def test_nobody_erases_alone() -> None:
    """One person could make a case disappear."""
    case = closed(make_case())
    decision = decided(case)
    with pytest.raises(NotAllowed):
        services.settle(decision.proposed_by, decision, approve=True)
    chief = make_user("chief_officer", None)
    Decision.objects.filter(pk=decision.pk).update(proposed_by=chief)
    decision.refresh_from_db()
    with pytest.raises(NotAllowed):
        services.settle(chief, decision, approve=True)
    assert not Erasure.objects.exists()


@pytest.mark.parametrize("everywhere", [True, False])
def test_a_hold_stops_an_erasure_that_was_proposed_before_it(everywhere: bool) -> None:
    """Evidence that an inquiry asked to be kept would be gone."""
    case, chief = closed(make_case()), make_user("chief_officer", None)
    decision = decided(case)
    hold = services.place_hold(chief, None if everywhere else case, kind="inquiry", reason="Synthetic moratorium.")
    with pytest.raises(NotPossible, match="stops the erasure"):
        services.settle(chief, decision, approve=True)
    decision.refresh_from_db()
    assert not Erasure.objects.exists()
    services.lift_hold(chief, hold, reason="Synthetic end.")
    services.settle(chief, decision, approve=True)
    assert Erasure.objects.count() == 1


def test_what_is_due_follows_the_group_and_the_decisions() -> None:
    """A review would never come up, or come up for ever."""
    case, chief = closed(make_case(), days_ago=3_653 + 5), make_user("chief_officer", None)
    assert case in queries.due(chief)  # no group yet
    supervisor = make_user("supervisor", case.unit)
    services.set_group(supervisor, case, group="1")
    assert case in queries.due(chief)
    again = timezone.localdate() + timedelta(days=3_650)
    kept = services.propose(supervisor, case, outcome="keep", reason="Synthetic risk.", keep_until=again)
    services.settle(chief, kept, approve=True)
    assert Schedule.objects.get().review_on == again
    assert case not in queries.due(chief)
    with pytest.raises(NotPossible, match="is open"):
        services.set_group(supervisor, make_case(), group="1")
