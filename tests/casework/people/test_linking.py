"""What would be lost: the desk not seeing that a child's household is known; a restricted case betrayed by a match."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from tests.casework.factories import make_case, make_child, make_person, make_referral, make_user
from tests.casework.world import client_of

from safelight.casework.base.errors import NotAllowed, NotPossible
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.people.link_queries import of_referral
from safelight.casework.people.linking import bring_in, decide_link, undo_link
from safelight.casework.people.matching import link_folder, match_person, match_referral
from safelight.casework.people.models import PossibleLink
from safelight.linkage import Address, LinkStore, Name, PersonRecord, shipped_model, write_index

pytestmark = pytest.mark.django_db
HOME = {"address": "12 Park Road", "postcode": "N4 2AB"}
SUSPECT = {"family_name": "Thornbury", "born": date(1971, 9, 30), **HOME}


@pytest.fixture(autouse=True)
def data(tmp_path: Any, settings: Any) -> None:
    settings.DATA = tmp_path


def arrived(**fields: Any) -> Any:
    """A referral that names one suspect of these particulars."""
    referral = make_referral(suspect=False)
    referral.people.create(person=make_person(**{**SUSPECT, "given_names": "Bill", **fields}), role="suspect")
    return referral


def test_the_desk_sees_an_earlier_referral_and_the_child_of_the_household() -> None:
    desk = make_user("referral_desk")
    earlier = arrived(given_names="William", address="12 Park Rd")
    make_child(
        referral=earlier, person=make_person(given_names="Ann", family_name="Thornbury", born=date(2016, 5, 4), **HOME)
    )
    later = arrived()
    assert match_referral(later.pk) == 1
    assert match_referral(later.pk) == 0  # again changes nothing
    (found,) = of_referral(later, desk)
    assert found.other.person == earlier.people.get().person
    assert found.reasons[:2] == (
        f"Earlier referrals: {earlier.reference}",
        "A child at risk is recorded in this household",
    )
    assert any("short form" in one for one in found.reasons)
    entry = LedgerEntry.objects.get(verb="link.found")
    assert (entry.category, entry.payload["referral"]) == ("combination", later.reference)
    text = client_of(desk).get(f"/referrals/{later.reference}/").content.decode()
    assert "Who these people may be" in text and earlier.reference in text


def test_a_registered_sex_offender_at_the_address_is_said_without_saying_who() -> None:
    record = PersonRecord(
        "visor",
        "V-77",
        (Name("Zoran", "Petrov"),),
        date(1960, 2, 3),
        "day",
        addresses=(Address("12 Park Rd.", "n42ab"),),
        handling="the MOSOVO supervisor",
    )
    link_folder().mkdir()
    with LinkStore() as store:
        store.add("visor", [record])
        store.run(shipped_model())
        write_index(store, link_folder() / "index.duckdb")
    referral = arrived()
    assert match_referral(referral.pk) == 1
    (found,) = of_referral(referral, make_user("referral_desk"))
    assert found.link.kind == "address"
    assert found.other.words == "A restricted record matches. Ask the MOSOVO supervisor."
    assert found.reasons == () and not found.other.key


def test_a_restricted_record_matches_without_revealing() -> None:
    """The name, number and case of a colleague under investigation would be on the desk's screen."""
    supervisor, desk = make_user("supervisor", name="Sam Example"), make_user("referral_desk")
    case = make_case(actor=supervisor, restricted=True)
    hidden = make_person(given_names="William", **SUSPECT)
    case.people.create(person=hidden, role="suspect", added_at=case.opened_at)
    referral = arrived()
    match_referral(referral.pk)
    (found,) = of_referral(referral, desk)
    assert found.other.words == "A restricted record matches. Ask Sam Example." and found.reasons == ()
    client = client_of(desk)
    for address in (f"/referrals/{referral.reference}/", "/people/links/", f"/people/links/{found.link.reference}/"):
        answer = client.get(address)
        text = answer.content.decode()
        assert answer.status_code == 200 and "Ask Sam Example" in text
        for secret in (hidden.reference, case.reference, "William", case.title):
            assert secret not in text, (address, secret)
    person = referral.people.get().person
    text = client.get(f"/people/{person.reference}/network/").content.decode()
    assert "Ask Sam Example" in text and hidden.reference not in text and "William" not in text
    with pytest.raises(NotAllowed, match="Ask Sam Example"):
        decide_link(desk, found.link, verdict="same", reason="Guess.")


def test_a_decision_is_kept_reaches_the_next_run_and_can_be_taken_back() -> None:
    desk = make_user("referral_desk")
    first, second = arrived(given_names="William"), arrived()
    match_referral(second.pk)
    link = PossibleLink.objects.get()
    decide_link(desk, link, verdict="different", reason="Two cousins, met both.")
    with pytest.raises(NotPossible, match="decided already"):
        decide_link(desk, link, verdict="same", reason="x")
    keys = [one.people.get().person.reference for one in (first, second)]
    with LinkStore() as store:
        assert bring_in(store)[1] == 1
        assert bring_in(store)[1] == 0
        store.run(shipped_model())
        assert store.cluster_of("safelight", keys[0]) == [("safelight", keys[0])]
        undo_link(desk, link, reason="Wrong file.")
        bring_in(store)
        store.run(shipped_model())
        assert len(store.cluster_of("safelight", keys[0])) == 2
    verbs = LedgerEntry.objects.filter(category="combination").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["link.found", "link.different", "link.undone"]
    assert "cousins" not in str(list(LedgerEntry.objects.values_list("payload", flat=True)))


def test_the_page_of_a_link_shows_the_evidence_and_decides() -> None:
    desk = make_user("referral_desk")
    arrived(given_names="William")
    second = arrived()
    match_referral(second.pk)
    link = PossibleLink.objects.get()
    client = client_of(desk)
    text = client.get(f"/people/links/{link.reference}/").content.decode()
    for words in ("The evidence, step by step", "a short form or another spelling", "the same day", "Start"):
        assert words in text
    client.post(f"/people/links/{link.reference}/", {"verdict": "same", "reason": "Same custody photograph number."})
    link.refresh_from_db()
    assert (link.state, link.decided_by) == ("same", desk)
    client.post(f"/people/links/{link.reference}/undo/", {"reason": "Misread."})
    link.refresh_from_db()
    assert (link.state, link.reason) == ("waiting", "")


def test_the_network_says_in_its_table_what_its_picture_shows() -> None:
    desk = make_user("referral_desk")
    referral = arrived(given_names="William")
    child = make_person(given_names="Ann <b>", family_name="Thornbury", born=date(2016, 5, 4), **HOME)
    make_child(referral=referral, person=child)
    referral.people.create(person=child, role="child")
    person = referral.people.get(role="suspect").person
    text = client_of(desk).get(f"/people/{person.reference}/network/").content.decode()
    assert text.count('role="img"') == 1 and "<title id=" in text
    assert "The same address" in text and f"Child in {referral.reference}" in text and "Child at risk" in text
    assert "Ann <b>" not in text
    assert LedgerEntry.objects.get(verb="person.network").payload == {"others": [child.reference]}


def test_nobody_is_matched_on_nothing() -> None:
    nameless = make_person(given_names="", family_name="")
    make_person(given_names="", family_name="")
    assert match_person(nameless) == []
