"""Lists as sheets: nobody's spreadsheet runs what a suspect wrote, and nothing leaves that the reader does not see."""

from __future__ import annotations

import csv
import io
from typing import Any

import openpyxl
import pytest
import tablib
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from tests.casework.factories import make_case, make_device, make_user

from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.search.sheets import book, cell, csv_lines


@given(st.text(max_size=40))
def test_no_text_is_ever_a_formula(text) -> None:
    """A screen name of =cmd|'/c calc'!A1 would run on the desk's computer."""
    made = cell(text)
    assert made == "" or made.lstrip()[:1] not in tuple("=+-@\uff1d\uff0b\uff0d\uff20") or made.startswith("'")
    [_, _, line] = csv_lines(["a"], [[text]])
    assert next(csv.reader(io.StringIO(line, newline="")))[0] == made


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", " =1", "\r=1", "\uff1d1", "=cmd|'/c x'!A1"])
def test_what_begins_like_a_formula_is_text_in_every_format(text) -> None:
    """One format would be the hole."""
    sheet = openpyxl.load_workbook(io.BytesIO(book("xlsx", "x", ["a"], [[text]]))).active
    assert sheet["A2"].data_type == "s" and sheet["A2"].value.startswith("'")
    ods = tablib.Dataset().load(book("ods", "x", ["a"], [[text]]), format="ods")
    assert str(ods[0][0]).startswith("'")


def test_numbers_stay_numbers_and_signs_that_no_sheet_holds_go() -> None:
    """A column of points could not be summed, or one bad byte would keep the whole list back."""
    assert [cell(-3), cell(2.5), cell(None), cell(True), cell("a\x00b\ud800c")] == [-3, 2.5, "", "yes", "abc"]
    assert book("xlsx", "x" * 60, ["a"], [["\x0b\x1f ok 😈 مريم"]])


def _taken(client: Any, name: str, kind: str = "csv", query: str = "") -> list[list[str]]:
    answer = client.post(f"{reverse('search:export', args=[name])}{query}", {"format": kind, "purpose": "Synthetic."})
    assert answer.status_code == 200 and "attachment" in answer["Content-Disposition"], answer.content[:500]
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.django_db
def test_a_list_holds_what_its_reader_sees_and_the_ledger_has_it(sign_in) -> None:
    """The sheet would be the way round the access list, and nobody would know who took it."""
    head = make_user("supervisor")
    case = make_case(actor=head, title="=HYPERLINK(1)")
    device = make_device(case)
    hidden = make_case(actor=make_user("supervisor"), restricted=True)
    elsewhere = make_case(actor=make_user("supervisor", "SW"), unit="SW")
    person = case.people.get(role="suspect").person
    client = sign_in(head)
    rows = _taken(client, "cases")
    assert [row[0] for row in rows[1:]] == [case.reference] and rows[1][1] == "'=HYPERLINK(1)"
    assert [row[0] for row in _taken(client, "devices")[1:]] == [device.reference]
    assert [row[0] for row in _taken(client, "people")[1:]] == [person.reference]
    assert {row[3] for row in _taken(client, "clocks")[1:]} == {case.reference}
    assert _taken(client, "cases", query="?status=closed")[1:] == []
    desk = {row[0] for row in _taken(sign_in(make_user("referral_desk")), "cases")[1:]}
    assert desk == {case.reference, elsewhere.reference} and hidden.reference not in desk
    entry = LedgerEntry.objects.filter(verb="list.exported", actor=head).order_by("pk")[0]
    assert entry.category == "disclosure" and entry.reason == "Synthetic."
    assert entry.payload["rows"] == 1 and entry.payload["shown"] == [case.reference]


@pytest.mark.django_db
def test_what_it_is_for_is_asked_first(sign_in) -> None:
    """A list of children would leave by one click."""
    head = make_user("supervisor")
    make_case(actor=head)
    client = sign_in(head)
    address = reverse("search:export", args=["cases"])
    assert "What it is for" in client.get(f"{address}?risk=high").content.decode()
    assert client.post(address, {"format": "csv"}).status_code == 200
    assert not LedgerEntry.objects.filter(verb="list.exported").exists()
    for kind in ("xlsx", "ods"):
        answer = client.post(address, {"format": kind, "purpose": "Synthetic."})
        assert answer.content[:2] == b"PK"
    assert client.get(reverse("search:export", args=["secrets"])).status_code == 404
    assert sign_in(make_user("administrator")).post(address, {"format": "csv", "purpose": "x"}).status_code == 403


@pytest.mark.django_db
def test_the_list_of_people_keeps_to_its_filters(sign_in) -> None:
    """The part that somebody plays in a restricted case would show in an open list."""
    head = make_user("supervisor")
    case = make_case(actor=head)
    person = case.people.get(role="suspect").person
    hidden = make_case(actor=make_user("supervisor"), restricted=True)
    hidden.people.create(person=person, role="victim", added_at=hidden.opened_at)
    client = sign_in(head)
    index = reverse("people:index")
    assert (
        person.reference in client.get(f"{index}?part=suspect&name={person.family_name[:4].upper()}").content.decode()
    )
    assert person.reference not in client.get(f"{index}?part=victim").content.decode()
    assert "Nobody whom you may see" in client.get(f"{index}?name=zzz&before=x").content.decode()
