"""A field bench's report comes into the case: whole, once, and never changed on the way."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from tests.casework.bench import Bench
from tests.casework.factories import make_case, make_device, make_user
from tests.triage.samples import NOON, finding, result
from typer.testing import CliRunner

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.devices.models import TriageRun
from safelight.casework.fleet.importing import import_report, read_report
from safelight.casework.fleet.models import BenchReport, FirstLook
from safelight.casework.hashsets.models import HashSetRecord
from safelight.casework.hashsets.services import load_live
from safelight.casework.ledger.models import LedgerEntry
from safelight.triage import TriageResult, TriageSettings, triage_device, write_report
from safelight.triage.exports import seal_of
from safelight.triage.result import findings_digest
from safelight.triage.sampled import FirstAnswer, FirstAnswerSettings

pytestmark = pytest.mark.django_db


def made_elsewhere(bench: Bench, folder: Path) -> tuple[TriageResult, str]:
    """A real run without the database, over the demo's card, and its seal."""
    made = triage_device(
        [bench.card.path], hash_sets=[s for _, s in load_live()], settings=TriageSettings(picture_workers=1),
        operator="Field Examiner",
    )  # fmt: skip
    write_report(made, folder)
    return made, seal_of(folder)


def synthetic(folder: Path, **changes: Any) -> TriageResult:
    """A small report whose hash set is known here."""
    root = "ab" * 32
    if not HashSetRecord.objects.filter(root=root).exists():
        HashSetRecord.objects.create(
            name="SYNTHETIC", kind="known", version="1", root=root, folder="", source="x", legal_basis="x",
            file_name="x", file_sha256="x", format="x", imported_at=NOON, imported_by=make_user("examiner"),
        )  # fmt: skip
    made = result(findings=(finding(),), **changes)
    made = replace(made, findings_digest=findings_digest(made.findings, made.hash_sets, made.settings, made.first))
    write_report(made, folder)
    return made


def test_a_real_run_of_a_field_bench_stands_on_the_device_page(bench: Bench, tmp_path: Path, sign_in: Any) -> None:
    """The field laptop's hours of work would be done again, or be typed off a screen."""
    bench.import_sets()
    made, seal = made_elsewhere(bench, tmp_path / "report")
    device = make_device(make_case(), bench.examiner)
    own = bench.triage(bench.device())
    browser = sign_in(bench.examiner)
    page = reverse("fleet:field_report", args=[device.reference])
    assert "kept at the bench" in browser.get(page).content.decode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as zipped:
        for path in (tmp_path / "report").iterdir():
            zipped.write(path, f"report/{path.name}")
    upload = SimpleUploadedFile("report.zip", packed.getvalue())
    answer = browser.post(page, {"file": upload, "seal": seal[:16].upper(), "image": ""}, follow=True)
    text = answer.content.decode()
    run = device.runs.get()
    assert f"The report is imported: {run.reference}" in text and "Run on a field bench" in text
    assert "Field Examiner" in text and "Its seal was compared" in text and "Start triage" not in text
    assert run.findings_digest == made.findings_digest == own.findings_digest
    assert run.findings.count() == own.findings.count() and run.verdict == own.verdict and run.state == own.state
    entry = LedgerEntry.objects.get(verb="bench_report.imported")
    assert entry.payload["seal"] == seal and entry.payload["seal_given"] is True
    for name in ("report.html", "report.pdf", "vics.json", "SHA256SUMS"):
        got = browser.get(reverse("devices:report", args=[device.reference, run.reference, name]))
        assert got.status_code == 200 and b"".join(got.streaming_content), name
    again, new = import_report(bench.examiner, device, tmp_path / "report", seal=seal)
    assert (again, new) == (run, False) and TriageRun.objects.filter(device=device).count() == 1
    with pytest.raises(NotPossible, match="imported before"):
        import_report(bench.examiner, make_device(make_case(), bench.examiner), tmp_path / "report")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda f: (f / "report.json").write_text("{}"), "changed"),
        (lambda f: (f / "findings.csv").unlink(), "findings.csv is missing"),
        (lambda f: (f / "SHA256SUMS").unlink(), "no SHA256SUMS"),
        (lambda f: (f / "SHA256SUMS").write_text("0" * 64 + "  ../../etc/passwd\n"), "does not belong there"),
        (lambda f: (f / "SHA256SUMS").write_text(""), "does not name report.json"),
    ],
)  # fmt: skip
def test_a_changed_or_incomplete_report_is_refused(spoil: Any, words: str, tmp_path: Path) -> None:
    """A finding could be added to, or taken from, a case by whoever carries the laptop."""
    synthetic(tmp_path / "r")
    spoil(tmp_path / "r")
    with pytest.raises(Invalid, match=words):
        import_report(make_user("examiner"), make_device(make_case()), tmp_path / "r")
    assert not BenchReport.objects.exists() and not TriageRun.objects.exists()


def test_a_report_changed_as_a_whole_is_betrayed_by_its_seal_or_its_findings(tmp_path: Path) -> None:
    """Whoever changes the record can write new sums too."""
    synthetic(tmp_path / "r")
    seal = seal_of(tmp_path / "r")
    record = json.loads((tmp_path / "r" / "report.json").read_text())

    def rewrite(record: dict[str, Any]) -> None:
        text = json.dumps(record)
        (tmp_path / "r" / "report.json").write_text(text)
        sums = (tmp_path / "r" / "SHA256SUMS").read_text().splitlines()
        digest = hashlib.sha256(text.encode()).hexdigest()
        lines = [f"{digest}  report.json" if line.endswith("report.json") else line for line in sums]
        (tmp_path / "r" / "SHA256SUMS").write_text("\n".join(lines) + "\n")

    rewrite({**record, "operator": "Somebody Else"})
    with pytest.raises(Invalid, match="seal is not that of this report"):
        read_report(tmp_path / "r", seal)
    with pytest.raises(Invalid, match="seal"):
        read_report(tmp_path / "r", "abc")
    rewrite({**record, "findings": []})
    with pytest.raises(Invalid, match="do not fit its findings digest"):
        read_report(tmp_path / "r")
    rewrite({**record, "state": "stopped"})
    with pytest.raises(Invalid, match="stopped before its end"):
        read_report(tmp_path / "r")
    (tmp_path / "r" / "report.json").write_text("[1]")
    rewrite([1])  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="no triage record"):
        read_report(tmp_path / "r")


def test_a_list_that_nobody_imported_here_is_refused_and_leaves_nothing(tmp_path: Path, settings: Any) -> None:
    """Category A of an unknown list would stand in the case as if the force had vouched for it."""
    settings.REPORTS_ROOT = tmp_path / "reports"
    synthetic(tmp_path / "r")
    HashSetRecord.objects.all().delete()
    with pytest.raises(NotPossible, match="hash set SYNTHETIC .* never imported here"):
        import_report(make_user("examiner"), make_device(make_case()), tmp_path / "r")
    assert not (tmp_path / "reports").exists() and not TriageRun.objects.exists()


def test_a_first_answer_of_a_field_bench_is_none_of_the_runs(tmp_path: Path, settings: Any) -> None:
    """A sample would stop the clock of the triage."""
    settings.REPORTS_ROOT = tmp_path / "reports"
    first = FirstAnswer(FirstAnswerSettings(seed=3), media=100, places=20, drawn=20, files_listed=3)
    synthetic(tmp_path / "r", first=first)
    device = make_device(make_case())
    look, new = import_report(make_user("examiner"), device, tmp_path / "r")
    assert new and isinstance(look, FirstLook) and not device.runs.exists()
    assert look.state == "finished" and look.summary["findings"] == 1 and look.bench_report.seal_given is False
    device.refresh_from_db()
    assert device.priority.inputs["run"] == "first answer" and device.priority.inputs["exact"] == {"A": 1}


def test_a_zip_that_is_none_is_refused(tmp_path: Path, sign_in: Any) -> None:
    """A wrong file, or one made to fill the disk, would end in a trace."""
    examiner = make_user("examiner")
    device = make_device(make_case(), examiner)
    browser = sign_in(examiner)
    page = reverse("fleet:field_report", args=[device.reference])
    for body in (b"", b"PK\x03\x04 nothing", b"x" * 100):
        answer = browser.post(page, {"file": SimpleUploadedFile("r.zip", body), "seal": "", "image": ""})
        assert answer.status_code == 200 and not BenchReport.objects.exists()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as zipped:
        zipped.writestr("a/report.json", "{}")
        zipped.writestr("b/report.json", "{}")
    answer = browser.post(page, {"file": SimpleUploadedFile("r.zip", packed.getvalue()), "seal": "", "image": ""})
    assert "report.json more than once" in answer.content.decode()
    shutil.rmtree(tmp_path)


def test_the_command_takes_a_report_in(tmp_path: Path, settings: Any, monkeypatch: Any) -> None:
    """A report of several gigabytes could not be brought in by the page."""
    from safelight.cli import django as entry
    from safelight.cli.main import app

    monkeypatch.setattr(entry, "setup", lambda: None)
    settings.REPORTS_ROOT = tmp_path / "reports"
    synthetic(tmp_path / "r")
    examiner = make_user("examiner")
    device = make_device(make_case(), examiner)
    words = ["import-report", str(tmp_path / "r"), "--device", device.reference, "--by", examiner.username]
    seal = seal_of(tmp_path / "r")
    out = CliRunner().invoke(app, [*words, "--seal", seal])
    assert out.exit_code == 0, out.output
    run = device.runs.get()
    assert f"imported, as {run.reference} of {device.reference}" in out.output
    assert "imported before" in CliRunner().invoke(app, words).output
    unknown = CliRunner().invoke(
        app, ["import-report", str(tmp_path), "--device", "D-999999", "--by", examiner.username]
    )
    assert "D-999999" in str(unknown.exception)
