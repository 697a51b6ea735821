"""The report folder: for machines, for people, for spreadsheets; never a picture, never a formula, never a script."""

from __future__ import annotations

import csv
import html.parser
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.triage.samples import finding, result

from safelight.errors import EvidenceError
from safelight.triage import Counts, EvidencePart, EvidenceRecord, Problem, TriageResult, UnreadPart, write_report
from safelight.triage.exports.html import render_html
from safelight.triage.exports.table import render_csv, safe_cell

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
    assert {p.name for p in paths.values()} == {"report.json", "report.html", "findings.csv"}
    assert sorted(p.name for p in (tmp_path / "a" / "b").iterdir()) == ["findings.csv", "report.html", "report.json"]
    assert TriageResult.from_json(json.loads(paths["json"].read_text("utf-8"))) == whole


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
