"""Conflicts of interest close a case to an officer, and say no more than they must."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from tests.casework.factories import SKILL, make_allocation, make_case, make_child, make_referral, make_user

from safelight.casework.allocation.conflicts import conflicts_of, declare, end_conflict
from safelight.casework.allocation.models import Conflict
from safelight.casework.allocation.queries import may_take, suggest
from safelight.casework.allocation.services import allocate
from safelight.casework.allocation.together import propose
from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.cases.models import Case
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.people.models import Person
from safelight.casework.referrals.models import Referral
from safelight.casework.safeguarding.models import ChildAtRisk

pytestmark = pytest.mark.django_db


@pytest.fixture
def story():
    supervisor, officer = make_user("supervisor"), make_user(skills=[SKILL])
    case = make_case(actor=supervisor, referral=make_referral())
    return supervisor, officer, case, case.people.get(role="suspect").person


def test_a_person_declared_closes_every_case_they_stand_in(story):
    """Otherwise an officer reads, or works, the case against a cousin."""
    supervisor, officer, case, suspect = story
    child = make_child(case=case)
    other = make_case(actor=supervisor)
    assert Case.objects.visible_to(officer).count() == 2
    declare(officer, user=officer, reference=suspect.reference, reason="Synthetic cousin.")
    assert list(Case.objects.visible_to(officer)) == [other]
    assert not Person.objects.visible_to(officer).filter(pk=suspect.pk).exists()
    assert not ChildAtRisk.objects.visible_to(officer).filter(pk=child.pk).exists()
    assert not Referral.objects.visible_to(officer).filter(case=case).exists()
    assert Case.objects.visible_to(supervisor).filter(pk=case.pk).exists()


def test_a_child_declared_closes_the_case_too(story):
    supervisor, officer, case, _ = story
    child = make_child(case=case)
    declare(supervisor, user=officer, reference=child.person.reference, reason="Synthetic neighbour.")
    assert not Case.objects.visible_to(officer).exists()
    assert conflicts_of([case]) == {(case.pk, officer.pk)}


def test_whoever_has_the_case_loses_sight_of_it_and_it_still_has_a_holder(story):
    """Otherwise declaring late would leave the case with nobody, or its holder reading on."""
    supervisor, officer, case, _ = story
    make_allocation(case, officer, supervisor)
    declare(officer, user=officer, reference=case.reference, reason="Synthetic.")
    assert not Case.objects.visible_to(officer).exists()
    assert Case.objects.get(pk=case.pk).investigator == officer


def test_nobody_gives_them_the_case_and_the_refusal_says_why_but_not_what(story):
    """Otherwise the reason, which may be about somebody's family, is told to whoever tries."""
    supervisor, officer, case, suspect = story
    declare(officer, user=officer, reference=suspect.reference, reason="Private kinship.")
    assert suggest(case) == []
    assert may_take(case) == []
    (one,) = propose(supervisor)[0]
    assert one.investigator is None
    with pytest.raises(Invalid, match="conflict of interest") as caught:
        allocate(supervisor, case, investigator=officer, reason="Synthetic.")
    assert "Private" not in str(caught.value)
    assert suspect.family_name not in str(caught.value)
    assert suspect.reference not in str(caught.value)
    assert "Private" not in str(LedgerEntry.objects.get(verb="conflict.declared").payload)


def test_the_others_are_still_proposed(story):
    """Otherwise one officer's conflict keeps a case from everybody."""
    supervisor, officer, case, suspect = story
    free = make_user(skills=[SKILL])
    declare(officer, user=officer, reference=suspect.reference, reason="Synthetic.")
    assert [one.investigator for one in suggest(case)] == [free]
    assert [one.investigator for one in propose(supervisor)[0]] == [free]


def test_it_ends_by_a_supervisor_with_a_reason_never_by_oneself(story):
    supervisor, officer, case, suspect = story
    row = declare(officer, user=officer, reference=suspect.reference, reason="Synthetic.")
    with pytest.raises(NotPossible):
        declare(supervisor, user=officer, reference=suspect.reference, reason="Again.")
    for actor in (officer, make_user("supervisor", "SW"), make_user()):
        with pytest.raises(NotAllowed):
            end_conflict(actor, row, reason="Synthetic.")
    with pytest.raises(Invalid):
        end_conflict(supervisor, row, reason=" ")
    end_conflict(supervisor, row, reason="Another person of the same name.")
    assert Case.objects.visible_to(officer).filter(pk=case.pk).exists()
    with pytest.raises(NotPossible):
        end_conflict(supervisor, row, reason="Again.")


def test_what_one_does_not_see_cannot_be_found_out_by_declaring(story):
    """Otherwise typing references tells which cases exist."""
    supervisor, officer, case, _ = story
    stranger = make_user(unit="SW")
    said = set()
    for reference in (case.reference, "C-999999", "nonsense", "X-1", "C-²", ""):
        with pytest.raises(Invalid) as caught:
            declare(stranger, user=stranger, reference=reference, reason="Synthetic.")
        said.add(str(caught.value))
    assert len(said) == 1
    with pytest.raises(NotAllowed):
        declare(officer, user=make_user(), reference=case.reference, reason="Synthetic.")
    with pytest.raises(NotAllowed):
        declare(supervisor, user=stranger, reference=case.reference, reason="Synthetic.")


def test_the_database_wants_exactly_one_thing_once(story):
    _, officer, case, suspect = story
    common = {"user": officer, "declared_by": officer, "declared_at": timezone.now()}
    for fields in ({"reason": "x"}, {"reason": "x", "case": case, "person": suspect}, {"reason": "", "case": case}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Conflict.objects.create(**common, **fields)
    Conflict.objects.create(**common, reason="x", case=case)
    with pytest.raises(IntegrityError), transaction.atomic():
        Conflict.objects.create(**common, reason="x", case=case)
