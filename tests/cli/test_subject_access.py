"""A person who asks what is held about them is given another person's record, or never answered."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from tests.casework.factories import make_case, make_user
from typer.testing import CliRunner

from safelight.casework.cases.models import CasePerson
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.people.models import Identifier, Person
from safelight.casework.retention.models import AccessRequest
from safelight.cli.main import app

pytestmark = pytest.mark.django_db


def run(*words: str, ok: bool = True) -> str:
    answer = CliRunner().invoke(app, ["subject-access", *words])
    assert (answer.exit_code == 0) is ok, answer.output
    return answer.output if ok else str(answer.exception or answer.output)


def test_a_request_is_gathered_decided_and_given_without_other_peoples_data(tmp_path: Path, settings: Any) -> None:
    import safelight.standards

    settings.SITE_STANDARDS = Path(safelight.standards.__file__).parent / "data" / "demo_site.toml"
    chief = make_user("chief_officer", None)
    case = make_case()
    asks = Person.objects.create(family_name="Askington", given_names="Ada", postcode="ZZ1 1ZZ")
    other = Person.objects.create(family_name="Otherwise", given_names="Olga")
    for person in (asks, other):
        CasePerson.objects.create(case=case, person=person, role="other", added_at=timezone.now())
        Identifier.objects.create(person=person, kind="email", value=f"{person.family_name.lower()}@example.org")
    who = ("--as", chief.username)
    said = run("record", asks.reference, "--received", "2026-01-31", "--identity", "Passport seen.", *who)
    row = AccessRequest.objects.get()
    assert "28 February 2026" in said  # no 31 February
    sheet, out = tmp_path / "sheet.csv", tmp_path / "held.zip"
    assert "not decided yet" in run("answer", row.reference, "--to", "Her", "--output", str(out), *who, ok=False)
    out.unlink(missing_ok=True)
    run("sheet", row.reference, "--output", str(sheet), *who)
    with sheet.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert {line["kind"] for line in lines} >= {"people.Person", "people.Identifier", "cases.CasePerson"}
    assert "Otherwise" not in sheet.read_text()
    for line in lines:
        withheld = line["kind"] == "cases.CasePerson"
        line["given (yes/no)"] = "no" if withheld else "yes"
        line["ground (a-e)"], line["reason"] = ("a", "Synthetic: an arrest is planned.") if withheld else ("", "")
    with sheet.open("w", encoding="utf-8", newline="") as file:
        written = csv.DictWriter(file, list(lines[0]))
        written.writeheader()
        written.writerows(lines)
    assert ", 0 left" in run("decide", row.reference, str(sheet), *who)
    run("answer", row.reference, "--to", "Ada Askington, by hand", "--output", str(out), *who)
    with zipfile.ZipFile(out) as held:
        text = held.read("held.json").decode() + held.read("held.html").decode()
        data = json.loads(held.read("held.json"))
    assert "askington@example.org" in text
    assert "ZZ1 1ZZ" in text
    assert "therwise" not in text
    assert data["withheld"] >= 1
    assert not any(one["kind"] == "cases.CasePerson" for one in data["held"])
    entry = LedgerEntry.objects.get(verb="access.answered")
    assert (entry.category, entry.recipient) == ("disclosure", "Ada Askington, by hand")
    assert "is answered already" in run("decide", row.reference, str(sheet), *who, ok=False)


def test_nobody_but_a_chief_officer_answers(tmp_path: Path) -> None:
    """Everything that is held about somebody would lie open to whoever can start a command."""
    person = Person.objects.create(family_name="Askington")
    admin = make_user("administrator", None)
    words = ("record", person.reference, "--received", "2026-01-31", "--identity", "Seen.", "--as", admin.username)
    assert "may not" in run(*words, ok=False)
