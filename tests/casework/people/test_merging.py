"""Merging: one person is one record, and a mistake is given back to the last row."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.casework.factories import make_case, make_child, make_person, make_referral, make_user

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.people.merging import merge_people, undo_merge
from safelight.casework.people.models import Identifier, Merge, Person, PossibleLink
from safelight.casework.search.services import search

pytestmark = pytest.mark.django_db


def pointing() -> dict[tuple[str, int], int | None]:
    """Whom every row of the case work that points at a person points at."""
    found = {}
    for rel in Person._meta.related_objects:
        if rel.related_model is not Merge:
            name = f"{rel.related_model._meta.label}.{rel.field.attname}"
            for pk, person in rel.related_model._default_manager.values_list("pk", rel.field.attname):
                found[name, pk] = person
    return found


@pytest.fixture
def head() -> Any:
    return make_user("supervisor")


def two(head: Any) -> tuple[Any, Any, Any]:
    """Two records of one man in one case: suspect in both roles, with names and numbers of which one is the same."""
    case = make_case(actor=head)
    one = case.people.get(role="suspect").person
    other = make_person(family_name="Othername")
    case.people.create(person=other, role="suspect", added_at=timezone.now())
    case.people.create(person=other, role="associate", added_at=timezone.now())
    for person, value in ((one, "same"), (other, "same"), (other, "only his")):
        Identifier.objects.create(person=person, kind="screen_name", value=value)
    make_child(case=case, person=other)
    return case, one, other


def test_everything_moves_and_everything_comes_back(head) -> None:
    """A merge that was wrong would have mixed two families for ever."""
    case, one, other = two(head)
    before = pointing()
    made = merge_people(head, one, other, reason="Same fingerprints.")
    assert case.people.filter(person=one, role="associate").exists()
    assert one.identifiers.filter(value="only his").exists() and one.risks.exists()
    # What the kept record had already stays, named, with the one that went.
    assert {name for name, _, _ in made.stayed} == {"cases.caseperson", "people.identifier"}
    assert set(search(head, "othername").shown) == {one.reference}
    undo_merge(head, made, reason="Two brothers.")
    assert pointing() == before
    assert other.reference in search(head, "othername").shown
    verbs = LedgerEntry.objects.filter(verb__startswith="person.merge").order_by("pk")
    assert [entry.verb for entry in verbs] == ["person.merged", "person.merge_undone"]
    assert verbs[0].payload["moved"] == made.moved and "fingerprints" not in str(verbs[0].payload)


def test_a_person_merged_twice_is_refused_and_a_chain_comes_back_link_by_link(head) -> None:
    """The second merge would take from a record that has nothing left, and the first could never be undone."""
    case, one, other = two(head)
    third = make_person()
    case.people.create(person=third, role="witness", added_at=timezone.now())
    before = pointing()
    first = merge_people(head, other, third, reason="Synthetic.")
    with pytest.raises(NotPossible, match="is merged into"):
        merge_people(head, one, third, reason="Synthetic.")
    with pytest.raises(NotPossible, match="is merged into"):
        merge_people(head, third, one, reason="Synthetic.")
    second = merge_people(head, one, other, reason="Synthetic.")
    third.refresh_from_db()
    assert third.merged_into == one  # the chain is followed
    with pytest.raises(NotPossible, match=second.reference):
        undo_merge(head, first, reason="Synthetic.")
    undo_merge(head, second, reason="Synthetic.")
    undo_merge(head, first, reason="Synthetic.")
    assert pointing() == before
    with pytest.raises(NotPossible, match="undone already"):
        undo_merge(head, first, reason="Synthetic.")


def test_what_was_added_since_stays(head) -> None:
    """Undoing would take away what was learnt of the right person."""
    case, one, other = two(head)
    made = merge_people(head, one, other, reason="Synthetic.")
    new = Identifier.objects.create(person=one, kind="email", value="new@example.org")
    undo_merge(head, made, reason="Synthetic.")
    new.refresh_from_db()
    assert new.person == one


def test_a_decision_that_they_are_two_is_respected(head) -> None:
    """Somebody checked, and would be overruled without knowing."""
    case, one, other = two(head)
    fields = {
        "person": one, "other": other, "source": "safelight", "key": other.reference, "found_at": timezone.now(),
        "model": "x",
    }  # fmt: skip
    link = PossibleLink.objects.create(
        **fields, state="different", reason="Twins.", decided_at=timezone.now(), decided_by=head
    )
    with pytest.raises(NotPossible, match=link.reference):
        merge_people(head, one, other, reason="Synthetic.")
    PossibleLink.objects.filter(pk=link.pk).update(state="waiting", decided_at=None, decided_by=None, reason="")
    made = merge_people(head, one, other, reason="Synthetic.")
    link.refresh_from_db()
    assert link.state == "same" and link.decided_by == head
    undo_merge(head, made, reason="Synthetic.")
    link.refresh_from_db()
    assert link.state == "waiting"


def test_nobody_merges_what_they_do_not_see(head) -> None:
    """A merge would pull a restricted case into an open record."""
    case, one, other = two(head)
    secret = make_case(actor=make_user("supervisor"), restricted=True)
    secret.people.create(person=other, role="suspect", added_at=timezone.now())
    with pytest.raises(NotAllowed, match="may not see"):
        merge_people(head, one, other, reason="Synthetic.")
    with pytest.raises(NotAllowed):
        merge_people(make_user("examiner"), one, other, reason="Synthetic.")
    with pytest.raises(Invalid):
        merge_people(head, one, one, reason="Synthetic.")
    with pytest.raises(Invalid):
        merge_people(head, one, make_person(), reason="  ")
    assert not Merge.objects.exists()


def test_the_pages_ask_first_and_lead_on(head, sign_in) -> None:
    """One click would join two people, or the old reference would lead nowhere."""
    case, one, other = two(head)
    client = sign_in(head)
    address = reverse("people:merge", args=[one.reference])
    shown = client.get(f"{address}?with={other.reference}").content.decode()
    assert other.name in shown and "Both records" in shown
    answers = {"other": other.reference, "reason": "Synthetic."}
    assert "Compare both records first" in client.post(address, answers).content.decode()
    assert "no person P-999999" in client.post(address, {**answers, "other": "P-999999", "sure": "on"}).content.decode()
    assert not Merge.objects.exists()
    assert client.post(address, {**answers, "sure": "on"}).status_code == 302
    gone = client.get(reverse("people:detail", args=[other.reference]), follow=True)
    page = gone.content.decode()
    assert gone.redirect_chain and f"{other.reference} was merged into {one.reference}" in page
    assert "Also recorded as" in page
    # Who does not see the kept record learns nothing of the other.
    assert sign_in(make_user(unit="SW")).get(reverse("people:detail", args=[other.reference])).status_code == 404
    merge = Merge.objects.get()
    assert client.post(reverse("people:merge_undo", args=[merge.reference]), {"reason": "Two."}).status_code == 302
    assert client.get(reverse("people:detail", args=[other.reference])).status_code == 200


@settings(max_examples=8)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=8))
def test_any_order_of_merges_and_undoings_ends_where_it_began(steps) -> None:
    """A row would hang between two records after a long evening of putting right."""
    desk = make_user("referral_desk")
    people = [make_person() for _ in range(4)]
    for place, person in enumerate(people):
        referral = make_referral(suspect=False)
        referral.people.create(person=person, role="suspect")
        referral.people.create(person=people[place - 1], role="other")
        Identifier.objects.create(person=person, kind="email", value=f"{place % 2}@example.org")
    before, live = pointing(), []
    for merging, one, other in steps:
        try:
            if merging:
                live.append(merge_people(desk, people[one], people[other], reason="Synthetic."))
            elif live:
                undo_merge(desk, live[one % len(live)], reason="Synthetic.")
                live.pop(one % len(live))
        except (NotPossible, Invalid):
            continue
        assert not Person.objects.exclude(merged_into=None).exclude(merged_into__merged_into=None).exists()
        assert len(pointing()) == len(before)  # nothing is lost on the way
    for merge in reversed(live):
        undo_merge(desk, merge, reason="Synthetic.")
    assert pointing() == before
    assert apps.get_model("people.merge").objects.filter(undone_at=None).count() == 0
