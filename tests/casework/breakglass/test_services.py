"""Broken glass opens one case for some hours, loudly, and somebody else says afterwards whether that was right."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from tests.casework.factories import make_case, make_child, make_user

from safelight.casework.allocation.models import Conflict
from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.base.permissions import permissions
from safelight.casework.breakglass.models import Opening
from safelight.casework.breakglass.services import break_glass, end, keep, review
from safelight.casework.breakglass.work import items_for
from safelight.casework.cases.models import Case
from safelight.casework.cases.services import note
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.notices.models import Notice
from safelight.casework.people.models import Person
from safelight.casework.supervision.mornings import morning

pytestmark = pytest.mark.django_db
SAID = {"why": "child_at_risk", "reason": "Synthetic: a child called from the address."}


def sees(user, case) -> bool:
    return Case.objects.visible_to(user).filter(pk=case.pk).exists()


@pytest.fixture
def head():
    return make_user("supervisor")


@pytest.fixture(params=["restricted", "other_unit"])
def closed(request, head):
    """A case that ``visitor`` may not see, and the visitor."""
    case = make_case(actor=head, restricted=request.param == "restricted")
    return case, make_user("investigator", "CN" if request.param == "restricted" else "SW")


def test_it_opens_the_case_and_what_hangs_on_it_to_one_person_for_its_hours(closed) -> None:
    """At 2 a.m. the child's case would stay shut, or stay open for good, or open for the whole unit."""
    case, visitor = closed
    child = make_child(case=case)
    assert not sees(visitor, case)
    row = break_glass(visitor, reference=case.reference.lower(), hours=2, **SAID)
    assert sees(visitor, case) and Person.objects.visible_to(visitor).filter(pk=child.person.pk).exists()
    assert not sees(make_user("investigator", visitor.unit), case) or not case.restricted
    assert row.until - row.opened_at == timedelta(hours=2)
    fresh = type(visitor).objects.get(pk=visitor.pk)
    assert sees(fresh, case)
    other = make_case(actor=make_user("supervisor", "SW"), unit="SW", restricted=True)
    assert not sees(visitor, other), "the glass of one case was broken, not of all"
    Opening.objects.update(opened_at=row.opened_at - timedelta(hours=3), until=timezone.now() - timedelta(seconds=1))
    assert not sees(fresh, case), "its time has run out, and no tick has run"


def test_supervisors_who_see_the_case_and_oversight_hear_at_once(closed, head) -> None:
    """Nobody would know, until somebody happened to look. Who may not know of the case is told no reference of it."""
    case, visitor = closed
    chief, auditor, stranger = make_user("chief_officer", None), make_user("auditor", None), make_user("supervisor")
    row = break_glass(visitor, reference=case.reference, **SAID)
    told = Notice.objects.filter(kind="break_glass.opened")
    heard = {one.user for one in told}
    assert {head, chief, auditor} <= heard and visitor not in heard
    assert (stranger in heard) is not case.restricted
    assert {one.about for one in told} == {row.reference} and {one.case for one in told} == {None}


def test_every_look_and_change_under_it_says_so_in_the_ledger(closed) -> None:
    """The review would have nothing to go by."""
    case, visitor = closed
    row = break_glass(visitor, reference=case.reference, **SAID)
    opened = LedgerEntry.objects.get(verb="break_glass.opened")
    assert (opened.case_key, opened.actor, opened.category) == (case.pk, visitor, "consultation")
    assert SAID["reason"] not in str(opened.payload)
    note(visitor, case, "enquiry", "Synthetic.")
    made = LedgerEntry.objects.filter(actor=visitor, verb="case.noted").get()
    assert made.payload["break_glass"] == [row.reference]
    end(visitor, row)
    assert not sees(visitor, case)


def test_a_conflict_of_interest_cannot_be_broken_and_is_not_betrayed(head) -> None:
    """An officer would read the case against his brother, or learn from the refusal that there is one."""
    case = make_case(actor=head)
    visitor = make_user("investigator", "SW")
    suspect = case.people.first().person
    Conflict.objects.create(
        user=visitor, person=suspect, reason="Synthetic.", declared_by=head, declared_at=timezone.now()
    )
    with pytest.raises(Invalid) as refused:
        break_glass(visitor, reference=case.reference, **SAID)
    with pytest.raises(Invalid) as unknown:
        break_glass(visitor, reference="C-999999", **SAID)
    assert str(refused.value) == str(unknown.value)
    # Declared while it runs: it closes at once.
    other = make_case(actor=head)
    break_glass(visitor, reference=other.reference, **SAID)
    Conflict.objects.create(user=visitor, case=other, reason="S.", declared_by=head, declared_at=timezone.now())
    assert not sees(visitor, other)


def test_only_the_roles_of_the_policy_file_break_it_and_only_what_is_shut(head) -> None:
    case = make_case(actor=head, restricted=True)
    for role in ("examiner", "administrator", "auditor", "chief_officer", "custody_officer", "partner"):
        assert role not in permissions().break_glass.roles
        with pytest.raises(NotAllowed):
            break_glass(make_user(role, None), reference=case.reference, **SAID)
    with pytest.raises(NotPossible, match="open to you already"):
        break_glass(head, reference=case.reference, **SAID)
    for role in permissions().break_glass.roles:
        visitor = make_user(role)
        break_glass(visitor, reference=case.reference, **SAID)
        assert sees(visitor, case), role
        with pytest.raises(NotPossible):
            break_glass(visitor, reference=case.reference, **SAID)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("hours", 0),
        ("hours", 25),
        ("why", "curious"),
        ("reason", "  "),
        ("reference", "C-²"),
        ("reference", "R-000001"),
    ],
)
def test_it_needs_a_reason_and_an_end_within_policy(head, field, wrong) -> None:
    case = make_case(actor=head, restricted=True)
    with pytest.raises(Invalid) as error:
        break_glass(make_user(), **{"reference": case.reference, "hours": 4, **SAID, field: wrong})
    assert error.value.field == field and not Opening.objects.exists()


def test_the_review_is_by_somebody_else_and_waits_on_the_morning_page_until_it_is_made(head) -> None:
    """It would be forgotten, or waved through by whoever did it."""
    case = make_case(actor=head, restricted=True)
    chief = make_user("chief_officer", None)
    visitor = make_user("supervisor")
    row = break_glass(visitor, reference=case.reference, hours=1, **SAID)
    with pytest.raises(NotPossible, match="still runs"):
        review(head, row, verdict="justified", note="Synthetic.")
    end(head, row)
    assert [item.subject for item in items_for(head)] == [f"{row.reference}: A child may be at risk now"]
    assert any("break-glass" in task.item.title for task in morning(head).waiting)
    assert items_for(chief) and not items_for(visitor) and not items_for(make_user("supervisor", "SW"))
    for who in (visitor, make_user("supervisor"), make_user("investigator")):
        with pytest.raises(NotAllowed):
            review(who, row, verdict="justified", note="Synthetic.")
    with pytest.raises(Invalid):
        review(head, row, verdict="", note="Synthetic.")
    done = review(head, row, verdict="not_justified", note="Synthetic: looked at the suspect only.")
    assert (done.reviewed_by, done.verdict) == (head, "not_justified")
    assert not items_for(head) and not any("break-glass" in task.item.title for task in morning(head).waiting)
    assert {one.user for one in Notice.objects.filter(kind="break_glass.not_justified")} == {chief}
    with pytest.raises(NotPossible):
        review(chief, row, verdict="justified", note="Synthetic.")
    with pytest.raises(IntegrityError), transaction.atomic():
        Opening.objects.update(reviewed_by=visitor)


def test_the_tick_ends_what_ran_out_and_chases_a_late_review_once(closed, head) -> None:
    case, visitor = closed
    row = break_glass(visitor, reference=case.reference, **SAID)
    assert keep() == 0
    assert keep(row.until + timedelta(seconds=1)) == 1 and keep(row.until + timedelta(seconds=2)) == 0
    row.refresh_from_db()
    assert row.ended_at == row.until and row.ended_by is None
    late = row.review_due_at + timedelta(minutes=1)
    for _ in range(2):
        keep(late)
    assert Notice.objects.filter(kind="break_glass.overdue", user=head).count() == 1
    assert LedgerEntry.objects.filter(verb="break_glass.overdue").count() == 1


def test_who_broke_no_glass_is_asked_nothing_more(head) -> None:
    """Every list of everybody would pay for what happens a few times a year."""
    text = str(Case.objects.visible_to(head).query)
    assert "breakglass" not in text
    break_glass(head, reference=make_case(actor=make_user("supervisor", "SW"), unit="SW").reference, **SAID)
    assert "breakglass" in str(Case.objects.visible_to(head).query)
