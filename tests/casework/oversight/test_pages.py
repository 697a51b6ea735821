"""The chief officer's pages over real records: what stands there, what does not, and who is kept out."""

from __future__ import annotations

import re
from datetime import timedelta
from html import escape
from xml.etree import ElementTree

import pytest
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import SKILL, make_allocation, make_case, make_child, make_device, make_user

from safelight.casework.cases.models import Case
from safelight.casework.clocks.services import start_clock, stop_clock
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.oversight import services
from safelight.casework.oversight.extracting import make_extract
from safelight.casework.oversight.figures import FIGURES
from safelight.casework.oversight.models import Accountable, Extract, ExtractRequest, Question

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data(tmp_path, settings):
    settings.DATA = tmp_path


@pytest.fixture
def force():
    """Thirty cases in two units, a child in each; social care told of two in three, one in three of those late."""
    now = timezone.now()
    supervisors = {unit: make_user("supervisor", unit) for unit in ("CN", "SW")}
    skilled, other = make_user(skills=[SKILL]), make_user(skills=[SKILL])
    for number in range(30):
        unit = "SW" if number % 5 == 0 else "CN"
        case = make_case(actor=supervisors[unit], unit=unit)
        child = make_child(case=case)
        place = {"case": case, "unit": case.unit, "triggered_at": now - timedelta(hours=60)}
        start_clock(supervisors[unit], "police_referral_to_csc", child, **place)
        if number % 3:
            stopped = now - timedelta(hours=58 if number % 3 == 1 else 1)
            stop_clock(supervisors[unit], "police_referral_to_csc", child, reason="Synthetic.", at=stopped)
        if number % 2:
            make_allocation(case, skilled if number % 4 == 1 else other, supervisors[unit])
        make_device(case, supervisors[unit])
    other.accreditations.update(valid_until=timezone.localdate() - timedelta(days=1))  # it has run out since
    return supervisors


def test_every_figure_stands_on_the_page_with_its_doubt(force, sign_in) -> None:
    """A chief would see a number without knowing what it rests on."""
    extract = make_extract()
    client = sign_in(make_user("chief_officer", None))
    text = client.get(reverse("oversight:index")).content.decode()
    assert "Nobody is named as answering for the whole" in text
    for one in FIGURES:
        assert escape(one.title).replace("&#x27;", "&#39;") in text
    found = extract.values["child_told"]["now"][""]
    assert (found["n"], found["open"]) == (30, 10)
    assert found["low"] < found["value"] < found["high"]
    assert extract.values["children_waiting"]["now"][""]["value"] == 10
    assert extract.values["unallocated"]["now"][""]["value"] == 15
    assert extract.values["skills_gap"]["now"][""]["k"] == 7
    assert extract.values["devices_waiting"]["now"]["SW"]["value"] == 6
    for one in FIGURES:
        page = client.get(reverse("oversight:figure", args=[one.id.replace("_", "-")]))
        assert page.status_code == 200
        for chart in re.findall(r"<svg aria-hidden.*?</svg>", page.content.decode(), re.S):
            assert "style=" not in chart and "<script" not in chart
            ElementTree.fromstring(chart)
    one_unit = client.get(reverse("oversight:index") + "?unit=SW").content.decode()
    assert "16 to" in one_unit or "6 clocks" in one_unit


def test_an_extract_holds_nobody_and_its_digest_is_in_the_ledger(force) -> None:
    """A name or a reference in the copy would make of every question a look at a person."""
    import pyarrow.parquet as pq

    extract = make_extract()
    case = Case.objects.select_related("unit").first()
    secrets = {case.reference, case.title}
    for row in Case.objects.prefetch_related("children__person"):
        secrets |= {row.reference, *(child.person.family_name for child in row.children.all())}
    kinds = {"int64", "string", "timestamp[us, tz=UTC]", "date32[day]", "bool", "double"}
    for path in extract.path.glob("*.parquet"):
        table = pq.read_table(path)
        assert {str(kind) for kind in table.schema.types} <= kinds
        cells = {cell for column in table.columns for cell in column.to_pylist() if isinstance(cell, str)}
        assert not cells & secrets
        assert all(len(cell) <= 60 for cell in cells), path.name
    entry = LedgerEntry.objects.get(verb="extract.made")
    assert entry.payload["digest"] == extract.digest
    other = make_extract()
    keys = [set(pq.read_table(one.path / "cases.parquet")["case_key"].to_pylist()) for one in (extract, other)]
    assert len(keys[0]) == 30 and not keys[0] & keys[1]


def test_one_officer_answers_for_the_whole(sign_in) -> None:
    """Two accountable officers are none."""
    administrator, chief, next_chief = (
        make_user("administrator"),
        make_user("chief_officer", None),
        make_user("chief_officer", None),
    )
    client = sign_in(administrator)
    where = reverse("oversight:accountable")
    for officer in (chief, next_chief):
        assert client.post(where, {"officer": officer.pk, "basis": "Minute 4 (synthetic)"}).status_code == 302
    assert list(Accountable.objects.filter(until=None).values_list("officer", flat=True)) == [next_chief.pk]
    assert Accountable.objects.count() == 2
    refused = client.post(where, {"officer": make_user("supervisor").pk, "basis": "x"})
    assert refused.status_code == 200 and Accountable.objects.count() == 2


def test_a_question_is_asked_kept_and_taken_out_with_small_numbers_hidden(force, sign_in) -> None:
    """An answer with a 1 in it would name a child to whoever knows the unit."""
    make_extract()
    client = sign_in(make_user("chief_officer", None))
    ask = reverse("oversight:ask")
    assert client.get(reverse("oversight:questions")).status_code == 200
    text = client.get(ask, {"table": "cases", "by": ["unit", "opened_at:quarter"]}).content.decode()
    assert "SELECT" in text and "24" in text and "6" in text
    address = "?table=cases&by=unit"
    client.post(reverse("oversight:save") + address, {"title": "Cases by unit"})
    assert Question.objects.get().spec["by"] == ["unit"]
    out = client.get(reverse("oversight:export") + address).content.decode()
    rows = [line for line in out.splitlines() if line and not line.startswith("#")]
    assert rows[0] == "Unit,Number"
    assert "SW,*" in rows and "SW,6" not in out
    assert LedgerEntry.objects.filter(verb="question.exported").count() == 1


@pytest.mark.parametrize(
    "question",
    [
        {"table": "auth_user"},
        {"table": "cases", "by": "title"},
        {"table": "cases", "by": "unit; DROP"},
        {"table": "cases", "since": "yesterday", "time": "opened_at"},
        {"table": "cases", "since": "2026-02-01", "until": "2026-01-01", "time": "opened_at"},
        {"table": "cases", "where_title": "x"},
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(question, sign_in) -> None:
    """A mistyped question would end in a trace, or in a query that nobody meant."""
    answer = sign_in(make_user("chief_officer", None)).get(reverse("oversight:ask"), question)
    assert answer.status_code == 200
    assert "This question cannot be asked" in answer.content.decode()


@pytest.mark.parametrize("role", ["investigator", "examiner", "referral_desk", "administrator", "partner"])
def test_others_do_not_see_it(role, sign_in) -> None:
    """The figures of a unit would be read by whom they are no business of."""
    client = sign_in(make_user(role))
    for name in ("index", "questions", "reports"):
        assert client.get(reverse(f"oversight:{name}")).status_code == 403


def test_before_the_first_extract_the_pages_say_so(sign_in) -> None:
    """An empty page would read as 'nothing is wrong'."""
    client = sign_in(make_user("chief_officer", None))
    assert "No figures have been worked out yet" in client.get(reverse("oversight:index")).content.decode()
    assert client.get(reverse("oversight:figure", args=["allocated"])).status_code == 404
    assert client.get(reverse("oversight:ask"), {"table": "cases"}).status_code == 200
    assert not Extract.objects.exists()


def test_the_clock_asks_a_worker_once(django_capture_on_commit_callbacks, monkeypatch) -> None:
    """Reading a million cases within the tick would keep every clock waiting; asking at each tick would never end."""
    asked: list[int] = []
    monkeypatch.setattr(services.extract_job.__class__, "enqueue", lambda self, *args: asked.append(1))
    with django_capture_on_commit_callbacks(execute=True):
        assert services.keep_extract()
        assert not services.keep_extract()
    assert asked == [1]
    ExtractRequest.objects.update(asked_at=timezone.now() - timedelta(hours=2))
    assert services.keep_extract(), "nothing came of it: asked again"
    make_extract()
    assert not services.keep_extract()
