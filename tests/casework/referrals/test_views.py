"""The desk's pages: what is urgent comes first, nothing is possible before the children, and every look is recorded."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from tests.casework.factories import (
    make_case,
    make_child,
    make_contact_check,
    make_person,
    make_referral,
    make_unit,
    make_user,
)

from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.referrals.models import ImportLine, Referral
from safelight.casework.referrals.queries import Filters, bounded_count, desk_page
from safelight.casework.referrals.work import items_for

pytestmark = pytest.mark.django_db
REPORT = {
    "source": "public", "source_reference": "Synthetic caller, 3 Nov", "live_contact": "no", "sex": "not_known",
    "summary": "Synthetic words of a caller.", "family_name": "Synthetic", "borough": "Camden",
    "screen_names": "synthetic_one\nsynthetic_two", "born-day": "1", "born-month": "2", "born-year": "1980",
}  # fmt: skip


def test_live_contact_comes_before_urgent_before_old(sign_in) -> None:
    """A child who is being abused now would wait behind yesterday's post."""
    now = timezone.now()
    old = make_referral(received_at=now - timedelta(days=5))
    urgent = make_referral(high_priority=True)
    live = make_referral(live_contact=True)
    done = make_referral(live_contact=True)
    make_contact_check(done)
    rows = desk_page(make_user("referral_desk"), Filters()).rows
    assert rows == [live, urgent, old, done]


def test_every_referral_is_on_exactly_one_page_of_the_desk() -> None:
    """One that falls between two pages is seen by nobody."""
    same = timezone.now()
    desk = make_user("referral_desk")
    common = {"suspect": False, "received_at": same, "recorded_by": desk}
    made = {make_referral(**common, live_contact=n % 3 == 0, high_priority=n % 2 == 0) for n in range(11)}
    seen, after = [], ""
    while True:
        found = desk_page(desk, Filters(), after=after, size=3)
        seen += found.rows
        after = found.after
        if not after:
            break
    assert len(seen) == 11 and set(seen) == made
    assert desk_page(desk, Filters(), after="x~y~z", size=3).rows == seen[:3]


def test_ended_referrals_page_too_and_filters_narrow() -> None:
    desk = make_user("referral_desk")
    cases = [make_case(referral=make_referral(unit="NW"), unit="NW").referrals.get() for _ in range(3)]
    first = desk_page(desk, Filters(state="case"), size=2)
    rest = desk_page(desk, Filters(state="case"), after=first.after, size=2)
    assert [*first.rows, *rest.rows] == cases[::-1]
    make_referral(unit=None, source="school")
    assert len(desk_page(desk, Filters(unit="none")).rows) == 1
    assert len(desk_page(desk, Filters(source="school")).rows) == 1
    assert desk_page(desk, Filters(unit="CN", source="school")).rows == []


def test_counting_stops_where_nobody_needs_to_know() -> None:
    for _ in range(4):
        make_referral()
    assert bounded_count(Referral.objects.all(), 3) == "3+" and bounded_count(Referral.objects.all(), 4) == "4"


def test_the_desk_page_shows_clocks_and_records_the_look(sign_in, django_assert_max_num_queries) -> None:
    desk = make_user("referral_desk")
    for _ in range(3):
        make_referral(suspect=False)
    client = sign_in(desk)
    with django_assert_max_num_queries(17):
        page = client.get("/referrals/?state=nonsense&unit=nowhere")
    assert page.status_code == 200 and b"Look for children" in page.content
    entry = LedgerEntry.objects.get(verb="list.viewed")
    assert len(entry.payload["shown"]) == 3


@pytest.mark.parametrize("role", ["administrator", "investigator", "examiner"])
@pytest.mark.parametrize("address", ["/referrals/", "/referrals/new/", "/referrals/import/", "/referrals/quarantine/"])
def test_who_is_not_of_the_desk_has_no_desk(sign_in, role: str, address: str) -> None:
    assert sign_in(make_user(role)).get(address).status_code == 403


@pytest.mark.parametrize(("role", "status"), [("administrator", 403), ("investigator", 404), ("referral_desk", 200)])
def test_a_referral_hides_even_its_existence(sign_in, role: str, status: int) -> None:
    """An administrator sees no case content; an investigator only that of cases."""
    referral = make_referral()
    assert sign_in(make_user(role)).get(f"/referrals/{referral.reference}/").status_code == status


def test_before_the_children_are_looked_for_there_is_no_way_to_a_case(sign_in) -> None:
    client, referral = sign_in(make_user("referral_desk")), make_referral()
    page = client.get(f"/referrals/{referral.reference}/")
    assert b"Not yet possible" in page.content and b"/cases/open/" not in page.content
    closing = client.get(f"/referrals/{referral.reference}/close/")
    assert closing.status_code == 302 and closing.url == f"/referrals/{referral.reference}/children/"
    make_contact_check(referral)
    page = client.get(f"/referrals/{referral.reference}/")
    assert f"/cases/open/?referral={referral.reference}".encode() in page.content
    assert LedgerEntry.objects.filter(verb="referral.viewed").count() == 3


def test_a_referral_is_recorded_by_hand_and_leads_to_the_children(sign_in) -> None:
    make_unit("CN")
    client = sign_in(make_user("referral_desk"))
    assert client.get("/referrals/new/").status_code == 200
    answer = client.post("/referrals/new/", REPORT)
    referral = Referral.objects.get()
    assert answer.url == f"/referrals/{referral.reference}/children/"
    person = referral.people.get(role="suspect").person
    assert referral.unit.code == "CN" and person.born.year == 1980
    assert sorted(one.value for one in person.identifiers.all()) == ["synthetic_one", "synthetic_two"]


def test_the_same_report_typed_again_shows_the_first(sign_in) -> None:
    client = sign_in(make_user("referral_desk"))
    client.post("/referrals/new/", REPORT)
    answer = client.post("/referrals/new/", {**REPORT, "summary": "Other words"})
    assert answer.url == f"/referrals/{Referral.objects.get().reference}/"


def test_a_report_of_a_case_one_may_not_see_says_so_without_naming_it(sign_in) -> None:
    referral = make_referral(source="public", source_reference="Synthetic caller, 3 Nov")
    case = make_case(referral=referral, actor=make_user("supervisor"), restricted=True)
    client = sign_in(make_user("referral_desk"))
    page = client.post("/referrals/new/", REPORT, follow=True)
    assert b"may not see" in page.content and case.reference.encode() not in page.content
    assert referral.reference.encode() not in page.content


def test_an_impossible_date_stands_beside_its_box(sign_in) -> None:
    client = sign_in(make_user("referral_desk"))
    page = client.post("/referrals/new/", {**REPORT, "born-year": "2200"})
    assert page.status_code == 200 and b"lies in the future" in page.content and not Referral.objects.exists()


def test_an_upload_is_shown_record_by_record_and_quarantine_is_resolved(sign_in) -> None:
    client = sign_in(make_user("referral_desk"))
    content = "source;reference;received;summary\nnca;SYN-1;2026-11-01;Zoë\nnca;SYN-2;soon;S\n".encode("cp1252")
    answer = client.post("/referrals/import/", {"file": SimpleUploadedFile("a.csv", b"\xef\xbb\xbf" + content)})
    page = client.get(answer.url)
    assert b"Accepted" in page.content and b"Quarantined" in page.content and b"csv cp1252 ;" in page.content
    line = ImportLine.objects.get(outcome="quarantined")
    assert f"record {line.number}".encode() in client.get("/referrals/quarantine/").content
    address = f"/referrals/quarantine/{line.pk}/"
    assert b"SYN-2" in client.get(address).content
    assert client.post(address, {"resolution": ""}).status_code == 200
    assert client.post(address, {"resolution": "Synthetic: asked the sender"}).status_code == 302
    assert b"No record waits" in client.get("/referrals/quarantine/").content
    assert client.get("/referrals/import/").status_code == 200


def test_an_import_hides_referrals_that_the_reader_may_not_see(sign_in) -> None:
    """The list of an import would reveal a covert case."""
    referral = make_referral(source="nca", source_reference="SYN-1")
    make_case(referral=referral, actor=make_user("supervisor"), restricted=True)
    client = sign_in(make_user("referral_desk"))
    content = b"source,reference,received,summary\nnca,SYN-1,2026-11-01,S\n"
    page = client.post("/referrals/import/", {"file": SimpleUploadedFile("a.csv", content)}, follow=True)
    assert b"may not see" in page.content and referral.reference.encode() not in page.content


def test_a_bomb_and_an_empty_file_get_a_message_not_an_error(sign_in) -> None:
    client = sign_in(make_user("referral_desk"))
    bomb = b'<!DOCTYPE r [<!ENTITY a "a">]><report>&a;</report>'
    page = client.post("/referrals/import/", {"file": SimpleUploadedFile("a.xml", bomb)}, follow=True)
    assert page.status_code == 200 and b"refused" in page.content
    page = client.post("/referrals/import/", {"file": SimpleUploadedFile("a.xml", b"  ")})
    assert page.status_code == 200 and b"The file is empty" in page.content


def test_a_hostile_summary_is_shown_as_text(sign_in) -> None:
    """A report could otherwise run its own script in the officer's browser."""
    referral = make_referral(summary="<script>alert(1)</script>\n{{ 7*7 }}", live_contact=True)
    make_child(referral=referral, person=make_person(family_name="<b>x</b>"), immediate_danger=True)
    page = sign_in(make_user("referral_desk")).get(f"/referrals/{referral.reference}/").content.decode()
    assert "<script>alert(1)" not in page and "&lt;script&gt;" in page and "<b>x</b>" not in page
    assert "Call 999" in page and "{{ 7*7 }}" in page


def test_what_waits_at_the_desk_is_on_the_work_list() -> None:
    live = make_referral(live_contact=True)
    checked = make_referral()
    make_contact_check(checked)
    items = items_for(make_user("referral_desk"))
    assert [(item.title, item.urgent) for item in items] == [
        ("Look for children", True),
        ("Open a case or close the referral", False),
    ]
    assert live.reference in items[0].subject
    assert items_for(make_user("investigator")) == [] and items_for(make_user("administrator")) == []
