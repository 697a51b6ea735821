"""What the examiner does in the story: watches the triage, reads it, takes its report, grades and submits."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import expect
from tests.browser.site import Site

TOOL = "Example Grader 1.0 (synthetic)"


def watch_it_live(examiner: Any, site: Site) -> str:
    """Progress comes by itself, and so does the result: nobody reloads the page."""
    from safelight.casework.devices.models import TriageRun

    examiner.page.get_by_role("button", name=re.compile("^Start triage")).click()
    site.worker.hold_still_when(lambda: TriageRun.objects.filter(state="running", files_total__gt=0).exists())
    examiner.sees("Running since", "so far")
    run = TriageRun.objects.get()
    assert run.state == "running"
    examiner.page.evaluate("window.stayed = true")
    examiner.look("triage-running")
    bar = examiner.page.get_by_role("progressbar")
    expect(bar).to_be_visible()
    site.worker.go_on()
    # HX-Refresh loads the page anew by script once the run has ended: no key is pressed, no link followed.
    examiner.sees("Listed material found", within=90)
    run.refresh_from_db()
    examiner.look("triage-finished")
    return str(run.reference)


def read_the_verdict(examiner: Any) -> None:
    text = examiner.text
    assert not re.search(r"\bclear\b", text, re.IGNORECASE), "no device is ever 'clear'"
    examiner.sees("were not read", "Not read", "cut short")
    assert text.index("Not read") < text.index("Findings"), "what was not read comes before what was found"
    for words in ("Category A", "Exact", "Similar picture", "Deleted", "Live"):
        assert words in text, words
    examiner.select("Kind of match", "Similar picture")
    examiner.press("Show", "findings-similar")
    examiner.sees("256 bits differ")
    table = examiner.page.get_by_role("table", name=re.compile("Findings, one by one"))
    assert "Exact" not in table.inner_text()


def take_the_report(examiner: Any, site: Site, run: str) -> None:
    with examiner.page.expect_download() as waiting:
        examiner.page.get_by_role("link", name="Record for machines (JSON)").click()
    path = Path(site.folder / "report.json")
    waiting.value.save_as(path)
    assert waiting.value.suggested_filename == f"{run}-report.json"
    report = json.loads(path.read_text(encoding="utf-8"))
    text = path.read_text(encoding="utf-8")
    assert report and "data:image" not in text and not re.search(r'"[^"]*\bclear\b', text, re.IGNORECASE)
    with examiner.page.expect_download() as waiting:
        examiner.page.get_by_role("link", name="Report for people (HTML)").click()
    page = site.folder / "report.html"
    waiting.value.save_as(page)
    assert "<img" not in page.read_text(encoding="utf-8")


def grade(examiner: Any, site: Site) -> None:
    examiner.follow(site.notes["case"])
    examiner.tab("Submissions")
    examiner.press("Record grades")
    examiner.press("Record", "grades-empty")
    examiner.is_told_of_a_problem("Grading tool and version")
    examiner.fill("Grading tool and version", TOOL)
    lists = examiner.page.get_by_role("combobox")
    assert lists.count() >= 1
    for number in range(lists.count()):
        lists.nth(number).select_option(label="Category B" if number else "Not pertinent")
    examiner.press("Record", "graded")
    examiner.sees(TOOL, "Not pertinent")


def submit(examiner: Any, site: Site) -> None:
    examiner.press(re.compile("^Write the submission"))
    examiner.told("is written and checked")
    site.notes["submission"] = examiner.path.split("/")[2]
    with examiner.page.expect_download() as waiting:
        examiner.page.get_by_role("button", name="Download the file").click()
    path = site.folder / "submission.json"
    waiting.value.save_as(path)
    document = json.loads(path.read_text(encoding="utf-8"))
    assert "UK" in document["@odata.context"]
    examiner.press("Record that it was sent")
    examiner.press("Record", "sent")
    examiner.told("is recorded as sent")
    items = examiner.page.get_by_role("table", name="Items")
    md5 = items.get_by_role("rowheader").first.inner_text()
    examiner.press("Record the receipt")
    examiner.fill("Reference of the receipt", "SYN-CAID-0001")
    examiner.fill("Rejected items", f"{md5.strip()} the size does not agree (synthetic)")
    examiner.press("Record", "receipt")
    examiner.sees("the size does not agree (synthetic)", "Rejected items that wait", "SYN-CAID-0001")
    examiner.follow(re.compile("^Settle "))
    examiner.fill("How it was settled", "Already held by the database (synthetic)")
    examiner.press("Record", "settled")
    examiner.does_not_see("Rejected items that wait")
    examiner.sees("Already held by the database (synthetic)")
