"""Telling children's social care: recorded with recipient and time, chased until it is answered."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from tests.casework.factories import make_case, make_referral, make_user

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.clocks.models import Clock
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.safeguarding.queries import outstanding
from safelight.casework.safeguarding.services import (
    add_child,
    answer_contact_check,
    clock_of,
    record_acknowledgement,
    record_chase,
    send_safeguarding_referral,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    return make_user("referral_desk")


@pytest.fixture
def case():
    return make_case()


def child_of(case, desk, **fields):
    values = {"case": case, "person": {"family_name": "Synthetichild", "age": 7}, "borough": "Camden", **fields}
    return add_child(desk, lives_with=True, **values)


def send(actor, case, children, **fields):
    values = {
        "children": children, "authority": "Camden children's social care", "recipient": "Example duty desk",
        "concern": "Synthetic concern in words.", **fields,
    }  # fmt: skip
    return send_safeguarding_referral(actor, case, **values)


def test_sending_stops_each_childs_clock_at_the_time_it_was_sent(desk, case) -> None:
    """A referral sent at 2 and typed at 9 would count as seven hours late; one never sent as done."""
    knew = timezone.now() - timedelta(hours=8)
    children = [child_of(case, desk, identified_at=knew), child_of(case, desk, identified_at=knew)]
    told = knew + timedelta(hours=1)
    sent = send(desk, case, children, sent_at=told)
    for child in children:
        assert clock_of(child) is None
        assert Clock.objects.get(subject_type="safeguarding.childatrisk", subject_id=child.pk).stopped_at == told
    started = Clock.objects.filter(subject_type="safeguarding.safeguardingreferral", subject_id=sent.pk)
    assert sorted(started.values_list("rule", flat=True)) == ["csc_referral_decision", "csc_referral_no_reply_chase"]
    assert all(clock.triggered_at == told for clock in started)
    assert case.chronology.filter(kind="safeguarding_referral", meaningful=True).exists()


def test_the_disclosure_is_in_the_ledger_with_its_recipient_and_without_its_words(desk, case) -> None:
    """DPA 2018 s.62: who received what about whom, and when."""
    child = child_of(case, desk)
    send(desk, case, [child])
    entry = LedgerEntry.objects.get(category="disclosure")
    assert entry.recipient == "Camden children's social care: Example duty desk"
    assert entry.payload["children"] == [child.reference] and entry.case_key == case.pk
    assert "concern in words" not in str(entry.payload) and "Synthetichild" not in str(entry.payload)


def test_the_content_stays_as_it_was_sent(desk, case) -> None:
    """What social care was told must be provable after the records have changed."""
    child = child_of(case, desk, school="Example School")
    sent = send(
        desk, case, [child], answers={"parents_told": "No: synthetic covert reason", "covert_note": "Say nothing"}
    )
    child.person.family_name = "Changed"
    child.person.save()
    sent.refresh_from_db()
    assert sent.content["children"][0]["name"] == "Synthetichild"
    assert sent.content["children"][0]["school"] == "Example School"
    assert sent.content["answers"]["covert_note"] == "Say nothing"
    assert sent.content["suspects"] and sent.content["referrer"]["name"] == str(desk)


def test_a_borough_given_alone_means_its_social_care(desk, case) -> None:
    """One authority under two names would be chased twice or not at all."""
    assert send(desk, case, [child_of(case, desk)], authority="camden").authority == "Camden children's social care"


def test_a_referral_to_the_wrong_borough_is_refused(desk, case) -> None:
    """It would lie in another council's inbox while the child's own knows nothing."""
    child = child_of(case, desk, borough="Brent")
    with pytest.raises(Invalid) as refused:
        send(desk, case, [child])
    assert refused.value.field == "authority" and "Brent children's social care" in str(refused.value)
    assert clock_of(child) is not None


def test_a_child_of_another_case_or_no_child_is_refused(desk, case) -> None:
    other = child_of(make_case(), desk)
    for children in ([], [other]):
        with pytest.raises(Invalid):
            send(desk, case, children)
    assert not LedgerEntry.objects.filter(category="disclosure").exists()


def test_an_impossible_time_of_sending_is_refused(desk, case) -> None:
    child = child_of(case, desk)
    for wrong in (timezone.now() + timedelta(hours=1), child.identified_at - timedelta(days=1)):
        with pytest.raises(Invalid):
            send(desk, case, [child], sent_at=wrong)


def test_an_acknowledgement_alone_does_not_end_the_chasing(desk, case) -> None:
    """'We got it' protects no child; the decision does."""
    sent = send(desk, case, [child_of(case, desk)])
    record_acknowledgement(desk, sent, by="Example Worker")
    open_rules = (
        Clock.objects.open().filter(subject_type="safeguarding.safeguardingreferral").values_list("rule", flat=True)
    )
    assert sorted(open_rules) == ["csc_referral_decision", "csc_referral_no_reply_chase"]
    with pytest.raises(NotPossible):
        record_acknowledgement(desk, sent, by="Example Worker")
    record_acknowledgement(desk, sent, by="Example Manager", decision="section_47")
    assert not Clock.objects.open().filter(subject_type="safeguarding.safeguardingreferral").exists()
    sent.refresh_from_db()
    assert sent.acknowledged_by == "Example Worker" and sent.decision == "section_47"


def test_each_chase_is_counted_and_starts_the_clock_afresh(desk, case) -> None:
    """After one telephone call nobody would ever ask again."""
    sent = send(desk, case, [child_of(case, desk)])
    sent = record_chase(desk, sent, text="Synthetic: nobody answered")
    sent = record_chase(desk, sent)
    assert sent.chases == 2 and sent.chased_at is not None
    clocks = Clock.objects.filter(rule="csc_referral_no_reply_chase", subject_id=sent.pk)
    assert clocks.count() == 3 and clocks.open().count() == 1
    record_acknowledgement(desk, sent, by="Example", decision="strategy")
    with pytest.raises(NotPossible):
        record_chase(desk, sent)


def test_a_decision_made_before_the_last_chase_can_still_be_recorded(desk, case) -> None:
    sent = send(desk, case, [child_of(case, desk)], sent_at=timezone.now())
    record_chase(desk, sent)
    sent = record_acknowledgement(desk, sent, by="Example", decision="no_action", at=sent.sent_at)
    assert sent.decided_at == sent.sent_at
    assert not Clock.objects.open().filter(rule="csc_referral_no_reply_chase").exists()


def test_what_is_unsettled_about_children_keeps_the_case_open(desk) -> None:
    """A case would be closed over a child whom nobody told anyone about."""
    referral = make_referral()
    answer_contact_check(desk, referral, lives_with="yes", sees="not_known", works_with="no", basis="Synthetic")
    case = make_case(referral=referral)
    said = " ".join(outstanding(case))
    assert "not known yet whether the suspect sees children" in said and "no child is named" in said
    child = child_of(case, desk, referral=referral)
    assert any(child.reference in line and "not been told" in line for line in outstanding(case))
    sent = send(desk, case, [child])
    assert any(sent.reference in line for line in outstanding(case))
    record_acknowledgement(desk, sent, by="Example", decision="assessment")
    answer_contact_check(desk, referral, lives_with="yes", sees="no", works_with="no", basis="Synthetic")
    assert outstanding(case) == []


def test_nobody_who_may_not_see_the_case_writes_to_social_care(desk) -> None:
    restricted = make_case(actor=make_user("supervisor"), restricted=True)
    with pytest.raises(NotAllowed):
        send(desk, restricted, [])
    with pytest.raises(NotAllowed):
        send(make_user("examiner"), make_case(), [])


def test_a_page_that_is_sent_twice_tells_social_care_once(desk, case) -> None:
    """A second click would leave two referrals to chase, and a duty desk that reads the same child twice."""
    children = [child_of(case, desk), child_of(case, desk)]
    first = send(desk, case, children)
    with pytest.raises(NotPossible, match=first.reference):
        send(desk, case, children)
    send(desk, case, children, concern="Synthetic news about the same children.")
    assert case.safeguarding_referrals.count() == 2
