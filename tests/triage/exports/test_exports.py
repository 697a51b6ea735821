"""The report folder: for machines, for people, for spreadsheets; never a picture, never a formula, never a script."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import html.parser
import io
import json
import re
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from tests.triage.samples import finding, result

from safelight.cells import safe_cell
from safelight.errors import EvidenceError
from safelight.matching import validate_vics
from safelight.triage import Counts, EvidencePart, EvidenceRecord, Problem, TriageResult, UnreadPart, write_report
from safelight.triage.exports import Device, seal_of, write_index
from safelight.triage.exports.case_uco import render_case
from safelight.triage.exports.html import render_html
from safelight.triage.exports.index import ranked
from safelight.triage.exports.table import render_csv
from safelight.triage.exports.vics import VicsOptions, write_vics
from safelight.triage.sampled import FirstAnswer, FirstAnswerSettings

HOSTILE = '=cmd|"/c calc"!A1<script>alert(1)</script><img src=x>&"\'.jpg'


class Page(html.parser.HTMLParser):
    """Tags and ids of a page, and whether every tag is closed in order."""

    VOID = frozenset({"meta", "br", "link", "img", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.labels: list[str] = []
        self.attributes: set[str] = set()
        self._open: list[str] = []
        self.feed(text)
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.ids += [v or "" for name, v in attrs if name == "id"]
        self.labels += [v or "" for name, v in attrs if name == "aria-labelledby"]
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


def full() -> TriageResult:
    return result(
        findings=(
            finding(path=HOSTILE, name=HOSTILE, names=(HOSTILE,)),
            finding(kind="perceptual", distance=7, mode="full size"),
        ),
        unread=(UnreadPart("volume 2", "BitLocker encryption, no key was given", 5, 7, HOSTILE), UnreadPart("x", "y")),
        problems=(Problem(HOSTILE, HOSTILE),),
        counts=Counts(files=2, files_read=2, bytes_read=20),
    )


def test_the_page_is_whole_and_holds_no_script_and_no_picture() -> None:
    """A file name on the device could run code in the examiner's browser, or the report could show a picture."""
    page = Page(render_html(full()))
    assert {"script", "img", "iframe", "object", "link", "picture", "video"}.isdisjoint(page.tags)
    assert not {a for a in page.attributes if a.startswith("on") or a in ("src", "href") and a == "src"}
    assert len(page.ids) == len(set(page.ids)) and set(page.labels) <= set(page.ids)
    assert page.tags.count("h1") == 1 and "caption" in page.tags and "main" in page.tags


def test_the_page_says_what_was_not_read_and_how_to_repeat() -> None:
    """A court could not repeat the run, or would not see what is missing."""
    whole = full()
    text = render_html(whole)
    for words in (
        "BitLocker",
        whole.findings_digest,
        "Demo Examiner",
        "ab" * 32,
        "2 parts",
        "How to repeat",
        "threshold",
    ):
        assert words in text


def test_files_are_written_and_read_back(tmp_path: Path) -> None:
    """A report from a field laptop could not be brought into the case."""
    whole = full()
    paths = write_report(whole, tmp_path / "a" / "b")
    names = ["SHA256SUMS", "case-uco.jsonld", "findings.csv", "report.html", "report.json", "vics.json"]
    assert sorted(p.name for p in paths.values()) == sorted(p.name for p in (tmp_path / "a" / "b").iterdir()) == names
    assert TriageResult.from_json(json.loads(paths["json"].read_text("utf-8"))) == whole
    for line in paths["sums"].read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((tmp_path / "a" / "b" / name).read_bytes()).hexdigest() == digest
    assert seal_of(tmp_path / "a" / "b") == hashlib.sha256(paths["sums"].read_bytes()).hexdigest()
    with pytest.raises(EvidenceError, match="no SHA256SUMS"):
        seal_of(tmp_path)


def test_case_uco_conforms(tmp_path: Path) -> None:
    """Another agency's tools would refuse the report."""
    import case_utils.case_validate

    first = FirstAnswer(FirstAnswerSettings(seed=3), media=100, places=20, drawn=20)
    fragment = finding(kind="block", state="unallocated", md5="", sha1="", sha256="", pdq="ab" * 32, path="$U/8")
    whole = replace(full(), first=first, findings=(*full().findings, fragment))
    text = render_case(whole)
    assert text == render_case(whole)
    path = tmp_path / "report.jsonld"
    path.write_text(text, encoding="utf-8")
    made = case_utils.case_validate.validate([str(path)], allow_infos=True)
    assert made.conforms, made.text
    graph = json.loads(text)["@graph"]
    assert len([n for n in graph if n["@type"] == "uco-observable:File"]) == 3
    entries = {e["uco-configuration:itemName"]: e["uco-configuration:itemValue"]
               for n in graph for e in n.get("uco-configuration:configurationEntry", ())}  # fmt: skip
    assert entries["findings_digest"] == whole.findings_digest and entries["hash_set.SYNTHETIC.root"] == "ab" * 32
    assert entries["first_answer.seed"] == "3" and "keys" not in entries


def test_vics_is_sound_and_guesses_no_number(tmp_path: Path) -> None:
    """A submission with guessed category numbers would be read as a decision of the force."""
    fragment = finding(kind="block", md5="", sha1="", sha256="", path="$Unallocated/8")
    undecodable = "DCIM/\udcff.jpg"
    whole = result(findings=(*full().findings, fragment, finding(path=undecodable, md5="44" * 16)))
    assert write_vics(whole, tmp_path / "plain.json", VicsOptions()) == 2
    assert validate_vics(tmp_path / "plain.json") == []
    read = json.loads((tmp_path / "plain.json").read_text("utf-8"))["value"][0]
    assert read["CaseNumber"] == "d.dd" and read["SourceApplicationVersion"] == "0.1.0"
    assert {m["Category"] for m in read["Media"]} == {0} and read["Media"][0]["Tags"] == "category A by SYNTHETIC"
    assert len(read["Media"][0]["MediaFiles"]) == 2 and read["Media"][0]["IsSuspected"] is True
    options = VicsOptions("OP-1", "Demo force", {"A": 1}.get)
    write_vics(whole, tmp_path / "set.json", options)
    read = json.loads((tmp_path / "set.json").read_text("utf-8"))["value"][0]
    assert {m["Category"] for m in read["Media"]} == {1} and read["ContactOrganization"] == "Demo force"
    assert write_vics(result(findings=(fragment,)), tmp_path / "none.json", options) == 0
    assert not (tmp_path / "none.json").exists()


def test_the_pdf_is_tagged(tmp_path: Path) -> None:
    """Somebody who cannot see could not read the report, and a court's archive would refuse it."""
    made = write_report(full(), tmp_path, pdf=True)["pdf"].read_bytes()
    assert made.startswith(b"%PDF-1.7")
    for stream in re.findall(rb"stream\n(.*?)\nendstream", made, re.DOTALL):
        with contextlib.suppress(zlib.error):
            made += zlib.decompress(stream)
    for words in (b"/StructTreeRoot", b"/Marked true", b"(en-GB)", b"pdfuaid:part", b"/TH"):
        assert words in made, words
    assert b"/Subtype /Image" not in made
    assert "report.pdf" in (tmp_path / "SHA256SUMS").read_text()


def test_several_devices_are_ranked_on_one_page(tmp_path: Path) -> None:
    """Twenty reports in twenty folders would have to be opened to know where to begin."""
    devices = [
        Device("a.dd", "001-a.dd", result()),
        Device("<b>.dd", "002-b.dd", full()),
        Device("c.dd", failure="It is not an image."),
    ]
    assert [d.name for d, _ in ranked(devices)] == ["c.dd", "<b>.dd", "a.dd"]
    text = write_index(devices, tmp_path).read_text("utf-8")
    page = Page(text)
    assert {"script", "img", "iframe"}.isdisjoint(page.tags) and page.tags.count("h1") == 1
    expected = (
        "1 first", "1 could not be triaged", "&lt;b&gt;.dd", "002-b.dd/report.html", "before this run",
        "It is not an image.", "never what to leave out",
    )  # fmt: skip
    for words in expected:
        assert words in text, words
    (tmp_path / "file").write_text("x")
    with pytest.raises(EvidenceError, match="cannot be written"):
        write_index(devices, tmp_path / "file" / "x")


def test_a_first_answer_says_so_on_the_page() -> None:
    """A sample would be read as a full pass."""
    first = FirstAnswer(FirstAnswerSettings(seed=12345), media=10**12, places=200_000, drawn=50_000, files_listed=7)
    text = render_html(replace(result(), first=first, state="first answer"))
    for words in ("a sample, not a full pass", "12345", "--places 50000", "C(N-M, n)", "50,000"):
        assert words in text, words


def test_cells_never_begin_a_formula() -> None:
    """Opening the table could run a command on the examiner's computer."""
    for bad in ("=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "  =1", "＝1"):
        assert safe_cell(bad).startswith("'")
    assert safe_cell("DCIM/a.jpg") == "DCIM/a.jpg" and safe_cell(None) == ""
    rows = list(csv.DictReader(io.StringIO(render_csv(full()))))
    assert len(rows) == 2 and rows[0]["path"] == "'" + HOSTILE and rows[1]["distance"] == "7"


def test_the_report_never_goes_into_the_evidence(tmp_path: Path) -> None:
    """Evidence would be changed by its own report."""
    folder = EvidenceRecord((EvidencePart("e", str(tmp_path), 0),), "folder", 0)
    with pytest.raises(EvidenceError, match="into the evidence"):
        write_report(replace(result(), evidence=folder), tmp_path / "report")


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """A full or wrong disk would end in a trace."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(EvidenceError, match="cannot be written"):
        write_report(result(), tmp_path / "file" / "report")
