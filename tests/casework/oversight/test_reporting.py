"""The public report: what it hides, what it refuses, and that it can be made again from the same extract."""

from __future__ import annotations

import csv
import io
import json
import random
from datetime import timedelta

import pytest
from django.urls import reverse
from tests.casework.factories import make_case, make_child, make_user

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.cases.models import Case
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.services import start_clock, stop_clock
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.oversight import reporting
from safelight.casework.oversight.extracting import make_extract
from safelight.casework.oversight.models import PublicReport
from safelight.casework.safeguarding.models import ChildAtRisk
from safelight.measures.disclosure import audit

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data(tmp_path, settings):
    settings.DATA = tmp_path


@pytest.fixture
def extract():
    """Sixty cases of the two last quarters in two units, each with a child."""
    first, _ = reporting.bounds(reporting.last_quarter())
    rng = random.Random(7)
    supervisors = {unit: make_user("supervisor", unit) for unit in ("CN", "SW")}
    for number in range(60):
        unit = "SW" if number % 7 == 0 else "CN"
        case = make_case(actor=supervisors[unit], unit=unit)
        child = make_child(case=case)
        moment = first + timedelta(days=rng.uniform(-60, 60))
        start_clock(supervisors[unit], "police_referral_to_csc", child, case=case, unit=case.unit, triggered_at=moment)
        Clock.objects.filter(case=case, rule="allocation_to_investigator").delete()
        if number % 4:
            later = moment + timedelta(hours=2 if number % 4 < 3 else 90)
            stop_clock(supervisors[unit], "police_referral_to_csc", child, reason="Synthetic.", at=later)
        Case.objects.filter(pk=case.pk).update(opened_at=moment)
        ChildAtRisk.objects.filter(pk=child.pk).update(identified_at=moment)
    return make_extract()


def test_it_is_drafted_read_published_and_taken(extract, sign_in) -> None:
    """The public would wait for its figures, or get a small number by which a child can be recognised."""
    chief = make_user("chief_officer", None)
    client = sign_in(chief)
    quarter = reporting.last_quarter()
    assert client.get(reverse("oversight:reports")).status_code == 200
    drafted = client.post(reverse("oversight:reports"), {"quarter": quarter})
    report = PublicReport.objects.get()
    page = client.get(drafted.url).content.decode()
    for words in ("What changed", "What cannot be said", "Attacked", "Draft: attacked and safe", report.digest):
        assert words in page
    assert (
        "What is published cannot be taken back"
        in client.get(reverse("oversight:publish", args=[report.reference])).content.decode()
    )
    client.post(reverse("oversight:publish", args=[report.reference]))
    report.refresh_from_db()
    assert report.state == "published"
    names = {path.name for path in report.files()}
    assert names == {"report.html", "report.pdf", "metadata.json", *(f"{one.name}.csv" for one in reporting.TABLES)}
    pdf = (report.folder / "report.pdf").read_bytes()
    assert pdf.startswith(b"%PDF") and b"/StructTreeRoot" in pdf or b"ObjStm" in pdf
    html = (report.folder / "report.html").read_text()
    assert 'lang="en"' in html and "<caption>" in html and 'scope="row"' in html and "Draft. Not published" not in html
    metadata = json.loads((report.folder / "metadata.json").read_text())
    assert metadata["safelight:extract"] == extract.digest and metadata["safelight:tables"] == report.digest
    for one in reporting.TABLES:
        taken = client.get(reverse("oversight:report_file", args=[report.reference, f"{one.name}.csv"]))
        rows = list(csv.DictReader(io.StringIO(b"".join(taken.streaming_content).decode())))
        for row in rows:
            assert row["number"] == "*" or int(row["number"]) % 5 == 0, row
    assert LedgerEntry.objects.filter(verb="report.published").count() == 1
    assert LedgerEntry.objects.filter(verb="report.taken").count() == len(reporting.TABLES)
    again = client.post(reverse("oversight:reports"), {"quarter": quarter}, follow=True).content.decode()
    assert "a published report is not replaced" in again


def test_the_same_extract_gives_the_same_tables(extract) -> None:
    """A figure that nobody can work out again is a claim."""
    chief = make_user("chief_officer", None)
    first = reporting.draft(chief, reporting.last_quarter())
    second = reporting.draft(chief, reporting.last_quarter(), extract=extract)
    assert first.digest == second.digest and first.pk != second.pk
    assert PublicReport.objects.count() == 1
    true = [reporting._released(one) for one in second.tables]
    assert audit(true).safe
    counts = {row.table.name: int(row.table.counts.sum()) for row in true}
    since, until = reporting.bounds(reporting.last_quarter())
    assert counts["cases"] == Case.objects.filter(opened_at__gte=since, opened_at__lt=until).count() > 10
    assert counts["children"] == counts["cases"]


def test_what_may_not_be_drafted_is_refused_in_words(extract) -> None:
    """A report of a quarter that is not over would be compared with whole ones."""
    chief = make_user("chief_officer", None)
    with pytest.raises(Invalid, match="not a quarter"):
        reporting.draft(chief, "2026-Q3")
    with pytest.raises(Invalid, match="not over yet"):
        reporting.draft(chief, "2090Q1")
    with pytest.raises(Invalid, match="no disclosure policy"):
        reporting.draft(chief, reporting.last_quarter(), policy_id="none")
    with pytest.raises(NotAllowed):
        reporting.draft(make_user("auditor", None), reporting.last_quarter())


def test_a_draft_that_the_attack_breaks_is_not_published(extract, monkeypatch) -> None:
    """A count hidden last quarter would be worked out from this one."""
    chief = make_user("chief_officer", None)
    report = reporting.draft(chief, reporting.last_quarter())
    tables = report.tables
    # One small cell in a row of its own: the total gives it away.
    tables[0] |= {"dimensions": [["told", ["in time", "late"], True]], "counts": [3, 40], "hidden": [], "mixed": False,
                  "policy": "threshold10"}  # fmt: skip
    PublicReport.objects.filter(pk=report.pk).update(tables=tables)
    with pytest.raises(NotPossible, match="could be worked out"):
        reporting.publish(chief, report)
    report.refresh_from_db()
    assert report.state == "draft" and not report.files()


def test_quarters_begin_in_london_time() -> None:
    """A case of the last evening of June would count in July."""
    since, until = reporting.bounds("2026Q2")
    assert since.isoformat() == "2026-04-01T00:00:00+01:00" and until.isoformat() == "2026-07-01T00:00:00+01:00"
    assert reporting.bounds("2025Q4")[1].isoformat() == "2026-01-01T00:00:00+00:00"
    assert reporting.last_quarter(since) == "2026Q1"
