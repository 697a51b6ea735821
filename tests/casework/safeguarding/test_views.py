"""The pages around a child: the questions, the children, the hold, the referral to social care."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from tests.casework.factories import make_allocation, make_case, make_child, make_person, make_referral, make_user

from safelight.casework.clocks.models import Hold
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.safeguarding.models import ChildAtRisk, SafeguardingReferral
from safelight.casework.safeguarding.services import add_child, send_safeguarding_referral
from safelight.casework.safeguarding.work import items_for

pytestmark = pytest.mark.django_db
ANSWERS = {"lives_with": "yes", "sees": "no", "works_with": "not_known", "basis": "Synthetic records"}
CHILD = {
    "form-TOTAL_FORMS": "2", "form-INITIAL_FORMS": "0", "form-0-given_names": "Ada", "form-0-age": "7",
    "form-0-contact": ["lives_with", "online"], "form-0-borough": "Camden", "form-0-sex": "not_known",
    "form-1-borough": "Brent", "form-1-contact": "seen_by", "form-1-immediate_danger": "on", "form-1-sex": "female",
}  # fmt: skip
REFER = {
    "authority": "Camden children's social care", "recipient": "Example duty desk", "concern": "Synthetic concern.",
    "parents_told": "No: synthetic", "covert_note": "Synthetic covert note",
}  # fmt: skip


@pytest.fixture
def desk():
    return make_user("referral_desk")


def child_of(actor, **fields):
    values = {"person": {"family_name": "Synthetichild", "age": 7}, "lives_with": True, "borough": "Camden", **fields}
    return add_child(actor, **values)


def test_answering_yes_leads_straight_to_naming_the_children(desk, sign_in) -> None:
    """'Yes, there are children' would be recorded, and the page left."""
    client, referral = sign_in(desk), make_referral()
    address = f"/referrals/{referral.reference}/children/"
    assert client.get(address).status_code == 200
    page = client.post(address, {**ANSWERS, "basis": ""})
    assert page.status_code == 200 and b"There is a problem" in page.content
    assert client.post(address, ANSWERS).url == f"{address}add/"
    assert LedgerEntry.objects.filter(verb="contact_check.viewed").exists()


def test_several_children_are_recorded_in_one_go(desk, sign_in) -> None:
    client, referral = sign_in(desk), make_referral()
    address = f"/referrals/{referral.reference}/children/add/"
    assert client.get(address).status_code == 200
    page = client.post(address, CHILD, follow=True)
    ada, other = ChildAtRisk.objects.order_by("pk")
    assert (ada.lives_with, ada.online, ada.person.age_on()) == (True, True, 7)
    assert other.immediate_danger and other.borough == "Brent" and other.person.name == "Name not known"
    assert b"Call 999" in page.content and b"constable" in page.content


def test_one_wrong_child_records_none_and_keeps_what_was_typed(desk, sign_in) -> None:
    """Half a family would be recorded, and the officer believe all of it was."""
    client, referral = sign_in(desk), make_referral()
    wrong = {**CHILD, "form-1-born-day": "1", "form-1-born-month": "1", "form-1-born-year": "1980"}
    page = client.post(f"/referrals/{referral.reference}/children/add/", wrong)
    assert page.status_code == 200 and b"was not under 18" in page.content and b'value="Ada"' in page.content
    assert not ChildAtRisk.objects.exists() and not LedgerEntry.objects.filter(verb="person.created").exists()


def test_another_child_can_be_asked_for_without_javascript(desk, sign_in) -> None:
    client, referral = sign_in(desk), make_referral()
    page = client.post(f"/referrals/{referral.reference}/children/add/", {**CHILD, "more": "1"}).content.decode()
    assert "Child 3" in page and 'value="Ada"' in page and "There is a problem" not in page
    assert not ChildAtRisk.objects.exists()


def test_an_empty_page_of_children_is_not_recorded_as_done(desk, sign_in) -> None:
    client, referral = sign_in(desk), make_referral()
    empty = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "0", "form-0-borough": "Camden", "form-0-sex": "not_known"}
    page = client.post(f"/referrals/{referral.reference}/children/add/", empty)
    assert page.status_code == 200 and b"at least one child" in page.content


def test_a_child_on_record_is_found_with_reasons_and_linked(desk, sign_in) -> None:
    client = sign_in(desk)
    known = make_child(referral=make_referral(), person=make_person(family_name="Syntheticfound"))
    case = make_case()
    address = f"/cases/{case.reference}/children/add/"
    page = client.get(address, {"find": "1", "family_name": "syntheticfound"})
    assert b"same family name" in page.content
    linking = f"{address}?person={known.person.reference}"
    assert client.get(linking).status_code == 200
    data = {"person": known.person.reference, "contact_form": "1", "contact": "seen_by", "borough": "Camden"}
    assert client.post(address, data).status_code == 302
    assert ChildAtRisk.objects.get(case=case).person == known.person
    looks = LedgerEntry.objects.filter(verb="list.viewed").last()
    assert known.person.reference in looks.payload["shown"]


def test_the_tab_of_children_shows_clock_hold_and_what_was_sent(desk, sign_in) -> None:
    case = make_case()
    child = child_of(desk, case=case)
    supervisor = make_user("supervisor")
    client = sign_in(supervisor)
    answer = client.post(f"/children/{child.reference}/hold/", {"reason": "Synthetic reason", "hours": "3"})
    assert answer.url == f"/cases/{case.reference}/children/"
    page = client.get(answer.url).content.decode()
    assert "Held until" in page and str(supervisor) in page and "the clock runs on" in page
    assert "Social care has not been told about 1 child" in page
    Hold.objects.update(placed_at=timezone.now() - timedelta(hours=9), expires_at=timezone.now() - timedelta(hours=6))
    assert "expired" in client.get(answer.url).content.decode()


@pytest.mark.parametrize("role", ["referral_desk", "investigator"])
def test_who_is_no_supervisor_cannot_hold_and_is_told_why(desk, sign_in, role: str) -> None:
    child = child_of(desk, case=make_case())
    client = sign_in(make_user(role))
    for answer in (
        client.get(f"/children/{child.reference}/hold/"),
        client.post(f"/children/{child.reference}/hold/", {"reason": "S", "hours": "1"}),
    ):
        assert answer.status_code == 403 and b"Only a supervisor" in answer.content
    assert not Hold.objects.exists()


def test_a_hold_of_25_hours_is_refused_on_the_page(desk, sign_in) -> None:
    child = child_of(desk, case=make_case())
    page = sign_in(make_user("supervisor")).post(f"/children/{child.reference}/hold/", {"reason": "S", "hours": "25"})
    assert page.status_code == 200 and not Hold.objects.exists()


def test_a_hold_is_lifted_by_a_supervisor(desk, sign_in) -> None:
    child = child_of(desk, case=make_case())
    client = sign_in(make_user("supervisor"))
    client.post(f"/children/{child.reference}/hold/", {"reason": "S", "hours": "2"})
    assert client.get(f"/children/{child.reference}/hold/lift/").status_code == 200
    assert client.post(f"/children/{child.reference}/hold/lift/").status_code == 302
    assert Hold.objects.get().lifted_at is not None


def test_what_the_child_says_can_be_added(desk, sign_in) -> None:
    child = child_of(desk, case=make_case())
    client = sign_in(desk)
    assert client.get(f"/children/{child.reference}/").status_code == 200
    data = {"contact": ["lives_with", "online"], "borough": "Camden", "voice": "Synthetic words"}
    assert client.post(f"/children/{child.reference}/", data).status_code == 302
    child.refresh_from_db()
    assert child.voice == "Synthetic words" and child.online


def test_social_care_is_told_from_the_case_after_reading_the_whole(desk, sign_in) -> None:
    """Write, read, record, print, chase, answer: the way of every child."""
    case = make_case()
    child = child_of(desk, case=case)
    client = sign_in(desk)
    address = f"/cases/{case.reference}/children/refer/"
    page = client.get(address).content.decode()
    assert "Synthetic report for a test." in page and "Camden children&#39;s social care" in page
    data = {**REFER, "children": [child.pk]}
    preview = client.post(address, {**data, "action": "preview"}).content.decode()
    assert "Synthetichild" in preview and "Record as sent" in preview and "Synthetic covert note" in preview
    assert not SafeguardingReferral.objects.exists()
    answer = client.post(address, {**data, "action": "send"})
    sent = SafeguardingReferral.objects.get()
    assert answer.url == f"/social-care/{sent.reference}/"
    shown = client.get(answer.url).content.decode()
    assert "Synthetichild" in shown and "No decision yet" in shown
    text = client.get(f"{answer.url}text/")
    assert text["Content-Type"].startswith("text/plain") and "Synthetichild" in text.content.decode()
    for step, values in (("chase", {"text": "Synthetic"}), ("answer", {"by": "Example", "decision": "section_47"})):
        assert client.get(f"{answer.url}{step}/").status_code == 200
        assert client.post(f"{answer.url}{step}/", values).status_code == 302
    sent.refresh_from_db()
    assert (sent.chases, sent.decision) == (1, "section_47")
    tab = client.get(f"/cases/{case.reference}/children/").content.decode()
    assert "Section 47 enquiry" in tab and "Chased 1 time" in tab
    assert LedgerEntry.objects.filter(verb="safeguarding_referral.viewed").count() >= 4


def test_a_referral_without_a_child_ticked_stays_on_its_page(desk, sign_in) -> None:
    case = make_case()
    child_of(desk, case=case)
    page = sign_in(desk).post(f"/cases/{case.reference}/children/refer/", {**REFER, "action": "send"})
    assert page.status_code == 200 and not SafeguardingReferral.objects.exists()


@pytest.mark.parametrize(("role", "status"), [("administrator", 403), ("examiner", 404)])
def test_who_has_no_business_with_the_child_sees_nothing(desk, sign_in, role: str, status: int) -> None:
    case = make_case()
    child = child_of(desk, case=case)
    sent = send_safeguarding_referral(
        desk, case, children=[child], authority="Camden children's social care", recipient="E", concern="S"
    )
    client = sign_in(make_user(role))
    for address in (
        f"/cases/{case.reference}/children/",
        f"/social-care/{sent.reference}/",
        f"/social-care/{sent.reference}/text/",
    ):
        assert client.get(address).status_code == status
    for address in (f"/children/{child.reference}/", f"/people/{child.person.reference}/"):
        assert client.get(address).status_code in (403, 404)


def test_a_child_of_a_restricted_case_does_not_exist_for_the_desk(desk, sign_in) -> None:
    supervisor = make_user("supervisor")
    child = child_of(supervisor, case=make_case(actor=supervisor, restricted=True))
    client = sign_in(desk)
    for address in (
        f"/children/{child.reference}/",
        f"/children/{child.reference}/hold/",
        f"/people/{child.person.reference}/",
    ):
        assert client.get(address).status_code == 404


def test_open_questions_and_unnamed_children_stay_on_the_work_list(desk, sign_in) -> None:
    """'Not known yet' would be forgotten by the next shift."""
    referral = make_referral()
    sign_in(desk).post(f"/referrals/{referral.reference}/children/", ANSWERS)
    items = {item.title: item for item in items_for(desk)}
    assert items["Name the children"].urgent
    assert "Find out whether the suspect works with children" in items
    child_of(desk, referral=referral, immediate_danger=True)
    titles = {item.title: item for item in items_for(desk)}
    assert "Name the children" not in titles
    told = titles["Open a case and tell social care about a child"]
    assert told.urgent and told.due_at and told.clock.state == "running"


def test_each_role_has_the_children_that_are_its_to_protect(desk) -> None:
    case = make_case()
    child_of(desk, case=case)
    child_of(desk, case=case, person={"age": 3})
    other = make_case(unit="NW")
    child_of(desk, case=other)
    supervisor = make_user("supervisor")
    assert [item.subject.split()[0] for item in items_for(supervisor)] == [case.reference]
    assert len(items_for(desk)) == 2, "unallocated cases are the desk's until somebody has them"
    investigator = make_allocation(case).investigator
    assert [item.title for item in items_for(investigator)] == ["Tell social care about 2 children"]
    assert len(items_for(desk)) == 1
    assert items_for(make_user("investigator")) == [] and items_for(make_user("administrator")) == []


def test_a_referral_without_answer_becomes_a_chase_once_its_time_is_past(desk) -> None:
    """Social care's silence would be taken for a plan."""
    case = make_case()
    child = child_of(desk, case=case, identified_at=timezone.now() - timedelta(days=8))
    send_safeguarding_referral(
        desk, case, children=[child], authority="Camden children's social care", recipient="E", concern="S",
        sent_at=timezone.now() - timedelta(days=7),
    )  # fmt: skip
    investigator = make_allocation(case).investigator
    (item,) = items_for(investigator)
    assert item.title == "Chase social care about a referral" and item.clock.state == "breached"
